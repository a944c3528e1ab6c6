// SPDX-License-Identifier: GPL-2.0
/*
 * The specification of userfaultfd by memory type.
 *
 * uffd-table tries every cell, and Documentation shows the same two tables
 * (uffd-table --rst).  What a kernel release answered differently is said at
 * the row.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "uffd-spec.h"

const char *const state_names[NR_STATES] = {
	[ST_EMPTY] = "empty",
	[ST_CACHED] = "cached",
	[ST_MAPPED] = "mapped",
	[ST_WP_MARKER] = "wp-marker",
	[ST_WP_CACHED] = "wp-cached",
	[ST_PROTECTED] = "protected",
	[ST_POISONED] = "poisoned",
	[ST_POISONED_CACHED] = "poisoned-cached",
	[ST_GUARD] = "guard",
	[ST_GUARD_CACHED] = "guard-cached",
	[ST_EOF] = "eof",
};

const char *const state_texts[NR_STATES] = {
	[ST_EMPTY] = "no page here, none in the file",
	[ST_CACHED] = "a page in the page cache, not mapped here",
	[ST_MAPPED] = "a page that was written to, mapped here",
	[ST_WP_MARKER] = "no page, write-protected",
	[ST_WP_CACHED] = "a page in the page cache, not mapped here, write-protected",
	[ST_PROTECTED] = "a page that was written to, mapped here, protected (WP or RWP)",
	[ST_POISONED] = "a poison marker",
	[ST_POISONED_CACHED] = "a page in the page cache, a poison marker here",
	[ST_GUARD] = "a guard marker (MADV_GUARD_INSTALL)",
	[ST_GUARD_CACHED] = "a page in the page cache, a guard marker here",
	[ST_EOF] = "beyond the end of the file",
};

const char *const ctx_names[NR_CTX] = {
	[CTX_SYNC] = "sync",
	[CTX_ASYNC] = "wp-async",
	[CTX_RWP_ASYNC] = "rwp-async",
	[CTX_PLAIN] = "plain",
};

const __u64 ctx_features[NR_CTX] = {
	[CTX_SYNC] = UFFD_FEATURE_RWP | UFFD_FEATURE_WP_UNPOPULATED,
	[CTX_ASYNC] = UFFD_FEATURE_RWP | UFFD_FEATURE_WP_ASYNC,
	[CTX_RWP_ASYNC] = UFFD_FEATURE_RWP | UFFD_FEATURE_RWP_ASYNC |
			  UFFD_FEATURE_WP_UNPOPULATED,
	[CTX_PLAIN] = 0,
};

const struct reg_column reg_columns[] = {
	{ "missing", M, CTX_SYNC },
	{ "wp", W, CTX_SYNC },
	{ "missing|wp", M | W, CTX_SYNC },
	{ "minor", N, CTX_SYNC },
	{ "rwp", R, CTX_SYNC },
	{ "wp-async", W, CTX_ASYNC },
	{ "missing|minor", M | N, CTX_SYNC, true },
	{ "wp|minor", W | N, CTX_SYNC, true },
	{ "missing|wp|minor", M | W | N, CTX_SYNC, true },
	{ "missing|rwp", M | R, CTX_SYNC, true },
	{ "minor|rwp", N | R, CTX_SYNC, true },
	{ "missing|minor|rwp", M | N | R, CTX_SYNC, true },
	{ "missing|wp-async", M | W, CTX_ASYNC, true },
	{ "wp-async|minor", W | N, CTX_ASYNC, true },
	{ "missing|wp-async|minor", M | W | N, CTX_ASYNC, true },
	{ "rwp-async", R, CTX_RWP_ASYNC, true },
	{ "missing|rwp-async", M | R, CTX_RWP_ASYNC, true },
	{ "minor|rwp-async", N | R, CTX_RWP_ASYNC, true },
	{ "missing|minor|rwp-async", M | N | R, CTX_RWP_ASYNC, true },
	{ "missing-plain", M, CTX_PLAIN, true },
	{ "wp-plain", W, CTX_PLAIN, true },
	{ "minor-plain", N, CTX_PLAIN, true },
};

const unsigned int nr_reg_columns = ARRAY_SIZE(reg_columns);

#define BIT_OF(op)	(1 << _UFFDIO_##op)

/* What every range may do, with base pages and with huge pages. */
#define HUGE	(BIT_OF(WAKE) | BIT_OF(COPY) | BIT_OF(POISON))
#define PTE	(HUGE | BIT_OF(ZEROPAGE) | BIT_OF(MOVE))
/* And what a mode adds: W, N, R. */
#define PTE_W	(PTE | BIT_OF(WRITEPROTECT))
#define PTE_N	(PTE | BIT_OF(CONTINUE))
#define PTE_R	(PTE | BIT_OF(RWPROTECT))
#define PTE_WN	(PTE_W | PTE_N)
#define PTE_NR	(PTE_N | PTE_R)
#define HUGE_W	(HUGE | BIT_OF(WRITEPROTECT))
#define HUGE_N	(HUGE | BIT_OF(CONTINUE))
#define HUGE_R	(HUGE | BIT_OF(RWPROTECT))
#define HUGE_WN	(HUGE_W | HUGE_N)
#define HUGE_NR	(HUGE_N | HUGE_R)
#define NO	(-EINVAL)

