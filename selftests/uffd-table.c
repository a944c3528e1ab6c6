// SPDX-License-Identifier: GPL-2.0
/*
 * Every cell of the specification (uffd-spec.c), tried.
 *
 * A result is one row for one type.  Each row runs in a process of its own,
 * each cell on a fresh mapping with a fresh userfaultfd.  An operation that
 * answers right must also have done what it says, and one that fails must
 * have changed nothing: neither the page nor the file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest.h"
#include "uffd-file.h"
#include "uffd-spec.h"

#define ROW_SECONDS	60
#define UNITS		3
#define MADV_GUARD	102

#define BYTE_SOURCE	0x5a
#define BYTE_CACHE	0x33
#define BYTE_MAPPED	0x11

static char *source;
static __u64 have;		/* what the kernel offers */

static bool lacks(__u64 feature)
{
	return ~have & feature;
}

/* The unit under test has one on each side; the file may end before it. */
static size_t middle(const struct mem *m)
{
	return m->units / 2;
}

static char *target(const struct mem *m)
{
	return mem_unit(m, middle(m));
}

struct cell {
	const struct mem_type *type;
	const struct op_row *row;
	const struct reg_column *col;
	struct mem mem;
	struct mem from;	/* the source of MOVE */
	int fd;
	int pagemap_fd;
};

/* What must be the same after an operation that failed. */
struct snapshot {
	__u64 entry;
	__u64 before, behind;	/* the units beside it: the same, come what may */
	long in_file;
	long huge, resv;	/* hugetlb's pool: free pages, and reserved ones */
};

static bool is_mapped(enum page_state state)
{
	return state == ST_MAPPED || state == ST_PROTECTED;
}

static bool is_cached(enum page_state state)
{
	return state == ST_CACHED || state == ST_WP_CACHED ||
	       state == ST_POISONED_CACHED || state == ST_GUARD_CACHED;
}

static bool is_poisoned(enum page_state state)
{
	return state == ST_POISONED || state == ST_POISONED_CACHED;
}

static bool is_guard(enum page_state state)
{
	return state == ST_GUARD || state == ST_GUARD_CACHED;
}

static void say(const struct cell *c, const char *what, const char *expected,
		const char *got)
{
	ksft_print_msg("%s %s%s%s of %s, registered %s: %s: expected %s, got %s\n",
		       c->type->name, op_names[c->row->op],
		       c->row->suffix[0] ? "." : "", c->row->suffix,
		       state_names[c->row->state], c->col->name, what,
		       expected, got);
}

static __u64 entry_of(const struct cell *c, const char *p)
{
	return pagemap_entry(c->pagemap_fd, p) & (PM_PRESENT | PM_SWAP | PM_FILE | PM_UFFD);
}

static struct snapshot look(const struct cell *c)
{
	const struct mem *m = &c->mem;
	bool alone = m->units == 1, hugetlb = mem_is(m, MEM_HUGETLB);

	return (struct snapshot) {
		.entry = entry_of(c, target(m)),
		.before = alone ? 0 : entry_of(c, target(m) - m->unit),
		.behind = alone ? 0 : entry_of(c, target(m) + m->unit),
		.in_file = mem_in_file(m),
		.huge = hugetlb ? free_huge_pages() : 0,
		.resv = hugetlb ? reserved_huge_pages() : 0,
	};
}

static int prepare_page(struct cell *c)
{
	enum page_state state = c->row->state;
	char *p = target(&c->mem);
	size_t unit = c->mem.unit;

	if (is_cached(state) && mem_fill_cache(&c->mem, middle(&c->mem), BYTE_CACHE))
		return -1;
	/* RWP of too much is seen only where there are pages beside it. */
	if (is_mapped(state)) {
		p[-1] = BYTE_MAPPED;
		memset(p, BYTE_MAPPED, unit + 1);
	}
	if (is_guard(state))
		return madvise(p, unit, MADV_GUARD);
	return state == ST_EOF ? mem_truncate(&c->mem, middle(&c->mem)) : 0;
}

/* And what is beside it: taking away too much of it is to be seen. */
static int protect(struct cell *c)
{
	return uffd_protect(c->fd, c->mem.area, c->mem.len, c->col->modes);
}

