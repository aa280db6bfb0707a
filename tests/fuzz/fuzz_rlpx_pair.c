/* SPDX-License-Identifier: MIT */
/* Two whole machines: the bytes choose what is sent, how far it is carried, how time
 * passes, what breaks and who leaves.  Events come in their order, caps hold, the ledger
 * balances; and on an unharmed wire every message arrives, in order and whole
 * (hardening H11, F7).
 *
 * input	options, then operations of two or more bytes
 */
#include "tests/fuzz/fuzz.h"
#include "tests/rlpx_pair.h"

#define SENT_MAX 64
#define OPS_MAX	 200

static const struct rlpx_capability one[] = { { "eth", 62, 8 },
					      { "eth", 63, 17 },
					      { "shh", 6, 128 } };
static const struct rlpx_capability two[] = { { "eth", 63, 17 },
					      { "les", 2, 22 },
					      { "shh", 6, 128 } };

struct watch {
	struct sent {
		uint8_t cap;
		uint32_t code;
		size_t len;
		uint8_t fill;
	} sent[SENT_MAX][2]; /* by capability of ours: 1 and 2 are shared */
	size_t head[2], tail[2];
	bool harmed;
	int stage;
};

/* 0 is random; otherwise 7, 24, ... 7,000 bytes: single bytes are tried elsewhere. */
static size_t piece(unsigned arg)
{
	return (size_t)arg * arg * 7 + arg * 3;
}

/* What came must be the oldest that was sent on that capability. */
static void check_message(struct watch *w, const struct rlpx_event *ev)
{
	const struct span *p = &ev->u.message.payload;
	struct sent *s;

	for (size_t lane = 0; lane < 2; lane++) {
		if ((lane == 1) != (ev->u.message.cap == 2))
			continue;
		s = &w->sent[w->head[lane] % SENT_MAX][lane];
		if (w->head[lane] < w->tail[lane] && s->code == ev->u.message.code &&
		    s->len == p->len &&
		    (p->len == 0 || (p->data[0] == s->fill && p->data[p->len - 1] == s->fill))) {
			w->head[lane]++;
			return;
		}
	}
	fuzz_check(w->harmed);
}

static void watch(struct side *s, const struct rlpx_event *ev)
{
	struct watch *w = s->ctx;

	switch (ev->type) {
	case RLPX_IDENTIFIED:
		fuzz_check(w->stage == 0);
		w->stage = 1;
		return;
	case RLPX_HELLO:
		fuzz_check(w->stage == 1 && ev->u.hello.shared_count == 2);
		w->stage = 2;
		return;
	case RLPX_MESSAGE:
		fuzz_check(w->stage == 2);
		check_message(w, ev);
		return;
	case RLPX_CLOSED:
		fuzz_check(w->stage <= 2);
		w->stage = 3;
		return;
	}
}

static void send(struct pair *p, struct side *from, struct watch *to, uint8_t a, uint8_t b)
{
	bool is_a = from == &p->a;
	size_t lane = a & 1, len = (size_t)b * b / 4;
	uint8_t cap = lane == 0 ? (is_a ? 1 : 0) : 2;
	uint32_t code = (a >> 1) % 17;
	enum err e;

	if (to->tail[lane] - to->head[lane] == SENT_MAX)
		return;
	e = pair_send(p, from, cap, code, len, b);
	if (e == OK)
		to->sent[to->tail[lane]++ % SENT_MAX][lane] = (struct sent){ cap, code, len, b };
	else
		fuzz_check(e == ERR_STATE || e == ERR_FULL || e == ERR_MEM);
}

/* Carry with one byte changed on the way. */
static void carry_bent(struct pair *p, struct side *from, struct side *to, uint8_t at)
{
	const uint8_t *out;
	uint8_t *copy;
	size_t len = rlpx_output(from->conn, &out);

	if (len == 0)
		return;
	copy = malloc(len);
	fuzz_check(copy != NULL);
	memcpy(copy, out, len);
	copy[(size_t)at * 7 % len] ^= (uint8_t)(1u << at % 8);
	rlpx_output_taken(from->conn, len, p->now_ms);
	to->wire = realloc(to->wire, to->wire_len + len);
	fuzz_check(to->wire != NULL);
	memcpy(to->wire + to->wire_len, copy, len);
	to->wire_len += len;
	free(copy);
	(void)pair_carry(p, from, to, 0);
}