/*
 * MOVE and ZEROPAGE are granted by page size alone, also where they can only
 * fail (MOVE on shmem; anything but WRITEPROTECT on "other" memory).
 */
#define SYNC		(1 << CTX_SYNC)
#define ASYNC		(1 << CTX_ASYNC)
#define RWP_ASYNC	(1 << CTX_RWP_ASYNC)
#define PLAIN		(1 << CTX_PLAIN)
#define EACH_CTX	(SYNC | ASYNC | RWP_ASYNC | PLAIN)

const struct register_row register_rows[] = {
	/* anon,      shmem,    private,  hugetlb,  private,  zero,     gmem,     other,    refused */
	{ M, EACH_CTX,
	  { PTE,      PTE,      PTE,      HUGE,     HUGE,     PTE,      PTE,      NO,       NO } },
	{ W, EACH_CTX & ~ASYNC,
	  { PTE_W,    PTE_W,    PTE_W,    HUGE_W,   HUGE_W,   PTE_W,    NO,       NO,       NO } },
	/* WP alone tracks writes to any memory, if nobody waits for an answer. */
	{ W, ASYNC,
	  { PTE_W,    PTE_W,    PTE_W,    HUGE_W,   HUGE_W,   PTE_W,    PTE_W,    PTE_W,    NO } },
	{ M | W, EACH_CTX,
	  { PTE_W,    PTE_W,    PTE_W,    HUGE_W,   HUGE_W,   PTE_W,    NO,       NO,       NO } },
	{ N, EACH_CTX,
	  { NO,       PTE_N,    PTE_N,    HUGE_N,   HUGE_N,   NO,       PTE_N,    NO,       NO } },
	{ M | N, EACH_CTX,
	  { NO,       PTE_N,    PTE_N,    HUGE_N,   HUGE_N,   NO,       PTE_N,    NO,       NO } },
	{ W | N, EACH_CTX,
	  { NO,       PTE_WN,   PTE_WN,   HUGE_WN,  HUGE_WN,  NO,       NO,       NO,       NO } },
	{ M | W | N, EACH_CTX,
	  { NO,       PTE_WN,   PTE_WN,   HUGE_WN,  HUGE_WN,  NO,       NO,       NO,       NO } },
	/*
	 * RWP has to be asked for when the userfaultfd is opened.  RWP_ASYNC, unlike
	 * WP_ASYNC, lets no other memory be registered.
	 */
	{ R, EACH_CTX & ~PLAIN,
	  { PTE_R,    PTE_R,    PTE_R,    HUGE_R,   HUGE_R,   PTE_R,    NO,       NO,       NO } },
	{ M | R, EACH_CTX & ~PLAIN,
	  { PTE_R,    PTE_R,    PTE_R,    HUGE_R,   HUGE_R,   PTE_R,    NO,       NO,       NO } },
	{ N | R, EACH_CTX & ~PLAIN,
	  { NO,       PTE_NR,   PTE_NR,   HUGE_NR,  HUGE_NR,  NO,       NO,       NO,       NO } },
	{ M | N | R, EACH_CTX & ~PLAIN,
	  { NO,       PTE_NR,   PTE_NR,   HUGE_NR,  HUGE_NR,  NO,       NO,       NO,       NO } },
	{ R, PLAIN,
	  { NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO } },
	{ M | R, PLAIN,
	  { NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO } },
	{ N | R, PLAIN,
	  { NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO } },
	{ M | N | R, PLAIN,
	  { NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO } },
	/* One bit in the page table entry serves either WP or RWP. */
	{ W | R, EACH_CTX,
	  { NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO } },
	{ M | W | R, EACH_CTX,
	  { NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO } },
	{ W | N | R, EACH_CTX,
	  { NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO } },
	{ M | W | N | R, EACH_CTX,
	  { NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO } },
	{ 0, SYNC,
	  { NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO } },
	{ 1 << 4, SYNC,
	  { NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO,       NO } },
};

