/* SPDX-License-Identifier: MIT */
/* crypto/keccak_body.h - the permutation's bodies, inside this folder only. */
#ifndef CRYPTO_KECCAK_BODY_H
#define CRYPTO_KECCAK_BODY_H

#include "crypto/keccak.h"

/* Keccak-f[1600] on one state. */
void keccak__permute(uint64_t a[static 25]);

#endif /* CRYPTO_KECCAK_BODY_H */
