/* SPDX-License-Identifier: MIT */
/* shh/dialect.c - which of the families a peer belongs to.
 *
 * shh/6 is spoken by four families that refuse each other's envelopes; what a
 * peer accepts is told from evidence, weakest first:
 *
 *   its name in Hello   a hint; anybody may say "Geth", and wnode is of any age
 *   its Status          empty: parity; five or six items: Status, 1.9's rule
 *   its envelopes       a node passes on only what meets its own minimum, so
 *                       the digest under which that is true is its digest
 *   its farewell        a disconnect right after our first envelopes was about
 *                       them, if nothing else spoke for the guess: try the other
 *
 * Until there is any, nothing that could cost the connection is sent, and after
 * five seconds go-ethereum 1.9's rule is assumed, which is the commonest.
 */
#include "shh/internal.h"

#define STRONG_BITS 8 /* fewer zero bits may be chance */
#define STRONG_SEEN 2 /* envelopes that overrule a name, or prove a guess */

static const char *const names[SHH_DIALECTS] = {
	[SHH_DIALECT_UNKNOWN] = "unknown", [SHH_DIALECT_GETH18] = "geth-1.8",
	[SHH_DIALECT_GETH19] = "geth-1.9", [SHH_DIALECT_NIMBUS] = "nimbus",
	[SHH_DIALECT_PARITY] = "parity",   [SHH_DIALECT_SOTTO] = "sotto",
};

const char *shh_dialect_name(enum shh_dialect d)
{
	return (unsigned)d < SHH_DIALECTS ? names[d] : "unknown";
}

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* "Geth/v1.8.27-stable/linux-amd64/go1.10", perhaps with a name of its own after "Geth/". */
static enum shh_dialect geth_of_name(const char *client)
{
	const char *v = strstr(client, "/v1.");

	if (v == NULL)
		return SHH_DIALECT_UNKNOWN;
	v += strlen("/v1.");
	return v[0] >= '0' && v[0] <= '8' && v[1] == '.' ? SHH_DIALECT_GETH18 : SHH_DIALECT_GETH19;
}

enum shh_dialect shh__dialect_of_name(const char *client)
{
	static const struct {
		const char *prefix;
		enum shh_dialect dialect;
	} known[] = {
		{ "sotto/", SHH_DIALECT_SOTTO },    { "Parity", SHH_DIALECT_PARITY },
		{ "nim-eth", SHH_DIALECT_NIMBUS },  { "nimbus", SHH_DIALECT_NIMBUS },
		{ "Nimbus", SHH_DIALECT_NIMBUS },   { "Statusd", SHH_DIALECT_GETH19 },
		{ "StatusIM", SHH_DIALECT_GETH19 }, { "status-go", SHH_DIALECT_GETH19 },
	};

	if (client == NULL)
		return SHH_DIALECT_UNKNOWN;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (starts(client, known[i].prefix))
			return known[i].dialect;
	return starts(client, "Geth/") ? geth_of_name(client) : SHH_DIALECT_UNKNOWN;
}

enum shh_dialect shh__dialect_of_status(enum shh_dialect before, const struct shh_status *st,
					bool *proven)
{
	*proven = false;
	if (before == SHH_DIALECT_SOTTO)
		return before;
	switch (st->form) {
	case SHH_STATUS_EMPTY: *proven = true; return SHH_DIALECT_PARITY;
	case SHH_STATUS_FIVE:
	case SHH_STATUS_SIX: *proven = true; return SHH_DIALECT_GETH19;
	case SHH_STATUS_SHORT:
	case SHH_STATUS_FOUR: break;
	}
	return before == SHH_DIALECT_PARITY ? SHH_DIALECT_UNKNOWN : before;
}

bool shh__dialect_is_known(enum shh_dialect d)
{
	return d != SHH_DIALECT_UNKNOWN;
}

enum shh_rule shh__dialect_rule(enum shh_dialect d)
{
	switch (d) {
	case SHH_DIALECT_GETH18: return SHH_RULE_GETH18;
	case SHH_DIALECT_NIMBUS: return SHH_RULE_NIMBUS;
	case SHH_DIALECT_PARITY: return SHH_RULE_EIP627;
	case SHH_DIALECT_GETH19:
	case SHH_DIALECT_SOTTO:
	case SHH_DIALECT_UNKNOWN:
	case SHH_DIALECTS: break;
	}
	return SHH_RULE_GETH19;
}

enum shh_digest shh__dialect_digest(enum shh_dialect d)
{
	return shh_rule_digest(shh__dialect_rule(d));
}

/* Settle on a dialect; what was held back for it is offered again. */
void shh__dialect_set(struct shh *s, struct shh__peer *p, enum shh_dialect d)
{
	p->dialect_ms = UINT64_MAX;
	if (p->dialect == d)
		return;
	p->dialect = d;
	p->digest_double = shh__dialect_digest(d) == SHH_DIGEST_DOUBLE;
	p->marks |= SHH__TELL_DIALECT;
	shh__peer_rewind(s, p);
	shh__bridge_families(s);
}

void shh__dialect_saw(struct shh *s, struct shh__peer *p, enum shh_digest d, unsigned bits)
{
	enum shh_dialect seen = d == SHH_DIGEST_DOUBLE ? SHH_DIALECT_GETH18 : SHH_DIALECT_GETH19;

	if (p->dialect_proven || p->dialect == SHH_DIALECT_SOTTO || bits < STRONG_BITS ||
	    p->status.min_pow <= 0)
		return;
	if (p->dialect == SHH_DIALECT_UNKNOWN) {
		shh__dialect_set(s, p, seen);
		shh__peer_arm(s, p);
		return;
	}
	if (shh__dialect_digest(p->dialect) == d) {
		p->contrary = 0;
		p->dialect_proven = ++p->agreeing >= STRONG_SEEN;
		return;
	}
	p->agreeing = 0;
	if (++p->contrary < STRONG_SEEN)
		return;
	p->dialect_proven = true;
	shh__dialect_set(s, p, seen);
}

/* The better guess for a peer that has just gone; UNKNOWN if its end says nothing. */
enum shh_dialect shh__dialect_flipped(const struct shh *s, const struct shh__peer *p)
{
	if (p->phase != SHH__READY || p->dialect_proven || p->first_sent_ms == UINT64_MAX ||
	    s->now_ms - p->first_sent_ms > SHH__FLIP_MS || p->status.min_pow <= 0)
		return SHH_DIALECT_UNKNOWN;
	switch (p->dialect) {
	case SHH_DIALECT_GETH18: return SHH_DIALECT_GETH19;
	case SHH_DIALECT_GETH19: return SHH_DIALECT_GETH18;
	case SHH_DIALECT_UNKNOWN:
	case SHH_DIALECT_NIMBUS:
	case SHH_DIALECT_PARITY:
	case SHH_DIALECT_SOTTO:
	case SHH_DIALECTS: break;
	}
	return SHH_DIALECT_UNKNOWN;
}