const unsigned int nr_register_rows = ARRAY_SIZE(register_rows);

#define ANY		.needs = 0
#define NEEDS(m, e)	.needs = (m), .otherwise = (e)
/* The state exists only with write-protection. */
#define WP_ONLY		NEEDS(W, NA)

#define INVAL	(-EINVAL)
#define EXIST	(-EEXIST)
#define FAULT	(-EFAULT)
#define NOENT	(-ENOENT)

#define COPY_DONTWAKE	UFFDIO_COPY_MODE_DONTWAKE
#define COPY_WP		UFFDIO_COPY_MODE_WP
#define CONT_DONTWAKE	UFFDIO_CONTINUE_MODE_DONTWAKE
#define CONT_WP		UFFDIO_CONTINUE_MODE_WP
#define ZERO_DONTWAKE	UFFDIO_ZEROPAGE_MODE_DONTWAKE
#define POISON_DONTWAKE	UFFDIO_POISON_MODE_DONTWAKE
#define WP_ON		UFFDIO_WRITEPROTECT_MODE_WP
#define WP_DONTWAKE	UFFDIO_WRITEPROTECT_MODE_DONTWAKE
#define RWP_ON		UFFDIO_RWPROTECT_MODE_RWP
#define RWP_DONTWAKE	UFFDIO_RWPROTECT_MODE_DONTWAKE
#define MOVE_DONTWAKE	UFFDIO_MOVE_MODE_DONTWAKE
#define MOVE_HOLES	UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES

