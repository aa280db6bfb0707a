/* SPDX-License-Identifier: MIT */
/* cmd/run.h - the commands' bodies; each returns the exit code. */
#ifndef CMD_RUN_H
#define CMD_RUN_H

#include "cmd/settings.h"

/* Exit codes that mean the same everywhere (hardening §5). */
enum exit_code {
	EXIT_OK = 0,
	EXIT_USAGE = 1,	      /* what was typed */
	EXIT_ENVIRONMENT = 2, /* what the system refused */
	EXIT_TIME = 3,	      /* the time was up */
	EXIT_DIAL = 4,
	EXIT_HANDSHAKE = 5,
	EXIT_HELLO = 6,
	EXIT_USELESS = 7,
	EXIT_STATUS = 8,
	EXIT_DISCONNECT = 9,
	EXIT_REFUSED = 10, /* the message cannot be made so, or the peer would not take it */
	EXIT_INTERNAL = 70,
};

int run_node(struct settings *set);
int run_key_generate(struct settings *set);
int run_key_inspect(struct settings *set);
int run_key_to_enode(struct settings *set);
int run_hello(struct settings *set);
int run_send(struct settings *set);
int run_listen(struct settings *set);
int run_demo(struct settings *set);

#endif /* CMD_RUN_H */
