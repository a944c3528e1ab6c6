/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The specification of userfaultfd by memory type, as data.
 */
#ifndef UFFD_SPEC_H
#define UFFD_SPEC_H

#include "uffd-lib.h"

/* What the operation finds at the page that it is asked to work on. */
enum page_state {
	ST_EMPTY,	/* nothing, and nothing in the file either */
	ST_CACHED,	/* a page in the page cache, not mapped here */
	ST_MAPPED,	/* a page that was written to, mapped here */
	ST_WP_MARKER,	/* nothing, but write-protected */
	ST_WP_CACHED,	/* the same over a page in the page cache */
	ST_PROTECTED,	/* a page that was written to, mapped here, WP or RWP */
	ST_POISONED,	/* a poison marker */
	ST_POISONED_CACHED,	/* the same over a page in the page cache */
	ST_GUARD,	/* a guard marker (MADV_GUARD_INSTALL) */
	ST_GUARD_CACHED,	/* the same over a page in the page cache */
	ST_EOF,		/* beyond the end of the file */
	NR_STATES
};

extern const char *const state_names[NR_STATES];
extern const char *const state_texts[NR_STATES];

/* With which features the userfaultfd was opened. */
enum uffd_ctx {
	CTX_SYNC,	/* RWP and WP_UNPOPULATED */
	CTX_ASYNC,	/* the same and WP_ASYNC */
	CTX_RWP_ASYNC,	/* the first two and RWP_ASYNC */
	CTX_PLAIN,	/* none */
	NR_CTX
};

extern const char *const ctx_names[NR_CTX];
extern const __u64 ctx_features[NR_CTX];

/* Registration modes, short enough for a table. */
#define M	UFFDIO_REGISTER_MODE_MISSING
#define W	UFFDIO_REGISTER_MODE_WP
#define N	UFFDIO_REGISTER_MODE_MINOR
#define R	UFFDIO_REGISTER_MODE_RWP

/* REGISTER: the ioctl bits granted, or an errno. */
struct register_row {
	__u64 modes;
	unsigned int ctxs;	/* bits, 1 << enum uffd_ctx */
	int want[NR_CLASSES];
};

extern const struct register_row register_rows[];
extern const unsigned int nr_register_rows;

#define OK	1
#define NA	0	/* cannot be set up for this class */

/*
 * An operation on one page: OK or an errno, for each class.  Unless the
 * range is registered in a mode of @needs the answer is @otherwise; needs 0
 * is any mode.
 */
struct op_row {
	enum uffd_op op;
	__u64 mode;		/* of the operation */
	const char *suffix;	/* of the name, for that mode */
	enum page_state state;
	__u64 needs;
	int otherwise;
	int want[NR_CLASSES];
	bool hole;		/* MOVE from where there is nothing */
};

extern const struct op_row op_rows[];
extern const unsigned int nr_op_rows;

/* How a range may be registered before an operation. */
struct reg_column {
	const char *name;
	__u64 modes;
	enum uffd_ctx ctx;
	bool once;		/* tried with one type of each class only */
};

extern const struct reg_column reg_columns[];
extern const unsigned int nr_reg_columns;

/* What memory of @class is to this kernel: it may not know guest_memfd. */
enum mem_class spec_class(enum mem_class class);
/* Can WP protect what is not there?  Anonymous memory only if asked to. */
bool spec_wp_marker(enum mem_class class, enum uffd_ctx ctx);
/* What REGISTER answers for a class by the table. */
int spec_register(enum mem_class class, __u64 modes, enum uffd_ctx ctx);
/* What an operation answers, NA if there is nothing to try. */
int spec_op(const struct op_row *row, enum mem_class class,
	    const struct reg_column *col);

/* Both tables as reStructuredText. */
void spec_print_rst(void);

#endif
