/* SPDX-License-Identifier: MIT */
/* crypto/keccak_portable.c - one state, any machine. */
#define KERNEL keccak__portable
#include "crypto/keccak_scalar.h"