static int prepare_marker(struct cell *c)
{
	switch (c->row->state) {
	case ST_WP_MARKER:
	case ST_WP_CACHED:
	case ST_PROTECTED:
		return protect(c);
	case ST_POISONED:
	case ST_POISONED_CACHED:
		return uffd_poison(c->fd, target(&c->mem), c->mem.unit);
	default:
		/* "off" has to be preceded by "on". */
		return strncmp(c->row->suffix, "off", 3) ? 0 : protect(c);
	}
}

/* Is there something to move? */
static bool has_source(const struct cell *c)
{
	return !c->row->hole && mem_is(&c->from, MEM_TOUCH) && !mem_is(&c->from, MEM_HUGETLB);
}

static int prepare_source(struct cell *c)
{
	if (c->row->op != OP_MOVE)
		return 0;
	if (mem_make(&c->from, c->type, UNITS))
		return -1;
	if (has_source(c))
		memset(target(&c->from), BYTE_SOURCE, c->from.unit);
	return 0;
}

/* Can this type be brought into the state of this row? */
static bool row_applies(const struct mem_type *type, const struct op_row *row)
{
	if (row->want[spec_class(type->class)] == NA)
		return false;
	if (type->caps & MEM_GIGANTIC)
		return row->state == ST_EMPTY && row->op != OP_COPY && row->op != OP_MOVE;
	/* A write to a private file may leave more than the cache. */
	if ((is_cached(row->state) || is_mapped(row->state)) && !(type->caps & MEM_TOUCH))
		return false;
	if (is_guard(row->state))
		return type->caps & MEM_GUARD;
	return row->state != ST_EOF || type->caps & MEM_SIZE;
}

static bool cell_setup(struct cell *c)
{
	long long bits;
	int err;

	if (mem_make(&c->mem, c->type, UNITS)) {
		say(c, "the mapping", "made", c->mem.why);
		return false;
	}
	if (prepare_page(c) || prepare_source(c)) {
		say(c, "the page", "prepared", err_name(errno));
		return false;
	}
	c->fd = uffd_open(ctx_features[c->col->ctx] & have);
	if (c->fd < 0) {
		say(c, "userfaultfd", "opened", err_name(c->fd));
		return false;
	}
	bits = uffd_register(c->fd, c->mem.area, c->mem.len, c->col->modes);
	if (bits < 0) {
		say(c, "REGISTER", "ok", err_name(bits));
		return false;
	}
	err = prepare_marker(c);
	if (err) {
		say(c, "the marker", "set", err_name(err));
		return false;
	}
	return true;
}

static void cell_free(struct cell *c)
{
	if (c->fd >= 0)
		close(c->fd);
	mem_free(&c->mem);
	if (c->from.type)
		mem_free(&c->from);
}

static bool want_byte(struct cell *c, int byte)
{
	char *p = target(&c->mem);
	struct trap trap = try_read(p, NULL);
	char text[16];

	if (trap.sig) {
		say(c, "reading the page", "a value", strsignal(trap.sig));
		return false;
	}
	if (unit_is(p, c->mem.unit, byte))
		return true;
	snprintf(text, sizeof(text), "0x%02x", p[0] & 0xff);
	say(c, "what the page holds", byte ? "what was filled in" : "0", text);
	return false;
}

static bool want_wp(struct cell *c, bool wp)
{
	bool got = pagemap(target(&c->mem)) & PM_UFFD;

	if (got == wp)
		return true;
	say(c, "the uffd bit", wp ? "set" : "clear", got ? "set" : "clear");
	return false;
}

/* A fill of a private mapping stays out of the file, one of a shared is in it. */
static bool fills_file(const struct cell *c)
{
	return mem_is_shared(&c->mem) && (c->row->op == OP_COPY || c->row->op == OP_ZEROPAGE);
}

/* Blocks or pages, as mem_in_file() counts them. */
static long in_file_per_unit(const struct mem *m)
{
	return m->unit / (mem_is(m, MEM_BLOCKS | MEM_HUGETLB) ? 512 : page_size());
}

