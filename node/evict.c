/* SPDX-License-Identifier: MIT */
/* node/evict.c - protection by sorting: each round the best go to the end and
 * out of the range that is still open.
 */
#include "node/evict.h"

#include "base/bytes.h"

/* The by_...() are total orders, link numbers last; negative: a is the less
 * worth keeping. */
static int cmp(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_link(const struct node__evictable *a, const struct node__evictable *b)
{
	return cmp(b->link, a->link);
}

static int by_age(const struct node__evictable *a, const struct node__evictable *b)
{
	int c = cmp(b->since_ms, a->since_ms);

	return c ? c : by_link(a, b);
}

static int by_subnet(const struct node__evictable *a, const struct node__evictable *b)
{
	int c = cmp(a->subnet, b->subnet);

	return c ? c : by_age(a, b);
}

static int by_rtt(const struct node__evictable *a, const struct node__evictable *b)
{
	int c = cmp(b->rtt_ms, a->rtt_ms);

	return c ? c : by_age(a, b);
}

static int by_use(const struct node__evictable *a, const struct node__evictable *b)
{
	int c = cmp(a->useful_ms, b->useful_ms);

	return c ? c : by_age(a, b);
}

/* Shell's sort with Ciura's gaps: in place, at most 1,024 entries. */
static void sort(struct node__evictable *p, size_t n,
		 int (*order)(const struct node__evictable *, const struct node__evictable *))
{
	static const size_t gaps[] = { 701, 301, 132, 57, 23, 10, 4, 1 };

	for (size_t g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++) {
		for (size_t i = gaps[g]; i < n; i++) {
			struct node__evictable x = p[i];
			size_t at = i;

			for (; at >= gaps[g] && order(&x, &p[at - gaps[g]]) < 0; at -= gaps[g])
				p[at] = p[at - gaps[g]];
			p[at] = x;
		}
	}
}

/* Sort what is open and close its best. */
static size_t protect(struct node__evictable *p, size_t open, size_t keep,
		      int (*order)(const struct node__evictable *, const struct node__evictable *))
{
	sort(p, open, order);
	return open - size_min(open, keep);
}

uint32_t node__evict_choose(struct node__evictable *peers, size_t count)
{
	size_t open = count;
	size_t best = 0, best_size = 0;

	open = protect(peers, open, NODE__PROTECT, by_subnet);
	open = protect(peers, open, NODE__PROTECT, by_rtt);
	open = protect(peers, open, NODE__PROTECT, by_use);
	open = protect(peers, open, open / 2, by_age);
	/* Runs of one subnet, each with its youngest first. */
	sort(peers, open, by_subnet);
	for (size_t i = 0, end; i < open; i = end) {
		for (end = i + 1; end < open && peers[end].subnet == peers[i].subnet;)
			end++;
		if (end - i > best_size ||
		    (end - i == best_size && by_age(&peers[i], &peers[best]) < 0)) {
			best = i;
			best_size = end - i;
		}
	}
	return best_size ? peers[best].link : UINT32_MAX;
}
