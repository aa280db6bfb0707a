# SPDX-License-Identifier: MIT
# sotto: one Makefile, one module.mk per room, no configure step.
#
#   make          the program, build/sotto
#   make run      install what is missing, build, start a node (ARGS="...")
#   make test     install what is missing, build and run every test (T=pattern)
#   make help     the other targets
#
# CC, CFLAGS, LDFLAGS, PREFIX and DESTDIR are yours; V=1 shows the commands;
# O=dir builds there; SAN=address,undefined builds beside the release in a
# directory of its own.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

comma := ,
ifeq ($(origin CC),default)
CC := $(firstword $(notdir $(foreach c,gcc clang cc,$(shell command -v $(c)))) gcc)
endif
O ?= build$(if $(SAN),/$(notdir $(CC))-$(subst $(comma),-,$(SAN)))
PREFIX ?= /usr/local
Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-4s %s\n' '$(1)' '$(2)')
VERSION := 0.1.0

# --- flags ----------------------------------------------------------------------

CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wconversion -Wswitch-enum -Wvla -Wformat=2 \
	-Wstrict-prototypes -Wmissing-prototypes
# Warnings are errors for the compilers that CI has; others know others.  What is
# maybe uninitialized depends on the optimiser, so it warns and goes on.
COMPILER := $(if $(findstring clang,$(shell $(CC) --version)),clang,gcc)-$(firstword $(subst ., ,$(shell $(CC) -dumpversion)))
WARN += $(if $(filter gcc-12 clang-14,$(COMPILER)),-Werror) \
	$(if $(filter gcc-%,$(COMPILER)),-Wno-error=maybe-uninitialized)

# Flags of hardening §5 that not every compiler has are asked for, each once.
probe = $(shell printf '\#include <stdio.h>\nint main(void){return 0;}\n' | \
	$(CC) -Werror $(1) -x c -o /dev/null - 2>/dev/null && echo '$(1)')
HARDEN := -fPIE $(foreach f,-fstack-protector-strong -fstack-clash-protection -fcf-protection \
	$(if $(SAN),,-ftrivial-auto-var-init=zero),$(call probe,$(f)))
# FORTIFY needs an optimiser, and sanitizers need it away.
ifeq ($(SAN)$(filter -O0,$(CFLAGS)),)
HARDEN += $(filter-out -O%,$(call probe,-O1 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3))
endif
# Frames are bounded where stacks are short and inputs hostile: in the rooms.
STACK := $(if $(SAN)$(filter -O0,$(CFLAGS)),,$(call probe,-Wstack-usage=8192))

SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# FUZZER=1 makes libFuzzer programs of the fuzz targets (clang); see make fuzz.
SANITIZE += $(if $(FUZZER),-fsanitize=fuzzer-no-link)
ALL_CFLAGS := -std=gnu11 -I. $(HARDEN) $(WARN) -ffp-contract=off -fvisibility=hidden \
	-ffile-prefix-map=$(CURDIR)=. -D_GNU_SOURCE -DSOTTO_VERSION='"$(VERSION)"' \
	$(SANITIZE) $(CFLAGS)
ALL_LDFLAGS := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed $(LDFLAGS)
LIBS := -levent_core -lsnappy -lsecp256k1 -lcrypto -lm -lpthread

# --- the rooms --------------------------------------------------------------------
# A module.mk adds its room; $(call room,NAME) makes lib/NAME.a of NAME/*.c.
# CFLAGS_name gives the file name.c flags of its own.