/* What the page in the file holds, -1 if there is none. */
static int byte_in_file(const struct cell *c, bool done)
{
	if (is_cached(c->row->state))
		return BYTE_CACHE;
	if (is_mapped(c->row->state))
		return mem_is_shared(&c->mem) ? BYTE_MAPPED : -1;
	if (!done || !fills_file(c))
		return -1;
	return c->row->op == OP_COPY ? BYTE_SOURCE : 0;
}

static bool want_in_file(struct cell *c, bool done)
{
	const struct mem *m = &c->mem;
	int byte = byte_in_file(c, done);
	char *alias, *p;
	bool ok;

	if (byte < 0 || !mem_is(m, MEM_TOUCH))
		return true;
	alias = mem_alias(m);
	if (alias == MAP_FAILED)
		return true;
	/* Nobody watches this mapping: it comes from the file. */
	p = alias + middle(m) * m->unit;
	try_read(p, NULL);
	ok = unit_is(p, m->unit, byte);
	if (!ok)
		say(c, "the page in the file", byte ? "what was filled in" : "0",
		    unit_name(p, m->unit));
	munmap(alias, m->len);
	return ok;
}

static bool want_poison(struct cell *c)
{
	struct trap trap = try_read(target(&c->mem), NULL);

	if (trap.sig == SIGBUS)
		return true;
	say(c, "reading the page", "SIGBUS", trap.sig ? strsignal(trap.sig) : "a value");
	return false;
}

/* It can be asked to fill it; whether it can is another question. */
static bool is_registered(const struct cell *c, char *p)
{
	return uffd_copy(c->fd, p, source, c->mem.unit, 0) != -ENOENT;
}

static bool want_unregistered(struct cell *c)
{
	size_t unit = c->mem.unit;
	char *p = target(&c->mem);

	if (is_registered(c, p)) {
		say(c, "after it", "ENOENT from COPY", "still registered");
		return false;
	}
	if (c->mem.units > 1 && !(is_registered(c, p - unit) && is_registered(c, p + unit))) {
		say(c, "what is beside it", "still registered", "ENOENT from COPY");
		return false;
	}
	return want_wp(c, false) &&
	       (!is_mapped(c->row->state) || want_byte(c, BYTE_MAPPED));
}

/* A page that is moved into an RWP range is protected from the start. */
static bool want_moved(struct cell *c)
{
	bool rwp = c->col->modes & UFFDIO_REGISTER_MODE_RWP;
	char *p = target(&c->mem);

	if (c->row->hole)
		return !(pagemap(p) & PM_PRESENT);
	if (!want_wp(c, rwp) || (rwp && uffd_rwp(c->fd, p, c->mem.unit, 0)))
		return false;
	if (pagemap(target(&c->from)) & (PM_PRESENT | PM_SWAP)) {
		say(c, "the source", "gone", "still there");
		return false;
	}
	return want_byte(c, BYTE_SOURCE);
}

/* Unlike WP it leaves no marker where there is no page. */
static bool want_rwp(struct cell *c)
{
	bool there = c->row->state == ST_MAPPED;

	if (!want_wp(c, there && c->row->mode & UFFDIO_RWPROTECT_MODE_RWP))
		return false;
	if (is_poisoned(c->row->state) && !want_poison(c))
		return false;
	/* Who touches it ends it, and waits for nobody. */
	return !there || c->col->ctx != CTX_RWP_ASYNC ||
	       (want_byte(c, BYTE_MAPPED) && want_wp(c, false));
}

/* Other markers are left alone. */
static bool want_wp_range(struct cell *c)
{
	enum page_state state = c->row->state;
	bool takes = !is_poisoned(state) && !is_guard(state) &&
		     (is_mapped(state) || spec_wp_marker(c->type->class, c->col->ctx));

	return want_wp(c, takes && c->row->mode & UFFDIO_WRITEPROTECT_MODE_WP) &&
	       (!is_poisoned(state) || want_poison(c));
}