const struct op_row op_rows[] = {
	/*	    anon,  shmem, priv,  huge,  priv,  zero,  gmem,  other */
	{ OP_COPY, 0, "", ST_EMPTY, ANY,
	  .want = { OK,    OK,    OK,    OK,    OK,    FAULT, OK,    INVAL } },
	{ OP_COPY, COPY_DONTWAKE, "dontwake", ST_EMPTY, ANY,
	  .want = { OK,    OK,    OK,    OK,    OK,    FAULT, OK,    INVAL } },
	{ OP_COPY, COPY_WP, "wp", ST_EMPTY, NEEDS(W, INVAL),
	  .want = { OK,    OK,    OK,    OK,    OK,    FAULT, OK,    INVAL } },
	{ OP_COPY, 4, "badmode", ST_EMPTY, ANY,
	  .want = { INVAL, INVAL, INVAL, INVAL, INVAL, INVAL, INVAL, INVAL } },
	{ OP_COPY, 0, "", ST_CACHED, ANY,
	  .want = { NA,    EXIST, OK,    EXIST, OK,    NA,    EXIST, INVAL } },
	{ OP_COPY, COPY_WP, "wp", ST_CACHED, NEEDS(W, INVAL),
	  .want = { NA,    EXIST, OK,    EXIST, OK,    NA,    EXIST, INVAL } },
	{ OP_COPY, 0, "", ST_MAPPED, ANY,
	  .want = { EXIST, EXIST, EXIST, EXIST, EXIST, FAULT, EXIST, INVAL } },
	{ OP_COPY, 0, "", ST_WP_MARKER, WP_ONLY,
	  .want = { OK,    OK,    OK,    OK,    OK,    FAULT, OK,    INVAL } },
	{ OP_COPY, COPY_WP, "wp", ST_WP_MARKER, WP_ONLY,
	  .want = { OK,    OK,    OK,    OK,    OK,    FAULT, OK,    INVAL } },
	{ OP_COPY, 0, "", ST_WP_CACHED, WP_ONLY,
	  .want = { NA,    EXIST, OK,    EXIST, OK,    NA,    EXIST, INVAL } },
	{ OP_COPY, 0, "", ST_PROTECTED, NEEDS(W | R, NA),
	  .want = { EXIST, EXIST, EXIST, EXIST, EXIST, FAULT, EXIST, INVAL } },
	{ OP_COPY, 0, "", ST_POISONED, ANY,
	  .want = { OK,    OK,    OK,    OK,    OK,    NA,    OK,    NA } },
	/* 6.18 wrote over a guard. */
	{ OP_COPY, 0, "", ST_GUARD, ANY,
	  .want = { EXIST, EXIST, EXIST, NA,    NA,    FAULT, EXIST, NA } },
	/* 7.1 to 7.3: ENOMEM on shared shmem. */
	{ OP_COPY, 0, "", ST_EOF, ANY,
	  .want = { NA,    FAULT, FAULT, FAULT, OK,    NA,    NA,    INVAL } },

	{ OP_ZEROPAGE, 0, "", ST_EMPTY, ANY,
	  .want = { OK,    OK,    OK,    INVAL, INVAL, FAULT, OK,    INVAL } },
	{ OP_ZEROPAGE, ZERO_DONTWAKE, "dontwake", ST_EMPTY, ANY,
	  .want = { OK,    OK,    OK,    INVAL, INVAL, FAULT, OK,    INVAL } },
	{ OP_ZEROPAGE, 2, "badmode", ST_EMPTY, ANY,
	  .want = { INVAL, INVAL, INVAL, INVAL, INVAL, INVAL, INVAL, INVAL } },
	{ OP_ZEROPAGE, 0, "", ST_CACHED, ANY,
	  .want = { NA,    EXIST, OK,    INVAL, INVAL, NA,    EXIST, INVAL } },
	{ OP_ZEROPAGE, 0, "", ST_MAPPED, ANY,
	  .want = { EXIST, EXIST, EXIST, INVAL, INVAL, FAULT, EXIST, INVAL } },
	/* A marker stands in the way of the zero page, but not of a new one. */
	{ OP_ZEROPAGE, 0, "", ST_WP_MARKER, WP_ONLY,
	  .want = { EXIST, OK,    EXIST, INVAL, INVAL, FAULT, OK,    INVAL } },
	{ OP_ZEROPAGE, 0, "", ST_WP_CACHED, WP_ONLY,
	  .want = { NA,    EXIST, EXIST, INVAL, INVAL, NA,    EXIST, INVAL } },
	{ OP_ZEROPAGE, 0, "", ST_POISONED, ANY,
	  .want = { EXIST, OK,    EXIST, INVAL, INVAL, NA,    OK,    NA } },
	{ OP_ZEROPAGE, 0, "", ST_GUARD, ANY,
	  .want = { EXIST, EXIST, EXIST, NA,    NA,    FAULT, EXIST, NA } },
	/* 7.1 to 7.3: ENOMEM on shared shmem. */
	{ OP_ZEROPAGE, 0, "", ST_EOF, ANY,
	  .want = { NA,    FAULT, FAULT, INVAL, INVAL, NA,    NA,    INVAL } },

	{ OP_CONTINUE, 0, "", ST_EMPTY, ANY,
	  .want = { INVAL, FAULT, FAULT, FAULT, FAULT, INVAL, FAULT, INVAL } },
	{ OP_CONTINUE, 0, "", ST_CACHED, ANY,
	  .want = { NA,    OK,    OK,    OK,    OK,    NA,    OK,    INVAL } },
	{ OP_CONTINUE, CONT_DONTWAKE, "dontwake", ST_CACHED, ANY,
	  .want = { NA,    OK,    OK,    OK,    OK,    NA,    OK,    INVAL } },
	{ OP_CONTINUE, CONT_WP, "wp", ST_CACHED, NEEDS(W, INVAL),
	  .want = { NA,    OK,    OK,    OK,    OK,    NA,    OK,    INVAL } },
	{ OP_CONTINUE, 4, "badmode", ST_CACHED, ANY,
	  .want = { NA,    INVAL, INVAL, INVAL, INVAL, NA,    INVAL, INVAL } },
	/* A private hugetlb page that was written to is not in the page cache. */
	{ OP_CONTINUE, 0, "", ST_MAPPED, ANY,
	  .want = { INVAL, EXIST, EXIST, EXIST, FAULT, INVAL, EXIST, INVAL } },
	{ OP_CONTINUE, 0, "", ST_WP_MARKER, WP_ONLY,
	  .want = { INVAL, FAULT, FAULT, FAULT, FAULT, INVAL, FAULT, INVAL } },
	{ OP_CONTINUE, 0, "", ST_WP_CACHED, WP_ONLY,
	  .want = { NA,    OK,    OK,    OK,    OK,    NA,    OK,    INVAL } },
	{ OP_CONTINUE, CONT_WP, "wp", ST_WP_CACHED, WP_ONLY,
	  .want = { NA,    OK,    OK,    OK,    OK,    NA,    OK,    INVAL } },
	{ OP_CONTINUE, 0, "", ST_PROTECTED, NEEDS(W | R, NA),
	  .want = { INVAL, EXIST, EXIST, EXIST, FAULT, INVAL, EXIST, INVAL } },
	{ OP_CONTINUE, 0, "", ST_POISONED_CACHED, ANY,
	  .want = { NA,    OK,    OK,    OK,    OK,    NA,    OK,    NA } },
	/* 6.18 wrote over a guard. */
	{ OP_CONTINUE, 0, "", ST_GUARD_CACHED, ANY,
	  .want = { NA,    EXIST, EXIST, NA,    NA,    NA,    EXIST, NA } },
	/* 7.1 to 7.3: EFAULT on shmem. */
	{ OP_CONTINUE, 0, "", ST_EOF, ANY,
	  .want = { NA,    INVAL, INVAL, FAULT, FAULT, NA,    NA,    INVAL } },

	{ OP_POISON, 0, "", ST_EMPTY, ANY,
	  .want = { OK,    OK,    OK,    OK,    OK,    FAULT, OK,    INVAL } },
	{ OP_POISON, POISON_DONTWAKE, "dontwake", ST_EMPTY, ANY,
	  .want = { OK,    OK,    OK,    OK,    OK,    FAULT, OK,    INVAL } },
	{ OP_POISON, 2, "badmode", ST_EMPTY, ANY,
	  .want = { INVAL, INVAL, INVAL, INVAL, INVAL, INVAL, INVAL, INVAL } },
	{ OP_POISON, 0, "", ST_CACHED, ANY,
	  .want = { NA,    OK,    OK,    OK,    OK,    NA,    OK,    INVAL } },
	{ OP_POISON, 0, "", ST_MAPPED, ANY,
	  .want = { EXIST, EXIST, EXIST, EXIST, EXIST, FAULT, EXIST, INVAL } },
	{ OP_POISON, 0, "", ST_WP_MARKER, WP_ONLY,
	  .want = { EXIST, EXIST, EXIST, EXIST, EXIST, FAULT, EXIST, INVAL } },
	{ OP_POISON, 0, "", ST_WP_CACHED, WP_ONLY,
	  .want = { NA,    EXIST, EXIST, EXIST, EXIST, NA,    EXIST, INVAL } },
	{ OP_POISON, 0, "", ST_PROTECTED, NEEDS(W | R, NA),
	  .want = { EXIST, EXIST, EXIST, EXIST, EXIST, FAULT, EXIST, INVAL } },
	{ OP_POISON, 0, "", ST_POISONED, ANY,
	  .want = { EXIST, EXIST, EXIST, EXIST, EXIST, NA,    EXIST, NA } },
	{ OP_POISON, 0, "", ST_GUARD, ANY,
	  .want = { EXIST, EXIST, EXIST, NA,    NA,    FAULT, EXIST, NA } },
	/* hugetlb does not look at the size of the file. */
	{ OP_POISON, 0, "", ST_EOF, ANY,
	  .want = { NA,    FAULT, FAULT, OK,    OK,    NA,    NA,    INVAL } },

	{ OP_WP, WP_ON, "on", ST_EMPTY, NEEDS(W, NOENT),
	  .want = { OK,    OK,    OK,    OK,    OK,    OK,    OK,    OK } },
	{ OP_WP, WP_ON, "on", ST_CACHED, NEEDS(W, NOENT),
	  .want = { NA,    OK,    OK,    OK,    OK,    NA,    OK,    OK } },
	{ OP_WP, WP_ON, "on", ST_MAPPED, NEEDS(W, NOENT),
	  .want = { OK,    OK,    OK,    OK,    OK,    OK,    OK,    OK } },
	{ OP_WP, WP_ON, "on", ST_PROTECTED, NEEDS(W, NA),
	  .want = { OK,    OK,    OK,    OK,    OK,    OK,    OK,    OK } },
	/* These two stay what they are: nobody gets past them anyway. */
	{ OP_WP, WP_ON, "on", ST_POISONED, NEEDS(W, NOENT),
	  .want = { OK,    OK,    OK,    OK,    OK,    NA,    OK,    NA } },
	{ OP_WP, WP_ON, "on", ST_GUARD, NEEDS(W, NOENT),
	  .want = { OK,    OK,    OK,    NA,    NA,    OK,    OK,    NA } },
	{ OP_WP, WP_ON, "on", ST_EOF, NEEDS(W, NOENT),
	  .want = { NA,    OK,    OK,    OK,    OK,    NA,    NA,    OK } },
	{ OP_WP, WP_ON | WP_DONTWAKE, "on-dontwake", ST_EMPTY, ANY,
	  .want = { INVAL, INVAL, INVAL, INVAL, INVAL, INVAL, INVAL, INVAL } },
	{ OP_WP, 4, "badmode", ST_EMPTY, ANY,
	  .want = { INVAL, INVAL, INVAL, INVAL, INVAL, INVAL, INVAL, INVAL } },
	{ OP_WP, 0, "off", ST_WP_MARKER, NEEDS(W, NA),
	  .want = { OK,    OK,    OK,    OK,    OK,    OK,    OK,    OK } },
	{ OP_WP, WP_DONTWAKE, "off-dontwake", ST_WP_MARKER, NEEDS(W, NA),
	  .want = { OK,    OK,    OK,    OK,    OK,    OK,    OK,    OK } },
	{ OP_WP, 0, "off", ST_MAPPED, NEEDS(W, NOENT),
	  .want = { OK,    OK,    OK,    OK,    OK,    OK,    OK,    OK } },
	{ OP_WP, 0, "off", ST_WP_CACHED, WP_ONLY,
	  .want = { NA,    OK,    OK,    OK,    OK,    NA,    OK,    OK } },
	{ OP_WP, 0, "off", ST_POISONED, NEEDS(W, NOENT),
	  .want = { OK,    OK,    OK,    OK,    OK,    NA,    OK,    NA } },

	{ OP_RWP, RWP_ON, "on", ST_EMPTY, NEEDS(R, NOENT),
	  .want = { OK,    OK,    OK,    OK,    OK,    OK,    NOENT, NOENT } },
	{ OP_RWP, RWP_ON, "on", ST_MAPPED, NEEDS(R, NOENT),
	  .want = { OK,    OK,    OK,    OK,    OK,    OK,    NOENT, NOENT } },
	{ OP_RWP, RWP_ON, "on", ST_POISONED, NEEDS(R, NOENT),
	  .want = { OK,    OK,    OK,    OK,    OK,    NA,    NOENT, NA } },
	{ OP_RWP, RWP_ON | RWP_DONTWAKE, "on-dontwake", ST_MAPPED, ANY,
	  .want = { INVAL, INVAL, INVAL, INVAL, INVAL, INVAL, INVAL, INVAL } },
	{ OP_RWP, 4, "badmode", ST_MAPPED, ANY,
	  .want = { INVAL, INVAL, INVAL, INVAL, INVAL, INVAL, INVAL, INVAL } },
	{ OP_RWP, 0, "off", ST_MAPPED, NEEDS(R, NOENT),
	  .want = { OK,    OK,    OK,    OK,    OK,    OK,    NOENT, NOENT } },
	{ OP_RWP, RWP_DONTWAKE, "off-dontwake", ST_MAPPED, NEEDS(R, NOENT),
	  .want = { OK,    OK,    OK,    OK,    OK,    OK,    NOENT, NOENT } },

	{ OP_MOVE, 0, "", ST_EMPTY, ANY,
	  .want = { OK,    INVAL, INVAL, INVAL, INVAL, OK,    INVAL, INVAL } },
	{ OP_MOVE, MOVE_DONTWAKE, "dontwake", ST_EMPTY, ANY,
	  .want = { OK,    INVAL, INVAL, INVAL, INVAL, OK,    INVAL, INVAL } },
	{ OP_MOVE, 0, "", ST_MAPPED, ANY,
	  .want = { EXIST, INVAL, INVAL, INVAL, INVAL, EXIST, INVAL, INVAL } },
	{ OP_MOVE, 0, "", ST_WP_MARKER, WP_ONLY,
	  .want = { EXIST, INVAL, INVAL, INVAL, INVAL, EXIST, INVAL, INVAL } },
	{ OP_MOVE, 0, "", ST_PROTECTED, NEEDS(W | R, NA),
	  .want = { EXIST, INVAL, INVAL, INVAL, INVAL, EXIST, INVAL, INVAL } },
	{ OP_MOVE, 0, "", ST_POISONED, ANY,
	  .want = { EXIST, INVAL, INVAL, INVAL, INVAL, NA,    INVAL, NA } },
	{ OP_MOVE, 0, "", ST_GUARD, ANY,
	  .want = { EXIST, INVAL, INVAL, NA,    NA,    EXIST, INVAL, NA } },
	{ OP_MOVE, 0, "hole", ST_EMPTY, ANY,
	  .want = { NOENT, INVAL, INVAL, INVAL, INVAL, NOENT, INVAL, INVAL }, .hole = true },
	{ OP_MOVE, MOVE_HOLES, "hole-allowed", ST_EMPTY, ANY,
	  .want = { OK,    INVAL, INVAL, INVAL, INVAL, OK,    INVAL, INVAL }, .hole = true },
	{ OP_MOVE, 4, "badmode", ST_EMPTY, ANY,
	  .want = { INVAL, INVAL, INVAL, INVAL, INVAL, INVAL, INVAL, INVAL } },

	{ OP_WAKE, 0, "", ST_EMPTY, ANY,
	  .want = { OK,    OK,    OK,    OK,    OK,    OK,    OK,    OK } },
	{ OP_UNREGISTER, 0, "", ST_EMPTY, ANY,
	  .want = { OK,    OK,    OK,    OK,    OK,    OK,    OK,    OK } },
	{ OP_UNREGISTER, 0, "", ST_MAPPED, ANY,
	  .want = { OK,    OK,    OK,    OK,    OK,    OK,    OK,    OK } },
	{ OP_UNREGISTER, 0, "", ST_POISONED, ANY,
	  .want = { OK,    OK,    OK,    OK,    OK,    NA,    OK,    NA } },
	{ OP_UNREGISTER, 0, "", ST_WP_MARKER, WP_ONLY,
	  .want = { OK,    OK,    OK,    OK,    OK,    OK,    OK,    OK } },
	{ OP_UNREGISTER, 0, "", ST_PROTECTED, NEEDS(W | R, NA),
	  .want = { OK,    OK,    OK,    OK,    OK,    OK,    OK,    OK } },
};

