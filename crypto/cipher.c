/* SPDX-License-Identifier: MIT */
/* crypto/cipher.c - AES as streams, single blocks and sealed messages. */
#include "crypto/context.h"

#define PIECE_MAX ((size_t)1 << 30) /* bytes, whole blocks; the library counts in int */
#define TAG_SIZE  16

/* Whole blocks of ECB, and CTR of any length, cannot be wrong. */
void crypto__stream(EVP_CIPHER_CTX *ctx, uint8_t *out, const uint8_t *in, size_t len)
{
	while (len > 0) {
		size_t part = size_min(len, PIECE_MAX);
		int n = 0;

		crypto__must(EVP_EncryptUpdate(ctx, out, &n, in, (int)part));
		out += part;
		in += part;
		len -= part;
	}
}

/* A cipher context with its key; NULL when there is no memory. */
static EVP_CIPHER_CTX *keyed(const char *name, const uint8_t *key, const uint8_t *iv)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (cipher == NULL || ctx == NULL || EVP_EncryptInit_ex2(ctx, cipher, key, iv, NULL) != 1 ||
	    EVP_CIPHER_CTX_set_padding(ctx, 0) != 1) {
		EVP_CIPHER_CTX_free(ctx);
		ctx = NULL;
	}
	EVP_CIPHER_free(cipher);
	return ctx;
}

/* The objects of this file are the library's contexts under names of their
 * own: a connection keeps three, so a struct around each would be waste. */

enum err aes_ctr_new(struct aes_ctr **out, const uint8_t *key, size_t key_len,
		     const uint8_t iv[static 16])
{
	EVP_CIPHER_CTX *ctx;

	if (key_len != 16 && key_len != 32)
		return ERR_ARG;
	ctx = keyed(key_len == 16 ? "AES-128-CTR" : "AES-256-CTR", key, iv);
	if (ctx == NULL)
		return ERR_MEM;
	*out = (struct aes_ctr *)ctx;
	return OK;
}

void aes_ctr_free(struct aes_ctr *a)
{
	EVP_CIPHER_CTX_free((EVP_CIPHER_CTX *)a);
}

void aes_ctr_run(struct aes_ctr *a, uint8_t *out, const uint8_t *in, size_t len)
{
	crypto__stream((EVP_CIPHER_CTX *)a, out, in, len);
}

void aes_ctr_seek(struct aes_ctr *a, const uint8_t iv[static 16])
{
	crypto__must(EVP_EncryptInit_ex2((EVP_CIPHER_CTX *)a, NULL, NULL, iv, NULL));
}

enum err aes_block_new(struct aes_block **out, const uint8_t key[static 32])
{
	EVP_CIPHER_CTX *ctx = keyed("AES-256-ECB", key, NULL);

	if (ctx == NULL)
		return ERR_MEM;
	*out = (struct aes_block *)ctx;
	return OK;
}

void aes_block_free(struct aes_block *a)
{
	EVP_CIPHER_CTX_free((EVP_CIPHER_CTX *)a);
}

void aes_block_run(struct aes_block *a, uint8_t out[static 16], const uint8_t in[static 16])
{
	crypto__stream((EVP_CIPHER_CTX *)a, out, in, 16);
}

enum err aes_gcm_new(struct aes_gcm **out, const uint8_t key[static 32])
{
	EVP_CIPHER_CTX *ctx = keyed("AES-256-GCM", key, NULL);

	if (ctx == NULL)
		return ERR_MEM;
	*out = (struct aes_gcm *)ctx;
	return OK;
}

void aes_gcm_free(struct aes_gcm *a)
{
	EVP_CIPHER_CTX_free((EVP_CIPHER_CTX *)a);
}

enum err aes_gcm_seal(struct aes_gcm *a, uint8_t *out, const uint8_t nonce[static 12],
		      const uint8_t *plain, size_t len)
{
	EVP_CIPHER_CTX *ctx = (EVP_CIPHER_CTX *)a;
	int n = 0;

	if (len > PIECE_MAX)
		return ERR_SIZE;
	if (EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, 1, NULL) != 1 ||
	    (len > 0 && EVP_EncryptUpdate(ctx, out, &n, plain, (int)len) != 1) ||
	    EVP_EncryptFinal_ex(ctx, out + len, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, out + len) != 1)
		return ERR_MEM;
	return OK;
}

enum err aes_gcm_open(struct aes_gcm *a, uint8_t *out, const uint8_t nonce[static 12],
		      const uint8_t *sealed, size_t len)
{
	EVP_CIPHER_CTX *ctx = (EVP_CIPHER_CTX *)a;
	uint8_t tag[TAG_SIZE];
	int n = 0;

	if (len < TAG_SIZE || len - TAG_SIZE > PIECE_MAX)
		return ERR_SIZE;
	len -= TAG_SIZE;
	memcpy(tag, sealed + len, TAG_SIZE);
	if (EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, 0, NULL) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) == 1 &&
	    (len == 0 || EVP_DecryptUpdate(ctx, out, &n, sealed, (int)len) == 1) &&
	    EVP_DecryptFinal_ex(ctx, out + len, &n) == 1)
		return OK;
	crypto_wipe(out, len);
	return ERR_DECRYPT;
}