static bool did_it(struct cell *c)
{
	bool wp = c->col->modes & UFFDIO_REGISTER_MODE_WP;

	switch (c->row->op) {
	case OP_COPY:
		return want_wp(c, wp && c->row->mode & UFFDIO_COPY_MODE_WP) &&
		       want_byte(c, BYTE_SOURCE);
	case OP_ZEROPAGE:
		return want_wp(c, false) && want_byte(c, 0);
	case OP_CONTINUE:
		return want_wp(c, wp && c->row->mode & UFFDIO_CONTINUE_MODE_WP) &&
		       want_byte(c, BYTE_CACHE);
	case OP_POISON:
		return want_poison(c);
	case OP_WP:
		return want_wp_range(c);
	case OP_RWP:
		return want_rwp(c);
	case OP_MOVE:
		return want_moved(c);
	case OP_UNREGISTER:
		return want_unregistered(c);
	default:
		return true;
	}
}

/* What is there, or in the file, is still what it was: this ends the cell. */
static bool want_kept(struct cell *c)
{
	enum page_state state = c->row->state;
	int err;

	if (!is_mapped(state) && (!is_cached(state) || is_poisoned(state) || is_guard(state)))
		return true;
	/* Nobody is there to answer what reading it may ask. */
	err = uffd_unregister(c->fd, c->mem.area, c->mem.len);
	if (err) {
		say(c, "UNREGISTER after the failure", "ok", err_name(err));
		return false;
	}
	return want_byte(c, is_mapped(state) ? BYTE_MAPPED : BYTE_CACHE);
}

static bool want_source_kept(struct cell *c)
{
	if (c->row->op != OP_MOVE || !has_source(c) ||
	    unit_is(target(&c->from), c->from.unit, BYTE_SOURCE))
		return true;
	say(c, "the source after the failure", "untouched", "something else");
	return false;
}

static bool want_number(struct cell *c, const char *what, const char *fmt,
			long long want, long long got)
{
	char expected[32], text[32];

	if (got == want)
		return true;
	snprintf(expected, sizeof(expected), fmt, want);
	snprintf(text, sizeof(text), fmt, got);
	say(c, what, expected, text);
	return false;
}

static bool did_nothing(struct cell *c, const struct snapshot *before,
			const struct snapshot *after)
{
	return want_number(c, "the page table after the failure", "%#llx",
			   before->entry, after->entry) &&
	       want_number(c, "free huge pages after the failure", "%lld",
			   before->huge, after->huge) &&
	       want_number(c, "reserved huge pages after the failure", "%lld",
			   before->resv, after->resv) &&
	       (!is_poisoned(c->row->state) || want_poison(c)) &&
	       want_source_kept(c) && want_kept(c);
}

static long long want_done(const struct cell *c, int want)
{
	if (c->row->op > OP_POISON && c->row->op != OP_MOVE)
		return 0;
	return want < 0 ? want : (long long)c->mem.unit;
}

static bool try_cell(struct cell *c, int want)
{
	struct uffd_call call = {
		.op = c->row->op,
		.dst = target(&c->mem),
		.src = c->row->op == OP_MOVE ? target(&c->from) : source,
		.len = c->mem.unit,
		.mode = c->row->mode,
	};
	struct snapshot before = look(c);
	long long done;
	int err = uffd_do(c->fd, &call, &done);
	struct snapshot after = look(c);
	long in_file = before.in_file;

	if (want == OK)
		want = 0;
	if (err != want) {
		say(c, "the result", err_name(want), err_name(err));
		return false;
	}
	/* A bad mode is found before anything is written back. */
	if (strcmp(c->row->suffix, "badmode") &&
	    !want_number(c, "the count written back", "%lld", want_done(c, want), done))
		return false;
	/* Of a mapping without a file descriptor nobody can tell once it is split. */
	if (after.in_file < 0)
		in_file = after.in_file;
	else if (!want && in_file >= 0 && fills_file(c))
		in_file += in_file_per_unit(&c->mem);
	return want_number(c, "the page table before it", "%#llx", before.before, after.before) &&
	       want_number(c, "the page table behind it", "%#llx", before.behind, after.behind) &&
	       want_number(c, "blocks or pages in the file", "%lld", in_file, after.in_file) &&
	       (want ? did_nothing(c, &before, &after) : did_it(c)) && want_in_file(c, !want);
}

static bool is_shmem(enum mem_class class)
{
	return class == CLASS_SHMEM || class == CLASS_SHMEM_PRIVATE;
}

