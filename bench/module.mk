# SPDX-License-Identifier: MIT
# Benchmarks: one program, one file a subject.  `make bench B=relay` runs those
# whose name contains "relay".

BENCH_OBJ := $(patsubst %.c,$(O)/obj/%.o,$(sort $(wildcard bench/*.c)))

# Calls of our own objects to the heap are counted.
BENCH_WRAP := -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc

$(O)/bench: $(BENCH_OBJ) $(SIM_LIB) $(ARCHIVES)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LD $@")
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(BENCH_WRAP) -o $@ $(filter %.o,$^) $(GROUP) $(LIBS)

.PHONY: bench
bench: deps-build $(O)/bench $(O)/sotto $(O)/load ## numbers, each beside its limit in the same run, B=subject
	@$(O)/bench --program $(O)/sotto --load $(O)/load --last $(O)/bench.last $(B)

# The load generator: one program of its own, for make bench-peers.
LOAD_OBJ := $(patsubst %.c,$(O)/obj/%.o,$(sort $(wildcard bench/load/*.c)))
-include $(LOAD_OBJ:.o=.d)

$(O)/load: $(LOAD_OBJ) $(O)/lib/shh.a $(O)/lib/rlpx.a $(O)/lib/enr.a $(O)/lib/crypto.a $(O)/lib/rlp.a $(O)/lib/base.a
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LD $@")
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(GROUP) $(LIBS)

# Beside go-ethereum's Whisper, in the same run.  FULL=1 takes longer, P=pattern
# plays some of it.
.PHONY: bench-peers
bench-peers: deps-build $(O)/bench $(O)/load $(O)/sotto ## beside go-ethereum, in one run (needs Go), P=pattern, FULL=1
	@if ! command -v go >/dev/null 2>&1; then \
		echo "SKIPPED: bench-peers; Go is not installed, and the stock peer cannot be built without it"; \
	else \
		(cd bench/peers && go build -buildvcs=false -o "$(abspath $(O))/peers" .) && \
		$(O)/peers -out $(O) $(if $(FULL),-full) $(if $(P),-run '$(P)'); \
	fi
