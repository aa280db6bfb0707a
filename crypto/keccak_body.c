/* SPDX-License-Identifier: MIT */
/* crypto/keccak_body.c - which body this machine runs.
 *
 * The only word in this folder that outlives a call: it goes from "not yet
 * asked" to the best usable body at the first use and stays there, unless a
 * test or benchmark forces another.  Threads that race to choose choose alike.
 */
#include "crypto/keccak_body.h"

#include <stdatomic.h>

struct body {
	const char *name;
	const struct keccak__kernel *kernels[KECCAK__KERNELS_MAX]; /* narrow to wide, then NULL */
};

static const struct body bodies[KECCAK_BODIES] = {
	[KECCAK_PORTABLE] = { "portable", { &keccak__portable } },
#if KECCAK__X86
	[KECCAK_BMI] = { "bmi", { &keccak__bmi } },
	[KECCAK_AVX2] = { "avx2", { &keccak__bmi, &keccak__avx2_x4 } },
	[KECCAK_AVX512] = { "avx512", { &keccak__bmi, &keccak__avx512_x4, &keccak__avx512_x8 } },
#else
	[KECCAK_BMI] = { "bmi", { NULL } },
	[KECCAK_AVX2] = { "avx2", { NULL } },
	[KECCAK_AVX512] = { "avx512", { NULL } },
#endif
};

#define NOT_YET KECCAK_BODIES
static _Atomic(enum keccak_body) in_use = NOT_YET;

bool keccak_body_usable(enum keccak_body body)
{
	switch (body) {
	case KECCAK_PORTABLE: return true;
#if KECCAK__X86
	case KECCAK_BMI: return __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
	case KECCAK_AVX2: return keccak_body_usable(KECCAK_BMI) && __builtin_cpu_supports("avx2");
	case KECCAK_AVX512:
		return keccak_body_usable(KECCAK_AVX2) && __builtin_cpu_supports("avx512f") &&
		       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
#else
	case KECCAK_BMI:
	case KECCAK_AVX2:
	case KECCAK_AVX512:
#endif
	case KECCAK_BODIES: break;
	}
	return false;
}

const char *keccak_body_name(enum keccak_body body)
{
	return bodies[body].name;
}

bool keccak_body_force(enum keccak_body body)
{
	if (!keccak_body_usable(body))
		return false;
	atomic_store_explicit(&in_use, body, memory_order_relaxed);
	return true;
}

static enum keccak_body best(void)
{
	enum keccak_body body = KECCAK_BODIES - 1;

	while (!keccak_body_usable(body))
		body--;
	return body;
}

enum keccak_body keccak_body_in_use(void)
{
	enum keccak_body body = atomic_load_explicit(&in_use, memory_order_relaxed);

	if (__builtin_expect(body == NOT_YET, 0)) {
		body = best();
		atomic_store_explicit(&in_use, body, memory_order_relaxed);
	}
	return body;
}

const struct keccak__kernel *keccak__kernel_single(void)
{
	return bodies[keccak_body_in_use()].kernels[0];
}

const struct keccak__kernel *keccak__kernel_for(size_t lanes)
{
	const struct body *b = &bodies[keccak_body_in_use()];
	size_t i = 0;

	while (b->kernels[i]->lanes < lanes && i + 1 < KECCAK__KERNELS_MAX &&
	       b->kernels[i + 1] != NULL)
		i++;
	return b->kernels[i];
}
