/* SPDX-License-Identifier: MIT */
/* cmd/peers.h - the nodes that the operator names. */
#ifndef CMD_PEERS_H
#define CMD_PEERS_H

#include "cmd/settings.h"

struct session;

#define PEERS_FILE_MAX (256 * 1024) /* bytes of a file of peers; longer: refused */
#define PEERS_WHY_MAX  768

struct peer_list {
	struct enode *peer; /* owned */
	size_t count;
};

/* Read an enode URL that an option or operand gave.
 *
 * what     "--peer", for the complaint
 * bare_ok  a key without an address is welcome
 * why      on error: what, the text, and what was expected
 */
MUST_CHECK enum err peer_read(struct enode *out, const char *what, const char *text, bool bare_ok,
			      const struct crypto *c, char why[static PEERS_WHY_MAX]);

/* Read a list, or the file it names: URLs with blanks, commas, line ends, quotes
 * or brackets between them (so geth's static-nodes.json is a list as well);
 * `#' begins a remark.
 *
 * bare_ok  keys without an address are welcome
 * errors   ERR_ARG; ERR_IO; ERR_FULL past NODE_STATIC_MAX; ERR_MEM
 */
MUST_CHECK enum err peers_read(struct peer_list *out, const char *what, const char *text,
			       bool bare_ok, const struct crypto *c,
			       char why[static PEERS_WHY_MAX]);
void peers_free(struct peer_list *l);

/* Add one to the session's node now, or once its host name was looked up: on a
 * worker, again every 30 s until it is known.
 *
 * failed   called if it cannot be looked up or joined, with the reason, maybe
 *          before this returns; NULL: it is logged
 */
void peer_join(struct session *s, const struct enode *peer, unsigned kinds,
	       void (*failed)(void *ctx, const char *why), void *ctx);

#endif /* CMD_PEERS_H */