static bool is_hugetlb(enum mem_class class)
{
	return class == CLASS_HUGETLB || class == CLASS_HUGETLB_PRIVATE;
}

static const char no_wp[] = "no write-protection here: CPU or architecture";

/* Why memory of @class cannot be registered so, whatever the table says. */
static const char *modes_lack(enum mem_class class, __u64 modes, enum uffd_ctx ctx)
{
	if (modes & UFFDIO_REGISTER_MODE_WP && lacks(UFFD_FEATURE_PAGEFAULT_FLAG_WP))
		return no_wp;
	if (modes & UFFDIO_REGISTER_MODE_RWP && lacks(UFFD_FEATURE_RWP))
		return "this kernel has no RWP";
	if (ctx == CTX_ASYNC && lacks(UFFD_FEATURE_WP_ASYNC))
		return "this kernel has no WP_ASYNC";
	if (ctx == CTX_RWP_ASYNC && lacks(UFFD_FEATURE_RWP_ASYNC))
		return "this kernel has no RWP_ASYNC";
	if (modes & UFFDIO_REGISTER_MODE_WP && (is_shmem(class) || is_hugetlb(class)) &&
	    lacks(UFFD_FEATURE_WP_HUGETLBFS_SHMEM))
		return "this kernel has no WP_HUGETLBFS_SHMEM";
	if (modes & UFFDIO_REGISTER_MODE_MINOR && is_shmem(class) &&
	    lacks(UFFD_FEATURE_MINOR_SHMEM))
		return "this kernel has no MINOR_SHMEM";
	if (modes & UFFDIO_REGISTER_MODE_MINOR && is_hugetlb(class) &&
	    lacks(UFFD_FEATURE_MINOR_HUGETLBFS))
		return "this kernel has no MINOR_HUGETLBFS";
	return NULL;
}

/* Types of one class differ in how they are made, not in what the table says. */
static bool first_of_class(const struct mem_type *type)
{
	const struct mem_type *first = mem_types;

	while (first->class != type->class)
		first++;
	return first == type;
}

/* What a cell is to answer, NA if it is not tried. */
static int cell_want(const struct mem_type *type, const struct op_row *row,
		     const struct reg_column *col)
{
	return col->once && !first_of_class(type) ? NA : spec_op(row, type->class, col);
}

/* Why there is no cell that can be tried, NULL if there is one. */
static const char *cells_lack(const struct mem_type *type, const struct op_row *row)
{
	const char *why = NULL;

	for (unsigned int i = 0; i < nr_reg_columns; i++) {
		if (cell_want(type, row, &reg_columns[i]) == NA)
			continue;
		why = modes_lack(type->class, reg_columns[i].modes, reg_columns[i].ctx);
		if (!why)
			break;
	}
	return why;
}

static int run_op_row(const struct mem_type *type, const void *arg)
{
	const struct op_row *row = arg;
	int pagemap_fd = pagemap_open();
	unsigned int tried = 0;
	bool ok = true;

	for (unsigned int i = 0; i < nr_reg_columns; i++) {
		struct cell c = { type, row, &reg_columns[i], .fd = -1, .pagemap_fd = pagemap_fd };
		int want = cell_want(type, row, c.col);

		if (want == NA || modes_lack(type->class, c.col->modes, c.col->ctx))
			continue;
		tried++;
		ok &= cell_setup(&c) && try_cell(&c, want);
		cell_free(&c);
	}
	return !tried ? KSFT_SKIP : ok ? KSFT_PASS : KSFT_FAIL;
}

static const char *modes_name(__u64 modes)
{
	static const char *const names[] = { "missing", "wp", "minor", "rwp" };
	static char buf[64];

	if (!modes)
		return "none";
	buf[0] = '\0';
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (modes & (1 << i))
			sprintf(buf + strlen(buf), "%s%s", buf[0] ? "|" : "", names[i]);
	return buf[0] ? buf : "unknown";
}

struct register_cell {
	__u64 modes;
	enum uffd_ctx ctx;
};

