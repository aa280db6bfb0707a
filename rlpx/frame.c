/* SPDX-License-Identifier: MIT */
/* rlpx/frame.c - sealing and opening frames, several connections side by side.
 *
 * Clockwork: a direction is a Keccak state that absorbs all its ciphertext and
 * is asked for a digest four times a frame.  With E = AES-256 of one block:
 *
 *	header	t = E(digest) ^ header;		absorb t;	MAC = digest
 *	body	absorb body; s = digest;
 *		t = E(s) ^ s;			absorb t;	MAC = digest
 *
 * The first digest is the last one of the frame before, so three permutations
 * a frame are spent on digests and the rest on absorbing.  Both directions use
 * the same AES-CTR key from counter zero (a known flaw of the protocol,
 * hardening H10); one context is moved between the two positions.
 */
#include "rlpx/frame.h"

#define LANES 16 /* connections worked on at once; more: in turns */

enum err rlpx__frames_begin(struct rlpx__frames *f, const struct rlpx__secrets *s, bool initiator)
{
	static const uint8_t zero_iv[16];
	uint8_t digest[32];
	enum err e;

	memset(f, 0, sizeof(*f));
	f->in.mac = initiator ? s->r2i : s->i2r;
	f->out.mac = initiator ? s->i2r : s->r2i;
	keccak_peek(&f->in.mac, digest);
	memcpy(f->in.last, digest, sizeof(f->in.last));
	keccak_peek(&f->out.mac, digest);
	memcpy(f->out.last, digest, sizeof(f->out.last));
	e = aes_ctr_new(&f->stream, s->aes, sizeof(s->aes), zero_iv);
	if (e == OK)
		e = aes_block_new(&f->block, s->mac);
	if (e != OK)
		rlpx__frames_end(f);
	return e;
}

void rlpx__frames_end(struct rlpx__frames *f)
{
	aes_ctr_free(f->stream);
	aes_block_free(f->block);
	crypto_wipe(f, sizeof(*f));
}

/* Run the stream over whole blocks of one direction, in place. */
static void stream_run(struct rlpx__frames *f, struct rlpx__flow *flow, uint8_t *data, size_t len)
{
	if (f->stream_at != flow->block) {
		uint8_t counter[16] = { 0 };

		be64_store(counter + 8, flow->block);
		aes_ctr_seek(f->stream, counter);
	}
	aes_ctr_run(f->stream, data, data, len);
	flow->block += len / FRAME_BLOCK;
	f->stream_at = flow->block;
}

/* One step of several MACs: absorb, then know the digest, its front in last. */
struct absorb {
	struct rlpx__flow *flow;
	struct span data;
};

static void absorb_many(const struct absorb *steps, size_t count)
{
	struct keccak *states[LANES];
	const struct keccak *peeked[LANES];
	struct span data[LANES];
	uint8_t digests[LANES][32];

	for (size_t i = 0; i < count; i++) {
		peeked[i] = states[i] = &steps[i].flow->mac;
		data[i] = steps[i].data;
	}
	if (count == 1) {
		keccak_update(states[0], data[0].data, data[0].len);
		keccak_peek(peeked[0], digests[0]);
	} else {
		keccak_update_many(states, data, count);
		keccak_peek_many(peeked, digests, count);
	}
	for (size_t i = 0; i < count; i++)
		memcpy(steps[i].flow->last, digests[i], sizeof(steps[i].flow->last));
}

/* Absorb E(last) ^ with, with standing for last itself when NULL. */
static void absorb_mixed(struct rlpx__frames *const *frames, struct rlpx__flow *const *flows,
			 const uint8_t *const *with, size_t count)
{
	struct absorb steps[LANES];
	uint8_t mixed[LANES][16];

	for (size_t i = 0; i < count; i++) {
		const uint8_t *other = with != NULL ? with[i] : flows[i]->last;

		aes_block_run(frames[i]->block, mixed[i], flows[i]->last);
		for (size_t j = 0; j < 16; j++)
			mixed[i][j] ^= other[j];
		steps[i] = (struct absorb){ flows[i], span_of(mixed[i], 16) };
	}
	absorb_many(steps, count);
}

