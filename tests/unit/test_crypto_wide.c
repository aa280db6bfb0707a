/* SPDX-License-Identifier: MIT */
/* tests/unit/test_crypto_wide.c - the fingerprint once more, with 128 bits by hand,
 * as compilers without such a type get it. */
#define WIDE_BY_HAND
#include "crypto/fingerprint.c"
#include "tests/unit/test_crypto_fingerprint.c"
