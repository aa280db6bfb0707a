/* SPDX-License-Identifier: MIT */
/* shh/filter.c - filters come and go: their keys, their index, and our own bloom. */
#include "shh/filter.h"

#include <assert.h>
#include <stddef.h>

#define SLOT_BITS   14 /* a filter's id names its slot; the rest counts */
#define TOPICS_MIN  64u
#define KEY_BUCKETS (sizeof(((struct shh__filters *)0)->keys) / sizeof(struct shh__key *))
_Static_assert(SHH_FILTERS_MAX == 1 << SLOT_BITS, "a slot fits its bits");

/* --- keys ------------------------------------------------------------------------- */

static size_t key_bucket(const struct shh *s, const uint8_t b[static 32], bool is_sym)
{
	return (siphash(&s->rand_key, b, 32) ^ is_sym) % KEY_BUCKETS;
}

static enum err key_open(struct shh *s, struct shh__key **out, const uint8_t b[static 32],
			 bool is_sym)
{
	struct shh__key **bucket = &s->filters->keys[key_bucket(s, b, is_sym)], *k;

	for (k = *bucket; k != NULL; k = k->next)
		if (k->is_sym == is_sym && crypto_eq(k->b, b, sizeof(k->b))) {
			k->refs++;
			*out = k;
			return OK;
		}
	k = mem_alloc(s->cfg.mem, MEM_FILTERS, sizeof(*k));
	if (k == NULL)
		return ERR_MEM;
	if (is_sym && aes_gcm_new(&k->gcm, b) != OK) {
		mem_free(s->cfg.mem, MEM_FILTERS, k, sizeof(*k));
		return ERR_MEM;
	}
	memcpy(k->b, b, sizeof(k->b));
	k->is_sym = is_sym;
	k->refs = 1;
	k->next = *bucket;
	*bucket = k;
	*out = k;
	return OK;
}

static void key_close(struct shh *s, struct shh__key *k)
{
	struct shh__key **at = &s->filters->keys[key_bucket(s, k->b, k->is_sym)];

	if (--k->refs > 0)
		return;
	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	if (s->filters->work.opened == k)
		s->filters->work.pass = SHH__PASS_NONE;
	aes_gcm_free(k->gcm);
	crypto_wipe(k, sizeof(*k));
	mem_free(s->cfg.mem, MEM_FILTERS, k, sizeof(*k));
}

/* --- the index ---------------------------------------------------------------------- */

uint32_t shh__chain_of(const struct shh__topics *t, struct shh_topic topic)
{
	return (uint32_t)(be32_load(topic.b) * 0x9e3779b97f4a7c15ull >> 32) & (t->size - 1);
}

static void chain_append(struct shh__chain *c, struct shh__ref *r)
{
	r->next = NULL;
	r->prev = c->last;
	if (c->last != NULL)
		c->last->next = r;
	else
		c->first = r;
	c->last = r;
}

static void chain_drop(struct shh__chain *c, struct shh__ref *r)
{
	if (r->next != NULL)
		r->next->prev = r->prev;
	else
		c->last = r->prev;
	if (r->prev != NULL)
		r->prev->next = r->next;
	else
		c->first = r->next;
}

/* Make room for more topics: as many chains as there are refs, at least. */
static enum err topics_reserve(struct shh *s, struct shh__topics *t, size_t more)
{
	struct shh__chain *old = t->v, *v;
	uint32_t old_size = t->size, size = t->size == 0 ? TOPICS_MIN : t->size;

	while (size < t->used + more)
		size *= 2;
	if (size == old_size)
		return OK;
	v = mem_alloc(s->cfg.mem, MEM_FILTERS, size * sizeof(*v));
	if (v == NULL)
		return ERR_MEM;
	t->v = v;
	t->size = size;
	for (uint32_t i = 0; i < old_size; i++) {
		struct shh__ref *next;

		for (struct shh__ref *r = old[i].first; r != NULL; r = next) {
			next = r->next;
			r->chain = shh__chain_of(t, r->topic);
			chain_append(&t->v[r->chain], r);
		}
	}
	mem_free(s->cfg.mem, MEM_FILTERS, old, old_size * sizeof(*old));
	/* work under way stands in a chain that is a different one now: it begins
	 * anew, with keys and filters that had their turn marked as such */
	s->filters->work.at = NULL;
	s->filters->work.stage = 0;
	return OK;
}

static void bloom_count(struct shh *s, const struct shh__filter *f, bool add)
{
	struct shh__filters *fs = s->filters;

	for (size_t i = 0; i < f->ref_count; i++) {
		struct shh_bloom b;

		if (f->refs[i].chain == SHH__NONE) {
			fs->bloom_all = add ? fs->bloom_all + 1 : fs->bloom_all - 1;
			continue;
		}
		shh_bloom_of(&b, f->refs[i].topic, SHH_BLOOM_EIP627);
		for (unsigned bit = 0; bit < 512; bit++)
			if ((b.b[bit / 8] >> bit % 8 & 1) != 0)
				fs->bloom_bits[bit] += add ? 1u : UINT32_MAX;
	}
}

