/* SPDX-License-Identifier: MIT */
/* cmd/node.c - `sotto node': a node that stays. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>

#include "cmd/process.h"
#include "cmd/session.h"

#define SETTLED_MS 1000 /* the start is over by then */

struct daemon {
	struct session session;
	struct peer_list statics, trusted;
};

static int check(void *ctx, struct session *s)
{
	struct daemon *d = ctx;
	const struct settings *set = s->set;
	char why[PEERS_WHY_MAX];

	if (set->peers != NULL &&
	    peers_read(&d->statics, "--peers", set->peers, false, s->crypto, why) != OK)
		return fail(set, EXIT_USAGE, "%s", why);
	if (set->trusted != NULL &&
	    peers_read(&d->trusted, "--trusted", set->trusted, true, s->crypto, why) != OK)
		return fail(set, EXIT_USAGE, "%s", why);
	return EXIT_OK;
}

/* The same URL with an address that others can use. */
static void print_elsewhere(const struct session *s, const struct ip *ip)
{
	char text[ENODE_TEXT_MAX];
	struct enode e;

	memset(&e, 0, sizeof(e));
	e.id = *node_pubkey(s->node);
	e.has_endpoint = true;
	e.at = net_listening(s->net, 0);
	e.at.udp = e.at.tcp;
	e.at.ip = *ip;
	enode_text(text, &e);
	printf("# from other machines: %s\n", text);
}

/* The addresses of this machine, where it listens on all of them. */
static void print_addresses(const struct session *s)
{
	struct ifaddrs *list, *a;
	struct ip ip;

	if (getifaddrs(&list) != 0)
		return;
	for (a = list; a != NULL; a = a->ifa_next) {
		if (a->ifa_addr == NULL || !(a->ifa_flags & IFF_UP))
			continue;
		if (a->ifa_addr->sa_family == AF_INET)
			ip = ip_from4(
				(void *)&((struct sockaddr_in *)(void *)a->ifa_addr)->sin_addr);
		else if (a->ifa_addr->sa_family == AF_INET6)
			ip = ip_from6(
				(void *)&((struct sockaddr_in6 *)(void *)a->ifa_addr)->sin6_addr);
		else
			continue;
		if (ip_class_of(&ip) == IP_GLOBAL || ip_class_of(&ip) == IP_PRIVATE)
			print_elsewhere(s, &ip);
	}
	freeifaddrs(list);
}

static void print_welcome(const struct session *s)
{
	struct endpoint at = net_listening(s->net, 0);
	char url[ENODE_TEXT_MAX], place[ENDPOINT_TEXT_MAX];
	bool any = ip_class_of(&at.ip) == IP_UNSPECIFIED;

	session_enode(s, url);
	endpoint_text(place, &at);
	printf("enode: %s\n", url);
	fflush(stdout); /* whoever waits for the line has it; the rest is for people */
	printf("# accepts connections on TCP %s%s\n", place, any ? ", any address" : "");
	if (any)
		print_addresses(s);
	printf("# first message: %s send --peer %s --password secret --topic greetings "
	       "'Hello'\n",
	       program_invocation_name, url); /* as it was found, so that it is found again */
	if (fflush(stdout) != 0 || ferror(stdout))
		log_line(&s->log, LOG_WARN, "output_lost why=\"nobody reads standard output\"");
}

static void settled(void *ctx, uint64_t now_ms)
{
	(void)ctx;
	(void)now_ms;
	process_give_back();
}

static void join_all(struct session *s, const struct peer_list *l, unsigned kind)
{
	for (size_t i = 0; i < l->count; i++)
		peer_join(s, &l->peer[i], kind, NULL, NULL);
}

int run_node(struct settings *set)
{
	struct daemon d = { .statics.count = 0 };
	struct endpoint listen = settings_listen(set);
	struct session_plan plan = {
		.keep = true,
		.listen = &listen,
		.redial = true,
		.check = check,
		.ctx = &d,
	};
	int code = session_open(&d.session, set, &plan);

	if (code == EXIT_OK) {
		join_all(&d.session, &d.statics, NODE_STATIC);
		join_all(&d.session, &d.trusted, NODE_TRUSTED);
		print_welcome(&d.session);
		net_timer(d.session.net, SETTLED_MS, settled, NULL);
		if (net_run(d.session.net) != OK)
			code = fail(set, EXIT_ENVIRONMENT, "the loop failed");
		session_close(&d.session);
	}
	peers_free(&d.statics);
	peers_free(&d.trusted);
	return code;
}