const unsigned int nr_op_rows = ARRAY_SIZE(op_rows);

enum mem_class spec_class(enum mem_class class)
{
	return uffd_offers(class) ? class : CLASS_OTHER;
}

bool spec_wp_marker(enum mem_class class, enum uffd_ctx ctx)
{
	return (class != CLASS_ANON && class != CLASS_DEV_ZERO) ||
	       ctx_features[ctx] & (UFFD_FEATURE_WP_UNPOPULATED | UFFD_FEATURE_WP_ASYNC);
}

/* What this kernel does not have it does not grant. */
static int offered_bits(int bits)
{
	if (bits < 0)
		return bits;
	if (!uffd_knows(OP_POISON))
		bits &= ~BIT_OF(POISON);
	if (!uffd_knows(OP_MOVE))
		bits &= ~BIT_OF(MOVE);
	return bits;
}

int spec_register(enum mem_class class, __u64 modes, enum uffd_ctx ctx)
{
	class = spec_class(class);
	for (unsigned int i = 0; i < nr_register_rows; i++)
		if (register_rows[i].modes == modes && register_rows[i].ctxs & (1 << ctx))
			return offered_bits(register_rows[i].want[class]);
	return -EINVAL;
}

int spec_op(const struct op_row *row, enum mem_class class,
	    const struct reg_column *col)
{
	class = spec_class(class);
	if (row->want[class] == NA ||
	    spec_register(class, col->modes, col->ctx) < 0)
		return NA;
	if (row->state == ST_WP_MARKER && !spec_wp_marker(class, col->ctx))
		return NA;
	if (row->needs && !(col->modes & row->needs))
		return row->otherwise;
	return row->want[class];
}

