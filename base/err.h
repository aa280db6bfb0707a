/* SPDX-License-Identifier: MIT */
/* base/err.h - every way in which something fails, once for the whole house.
 *
 * LOCAL errors say that we are short of something or were asked wrongly;
 * PEER errors say that bytes from outside broke a rule.  Bugs of our own are
 * neither: they are assert().
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#define MUST_CHECK __attribute__((warn_unused_result))

/* X(name, class, text): the text completes the sentence "refused: ...". */
#define ERR_LIST(X)                                                       \
	X(OK, LOCAL, "no error")                                          \
	X(ERR_MEM, LOCAL, "out of memory, or an account reached its cap") \
	X(ERR_FULL, LOCAL, "a table or queue reached its cap")            \
	X(ERR_STATE, LOCAL, "not possible in this state")                 \
	X(ERR_RANDOM, LOCAL, "no random bytes to be had")                 \
	X(ERR_ARG, LOCAL, "an argument outside its range")                \
	X(ERR_NOT_FOUND, LOCAL, "no such thing")                          \
	X(ERR_EXISTS, LOCAL, "exists already")                            \
	X(ERR_IO, LOCAL, "the system refused")                            \
	X(ERR_TARGET, LOCAL, "the work asked for was not found in time")  \
	X(ERR_SIZE, PEER, "too long or too short")                        \
	X(ERR_RLP, PEER, "not canonical RLP, or not the shape expected")  \
	X(ERR_TRAILING, PEER, "bytes after the end")                      \
	X(ERR_KEY, PEER, "not a valid key")                               \
	X(ERR_SIG, PEER, "not a valid signature")                         \
	X(ERR_MAC, PEER, "authentication failed")                         \
	X(ERR_SNAPPY, PEER, "not decompressible within its bounds")       \
	X(ERR_CODE, PEER, "message code outside every range")             \
	X(ERR_HELLO, PEER, "not an acceptable Hello")                     \
	X(ERR_VERSION, PEER, "a protocol version that cannot be spoken")  \
	X(ERR_IDENTITY, PEER, "another identity than expected")           \
	X(ERR_SELF, PEER, "ourselves")                                    \
	X(ERR_USELESS, PEER, "no capability in common")                   \
	X(ERR_DUPLICATE, PEER, "connected or known already")              \
	X(ERR_TOO_MANY, PEER, "no place left for it")                     \
	X(ERR_TIMEOUT, PEER, "nothing came in time")                      \
	X(ERR_FLOOD, PEER, "more than a bucket allows")                   \
	X(ERR_PROTOCOL, PEER, "a message that its state does not allow")  \
	X(ERR_STATUS, PEER, "not an acceptable Status")                   \
	X(ERR_ENVELOPE, PEER, "not an envelope")                          \
	X(ERR_EXPIRED, PEER, "expired, or from the future")               \
	X(ERR_WORK, PEER, "too little proof of work")                     \
	X(ERR_BLOOM, PEER, "outside the bloom filter")                    \
	X(ERR_DECRYPT, PEER, "cannot be opened with this key")            \
	X(ERR_PAYLOAD, PEER, "opened, but malformed inside")              \
	X(ERR_CLOSED, PEER, "the other side closed")                      \
	X(ERR_REPLAY, PEER, "seen before")

enum err {
#define ERR_NAME(name, class, text) name,
	ERR_LIST(ERR_NAME)
#undef ERR_NAME
};

/* The name as in this file, such as "ERR_MAC"; never NULL, any int is legal. */
const char *err_name(enum err e);

/* The text as in this file; never NULL, any int is legal. */
const char *err_text(enum err e);

/* Whether somebody else broke a rule (class PEER). */
bool err_is_peer(enum err e);

#endif /* BASE_ERR_H */
