/* SPDX-License-Identifier: MIT */
/* A peer's Hello: whatever is accepted is within bounds (hardening B1, B8). */
#include "rlpx/hello.h"
#include "rlpx/mux.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rlpx_capability ours[] = { { "eth", 63, 17 }, { "shh", 6, 128 } };
	static struct rlpx_hello hello;
	struct rlpx_shared shared[RLPX_CAPS_MAX];
	struct pubkey id;
	size_t count;
	enum err e;

	memset(id.b, 'i', sizeof(id.b)); /* so that the corpus can name it */
	memset(&hello, 0xee, sizeof(hello));
	e = rlpx__hello_read(&hello, span_of(data, size), &id);
	fuzz_check(hello.cap_count <= RLPX_PEER_CAPS_MAX);
	if (e != OK) {
		fuzz_check(e == ERR_HELLO || e == ERR_KEY || e == ERR_IDENTITY || e == ERR_VERSION);
		return 0;
	}
	fuzz_check(hello.version >= HELLO_VERSION_MIN);
	fuzz_check(memchr(hello.client, 0, sizeof(hello.client)) != NULL);
	for (size_t i = 0; i < hello.cap_count; i++) {
		const char *name = hello.caps[i].name;
		size_t len = strnlen(name, RLPX_NAME_MAX + 1);

		fuzz_check(len >= 1 && len <= RLPX_NAME_MAX);
		for (size_t j = 0; j < len; j++)
			fuzz_check(name[j] > 0x20 && name[j] < 0x7f);
	}
	count = rlpx__capabilities_match(shared, ours, 2, hello.caps, hello.cap_count);
	fuzz_check(count <= 2);
	for (size_t i = 0; i < count; i++)
		fuzz_check(shared[i].offset ==
			   (i == 0 ? MUX_BASE : shared[0].offset + shared[0].length));
	return 0;
}
