# SPDX-License-Identifier: MIT
$(eval $(call room,crypto))

# The bodies of Keccak are compiled for instructions that not every machine
# has; keccak_body.c asks before it uses them.  On other processors these files
# are empty.  Compilers must not join the scalar rounds into vectors, which is
# slower, nor clear arrays that live in registers.
KECCAK_FLAGS := $(call probe,-fno-tree-slp-vectorize) \
	$(call probe,-ftrivial-auto-var-init=uninitialized)
KECCAK_AVX512 := -mbmi -mbmi2 -mavx512f -mavx512vl -mavx512bw

CFLAGS_keccak_portable := $(KECCAK_FLAGS)
ifneq ($(filter x86_64-% amd64-%,$(shell $(CC) -dumpmachine)),)
CFLAGS_keccak_bmi := -mbmi -mbmi2 $(KECCAK_FLAGS)
CFLAGS_keccak_avx2 := -mavx2 $(KECCAK_FLAGS)
CFLAGS_keccak_avx512_x4 := $(KECCAK_AVX512) $(KECCAK_FLAGS)
CFLAGS_keccak_avx512_x8 := $(KECCAK_AVX512) -mprefer-vector-width=512 $(KECCAK_FLAGS)
endif
