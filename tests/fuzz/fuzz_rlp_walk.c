/* SPDX-License-Identifier: MIT */
/* The generic walker against a recursive one of a few lines (hardening R1-R4). */
#include "rlp/rlp.h"
#include "tests/fuzz/fuzz.h"

struct walk {
	size_t items;
	bool bad;
};

static void walk(struct walk *w, struct rlp_reader *r, unsigned depth)
{
	struct rlp_reader list;

	if (w->bad || ++w->items > RLP_WALK_ITEMS_MAX) {
		w->bad = true;
		return;
	}
	if (!rlp_next_is_list(r)) {
		rlp_skip(r);
	} else if (depth == RLP_WALK_DEPTH_MAX) {
		w->bad = true;
		return;
	} else {
		rlp_read_list(r, &list);
		while (!rlp_reader_at_end(&list) && !w->bad)
			walk(w, &list, depth + 1);
		w->bad |= list.err != OK;
	}
	w->bad |= r->err != OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rlp_reader r = rlp_reader_init(data, size);
	struct walk w = { .items = 0 };
	enum err e = rlp_validate(data, size);

	walk(&w, &r, 0);
	if (w.bad)
		fuzz_check(e == ERR_RLP);
	else
		fuzz_check(e == (r.left > 0 ? ERR_TRAILING : OK));
	return 0;
}
