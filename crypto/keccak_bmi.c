/* SPDX-License-Identifier: MIT */
/* crypto/keccak_bmi.c - one state, with and-not and three-operand rotation;
 * compiled with -mbmi -mbmi2. */
#include "crypto/keccak_body.h"

#if KECCAK__X86
#define KERNEL keccak__bmi
#include "crypto/keccak_scalar.h"
#endif
