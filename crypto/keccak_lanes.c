/* SPDX-License-Identifier: MIT */
/* crypto/keccak_lanes.c - many sponges side by side.
 *
 * What a sponge has to do is a work: one or two runs of whole blocks.  A batch
 * keeps as many works going as the kernel has lanes, and permutes them all for
 * as many blocks as the shortest run lasts; a lane whose work is done gives
 * its result and takes the next work.  When there is no work left to take, the
 * batch moves to a narrower kernel as soon as one suffices.  So works of equal
 * length run in step, and those of unequal length leave no lane idle until
 * the end.
 *
 * Sets of lanes are bits of an unsigned, lane 0 the lowest.
 */
#include "crypto/keccak_body.h"

struct run {
	const uint8_t *data; /* borrowed */
	size_t blocks;
};

struct work {
	const uint64_t *from; /* the state to start from; NULL: zero */
	uint64_t *to;	      /* where the state goes, or NULL */
	uint8_t *digest;      /* where the digest goes, or NULL */
	bool pad;	      /* the state itself, as from byte pad_at on, before it is permuted */
	uint32_t pad_at;
	struct run now, then;	    /* now lasts a block at least while there is work */
	struct span rest;	    /* added to the state behind all runs */
	uint8_t block[KECCAK_RATE]; /* room for a block that is not in the input */
};

struct batch;
typedef bool next_work(struct batch *b, struct work *w);

struct batch {
	next_work *next; /* describe the next work in w, or return false */
	union {
		const struct keccak_item *items;
		struct {
			struct keccak *const *states;
			const struct span *data;
		} update;
		struct {
			const struct keccak *const *states;
			uint8_t (*out)[32];
		} peek;
	} of;
	size_t at, count; /* the works taken, and all of them */

	const struct keccak__kernel *kernel;
	uint64_t s[KECCAK__STATE_WORDS * KECCAK_LANES_MAX];
	struct work works[KECCAK_LANES_MAX];
	struct work *lane[KECCAK_LANES_MAX]; /* which of works; idle lanes keep their last */
	unsigned busy;			     /* lanes that have work */
	unsigned fresh;			     /* lanes that start from zero at the next run */
};

static const uint8_t zeros[KECCAK_RATE]; /* absorbing it permutes and does no more */

#define EACH_LANE(i, set)                                                                         \
	for (unsigned left_ = (set), i; left_ != 0 && (i = (unsigned)__builtin_ctz(left_), true); \
	     left_ &= left_ - 1)

static void state_in(struct batch *b, unsigned lane, const uint64_t *from)
{
	for (size_t w = 0; w < KECCAK__STATE_WORDS; w++)
		b->s[w * b->kernel->lanes + lane] = from[w];
}

static void state_out(const struct batch *b, unsigned lane, uint64_t *to, size_t words)
{
	for (size_t w = 0; w < words; w++)
		to[w] = b->s[w * b->kernel->lanes + lane];
}

static void states_in(struct batch *b, unsigned given)
{
	const uint64_t *from[KECCAK_LANES_MAX];

	if (given != b->busy) {
		EACH_LANE(i, given)
		state_in(b, i, b->lane[i]->from);
		return;
	}
	for (unsigned i = 0; i < b->kernel->lanes; i++) /* all at once: idle ones get anything */
		from[i] = b->lane[(given >> i & 1) != 0 ? i : (unsigned)__builtin_ctz(given)]->from;
	b->kernel->load(b->s, from);
}

/* Fetch the states that works just taken start from, and pad those that end. */
static void begin(struct batch *b, unsigned taken)
{
	unsigned lanes = b->kernel->lanes, given = 0;

	EACH_LANE(i, taken)
	if (b->lane[i]->from != NULL)
		given |= 1u << i;
	b->fresh |= taken & ~given;
	if (given != 0)
		states_in(b, given);
	EACH_LANE(i, given)
	{
		uint32_t at = b->lane[i]->pad_at;

		if (!b->lane[i]->pad)
			continue;
		b->s[at / 8 * lanes + i] ^= (uint64_t)0x01 << (8 * (at % 8));
		b->s[(KECCAK_RATE / 8 - 1) * lanes + i] ^= (uint64_t)0x80 << 56;
	}
}

