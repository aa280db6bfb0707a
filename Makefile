# SPDX-License-Identifier: MIT
# sotto: one Makefile, one module.mk per room, no configure step.
#
#   make          the program, build/sotto
#   make run      install what is missing, build, start a node
#   make test     install what is missing, build and run every test
#   make help     the other targets
#
# CC, CFLAGS, LDFLAGS, PREFIX and DESTDIR are yours; V=1 shows the commands;
# SAN=address,undefined builds beside the release in a directory of its own.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

comma := ,
ifeq ($(origin CC),default)
CC := gcc
endif
O ?= build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
PREFIX ?= /usr/local
Q := $(if $(V),,@)
VERSION := 0.1.0

CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wconversion -Wswitch-enum -Wvla -Wformat=2 \
	-Wstrict-prototypes -Wmissing-prototypes -Werror
# Flags of hardening §5 that not every compiler has are asked for one by one.
probe = $(shell echo 'int main(void){return 0;}' | $(CC) -Werror $(1) -x c -o /dev/null - 2>/dev/null && echo '$(1)')
HARDEN := -fPIE $(foreach f,-fstack-protector-strong -fstack-clash-protection \
	-fcf-protection -ftrivial-auto-var-init=zero,$(call probe,$(f))) \
	$(if $(findstring -O,$(filter-out -O0,$(CFLAGS))),$(if $(SAN),,-U_FORTIFY_SOURCE $(call probe,-O2 -D_FORTIFY_SOURCE=3)))
ALL_CFLAGS := -std=gnu11 -I. $(filter-out -O2,$(HARDEN)) $(WARN) \
	-ffp-contract=off -fvisibility=hidden -ffile-prefix-map=$(CURDIR)=. \
	-D_GNU_SOURCE -DSOTTO_VERSION='"$(VERSION)"' \
	$(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer) $(CFLAGS)
ALL_LDFLAGS := -pie $(if $(SAN),-fsanitize=$(SAN),-Wl$(comma)-z$(comma)relro$(comma)-z$(comma)now) $(LDFLAGS)

# --- the rooms ----------------------------------------------------------------
# A module.mk adds its room; $(call room,NAME) makes build/lib/NAME.a of NAME/*.c.
ROOMS :=
SRC_ALL :=
define room
ROOMS += $(1)
SRC_$(1) := $$(sort $$(wildcard $(1)/*.c))
SRC_ALL += $$(SRC_$(1))
$$(O)/lib/$(1).a: $$(SRC_$(1):%.c=$$(O)/obj/%.o)
endef

# Lowest room last, so that the linker finds every name.
include $(foreach r,cmd net sim store node shh rlpx enr crypto rlp base,$(wildcard $(r)/module.mk))

LIB_ROOMS := $(filter-out cmd sim,$(ROOMS))
ARCHIVES := $(foreach r,$(LIB_ROOMS),$(O)/lib/$(r).a)
LIBS := -levent_core -lsnappy -lsecp256k1 -lcrypto -lm -lpthread

$(O)/lib/%.a:
	@mkdir -p $(@D)
	$(Q)rm -f $@
	$(Q)$(AR) rcD $@ $^

$(O)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC $<")
	$(Q)$(or $(CC_$(basename $(notdir $<))),$(CC)) $(ALL_CFLAGS) $(CFLAGS_$(basename $(notdir $<))) -MMD -MP -c -o $@ $<

-include $(patsubst %.c,$(O)/obj/%.d,$(SRC_ALL) $(wildcard tests/*.c tests/*/*.c bench/*.c))

.PHONY: all
all: deps-build $(if $(SRC_cmd),$(O)/sotto)

$(O)/sotto: $(if $(filter cmd,$(ROOMS)),$(O)/lib/cmd.a) $(ARCHIVES)
	$(if $(V),,@echo "  LD $@")
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ -Wl,--start-group $^ -Wl,--end-group $(LIBS)

# Build what is missing on this machine first, once; see scripts/deps.
.PHONY: deps-build deps-test
deps-build:
	@scripts/deps build
deps-test:
	@scripts/deps test

include tests/module.mk
-include bench/module.mk

.PHONY: run
run: all
	$(O)/sotto node $(ARGS)

.PHONY: clean
clean:
	rm -rf build

.PHONY: help
help:
	@sed -n '2,/^$$/p' Makefile | sed 's/^# \{0,1\}//'
	@grep -hE '^[a-z-]+:.*## ' Makefile tests/module.mk bench/module.mk 2>/dev/null | sed 's/:.*## /\t/' | sort
