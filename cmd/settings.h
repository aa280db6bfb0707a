/* SPDX-License-Identifier: MIT */
/* cmd/settings.h - everything that can be set, one field for each option. */
#ifndef CMD_SETTINGS_H
#define CMD_SETTINGS_H

#include "node/node.h"

#define TOPICS_MAX 64 /* topics of one listener; more: refused */

enum command_id {
	CMD_NODE,
	CMD_KEY_GENERATE,
	CMD_KEY_INSPECT,
	CMD_KEY_TO_ENODE,
	CMD_HELLO,
	CMD_SEND,
	CMD_LISTEN,
	CMD_DEMO,
};

struct command;

enum form_choice { FORM_GETH, FORM_PARITY, FORM_BOTH };
enum log_choice { LOG_TEXT, LOG_JSON };

struct topic_list {
	struct shh_topic t[TOPICS_MAX];
	size_t count;
};

struct settings {
	const struct command *command;
	uint64_t given; /* bit per row of the table: it was typed */
	const char *operand[2];
	unsigned operands;

	/* identity and place */
	const char *datadir;
	const char *nodekey;
	char *nodekeyhex;
	const char *addr;
	uint64_t port;

	/* peers */
	const char *peers;
	const char *trusted;
	const char *peer;
	uint64_t maxpeers;
	struct cidr_list netrestrict;
	bool plain;
	uint64_t p2p_version;

	/* whisper */
	double shh_pow;
	uint64_t message_max;
	bool light;
	bool bridge;
	uint64_t delay_ms;
	uint64_t pace;
	uint64_t pool_bytes;
	uint64_t pool_count;

	/* messages */
	char *password;
	const char *passwordfile;
	char *symkey;
	const char *symkeyfile;
	const char *pubkey;
	const char *key;
	const char *sign;
	struct topic_list topics;
	uint64_t ttl_s;
	double pow;
	unsigned form;
	bool direct;
	uint64_t count;
	uint64_t timeout_s;

	/* what is shown */
	uint64_t verbosity;
	unsigned log_format;
	bool json;
	bool private;
	const char *ip;
	uint64_t tcp, udp;
};

/* Whether an option was typed. */
bool settings_given(const struct settings *s, const char *name);

/* Release and wipe the secrets. */
void settings_wipe(struct settings *s);

/* Where to listen, of --addr and --port. */
struct endpoint settings_listen(const struct settings *s);

#endif /* CMD_SETTINGS_H */