/* Give idle lanes work while there is some. */
static void fill(struct batch *b)
{
	unsigned all = (1u << b->kernel->lanes) - 1, taken = 0;

	EACH_LANE(i, all & ~b->busy)
	{
		if (!b->next(b, b->lane[i]))
			break;
		taken |= 1u << i;
	}
	b->busy |= taken;
	if (taken != 0)
		begin(b, taken);
}

/* Move to a narrower kernel if that has lanes enough for what is left. */
static void narrow(struct batch *b)
{
	const struct keccak__kernel *to = keccak__kernel_for((size_t)__builtin_popcount(b->busy));
	uint64_t state[KECCAK_LANES_MAX][KECCAK__STATE_WORDS];
	unsigned n = 0, fresh = 0;

	if (b->busy == 0 || to->lanes >= b->kernel->lanes)
		return;
	EACH_LANE(i, b->busy)
	{
		struct work *w = b->lane[n];

		state_out(b, i, state[n], KECCAK__STATE_WORDS);
		fresh |= (b->fresh >> i & 1) << n;
		b->lane[n++] = b->lane[i];
		b->lane[i] = w;
	}
	b->kernel = to;
	b->fresh = fresh;
	b->busy = (1u << n) - 1;
	for (unsigned i = 0; i < n; i++)
		state_in(b, i, state[i]);
}

/* Hand out what works that are done were for. */
static void end(struct batch *b, unsigned done)
{
	uint64_t spare[KECCAK__STATE_WORDS], *to[KECCAK_LANES_MAX];
	unsigned wanted = 0;

	EACH_LANE(i, done)
	{
		uint64_t digest[4];

		if (b->lane[i]->to != NULL)
			wanted |= 1u << i;
		if (b->lane[i]->digest == NULL)
			continue;
		state_out(b, i, digest, 4);
		for (size_t w = 0; w < 4; w++)
			le64_store(b->lane[i]->digest + 8 * w, digest[w]);
	}
	if (wanted != 0 && wanted == b->busy) {
		for (unsigned i = 0; i < b->kernel->lanes; i++)
			to[i] = (wanted >> i & 1) != 0 ? b->lane[i]->to : spare;
		b->kernel->store(b->s, to);
	} else {
		EACH_LANE(i, wanted)
		state_out(b, i, b->lane[i]->to, KECCAK__STATE_WORDS);
	}
	EACH_LANE(i, wanted)
	keccak__add(b->lane[i]->to, 0, b->lane[i]->rest.data, b->lane[i]->rest.len);
	b->busy &= ~done;
}

/* Permute all lanes for as long as the shortest run lasts. */
static void run(struct batch *b)
{
	const uint8_t *data[KECCAK_LANES_MAX];
	size_t blocks = SIZE_MAX;
	unsigned done = 0;

	EACH_LANE(i, b->busy)
	blocks = size_min(blocks, b->lane[i]->now.blocks);
	for (unsigned i = 0; i < b->kernel->lanes; i++) /* idle ones chew what a busy one does */
		data[i] = b->lane[(b->busy >> i & 1) != 0 ? i : (unsigned)__builtin_ctz(b->busy)]
				  ->now.data;
	b->kernel->absorb(b->s, data, blocks, b->fresh);
	b->fresh = 0;
	EACH_LANE(i, b->busy)
	{
		struct work *w = b->lane[i];

		w->now.data += blocks * KECCAK_RATE;
		w->now.blocks -= blocks;
		if (w->now.blocks == 0) {
			w->now = w->then;
			w->then.blocks = 0;
		}
		if (w->now.blocks == 0)
			done |= 1u << i;
	}
	if (done != 0)
		end(b, done);
}

static void work_off(struct batch *b)
{
	b->kernel = keccak__kernel_for(b->count);
	for (unsigned i = 0; i < KECCAK_LANES_MAX; i++)
		b->lane[i] = &b->works[i];
	b->busy = b->fresh = 0;
	for (;;) {
		fill(b);
		if (b->busy == 0)
			return;
		if (b->at == b->count)
			narrow(b);
		run(b);
	}
}