static void open_headers(struct rlpx__header_job *jobs, size_t count)
{
	struct rlpx__frames *frames[LANES];
	struct rlpx__flow *flows[LANES];
	const uint8_t *headers[LANES];

	for (size_t i = 0; i < count; i++) {
		frames[i] = jobs[i].frames;
		flows[i] = &jobs[i].frames->in;
		headers[i] = jobs[i].data;
	}
	absorb_mixed(frames, flows, headers, count);
	for (size_t i = 0; i < count; i++) {
		struct rlpx__header_job *job = &jobs[i];

		job->size = 0;
		job->err = ERR_MAC;
		if (!crypto_eq(flows[i]->last, job->data + FRAME_BLOCK, FRAME_MAC))
			continue;
		stream_run(job->frames, flows[i], job->data, FRAME_BLOCK);
		job->size = be24_load(job->data);
		job->err = OK;
	}
}

static void open_bodies(struct rlpx__body_job *jobs, size_t count)
{
	struct rlpx__frames *frames[LANES];
	struct rlpx__flow *flows[LANES];
	struct absorb steps[LANES];

	for (size_t i = 0; i < count; i++) {
		frames[i] = jobs[i].frames;
		flows[i] = &jobs[i].frames->in;
		steps[i] = (struct absorb){ flows[i], span_of(jobs[i].data,
							      rlpx__frame_padded(jobs[i].size)) };
	}
	absorb_many(steps, count);
	absorb_mixed(frames, flows, NULL, count);
	for (size_t i = 0; i < count; i++) {
		struct rlpx__body_job *job = &jobs[i];
		size_t padded = rlpx__frame_padded(job->size);

		job->err = ERR_MAC;
		if (!crypto_eq(flows[i]->last, job->data + padded, FRAME_MAC))
			continue;
		stream_run(job->frames, flows[i], job->data, padded);
		job->err = OK;
	}
}

static void seal_frames(struct rlpx__seal_job *jobs, size_t count)
{
	struct rlpx__frames *frames[LANES];
	struct rlpx__flow *flows[LANES];
	const uint8_t *headers[LANES];
	struct absorb steps[LANES];

	for (size_t i = 0; i < count; i++) {
		static const uint8_t header_data[3] = { 0xc2, 0x80, 0x80 };
		uint8_t *data = jobs[i].data;
		size_t padded = rlpx__frame_padded(jobs[i].size);

		frames[i] = jobs[i].frames;
		flows[i] = &jobs[i].frames->out;
		headers[i] = data;
		memset(data, 0, FRAME_BLOCK);
		be24_store(data, (uint32_t)jobs[i].size);
		memcpy(data + 3, header_data, sizeof(header_data));
		stream_run(frames[i], flows[i], data, FRAME_BLOCK);
		stream_run(frames[i], flows[i], data + FRAME_HEADER, padded);
		steps[i] = (struct absorb){ flows[i], span_of(data + FRAME_HEADER, padded) };
	}
	absorb_mixed(frames, flows, headers, count);
	for (size_t i = 0; i < count; i++)
		memcpy(jobs[i].data + FRAME_BLOCK, flows[i]->last, FRAME_MAC);
	absorb_many(steps, count);
	absorb_mixed(frames, flows, NULL, count);
	for (size_t i = 0; i < count; i++)
		memcpy(jobs[i].data + FRAME_HEADER + steps[i].data.len, flows[i]->last, FRAME_MAC);
}

void rlpx__open_headers(struct rlpx__header_job *jobs, size_t count)
{
	for (size_t i = 0; i < count; i += LANES)
		open_headers(jobs + i, size_min(LANES, count - i));
}

void rlpx__open_bodies(struct rlpx__body_job *jobs, size_t count)
{
	for (size_t i = 0; i < count; i += LANES)
		open_bodies(jobs + i, size_min(LANES, count - i));
}

void rlpx__seal_frames(struct rlpx__seal_job *jobs, size_t count)
{
	for (size_t i = 0; i < count; i += LANES)
		seal_frames(jobs + i, size_min(LANES, count - i));
}
