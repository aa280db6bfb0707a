/* SPDX-License-Identifier: MIT */
/* crypto/keccak_lanes.c - many digests side by side. */
#include "crypto/keccak_body.h"

void keccak256_many(const struct keccak_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		keccak256(items[i].out, items[i].data, items[i].len);
}

void keccak_update_many(struct keccak *const *states, const struct span *data, size_t count)
{
	for (size_t i = 0; i < count; i++)
		keccak_update(states[i], data[i].data, data[i].len);
}

void keccak_peek_many(const struct keccak *const *states, uint8_t (*out)[32], size_t count)
{
	for (size_t i = 0; i < count; i++)
		keccak_peek(states[i], out[i]);
}

bool keccak_body_usable(enum keccak_body body)
{
	return body == KECCAK_PORTABLE;
}

const char *keccak_body_name(enum keccak_body body)
{
	static const char *const names[KECCAK_BODIES] = { "portable", "bmi", "avx2", "avx512" };

	return names[body];
}

bool keccak_body_force(enum keccak_body body)
{
	return keccak_body_usable(body);
}

enum keccak_body keccak_body_in_use(void)
{
	return KECCAK_PORTABLE;
}
