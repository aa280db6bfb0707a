/* SPDX-License-Identifier: MIT */
/* bench/load/options.c - the command line, checked before anything is dialled. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/load/options.h"

static const char usage[] =
	"load --enode ENODE [--pid N] [option...]: a load for an shh/6 node, one JSON line as "
	"result\n"
	"  --client TEXT      said in Hello: nodes tell families by it (Geth/v1.8.27-load)\n"
	"  --name TEXT        repeated in the result\n"
	"  --publishers N     connections that send (1)\n"
	"  --receivers N      connections that receive everything (0)\n"
	"  --idle N           connections that only stay (0)\n"
	"  --far ENODE        attach receivers there instead\n"
	"  --preload N        envelopes before the clock starts (0)\n"
	"  --hold S           then measure S seconds of silence (0)\n"
	"  --count N          envelopes under the clock (0)\n"
	"  --size BYTES       of an envelope, 20 + data (256)\n"
	"  --batch N          envelopes of a packet (16)\n"
	"  --copies N         publishers that send each envelope (1)\n"
	"  --rate N           envelopes per second; 0: as fast as it goes (0)\n"
	"  --repeat           under the clock the other publishers repeat the preload\n"
	"  --late             receivers join when everything was sent\n"
	"  --audit            a last peer fetches every 64th envelope as proof\n"
	"  --limit BYTES      a receiver leaves at a larger packet, as geth does at 1 MiB (none)\n"
	"  --bits N           of work in each envelope, as geth 1.8 counts it (8)\n"
	"  --ttl S            of the envelopes (600)\n"
	"  --plain            no compression (p2p/4)\n"
	"  --timeout S        of the whole run (60)\n";

enum flag {
	ENODE = 1,
	PID,
	NAME,
	CLIENT,
	PUBLISHERS,
	RECEIVERS,
	IDLE_PEERS,
	FAR,
	PRELOAD,
	HOLD,
	COUNT,
	SIZE,
	BATCH,
	COPIES,
	RATE,
	REPEAT,
	LATE,
	AUDIT,
	LIMIT,
	BITS,
	TTL,
	PLAIN,
	TIMEOUT,
	HELP,
};

static const struct option options[] = {
	{ "enode", 1, NULL, ENODE },
	{ "pid", 1, NULL, PID },
	{ "name", 1, NULL, NAME },
	{ "client", 1, NULL, CLIENT },
	{ "publishers", 1, NULL, PUBLISHERS },
	{ "receivers", 1, NULL, RECEIVERS },
	{ "idle", 1, NULL, IDLE_PEERS },
	{ "far", 1, NULL, FAR },
	{ "preload", 1, NULL, PRELOAD },
	{ "hold", 1, NULL, HOLD },
	{ "count", 1, NULL, COUNT },
	{ "size", 1, NULL, SIZE },
	{ "batch", 1, NULL, BATCH },
	{ "copies", 1, NULL, COPIES },
	{ "rate", 1, NULL, RATE },
	{ "repeat", 0, NULL, REPEAT },
	{ "late", 0, NULL, LATE },
	{ "audit", 0, NULL, AUDIT },
	{ "limit", 1, NULL, LIMIT },
	{ "bits", 1, NULL, BITS },
	{ "ttl", 1, NULL, TTL },
	{ "plain", 0, NULL, PLAIN },
	{ "timeout", 1, NULL, TIMEOUT },
	{ "help", 0, NULL, HELP },
	{ NULL, 0, NULL, 0 },
};

static const char *name_of(int option)
{
	for (const struct option *o = options; o->name != NULL; o++)
		if (o->val == option)
			return o->name;
	return "?";
}

static uint32_t number(int option, uint32_t min, uint32_t max)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(optarg, &end, 10);
	if (errno != 0 || end == optarg || *end != '\0' || v < min || v > max)
		give_up("--%s: expected a number from %u to %u, not \"%s\"", name_of(option), min,
			max, optarg);
	return (uint32_t)v;
}

static void target(struct enode *out, int option, const struct crypto *crypto)
{
	const char *why = "";

	if (enode_parse(out, optarg, crypto, &why) != OK || !out->has_endpoint ||
	    !ip_is4(&out->at.ip) || ip_class_of(&out->at.ip) != IP_LOOPBACK)
		give_up("--%s: expected an enode URL at 127.0.0.0/8, not \"%s\" %s",
			name_of(option), optarg, why);
}

static void take(struct plan *p, int option, const struct crypto *crypto)
{
	switch ((enum flag)option) {
	case ENODE: target(&p->node, option, crypto); break;
	case FAR:
		target(&p->far, option, crypto);
		p->has_far = true;
		break;
	case PID: p->pid = (int)number(option, 1, 1u << 30); break;
	case NAME: p->name = optarg; break;
	case CLIENT: p->client = optarg; break;
	case PUBLISHERS: p->publishers = number(option, 0, LOAD_PEERS_MAX); break;
	case RECEIVERS: p->receivers = number(option, 0, LOAD_PEERS_MAX); break;
	case IDLE_PEERS: p->idle = number(option, 0, LOAD_PEERS_MAX); break;
	case PRELOAD: p->preload = number(option, 0, 10000000); break;
	case HOLD: p->hold_s = number(option, 0, 3600); break;
	case COUNT: p->count = number(option, 0, 10000000); break;
	case SIZE: p->size = number(option, 64, 1 << 20); break;
	case BATCH: p->batch = number(option, 1, 4096); break;
	case COPIES: p->copies = number(option, 1, LOAD_PEERS_MAX); break;
	case RATE: p->rate = number(option, 0, 10000000); break;
	case REPEAT: p->repeat = true; break;
	case LATE: p->late = true; break;
	case AUDIT: p->audit = true; break;
	case BITS: p->bits = number(option, 0, 24); break;
	case LIMIT: p->limit = number(option, 1, RLPX_FRAME_MAX); break;
	case TTL: p->ttl_s = number(option, 1, SHH_TTL_MAX); break;
	case PLAIN: p->no_snappy = true; break;
	case TIMEOUT: p->timeout_s = number(option, 1, 3600); break;
	case HELP: fputs(usage, stdout); exit(0);
	}
}

static void check(const struct plan *p)
{
	uint64_t bytes = ((uint64_t)p->preload + p->count) * p->size;

	if (!p->node.has_endpoint)
		give_up("--enode is missing");
	if (p->publishers + p->receivers + p->idle + 1 > LOAD_PEERS_MAX)
		give_up("more than %u peers", LOAD_PEERS_MAX);
	if (p->preload + p->count > 0 && p->publishers < (p->repeat ? 2 : 1))
		give_up("--publishers: too few to send anything");
	if (p->count > 0 && p->copies > p->publishers)
		give_up("--copies: more than publishers");
	if ((uint64_t)p->size * p->batch > (1u << 20))
		give_up("--batch: a packet would be larger than 1 MiB");
	if (bytes > LOAD_CORPUS_MAX)
		give_up("more than %llu bytes of envelopes", LOAD_CORPUS_MAX);
}

void options_read(struct plan *p, int argc, char **argv, const struct crypto *crypto)
{
	int option;

	*p = (struct plan){ .name = "",
			    .client = "Geth/v1.8.27-load",
			    .publishers = 1,
			    .size = 256,
			    .batch = 16,
			    .copies = 1,
			    .limit = RLPX_FRAME_MAX,
			    .bits = 8,
			    .ttl_s = 600,
			    .timeout_s = 60 };
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			give_up("see --help");
		take(p, option, crypto);
	}
	if (optind != argc)
		give_up("unexpected \"%s\"; see --help", argv[optind]);
	if (p->repeat)
		p->count = 0;
	check(p);
}