static int run_register_cell(const struct mem_type *type, const void *arg)
{
	const struct register_cell *cell = arg;
	int want = spec_register(type->class, cell->modes, cell->ctx);
	long long got = -ENOMEM;
	struct mem mem;
	int fd;

	if (mem_make(&mem, type, UNITS)) {
		ksft_print_msg("%s: %s\n", type->name, mem.why);
		return KSFT_FAIL;
	}
	fd = uffd_open(ctx_features[cell->ctx] & have);
	if (fd >= 0)
		got = uffd_register(fd, mem.area, mem.len, cell->modes);
	if (got != want)
		ksft_print_msg("%s REGISTER %s, %s: expected %s %#x, got %s %#llx\n",
			       type->name, modes_name(cell->modes), ctx_names[cell->ctx],
			       want < 0 ? err_name(want) : "ioctls", want < 0 ? 0 : want,
			       got < 0 ? err_name(got) : "ioctls", got < 0 ? 0 : got);
	/* What was refused must not stay registered. */
	if (want < 0 && uffd_copy(fd, mem_unit(&mem, 0), source, mem.unit, 0) != -ENOENT) {
		ksft_print_msg("%s REGISTER %s, %s: refused, and registered\n",
			       type->name, modes_name(cell->modes), ctx_names[cell->ctx]);
		got = -ENOMEM;
	}
	close(fd);
	mem_free(&mem);
	return got == want ? KSFT_PASS : KSFT_FAIL;
}

/* Run @fn in a process of its own; a signal, the alarm's too, is a failure. */
static int run_forked(int (*fn)(const struct mem_type *, const void *),
		      const struct mem_type *type, const void *arg)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		int ret;

		alarm(ROW_SECONDS);
		ret = fn(type, arg);
		fflush(stdout);
		_exit(ret);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return KSFT_FAIL;
	if (WIFSIGNALED(status))
		ksft_print_msg("%s: %s\n", type->name, WTERMSIG(status) == SIGALRM ?
			       "no answer in time" : strsignal(WTERMSIG(status)));
	return WIFEXITED(status) ? WEXITSTATUS(status) : KSFT_FAIL;
}

/* Of anonymous memory since 6.13, of files since 6.15. */
static bool has_guard(const struct mem_type *type)
{
	struct mem mem;
	bool has;

	if (mem_make(&mem, type, UNITS))
		return true;
	has = !madvise(target(&mem), mem.unit, MADV_GUARD);
	mem_free(&mem);
	return has;
}

/* The mapping, what MOVE takes from, and another mapping to fill the cache by. */
static unsigned long huge_pages_of(const struct mem_type *type, const struct op_row *row)
{
	bool fills = is_cached(row->state) && !(type->map_flags & MAP_SHARED);

	if (!(type->caps & MEM_HUGETLB) || type->caps & MEM_GIGANTIC)
		return 0;
	return UNITS * (1 + (row->op == OP_MOVE) + fills);
}

/* What this kernel does not know is a row that cannot be tried. */
static const char *op_lacks(const struct mem_type *type, const struct op_row *row)
{
	if (free_huge_pages() < reserved_huge_pages() + huge_pages_of(type, row))
		return "too few free huge pages, set /proc/sys/vm/nr_hugepages";
	if (row->needs & UFFDIO_REGISTER_MODE_WP && lacks(UFFD_FEATURE_PAGEFAULT_FLAG_WP))
		return no_wp;
	if (row->op == OP_RWP && lacks(UFFD_FEATURE_RWP))
		return "this kernel has no RWP";
	if ((row->op == OP_POISON || is_poisoned(row->state)) && lacks(UFFD_FEATURE_POISON))
		return "this kernel has no POISON";
	if (row->op == OP_MOVE && lacks(UFFD_FEATURE_MOVE))
		return "this kernel has no MOVE";
	if (is_guard(row->state) && !has_guard(type))
		return "this kernel has no MADV_GUARD_INSTALL of this memory";
	/* 6.4 brought both, and a bit for one of them. */
	if (row->op == OP_CONTINUE && row->mode & UFFDIO_CONTINUE_MODE_WP &&
	    lacks(UFFD_FEATURE_WP_UNPOPULATED))
		return "this kernel has no CONTINUE with WP";
	if (row->op == OP_WP && row->mode & UFFDIO_WRITEPROTECT_MODE_WP &&
	    row->state == ST_EMPTY &&
	    (type->class == CLASS_ANON || type->class == CLASS_DEV_ZERO) &&
	    lacks(UFFD_FEATURE_WP_UNPOPULATED))
		return "this kernel has no WP_UNPOPULATED";
	if ((row->state == ST_WP_MARKER || row->state == ST_WP_CACHED) &&
	    lacks(UFFD_FEATURE_WP_UNPOPULATED))
		return "this kernel has no WP_UNPOPULATED";
	return cells_lack(type, row);
}

