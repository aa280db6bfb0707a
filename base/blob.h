/* SPDX-License-Identifier: MIT */
/* base/blob.h - immutable bytes with a reference count: encoded once, sent to many.
 *
 * A relay batch is one blob however many peers it goes to.  Its twin keeps what
 * a transport made of it (a compressed form), so that is made once too.
 */
#ifndef BASE_BLOB_H
#define BASE_BLOB_H

#include "base/bytes.h"
#include "base/mem.h"

struct blob {
	uint32_t refs;
	struct mem *mem;
	enum mem_account account;
	size_t len;
	size_t room;	   /* bytes accounted, header included */
	struct blob *twin; /* owned reference, NULL until a transport sets it */
	uint8_t data[];
};

/* Room for len bytes, one reference held by the caller; bytes not yet written.
 * errors   ERR_MEM; ERR_SIZE */
MUST_CHECK enum err blob_new(struct blob **out, struct mem *mem, enum mem_account account,
			     size_t len);

struct blob *blob_ref(struct blob *b);

/* Drop one reference; the last one frees it and its twin.  NULL is allowed. */
void blob_unref(struct blob *b);

#endif /* BASE_BLOB_H */
