/* SPDX-License-Identifier: MIT */
/* enode URLs, endpoints and lists of networks from any text: a refusal says why, and
 * what is taken prints as something that reads the same (hardening E1). */
#include "base/port.h"
#include "enr/enr.h"
#include "tests/fuzz/fuzz.h"

static const struct crypto *the_crypto(void)
{
	static struct rng_seeded seed;
	static struct crypto *c;
	struct rng rng = rng_seeded_init(&seed, 1);

	if (c == NULL)
		fuzz_check(crypto_new(&c, &rng) == OK);
	return c;
}

static void try_enode(const char *text)
{
	char printed[ENODE_TEXT_MAX];
	struct enode e, again;
	const char *why = NULL;

	if (enode_parse(&e, text, the_crypto(), &why) != OK) {
		fuzz_check(why != NULL);
		return;
	}
	enode_text(printed, &e);
	fuzz_check(enode_parse(&again, printed, the_crypto(), &why) == OK);
	fuzz_check(memcmp(&e, &again, sizeof(e)) == 0);
}

static void try_endpoint(const char *text)
{
	struct endpoint e = { .tcp = 30303, .udp = 30303 }, again = e;
	char printed[ENDPOINT_TEXT_MAX];
	const char *why = NULL;

	if (endpoint_parse(&e, text, &why) != OK) {
		fuzz_check(why != NULL);
		return;
	}
	endpoint_text(printed, &e);
	fuzz_check(endpoint_parse(&again, printed, &why) == OK);
	fuzz_check(ip_eq(&e.ip, &again.ip) && e.tcp == again.tcp);
}

static void try_list(const char *text)
{
	struct cidr_list l;
	const char *why = NULL;

	if (cidr_list_parse(&l, text, &why) != OK) {
		fuzz_check(why != NULL);
		return;
	}
	fuzz_check(l.count >= 1 && l.count <= CIDR_MAX);
	for (size_t i = 0; i < l.count; i++) /* ::/0 and its like hold no IPv4 */
		fuzz_check(cidr_list_has(&l, &l.c[i].ip) ||
			   (ip_is4(&l.c[i].ip) && l.c[i].bits < 96));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1); /* of its exact length, for the sanitizer */

	fuzz_check(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	try_enode(text);
	try_endpoint(text);
	try_list(text);
	free(text);
	return 0;
}
