/* SPDX-License-Identifier: MIT */
/* base/port.h - the ports: what a machine asks for and gets at once.
 *
 * Chance and the log enter a machine as a function with a context, so that
 * each node of a simulation has its own seed and its own log.
 */
#ifndef BASE_PORT_H
#define BASE_PORT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Where random bytes come from; a driver gives the system's, a test a seeded one. */
struct rng {
	bool (*fill)(void *ctx, uint8_t *out, size_t len); /* false: none to be had */
	void *ctx;					   /* borrowed */
};

/* Fill out; ERR_RANDOM ends the operation that asked (hardening rule 1.8). */
MUST_CHECK enum err rng_fill(const struct rng *rng, uint8_t *out, size_t len);

/* A number below bound (>= 1), uniform; OK or ERR_RANDOM. */
MUST_CHECK enum err rng_below(const struct rng *rng, uint64_t *out, uint64_t bound);

/* A seeded, reproducible generator for tests and the simulator only; it is no
 * cryptographic generator and no flag of the program reaches it. */
struct rng_seeded {
	uint64_t s[4];
};

struct rng rng_seeded_init(struct rng_seeded *state, uint64_t seed);

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

/* Where finished lines go.  write == NULL means silence. */
struct log {
	void (*write)(void *ctx, enum log_level level, const char *line);
	void *ctx;
	enum log_level level; /* lines above it are not even formatted */
};

#define LOG_LINE_MAX 512 /* bytes of a line; longer ones are cut */

static inline bool log_wants(const struct log *log, enum log_level level)
{
	return log->write != NULL && level <= log->level;
}

/* Format one line and hand it on: "event key=value key=value", ids shortened,
 * secrets and payloads never, strangers' text through text_escape(). */
#define log_line(log, lvl, ...)                                \
	do {                                                   \
		if (log_wants((log), (lvl)))                   \
			log_format((log), (lvl), __VA_ARGS__); \
	} while (0)

void log_format(const struct log *log, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* BASE_PORT_H */