static bool chain_has(const struct shh__chain *c, const struct shh__filter *f,
		      struct shh_topic topic)
{
	/* its own refs are the last ones of a chain */
	for (const struct shh__ref *r = c->last; r != NULL && r->filter == f; r = r->prev)
		if (memcmp(&r->topic, &topic, sizeof(topic)) == 0)
			return true;
	return false;
}

/* Enter a filter under its topics; one that is named twice counts once. */
static void refs_join(struct shh *s, struct shh__filter *f, const struct shh_filter *given)
{
	struct shh__filters *fs = s->filters;
	unsigned kind = f->key->is_sym ? 0 : 1;

	if (given->topic_count == 0) {
		f->refs[0] = (struct shh__ref){ .filter = f, .chain = SHH__NONE };
		chain_append(&fs->all[kind], &f->refs[0]);
		f->ref_count = 1;
		return;
	}
	for (size_t i = 0; i < given->topic_count; i++) {
		struct shh__ref *r = &f->refs[f->ref_count];
		uint32_t chain = shh__chain_of(&fs->topics[kind], given->topics[i]);

		if (chain_has(&fs->topics[kind].v[chain], f, given->topics[i]))
			continue;
		*r = (struct shh__ref){ .filter = f, .topic = given->topics[i], .chain = chain };
		chain_append(&fs->topics[kind].v[chain], r);
		fs->topics[kind].used++;
		f->ref_count++;
	}
}

static void refs_leave(struct shh *s, struct shh__filter *f)
{
	struct shh__filters *fs = s->filters;
	unsigned kind = f->key->is_sym ? 0 : 1;

	for (size_t i = 0; i < f->ref_count; i++) {
		struct shh__ref *r = &f->refs[i];

		if (fs->work.at == r)
			fs->work.at = r->next;
		if (r->chain == SHH__NONE) {
			chain_drop(&fs->all[kind], r);
			continue;
		}
		chain_drop(&fs->topics[kind].v[r->chain], r);
		fs->topics[kind].used--;
	}
}

/* --- our own bloom --------------------------------------------------------------------- */

static void bloom_sum(const struct shh__filters *fs, struct shh_bloom *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned bit = 0; bit < 512; bit++)
		if (fs->bloom_bits[bit] > 0)
			out->b[bit / 8] |= (uint8_t)(1u << bit % 8);
}

void shh__filters_bloom(struct shh *s, uint64_t now_ms)
{
	struct shh_bloom sum;

	bloom_sum(s->filters, &sum);
	if (s->filters->bloom_all > 0 || shh_bloom_is_full(&sum))
		shh__bloom_set(s, NULL, now_ms);
	else
		shh__bloom_set(s, &sum, now_ms);
}

/* --- adding and removing ------------------------------------------------------------------ */

static size_t filter_size(size_t refs)
{
	return offsetof(struct shh__filter, refs) + refs * sizeof(struct shh__ref);
}

static void filter_free(struct shh *s, struct shh__filter *f)
{
	if (f->key != NULL)
		key_close(s, f->key);
	mem_free(s->cfg.mem, MEM_FILTERS, f, filter_size(f->ref_room));
}

static enum err slot_find(struct shh *s, uint32_t *out)
{
	struct shh__filters *fs = s->filters;
	uint32_t room = fs->room == 0 ? 16 : fs->room * 2;
	void *slots;

	for (uint32_t i = 0; i < fs->room; i++) {
		*out = (fs->serial + i) % fs->room;
		if (fs->slots[*out] == NULL)
			return OK;
	}
	if (fs->room == SHH_FILTERS_MAX)
		return ERR_FULL;
	slots = mem_resize(s->cfg.mem, MEM_FILTERS, fs->slots, fs->room * sizeof(void *),
			   room * sizeof(void *));
	if (slots == NULL)
		return ERR_MEM;
	fs->slots = slots;
	for (uint32_t i = fs->room; i < room; i++)
		fs->slots[i] = NULL;
	*out = fs->room;
	fs->room = room;
	return OK;
}

static enum err filter_check(struct shh *s, const struct shh_filter *f)
{
	if ((f->sym == NULL) == (f->key == NULL) || f->topic_count > SHH__TOPICS_MAX ||
	    !(f->min_pow >= 0))
		return ERR_ARG;
	if (f->key != NULL && !seckey_valid(s->cfg.crypto, f->key))
		return ERR_KEY;
	return f->signer != NULL ? pubkey_check(s->cfg.crypto, f->signer) : OK;
}

static enum err filter_make(struct shh *s, struct shh__filter **out, const struct shh_filter *f)
{
	size_t refs = f->topic_count > 0 ? f->topic_count : 1;
	struct shh__filter *made = mem_alloc(s->cfg.mem, MEM_FILTERS, filter_size(refs));
	enum err err;

