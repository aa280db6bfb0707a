/* SPDX-License-Identifier: MIT */
/* crypto/openssl.h - OpenSSL under one roof with base/err.h, in this folder only.
 *
 * Both want the name ERR_STATE: OpenSSL for a type that nobody here uses, so
 * it is the one to step aside.
 */
#ifndef CRYPTO_OPENSSL_H
#define CRYPTO_OPENSSL_H

#define ERR_STATE openssl_ERR_STATE
#include <openssl/crypto.h>
#include <openssl/evp.h>
#undef ERR_STATE

#endif /* CRYPTO_OPENSSL_H */
