/* SPDX-License-Identifier: MIT */
/* tests/packet_checks.h - verdicts on packets, as the vectors have them and as our
 * readers give them.  Header only.
 */
#ifndef TESTS_PACKET_CHECKS_H
#define TESTS_PACKET_CHECKS_H

#include "shh/packet.h"
#include "tests/shh_vectors.h"

static inline bool is_accepted(const json_t *v)
{
	const char *result = vec_text(v, "result");

	return strcmp(result, "accepted") == 0 || strcmp(result, "connected") == 0;
}

/* What is read is written again, to the byte. */
static inline void check_status_kept(struct span payload, const char *name)
{
	uint8_t out[SHH_STATUS_MAX];
	struct shh_status s;

	assert_int_equal(shh_status_read(&s, payload), OK);
	assert_span_equal(span_of(out, shh_status_write(out, sizeof(out), &s)), payload, "%s",
			  name);
}

/* The verdict on a Messages payload; what geth takes after its end is refused (R5). */
static inline enum err messages_read(struct span payload, size_t *count)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len), list;
	struct shh_envelope e;

	rlp_read_list(&r, &list);
	rlp_expect_end(&r);
	rlp_fail(&list, rlp_reader_err(&r));
	for (*count = 0; !rlp_reader_at_end(&list); ++*count)
		if (shh_envelope_read(&e, &list) != OK)
			break;
	return rlp_reader_err(&list);
}

#endif /* TESTS_PACKET_CHECKS_H */
