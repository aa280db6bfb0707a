/* SPDX-License-Identifier: MIT */
/* bench/load/options.h - the plan of a run, from the command line. */
#ifndef BENCH_LOAD_OPTIONS_H
#define BENCH_LOAD_OPTIONS_H

#include "bench/load/load.h"

/* Leaves by give_up() at anything wrong. */
void options_read(struct plan *p, int argc, char **argv, const struct crypto *crypto);

#endif /* BENCH_LOAD_OPTIONS_H */