static const char *only;

static bool wanted(const char *name)
{
	return !only || strstr(name, only);
}

static void run_row(int (*fn)(const struct mem_type *, const void *),
		    const struct mem_type *type, const void *row,
		    const char *name, const char *why)
{
	int code = why ? KSFT_SKIP : run_forked(fn, type, row);

	if (code == KSFT_SKIP)
		ksft_test_result_code(code, name, "%s",
				      why ? why : "it cannot be registered so on this kernel");
	else
		ksft_test_result(code == KSFT_PASS, "%s\n", name);
	fflush(stdout);
}

/* With @count nothing is run. */
static unsigned int run_type(const struct mem_type *type, const char *why, bool count)
{
	unsigned int n = 0;
	char name[96];

	for (unsigned int i = 0; i < nr_register_rows * NR_CTX; i++) {
		const struct register_row *row = &register_rows[i / NR_CTX];
		struct register_cell cell = { row->modes, i % NR_CTX };

		snprintf(name, sizeof(name), "%s.REGISTER.%s.%s", type->name,
			 modes_name(cell.modes), ctx_names[cell.ctx]);
		if (!(row->ctxs & (1 << cell.ctx)) || !wanted(name) ||
		    (cell.ctx != CTX_SYNC && !first_of_class(type)))
			continue;
		n++;
		if (!count)
			run_row(run_register_cell, type, &cell, name,
				why ? why : modes_lack(type->class, cell.modes, cell.ctx));
	}
	for (unsigned int i = 0; i < nr_op_rows; i++) {
		const struct op_row *row = &op_rows[i];

		snprintf(name, sizeof(name), "%s.%s%s%s.%s", type->name, op_names[row->op],
			 row->suffix[0] ? "." : "", row->suffix, state_names[row->state]);
		if (!row_applies(type, row) || !wanted(name))
			continue;
		n++;
		if (!count)
			run_row(run_op_row, type, row, name, why ? why : op_lacks(type, row));
	}
	return n;
}

static const char *why_not(const struct mem_type *type)
{
	struct mem mem;
	const char *why = NULL;

	if (mem_make(&mem, type, UNITS))
		why = mem.why;
	else
		mem_free(&mem);
	return why;
}

static void usage(void)
{
	printf("usage: uffd-table [--only TEXT] | --rst\n\n"
	       "  --only TEXT   only results whose name has TEXT in it\n"
	       "  --rst         print the specification as reStructuredText\n");
}

int main(int argc, char **argv)
{
	unsigned int plan = 0;

	if (argc == 2 && (!strcmp(argv[1], "--rst") || !strcmp(argv[1], "--markdown"))) {
		spec_print_rst();
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "--only")) {
		only = argv[2];
	} else if (argc != 1) {
		usage();
		return KSFT_FAIL;
	}

	ksft_print_header();
	have = uffd_features();
	if (!have)
		ksft_exit_skip(NO_UFFD "\n");
	pin_background();
	need_huge_pages(2 * UNITS);
	/* Shared: no fork() copies its page tables. */
	source = mmap(NULL, huge_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (source == MAP_FAILED)
		ksft_exit_fail_msg("no memory\n");
	memset(source, BYTE_SOURCE, huge_size());

	for (unsigned int i = 0; i < nr_mem_types; i++)
		plan += run_type(&mem_types[i], NULL, true);
	ksft_set_plan(plan);
	for (unsigned int i = 0; i < nr_mem_types; i++)
		run_type(&mem_types[i], why_not(&mem_types[i]), false);
	ksft_finished();
}