	if (made == NULL)
		return ERR_MEM;
	made->ref_room = refs;
	err = f->sym != NULL ? key_open(s, &made->key, f->sym->b, true)
			     : key_open(s, &made->key, f->key->b, false);
	if (err == OK && f->topic_count > 0)
		err = topics_reserve(s, &s->filters->topics[f->sym != NULL ? 0 : 1], refs);
	if (err != OK) {
		filter_free(s, made);
		return err;
	}
	made->has_signer = f->signer != NULL;
	if (f->signer != NULL)
		made->signer = *f->signer;
	made->min_pow = f->min_pow;
	made->direct = f->direct;
	*out = made;
	return OK;
}

enum err shh_filter_add(struct shh *s, uint32_t *id, const struct shh_filter *f, uint64_t now_ms)
{
	struct shh__filters *fs = s->filters;
	struct shh__filter *made;
	uint32_t slot;
	enum err err = filter_check(s, f);

	shh__enter(s, now_ms);
	if (err == OK && fs->count == SHH_FILTERS_MAX)
		err = ERR_FULL;
	if (err == OK)
		err = slot_find(s, &slot);
	if (err == OK)
		err = filter_make(s, &made, f);
	if (err != OK)
		return err;
	refs_join(s, made, f);
	bloom_count(s, made, true);
	made->id = ++fs->serial << SLOT_BITS | slot;
	made->from_seq = fs->main_seq;
	made->behind = s->pool.live > 0 ? SHH__WAITING : SHH__CAUGHT_UP;
	fs->behind += made->behind != SHH__CAUGHT_UP;
	fs->slots[slot] = made;
	fs->count++;
	if (s->bloom_auto)
		shh__filters_bloom(s, now_ms);
	*id = made->id;
	return OK;
}

enum err shh_filter_remove(struct shh *s, uint32_t id, uint64_t now_ms)
{
	struct shh__filters *fs = s->filters;
	uint32_t slot = id & (SHH_FILTERS_MAX - 1);
	struct shh__filter *f = slot < fs->room ? fs->slots[slot] : NULL;

	shh__enter(s, now_ms);
	if (f == NULL || f->id != id)
		return ERR_NOT_FOUND;
	refs_leave(s, f);
	bloom_count(s, f, false);
	fs->slots[slot] = NULL;
	fs->count--;
	fs->behind -= f->behind != SHH__CAUGHT_UP;
	filter_free(s, f);
	if (s->bloom_auto)
		shh__filters_bloom(s, now_ms);
	return OK;
}

enum err shh__filters_new(struct shh *s)
{
	struct shh__filters *fs = mem_alloc(s->cfg.mem, MEM_FIXED, sizeof(*fs));

	if (fs == NULL)
		return ERR_MEM;
	fs->direct_end = &fs->direct;
	fs->wait_ms = UINT64_MAX;
	bucket_init(&fs->budget, shh__trial_rate, s->now_ms);
	s->filters = fs;
	shh__cursor_join(&s->pool, &fs->main);
	shh__cursor_join(&s->pool, &fs->back);
	return OK;
}

void shh__filters_free(struct shh *s)
{
	struct shh__filters *fs = s->filters;
	struct mem *mem = s->cfg.mem;

	if (fs == NULL)
		return;
	for (uint32_t i = 0; i < fs->room; i++)
		if (fs->slots[i] != NULL)
			filter_free(s, fs->slots[i]);
	while (fs->direct != NULL) {
		struct shh__direct *next = fs->direct->next;

		mem_free(mem, MEM_FILTERS, fs->direct, sizeof(*fs->direct) + fs->direct->len);
		fs->direct = next;
	}
	for (unsigned kind = 0; kind < 2; kind++)
		mem_free(mem, MEM_FILTERS, fs->topics[kind].v,
			 fs->topics[kind].size * sizeof(*fs->topics[kind].v));
	mem_free(mem, MEM_FILTERS, fs->slots, fs->room * sizeof(void *));
	if (fs->scratch != NULL)
		crypto_wipe(fs->scratch, fs->scratch_room);
	mem_free(mem, MEM_FILTERS, fs->scratch, fs->scratch_room);
	shh__cursor_leave(&s->pool, &fs->main);
	shh__cursor_leave(&s->pool, &fs->back);
	mem_free(mem, MEM_FIXED, fs, sizeof(*fs));
	s->filters = NULL;
}

uint32_t shh__filters_count(const struct shh *s)
{
	return s->filters->count;
}

void shh__filters_direct(struct shh *s, struct span raw)
{
	struct shh__filters *fs = s->filters;
	struct shh__direct *d = NULL;

	if (fs->direct_count < SHH__DIRECT_MAX && raw.len <= s->cfg.message_max)
		d = mem_alloc(s->cfg.mem, MEM_FILTERS, sizeof(*d) + raw.len);
	if (d == NULL) {
		s->stats.dropped_full++;
		return;
	}
	d->len = raw.len;
	memcpy(d->raw, raw.data, raw.len);
	*fs->direct_end = d;
	fs->direct_end = &d->next;
	fs->direct_count++;
}