static void operate(struct pair *p, struct watch *w, struct span *in)
{
	uint8_t op = fuzz_u8(in), arg = fuzz_u8(in);
	struct side *s = op & 0x80 ? &p->b : &p->a, *other = op & 0x80 ? &p->a : &p->b;
	struct watch *of_other = op & 0x80 ? &w[0] : &w[1];

	switch (op & 0x0f) {
	case 0:
	case 1:
	case 2: send(p, s, of_other, arg, fuzz_u8(in)); break;
	case 3:
	case 4: (void)pair_carry(p, s, other, arg + 1u); break;
	case 5: (void)pair_carry(p, s, other, SIZE_MAX); break;
	case 6:
		p->now_ms += (uint64_t)arg * 64;
		rlpx_tick(s->conn, p->now_ms);
		fuzz_check(rlpx_deadline(s->conn) > p->now_ms);
		side_poll(s);
		break;
	case 7:
		if (arg >= 0xf0) {
			w[0].harmed = w[1].harmed = true;
			carry_bent(p, s, other, fuzz_u8(in));
		}
		break;
	case 8:
		if (arg >= 0xf8) {
			w[0].harmed = w[1].harmed = true;
			rlpx_close(s->conn, fuzz_u8(in), p->now_ms);
		}
		break;
	case 9:
		if (arg >= 0xf8) {
			w[0].harmed = w[1].harmed = true;
			rlpx_stream_ended(s->conn, p->now_ms);
			side_poll(s);
		}
		break;
	case 10: p->mem.cap[MEM_RECEIVE] = arg < 0x80 ? (size_t)arg * 256 : SIZE_MAX; break;
	case 11: p->mem.cap[MEM_SEND] = arg < 0x80 ? (size_t)arg * 2048 : SIZE_MAX; break;
	case 12: pair_run(p); break;
	default: p->piece = piece(arg & 0x1f); break;
	}
	if (!s->closed)
		side_poll(s);
	fuzz_check(p->mem.used[MEM_SEND] <= 2 * (RLPX_SEND_HARD + 4 * RLPX_SEAL_MAX) + (1u << 20));
}

/* On an unharmed wire: let all of it arrive. */
static void settle(struct pair *p, struct watch *w)
{
	p->mem.cap[MEM_RECEIVE] = p->mem.cap[MEM_SEND] = SIZE_MAX;
	pair_run(p);
	if (w[0].harmed || w[1].harmed || p->a.closed || p->b.closed)
		return;
	fuzz_check(p->a.open && p->b.open);
	for (int i = 0; i < 2; i++)
		for (int lane = 0; lane < 2; lane++)
			fuzz_check(w[i].head[lane] == w[i].tail[lane]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pair p;
	static struct watch w[2];
	struct span in = span_of(data, size);
	uint8_t options = fuzz_u8(&in);
	struct rlpx_config ca, cb;

	pair_init(&p, 3);
	memset(w, 0, sizeof(w));
	ca = side_config(&p, &p.a);
	cb = side_config(&p, &p.b);
	ca.version = options & 1 ? 4 : 5;
	cb.version = options & 2 ? 4 : 5;
	ca.caps = one;
	cb.caps = two;
	ca.cap_count = cb.cap_count = 3;
	pair_hosts(&p, &ca, &cb);
	pair_connect(&p, options & 4);
	p.piece = piece(options >> 3);
	p.a.on_event = p.b.on_event = watch;
	p.a.ctx = &w[0];
	p.b.ctx = &w[1];
	if (options & 4)
		pair_run(&p);
	for (int i = 0; i < OPS_MAX && in.len > 0; i++)
		operate(&p, w, &in);
	settle(&p, w);
	pair_free(&p);
	return 0;
}
