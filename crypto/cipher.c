/* SPDX-License-Identifier: MIT */
/* crypto/cipher.c - AES as streams, single blocks and sealed messages. */
#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "crypto/context.h"

#define PIECE_MAX  ((size_t)INT_MAX / 2) /* the library counts in int */
#define TAG_SIZE   16
#define NONCE_SIZE 12

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

struct aes_ctr {
	EVP_CIPHER_CTX *ctx;
	uint8_t iv[16];
};

enum err aes_ctr_new(struct aes_ctr **out, const uint8_t *key, size_t key_len,
		     const uint8_t iv[static 16])
{
	struct aes_ctr *a;

	if (key_len != 16 && key_len != 32)
		return ERR_ARG;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return ERR_MEM;
	a->ctx = keyed(key_len == 16 ? "AES-128-CTR" : "AES-256-CTR", key, iv);
	if (a->ctx == NULL) {
		free(a);
		return ERR_MEM;
	}
	memcpy(a->iv, iv, sizeof(a->iv));
	*out = a;
	return OK;
}

void aes_ctr_seek(struct aes_ctr *a, uint64_t block)
{
	uint64_t low = be64_load(a->iv + 8);
	uint8_t counter[16];
	int ok;

	be64_store(counter + 8, low + block);
	be64_store(counter, be64_load(a->iv) + (low + block < low));
	ok = EVP_EncryptInit_ex2(a->ctx, NULL, NULL, counter, NULL);
	assert(ok == 1);
	(void)ok;
}

void aes_ctr_free(struct aes_ctr *a)
{
	if (a == NULL)
		return;
	EVP_CIPHER_CTX_free(a->ctx);
	free(a);
}

void aes_ctr_run(struct aes_ctr *a, uint8_t *out, const uint8_t *in, size_t len)
{
	while (len > 0) {
		size_t part = size_min(len, PIECE_MAX);
		int n = 0;
		int ok = EVP_EncryptUpdate(a->ctx, out, &n, in, (int)part);

		assert(ok == 1);
		(void)ok;
		out += part;
		in += part;
		len -= part;
	}
}

struct aes_block {
	EVP_CIPHER_CTX *ctx;
};

enum err aes_block_new(struct aes_block **out, const uint8_t key[static 32])
{
	struct aes_block *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return ERR_MEM;
	a->ctx = keyed("AES-256-ECB", key, NULL);
	if (a->ctx == NULL) {
		free(a);
		return ERR_MEM;
	}
	*out = a;
	return OK;
}

void aes_block_free(struct aes_block *a)
{
	if (a == NULL)
		return;
	EVP_CIPHER_CTX_free(a->ctx);
	free(a);
}

void aes_block_run(struct aes_block *a, uint8_t out[static 16], const uint8_t in[static 16])
{
	int n = 0;
	int ok = EVP_EncryptUpdate(a->ctx, out, &n, in, 16);

	assert(ok == 1 && n == 16);
	(void)ok;
}

struct aes_gcm {
	EVP_CIPHER_CTX *ctx;
};

enum err aes_gcm_new(struct aes_gcm **out, const uint8_t key[static 32])
{
	struct aes_gcm *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return ERR_MEM;
	a->ctx = keyed("AES-256-GCM", key, NULL);
	if (a->ctx == NULL) {
		free(a);
		return ERR_MEM;
	}
	*out = a;
	return OK;
}

void aes_gcm_free(struct aes_gcm *a)
{
	if (a == NULL)
		return;
	EVP_CIPHER_CTX_free(a->ctx);
	free(a);
}

enum err aes_gcm_seal(struct aes_gcm *a, uint8_t *out, const uint8_t nonce[static 12],
		      const uint8_t *plain, size_t len)
{
	int n = 0;

	if (len > PIECE_MAX)
		return ERR_SIZE;
	if (EVP_CipherInit_ex2(a->ctx, NULL, NULL, nonce, 1, NULL) != 1 ||
	    (len > 0 && EVP_EncryptUpdate(a->ctx, out, &n, plain, (int)len) != 1) ||
	    EVP_EncryptFinal_ex(a->ctx, out + len, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, out + len) != 1)
		return ERR_MEM;
	return OK;
}

enum err aes_gcm_open(struct aes_gcm *a, uint8_t *out, const uint8_t nonce[static 12],
		      const uint8_t *sealed, size_t len)
{
	uint8_t tag[TAG_SIZE];
	int n = 0;

	if (len < TAG_SIZE || len - TAG_SIZE > PIECE_MAX)
		return ERR_SIZE;
	len -= TAG_SIZE;
	memcpy(tag, sealed + len, TAG_SIZE);
	if (EVP_CipherInit_ex2(a->ctx, NULL, NULL, nonce, 0, NULL) == 1 &&
	    EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) == 1 &&
	    (len == 0 || EVP_DecryptUpdate(a->ctx, out, &n, sealed, (int)len) == 1) &&
	    EVP_DecryptFinal_ex(a->ctx, out + len, &n) == 1)
		return OK;
	crypto_wipe(out, len);
	return ERR_DECRYPT;
}
