/* SPDX-License-Identifier: MIT */
/* All other packets: the first byte is the code, the rest its payload.  Spans
 * that a reader gives out lie in the payload; what we can write comes out as it
 * came in.
 */
#include "tests/fuzz/fuzz.h"

#include "shh/packet.h"

#define ITEMS_MAX 64

static void check_inside(struct span inner, struct span outer)
{
	if (inner.len > 0)
		fuzz_check(inner.data >= outer.data && inner.len <= outer.len &&
			   (size_t)(inner.data - outer.data) <= outer.len - inner.len);
}

/* Every envelope of a list, up to the first fault; the raw items fill it. */
static void check_envelopes(struct rlp_reader list)
{
	struct shh_envelope e;
	size_t whole = list.left, sum = 0;

	while (!rlp_reader_at_end(&list) && shh_envelope_read(&e, &list) == OK)
		sum += e.raw.len;
	fuzz_check(rlp_reader_err(&list) != OK || sum == whole);
}

static void check_messages(struct span p)
{
	struct rlp_reader r = rlp_reader_init(p.data, p.len), list;

	rlp_read_list(&r, &list);
	check_envelopes(list);
}

static void check_ack(struct span p)
{
	uint8_t hash[32], out[33];

	if (shh_batch_ack_read(hash, p) == OK)
		fuzz_check(span_eq(span_of(out, shh_batch_ack_write(out, hash)), p));
}

static void check_response(struct span p)
{
	struct shh_response_item items[ITEMS_MAX];
	struct shh_response r;
	uint8_t *out = malloc(p.len + 1);
	size_t n = 0;

	fuzz_check(out != NULL);
	if (shh_response_read(&r, p) == OK) {
		while (n < ITEMS_MAX && shh_response_next(&r, &items[n]))
			check_inside(items[n++].text, p);
		if (r.known_version && rlp_reader_err(&r.items) == OK && r.items.left == 0)
			fuzz_check(span_eq(span_of(out, shh_response_write(out, p.len + 1,
									   r.batch_hash, items, n)),
					   p));
	}
	free(out);
}

static void check_mail(uint8_t code, struct span p)
{
	struct shh_sync_response sync;
	struct shh_sync_request request;
	struct shh_mail_request mail;
	struct shh_complete complete;

	if (code == SHH_SYNC_REQUEST && shh_sync_request_read(&request, p) == OK) {
		fuzz_check(request.lower <= request.upper && request.limit - 1 < 1000);
		check_inside(request.cursor, p);
	}
	if (code == SHH_SYNC_RESPONSE && shh_sync_response_read(&sync, p) == OK) {
		check_inside(sync.cursor, p);
		check_inside(sync.error, p);
		check_envelopes(sync.envelopes);
	}
	if (code == SHH_P2P_COMPLETE && shh_complete_read(&complete, p) == OK) {
		check_inside(complete.last_hash, p);
		check_inside(complete.cursor, p);
		check_inside(complete.text, p);
		fuzz_check(complete.failed || complete.text.len == 0);
	}
	if (code == SHH_P2P_REQUEST && shh_mail_request_read(&mail, p) == OK) {
		check_inside(mail.cursor, p);
		check_inside(mail.envelope.raw, p);
		fuzz_check(mail.is_envelope || (mail.from <= mail.to && mail.limit <= 1000));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span p = span_of(data, size), code;
	struct shh_rates rates;

	if (!span_take(&p, &code, 1))
		return 0;
	switch (code.data[0]) {
	case SHH_MESSAGES:
	case SHH_P2P_MESSAGE: check_messages(p); break;
	case SHH_BATCH_ACK: check_ack(p); break;
	case SHH_MESSAGE_RESPONSE: check_response(p); break;
	case SHH_RATE_LIMITS: fuzz_check(shh_rates_read(&rates, p) != OK || p.len <= 28); break;
	default: check_mail(code.data[0], p);
	}
	return 0;
}
