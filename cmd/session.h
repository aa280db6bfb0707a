/* SPDX-License-Identifier: MIT */
/* cmd/session.h - a node with everything it stands on, as every command needs it. */
#ifndef CMD_SESSION_H
#define CMD_SESSION_H

#include "cmd/log.h"
#include "cmd/peers.h"
#include "cmd/run.h"
#include "net/net.h"

struct session_plan {
	bool keep;		       /* identity from the data folder, which is held */
	const struct endpoint *listen; /* NULL: dial only */
	bool redial;		       /* a peer that is lost is dialled again */
	/* As of net_config. */
	void (*event)(void *ctx, const struct node_event *ev, uint64_t now_ms);
	void *ctx;
	/* Further checks of what was typed, before anything is made: returns an exit
	 * code.  The session has its cryptography by then, but no node.  NULL: none. */
	int (*check)(void *ctx, struct session *s);
	/* As of node_config; NULL and 0: none. */
	const struct rlpx_capability *extra;
	size_t extra_count;
};

struct kept;

struct session {
	const struct settings *set;
	struct rng rng;
	struct mem mem;
	struct logger logger;
	struct log log;
	struct crypto *crypto;
	struct node *node;
	struct net *net;
	struct kept *kept;
	int lock; /* of the data folder; -1: none */
};

/* Make it.  Everything typed is checked and every socket opened before anything
 * is written.
 *
 * set      borrowed until session_close()
 * returns  EXIT_OK, or the exit code after saying why
 */
int session_open(struct session *s, const struct settings *set, const struct session_plan *plan);
void session_close(struct session *s);

/* The node's URL, at the address where it listens (loopback if that is any). */
void session_enode(const struct session *s, char out[static ENODE_TEXT_MAX]);

/* Small things that live until the session ends, or are given back before: what
 * a worker may still hold. */
void *session_keep(struct session *s, size_t size);
void session_forget(struct session *s, void *p);

/* Read a key file that an option names; says why and returns an exit code. */
int session_key_file(const struct session *s, const char *what, const char *path,
		     struct seckey *out);

/* The symmetric key of --passwordfile, --password, --symkeyfile or --symkey;
 * *found is false if none was given. */
int session_symkey(const struct session *s, struct symkey *out, bool *found);

#endif /* CMD_SESSION_H */