static const char *modes_text(__u64 modes)
{
	static const char *const names[] = { "MISSING", "WP", "MINOR", "RWP" };
	static char buf[64];

	buf[0] = '\0';
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (modes & (1 << i))
			sprintf(buf + strlen(buf), "%s%s", buf[0] ? "\\|" : "", names[i]);
	return !modes ? "none" : buf[0] ? buf : "unknown bit";
}

static const char *ctxs_text(unsigned int ctxs)
{
	static char buf[64];

	if (ctxs == EACH_CTX)
		return "any";
	buf[0] = '\0';
	for (unsigned int i = 0; i < NR_CTX; i++)
		if (ctxs & (1 << i))
			sprintf(buf + strlen(buf), "%s%s", buf[0] ? ", " : "", ctx_names[i]);
	return buf;
}

static const char *bits_text(int bits)
{
	static const struct { int bit; char letter; } letters[] = {
		{ _UFFDIO_COPY, 'C' }, { _UFFDIO_ZEROPAGE, 'Z' },
		{ _UFFDIO_POISON, 'P' }, { _UFFDIO_MOVE, 'M' },
		{ _UFFDIO_WRITEPROTECT, 'W' }, { _UFFDIO_CONTINUE, 'N' },
		{ _UFFDIO_RWPROTECT, 'R' },
	};
	static char buf[16];
	char *p = buf;

	if (bits < 0)
		return err_name(bits);
	for (unsigned int i = 0; i < ARRAY_SIZE(letters); i++)
		if (bits & (1 << letters[i].bit))
			*p++ = letters[i].letter;
	*p = '\0';
	return buf;
}

