/* SPDX-License-Identifier: MIT */
/* AES-256-GCM from any bytes (hardening C7): what does not open leaves zeros, what
 * opens was sealed so, and no changed bit goes through. */
#include "crypto/crypto.h"
#include "tests/fuzz/fuzz.h"

static uint8_t *filled(size_t len)
{
	uint8_t *out = malloc(len > 0 ? len : 1);

	fuzz_check(out != NULL);
	memset(out, 0xa5, len > 0 ? len : 1);
	return out;
}

static enum err open_it(struct aes_gcm *a, uint8_t **out, const uint8_t nonce[static 12],
			struct span sealed)
{
	size_t len = sealed.len < 16 ? 0 : sealed.len - 16;
	enum err e;

	*out = filled(len);
	e = aes_gcm_open(a, *out, nonce, sealed.data, sealed.len);
	if (sealed.len < 16)
		fuzz_check(e == ERR_SIZE);
	else
		fuzz_check(e == OK || e == ERR_DECRYPT);
	for (size_t i = 0; e == ERR_DECRYPT && i < len; i++)
		fuzz_check((*out)[i] == 0);
	return e;
}

/* As a sealed message: if it opens, sealing gives it back. */
static void try_open(struct aes_gcm *a, const uint8_t nonce[static 12], struct span in)
{
	uint8_t *out, *again = filled(in.len);

	if (open_it(a, &out, nonce, in) == OK) {
		fuzz_check(aes_gcm_seal(a, again, nonce, out, in.len - 16) == OK);
		fuzz_check(memcmp(again, in.data, in.len) == 0);
	}
	free(out);
	free(again);
}

/* As a plain message: sealed and opened, then not with one bit changed. */
static void try_seal(struct aes_gcm *a, const uint8_t nonce[static 12], struct span plain,
		     size_t flip)
{
	size_t len = plain.len + 16;
	uint8_t *sealed = filled(len), *out;

	fuzz_check(aes_gcm_seal(a, sealed, nonce, plain.data, plain.len) == OK);
	fuzz_check(open_it(a, &out, nonce, span_of(sealed, len)) == OK);
	fuzz_check(plain.len == 0 || memcmp(out, plain.data, plain.len) == 0);
	free(out);
	flip %= 8 * len;
	sealed[flip / 8] ^= (uint8_t)(1 << flip % 8);
	fuzz_check(open_it(a, &out, nonce, span_of(sealed, len)) == ERR_DECRYPT);
	free(out);
	sealed[flip / 8] ^= (uint8_t)(1 << flip % 8);
	fuzz_check(open_it(a, &out, nonce, span_of(sealed, len - 1)) != OK);
	free(out);
	free(sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size), part;
	uint8_t key[32] = { 0 }, nonce[12] = { 0 };
	size_t flip = (size_t)fuzz_u64(&in);
	struct aes_gcm *a;

	if (span_take(&in, &part, size_min(in.len, sizeof(key))) && part.len > 0)
		memcpy(key, part.data, part.len);
	if (span_take(&in, &part, size_min(in.len, sizeof(nonce))) && part.len > 0)
		memcpy(nonce, part.data, part.len);
	fuzz_check(aes_gcm_new(&a, key) == OK);
	try_open(a, nonce, in);
	try_seal(a, nonce, in, flip);
	aes_gcm_free(a);
	return 0;
}
