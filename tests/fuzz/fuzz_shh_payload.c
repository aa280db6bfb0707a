/* SPDX-License-Identifier: MIT */
/* Decrypted plaintexts in both layouts: every part lies inside, the parts fill
 * the whole, and what has a canonical form is built again to the byte
 * (hardening W8).
 */
#include "tests/fuzz/fuzz.h"

#include "shh/payload.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct crypto *crypto;
static struct rng_seeded seed;
static struct rng rng;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	rng = rng_seeded_init(&seed, 1);
	fuzz_check(crypto_new(&crypto, &rng) == OK);
	return 0;
}

/* The size field that a sender would use for len. */
static size_t size_bytes(size_t len)
{
	return len > 0xffff ? 3 : len > 0xff ? 2 : 1;
}

static void check_inside(struct span inner, struct span outer)
{
	if (inner.len > 0)
		fuzz_check(inner.data >= outer.data && inner.len <= outer.len &&
			   (size_t)(inner.data - outer.data) <= outer.len - inner.len);
}

static void check_rebuilt(const struct shh_plain *m, struct span plain)
{
	size_t room = shh_plain_room(m), len = 0;
	uint8_t *out = malloc(room);

	fuzz_check(out != NULL);
	fuzz_check(shh_plain_write(out, &len, room, m, NULL, crypto, &rng) == OK);
	fuzz_check(span_eq(span_of(out, len), plain));
	free(out);
}

static void check_form(struct span plain, enum shh_form form)
{
	bool is_geth = form == SHH_FORM_GETH, canonical;
	struct shh_plain m;
	size_t head, n;

	if (shh_plain_read(&m, plain, form, crypto) != OK)
		return;
	fuzz_check(m.form == form);
	check_inside(m.payload, plain);
	check_inside(m.padding, plain);
	n = is_geth ? plain.data[0] & 3u : plain.data[1] >> 6;
	head = is_geth ? 1 + n : 2 + n;
	fuzz_check(head + m.payload.len + m.padding.len + (m.is_signed ? SIG_SIZE : 0) ==
		   plain.len);
	canonical = n == size_bytes(is_geth ? m.payload.len : m.padding.len) &&
		    (plain.data[is_geth ? 0 : 1] & (is_geth ? 0xf8 : 0x1f)) == 0;
	if (!m.is_signed && canonical && m.padding.len > 0)
		check_rebuilt(&m, plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span plain = span_of(data, size);
	struct shh_plain any, one;
	enum err e = shh_plain_read_any(&any, plain, crypto);

	check_form(plain, SHH_FORM_GETH);
	check_form(plain, SHH_FORM_PARITY);
	if (e == OK) {
		fuzz_check(shh_plain_read(&one, plain, any.form, crypto) == OK);
		fuzz_check(span_eq(any.payload, one.payload) && any.is_signed == one.is_signed);
	} else {
		fuzz_check(shh_plain_read(&one, plain, SHH_FORM_GETH, crypto) != OK);
		fuzz_check(shh_plain_read(&one, plain, SHH_FORM_PARITY, crypto) != OK);
	}
	return 0;
}