static void print_row_start(const char *title)
{
	printf("   * - %s\n", title);
}

static void print_head(const char *title, const char *first, const char *second)
{
	printf("\n.. list-table:: %s\n   :header-rows: 1\n\n", title);
	print_row_start(first);
	printf("     - %s\n", second);
	for (int c = 0; c < CLASS_REFUSED; c++)
		printf("     - %s\n", class_names[c]);
}

static void print_lists(void)
{
	printf(".. %s: GPL-2.0\n", "SPDX-License-Identifier");
	printf(".. Made by uffd-table --rst; do not edit.\n\n");
	printf("Memory\n\n");
	for (int c = 0; c < NR_CLASSES; c++) {
		printf("%s\n   %s:", class_names[c], class_texts[c]);
		for (unsigned int i = 0; i < nr_mem_types; i++)
			if ((int)mem_types[i].class == c)
				printf(" ``%s``", mem_types[i].name);
		printf("\n");
	}
	printf("\nWhat an operation finds\n\n");
	for (int s = 0; s < NR_STATES; s++)
		printf("%s\n   %s\n", state_names[s], state_texts[s]);
	printf("\nOperations granted by REGISTER (WAKE always): C COPY, Z ZEROPAGE, P POISON,\n"
	       "M MOVE, W WRITEPROTECT, N CONTINUE, R RWPROTECT.  The *refused* memory is\n"
	       "EINVAL in every mode and is left out of the tables.\n");
}