/* Up to seven bytes and the first bit of the padding. */
static uint64_t tail_word(const uint8_t *data, size_t len)
{
	uint64_t v = 0x01;

	for (size_t i = len; i > 0; i--)
		v = v << 8 | data[i - 1];
	return v;
}

/* Put into w->block what is left of the data and the padding: word by word,
 * for memcpy() and memset() of so few bytes take longer than this. */
static struct run padded(struct work *w, const uint8_t *rest, size_t len)
{
	size_t at = 0;

	for (; len - at >= 8; at += 8)
		le64_store(w->block + at, le64_load(rest + at));
	le64_store(w->block + at, tail_word(rest + at, len - at));
	for (at += 8; at < KECCAK_RATE; at += 8)
		le64_store(w->block + at, 0);
	w->block[KECCAK_RATE - 1] ^= 0x80;
	return (struct run){ .data = w->block, .blocks = 1 };
}

static bool next_digest(struct batch *b, struct work *w)
{
	const struct keccak_item *item;
	struct run last;
	size_t rest;

	if (b->at == b->count)
		return false;
	item = &b->of.items[b->at++];
	rest = item->len % KECCAK_RATE;
	w->from = NULL;
	w->to = NULL;
	w->digest = item->out;
	w->now = (struct run){ .data = item->data, .blocks = item->len / KECCAK_RATE };
	last = padded(w, item->data + (item->len - rest), rest);
	if (w->now.blocks == 0) {
		w->now = last;
		w->then.blocks = 0;
	} else {
		w->then = last;
	}
	return true;
}

void keccak256_many(const struct keccak_item *items, size_t count)
{
	struct batch b;

	b.next = next_digest;
	b.of.items = items;
	b.at = 0;
	b.count = count;
	work_off(&b);
}

/* Bytes that fill no block are added at once; the first state that has a
 * block to permute is work. */
static bool next_update(struct batch *b, struct work *w)
{
	while (b->at < b->count) {
		struct keccak *k = b->of.update.states[b->at];
		struct span in = b->of.update.data[b->at++];
		size_t part = k->pos == 0 ? 0 : size_min(in.len, KECCAK_RATE - k->pos);
		bool full = k->pos + part == KECCAK_RATE;

		keccak__add(k->a, k->pos, in.data, part);
		k->pos += (uint32_t)part;
		if (k->pos > 0 && !full)
			continue;
		in = span_of(in.data + part, in.len - part);
		k->pos = (uint32_t)(in.len % KECCAK_RATE);
		w->from = w->to = k->a;
		w->digest = NULL;
		w->pad = false;
		w->rest = span_of(in.data + (in.len - k->pos), k->pos);
		w->now = (struct run){ .data = in.data, .blocks = in.len / KECCAK_RATE };
		w->then.blocks = 0;
		if (full) { /* the block is in the state already: permute it alone */
			w->then = w->now;
			w->now = (struct run){ .data = zeros, .blocks = 1 };
		}
		if (w->now.blocks > 0)
			return true;
		keccak__add(k->a, 0, w->rest.data, w->rest.len);
	}
	return false;
}

void keccak_update_many(struct keccak *const *states, const struct span *data, size_t count)
{
	struct batch b;

	b.next = next_update;
	b.of.update.states = states;
	b.of.update.data = data;
	b.at = 0;
	b.count = count;
	work_off(&b);
}

static bool next_peek(struct batch *b, struct work *w)
{
	const struct keccak *k;

	if (b->at == b->count)
		return false;
	k = b->of.peek.states[b->at];
	w->from = k->a;
	w->to = NULL;
	w->digest = b->of.peek.out[b->at++];
	w->pad = true;
	w->pad_at = k->pos;
	w->now = (struct run){ .data = zeros, .blocks = 1 };
	w->then.blocks = 0;
	return true;
}

void keccak_peek_many(const struct keccak *const *states, uint8_t (*out)[32], size_t count)
{
	struct batch b;

	b.next = next_peek;
	b.of.peek.states = states;
	b.of.peek.out = out;
	b.at = 0;
	b.count = count;
	work_off(&b);
}
