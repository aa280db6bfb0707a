# SPDX-License-Identifier: MIT
# Tests: every tests/unit/test_*.c is one cmocka program, every
# tests/fuzz/fuzz_*.c one fuzz target whose corpus `make test` replays.

UNIT := $(patsubst tests/unit/%.c,$(O)/tests/%,$(sort $(wildcard tests/unit/test_*.c)))
FUZZ := $(patsubst tests/fuzz/%.c,$(O)/tests/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
TOOLS := $(patsubst tests/tools/%.c,$(O)/tests/%,$(sort $(wildcard tests/tools/*.c))) \
	$(O)/tests/portable
SUPPORT := $(O)/lib/tests.a
$(SUPPORT): $(patsubst tests/%.c,$(O)/obj/tests/%.o,$(sort $(wildcard tests/*.c))) $(O)/sources.stamp
TEST_LIBS := -lcmocka -ljansson
SIM_LIB := $(if $(SRC_cmd),$(O)/lib/cmd.a) $(if $(SRC_sim),$(O)/lib/sim.a)
GROUP = -Wl,--start-group $(filter %.a,$^) -Wl,--end-group

# libFuzzer brings a main of its own; without it, the replay does.
FUZZ_MAIN := $(if $(FUZZER),,$(O)/obj/tests/fuzz/replay.o)

$(O)/tests/test_%: $(O)/obj/tests/unit/test_%.o $(SUPPORT) $(SIM_LIB) $(ARCHIVES)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(GROUP) $(TEST_LIBS) $(LIBS)

$(O)/tests/fuzz_%: $(O)/obj/tests/fuzz/fuzz_%.o $(FUZZ_MAIN) $(SIM_LIB) $(ARCHIVES)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(if $(FUZZER),-fsanitize=fuzzer) -o $@ $(filter %.o,$^) $(GROUP) $(LIBS)

$(O)/tests/%: $(O)/obj/tests/tools/%.o $(SIM_LIB) $(ARCHIVES)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(GROUP) $(LIBS)

$(O)/tests/portable: $(O)/obj/tests/portable/portable.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(GROUP) $(LIBS)


.PHONY: test check tests-build fuzz-build
tests-build: all $(UNIT) $(FUZZ) $(TOOLS)
fuzz-build: $(FUZZ)
test: tests-build ## build and run every test, T=pattern for some
	@tests/run $(O) $(T)
check: test

.PHONY: interop
interop: all $(TOOLS) ## real peers of every family (Go, Node.js), I="-run bridge" for some
	@O=$(O) tests/interop/run.sh $(I)