static void print_register(void)
{
	print_head("UFFDIO_REGISTER", "modes", "userfaultfd");
	for (unsigned int i = 0; i < nr_register_rows; i++) {
		const struct register_row *row = &register_rows[i];

		print_row_start(modes_text(row->modes));
		printf("     - %s\n", ctxs_text(row->ctxs));
		for (int c = 0; c < CLASS_REFUSED; c++)
			printf("     - %s\n", bits_text(row->want[c]));
	}
}

static void print_ops(void)
{
	print_head("Operations on one page", "operation", "finds");
	for (unsigned int i = 0; i < nr_op_rows; i++) {
		const struct op_row *row = &op_rows[i];

		printf("   * - %s%s%s", op_names[row->op],
		       row->suffix[0] ? " " : "", row->suffix);
		if (row->needs && row->otherwise)
			printf(" (not in %s: %s)", modes_text(row->needs),
			       err_name(row->otherwise));
		printf("\n     - %s\n", state_names[row->state]);
		for (int c = 0; c < CLASS_REFUSED; c++)
			printf("     - %s\n", row->want[c] == NA ? "\\-" :
			       row->want[c] == OK ? "ok" : err_name(row->want[c]));
	}
}

void spec_print_rst(void)
{
	print_lists();
	print_register();
	print_ops();
}
