/* SPDX-License-Identifier: MIT */
/* rlp/walk.c - checks an item of unknown shape to its last level.
 *
 * No recursion (hardening R3): the ends of the lists that are open stand on a
 * small stack, as the number of bytes left behind each of them.
 */
#include "rlp/rlp.h"

enum err rlp_validate(const uint8_t *data, size_t len)
{
	size_t behind[RLP_WALK_DEPTH_MAX]; /* bytes that follow list i in its parent */
	struct rlp_reader r = rlp_reader_init(data, len);
	size_t depth = 0;
	size_t items = 0;

	do {
		struct rlp_reader list;

		if (++items > RLP_WALK_ITEMS_MAX)
			return ERR_RLP;
		if (!rlp_next_is_list(&r)) {
			rlp_skip(&r);
		} else {
			if (depth == RLP_WALK_DEPTH_MAX)
				return ERR_RLP;
			rlp_read_list(&r, &list);
			behind[depth++] = r.left;
			r = list;
		}
		if (r.err != OK)
			return r.err;
		while (depth > 0 &&
		       r.left == 0) /* the payload of a list ends where its parent goes on */
			r.left = behind[--depth];
	} while (depth > 0);
	rlp_expect_end(&r);
	return r.err;
}
