/* SPDX-License-Identifier: MIT */
/* base/bucket.h - token buckets: exact integer credit, saturating, 16 bytes.
 *
 * Time comes in milliseconds and credit is kept in thousandths of a token, so
 * that every millisecond gives exactly `rate` of them and nothing is rounded.
 * A rate below one a second is written with dearer tokens: "1 in 30 s, burst
 * 3" is rate 1, burst 90 and 30 tokens a take.  A clock that steps back gives
 * nothing and takes nothing.
 */
#ifndef BASE_BUCKET_H
#define BASE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	uint64_t last_ms;
	int64_t credit; /* thousandths of a token; negative: debt */
};

#define BUCKET_BURST_MAX 4000000000000000ull /* larger bursts count as this */

/* What a bucket holds: rate tokens a second, burst tokens at most; both >= 1. */
struct bucket_rate {
	uint64_t rate;
	uint64_t burst;
};

/* Start full. */
void bucket_init(struct bucket *b, struct bucket_rate r, uint64_t now_ms);

/* Take n tokens if they are there; false and untouched otherwise. */
bool bucket_take(struct bucket *b, struct bucket_rate r, uint64_t n, uint64_t now_ms);

/* Take n tokens, into debt at most to one burst below zero (for what was used already). */
void bucket_charge(struct bucket *b, struct bucket_rate r, uint64_t n, uint64_t now_ms);

/* The first millisecond at which n tokens (n <= burst) will be there; now_ms if
 * they are; UINT64_MAX if never (n > burst). */
uint64_t bucket_ready_at(const struct bucket *b, struct bucket_rate r, uint64_t n, uint64_t now_ms);

#endif /* BASE_BUCKET_H */
