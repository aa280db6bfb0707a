/* SPDX-License-Identifier: MIT */
/* base/port.c - chance and the log, as a machine asks for them. */
#include "base/port.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

enum err rng_fill(const struct rng *rng, uint8_t *out, size_t len)
{
	if (len == 0)
		return OK;
	return rng->fill(rng->ctx, out, len) ? OK : ERR_RANDOM;
}

enum err rng_below(const struct rng *rng, uint64_t *out, uint64_t bound)
{
	/* Numbers below 2^64 mod bound would favour the small results. */
	uint64_t skip = (0 - bound) % bound;
	uint8_t bytes[8];
	uint64_t n;

	do {
		if (rng_fill(rng, bytes, sizeof(bytes)) != OK)
			return ERR_RANDOM;
		n = le64_load(bytes);
	} while (n < skip);
	*out = n % bound;
	return OK;
}

/* xoshiro256** (Blackman and Vigna), its state spread from a seed by splitmix64. */
static uint64_t splitmix(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static uint64_t seeded_next(uint64_t s[static 4])
{
	uint64_t result = rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

static bool seeded_fill(void *ctx, uint8_t *out, size_t len)
{
	struct rng_seeded *state = ctx;
	uint8_t word[8];

	for (size_t i = 0; i < len; i += 8) {
		le64_store(word, seeded_next(state->s));
		memcpy(out + i, word, size_min(8, len - i));
	}
	return true;
}

struct rng rng_seeded_init(struct rng_seeded *state, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		state->s[i] = splitmix(&seed);
	return (struct rng){ .fill = seeded_fill, .ctx = state };
}

void log_format(const struct log *log, enum log_level level, const char *format, ...)
{
	char line[LOG_LINE_MAX];
	va_list args;

	va_start(args, format);
	if (vsnprintf(line, sizeof(line), format, args) < 0)
		line[0] = '\0';
	va_end(args);
	for (char *c = line; *c != '\0'; c++) /* one call, one line, whatever got in */
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	log->write(log->ctx, level, line);
}