ROOMS :=
SRC_ALL :=
define room
ROOMS += $(1)
SRC_$(1) := $$(sort $$(wildcard $(1)/*.c))
SRC_ALL += $$(SRC_$(1))
$$(O)/lib/$(1).a: $$(SRC_$(1):%.c=$$(O)/obj/%.o) $$(O)/sources.stamp
endef

# Lowest room last, so that the linker finds every name.
include $(foreach r,cmd net sim store node shh rlpx enr crypto rlp base,$(wildcard $(r)/module.mk))

LIB_ROOMS := $(filter-out cmd sim,$(ROOMS))
ARCHIVES := $(foreach r,$(LIB_ROOMS),$(O)/lib/$(r).a)

# What was compiled differently, or from other files, is compiled again: a
# stamp changes when the text that it holds does.
$(O)/flags.stamp: TEXT = $(CC) $(ALL_CFLAGS) $(STACK) $(ALL_LDFLAGS) $(foreach v,$(sort $(filter CFLAGS_%,$(.VARIABLES))),$(v)=$($(v)))
$(O)/sources.stamp: TEXT = $(SRC_ALL) $(wildcard tests/*.c)
$(O)/%.stamp: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(TEXT))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(TEXT))' >$@
.PHONY: FORCE
FORCE:

$(O)/lib/%.a:
	@mkdir -p $(@D)
	$(Q)rm -f $@
	$(Q)$(AR) rcD $@ $(filter %.o,$^)

$(O)/obj/%.o: %.c $(O)/flags.stamp | deps
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) $(if $(filter $<,$(SRC_ALL)),$(STACK)) $(CFLAGS_$(basename $(notdir $<))) -MMD -MP -c -o $@ $<

-include $(patsubst %.c,$(O)/obj/%.d,$(SRC_ALL) $(wildcard tests/*.c tests/*/*.c bench/*.c))

.PHONY: all
all: deps $(ARCHIVES) $(if $(SRC_cmd),$(O)/sotto)

$(O)/sotto: $(if $(SRC_cmd),$(O)/lib/cmd.a) $(if $(SRC_sim),$(O)/lib/sim.a) $(ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ -Wl,--start-group $^ -Wl,--end-group $(LIBS)

# --- what this machine lacks --------------------------------------------------------
# One look at the package list, before the first compilation; see scripts/deps.

DEPS_GROUP := $(strip $(if $(filter ci-full,$(MAKECMDGOALS)),ci-full, \
	$(if $(filter ci fuzz check-source check-headers format coverage,$(MAKECMDGOALS)),ci, \
	$(if $(filter test check tests-build interop interop-% bench%,$(MAKECMDGOALS)),test,build))))
.PHONY: deps deps-build deps-test
deps:
	@scripts/deps $(DEPS_GROUP)
deps-build deps-test: deps

include tests/module.mk
-include bench/module.mk

# --- for people -----------------------------------------------------------------------

.PHONY: run demo
run: all ## build and start a node, ARGS="--port 30304 ..."
	$(O)/sotto node $(ARGS)
demo: all ## three nodes on loopback, one message through the middle one
	$(O)/sotto demo $(ARGS)

.PHONY: install uninstall dist
# The manual page and the shell's completion come from the table of options.
$(O)/sotto.1: $(O)/sotto
	$(Q)$(O)/sotto help manual >$@
$(O)/sotto.bash: $(O)/sotto
	$(Q)$(O)/sotto help completion >$@
SHARE = $(DESTDIR)$(PREFIX)/share
install: all $(O)/sotto.1 $(O)/sotto.bash ## to DESTDIR/PREFIX, /usr/local by default
	install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)/man/man1 $(SHARE)/bash-completion/completions
	install -m 755 $(O)/sotto $(DESTDIR)$(PREFIX)/bin/sotto
	install -m 644 $(O)/sotto.1 $(SHARE)/man/man1/sotto.1
	install -m 644 $(O)/sotto.bash $(SHARE)/bash-completion/completions/sotto
uninstall: ## what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/sotto $(SHARE)/man/man1/sotto.1 \
		$(SHARE)/bash-completion/completions/sotto
dist: ## build/sotto-VERSION.tar.gz of the committed tree, the same bytes every time
	@mkdir -p build
	git archive --prefix=sotto-$(VERSION)/ HEAD | gzip -9n >build/sotto-$(VERSION).tar.gz

# --- the house ----------------------------------------------------------------------------

.PHONY: check-source check-layers check-pure check-headers check-text format
check-source: $(ARCHIVES) ## layers, purity, headers alone, format, banned words
	@scripts/check-source $(O)
check-layers check-headers check-text:
	@scripts/$@
check-pure: $(ARCHIVES)
	@scripts/check-pure $(O)
format: ## lay out every C file
	clang-format -i $$(git ls-files '*.c' '*.h')

.PHONY: fuzz coverage ci ci-full
FUZZ_TIME ?= 20
fuzz: deps ## each fuzz target for FUZZ_TIME seconds (20), T=name for one
	$(Q)$(MAKE) --no-print-directory O=build/fuzz CC=clang SAN=address,undefined FUZZER=1 fuzz-build
	@scripts/fuzz build/fuzz $(FUZZ_TIME) $(T)
coverage: deps ## lines and branches that make test reaches, room by room
	$(Q)$(MAKE) --no-print-directory O=build/coverage CC=clang COVERAGE=1 \
		CFLAGS='-O1 -g -fprofile-instr-generate -fcoverage-mapping' tests-build
	@scripts/coverage build/coverage
ci: ## what every change must pass
	@.ci/run
ci-full: ## ci, and 32 bits, big-endian, MSan, valgrind, longer fuzzing
	@.ci/full

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## this list
	@sed -n '3,/^$$/p' Makefile | sed 's/^# \{0,1\}//'
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile */module.mk | sort -u | \
		awk -F '\t' '{ printf "  %-14s %s\n", $$1, $$2 }'
