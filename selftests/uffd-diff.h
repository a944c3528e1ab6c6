/* SPDX-License-Identifier: GPL-2.0 */
#ifndef UFFD_DIFF_H
#define UFFD_DIFF_H

#include "uffd-lib.h"

#define DIFF_SLOTS	6	/* mappings at a time */

/* Whether RWP may be used; 6.18 does not have it. */
extern bool diff_rwp;

/* The first mappings of @seed. */
void diff_start(__u64 seed);
/* Do step @step of @seed, and print it. */
void diff_step(__u64 seed, unsigned int step);

__u64 diff_mix(__u64 hash, __u64 v);

#endif
