// SPDX-License-Identifier: GPL-2.0
/*
 * What each operation costs, by memory type and number of pages.
 *
 * Under qemu -icount the time-stamp counter counts instructions: the same
 * program gives the same number in every boot, so one per cent can be seen.
 * On other machines it is nanoseconds, with the median and the interval that
 * holds it in 95 of 100 cases.
 *
 * One line a row, with tabs between: operation, type, pages, runs, unit,
 * minimum, median, low, high, each for the whole call.  Nothing else goes to
 * the standard output.  With instructions, "COPY-code" is COPY without the
 * bytes that are copied (one instruction a byte), the part that code can change.
 */
#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "uffd-lib.h"

#define MISSING	UFFDIO_REGISTER_MODE_MISSING
#define MINOR	UFFDIO_REGISTER_MODE_MINOR
#define WP	UFFDIO_REGISTER_MODE_WP
#define RWP	UFFDIO_REGISTER_MODE_RWP

#define MAX_RUNS	1001
#define WARM_UP		2
#define RW		(PROT_READ | PROT_WRITE)

struct bench;
typedef void step_fn(struct bench *b);

struct op {
	const char *name;
	step_fn *prepare;	/* before each run, not timed */
	step_fn *run;		/* timed */
	step_fn *restore;	/* after each run, not timed */
	uint64_t mode;		/* registered once, before the first run */
	uint64_t features;
	unsigned int ioctl;	/* the registration has to offer it */
	unsigned int flags;
};

#define USES_UFFD	0x01	/* opens a userfaultfd, even if mode is 0 */
#define HANDLER		0x02	/* a thread reads messages and resolves them */
#define COPIES		0x04	/* the kernel copies the bytes of the source */
#define OWN_MAPPING	0x08	/* prepare makes the mapping */
#define ONLY_ANON	0x10
#define NOT_HUGE	0x20
#define HAS_SOURCE	0x40	/* there are pages in the source, too */

struct bench {
	const struct op *op;
	const struct mem_type *type;
	struct mem m;
	size_t units;
	int fd;
	int stop;
	int err;
	pthread_t handler;
	pid_t child;
	char *source;		/* COPY and MOVE, as long as the mapping */
	char *target;		/* mremap() */
	size_t len;
};

static struct {
	bool count;		/* the clock counts instructions */
	bool mark;		/* one run of each row, between two getppid() */
	unsigned int runs;
	const char *pattern;
} options = { .pattern = "*" };

static uint64_t now(void)
{
	struct timespec ts;

#if defined(__x86_64__) || defined(__i386__)
	if (options.count)
		return __builtin_ia32_rdtsc();
#endif
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void check(struct bench *b, long ret)
{
	if (ret < 0 && !b->err)
		b->err = ret;
}

static void check_errno(struct bench *b, long ret)
{
	check(b, ret < 0 ? -errno : 0);
}

static void do_nothing(struct bench *b)
{
}

/* Write to each page, so that it is there and writable. */
static void touch(struct bench *b)
{
	for (size_t i = 0; i < b->units; i++)
		*(volatile char *)mem_unit(&b->m, i) = 1;
}

/* The page tables go empty, the page cache stays. */
static void unmap_pages(struct bench *b)
{
	check_errno(b, madvise(b->m.area, b->m.len, MADV_DONTNEED));
}

/* As if never filled. */
static void empty(struct bench *b)
{
	if (mem_is_shared(&b->m))
		check_errno(b, madvise(b->m.area, b->m.len, MADV_REMOVE));
	else
		unmap_pages(b);
}

static void fill_cache_and_unmap(struct bench *b)
{
	for (size_t i = 0; i < b->units; i++)
		check(b, mem_fill_cache(&b->m, i, 1));
	unmap_pages(b);
}

static void do_register(struct bench *b)
{
	check(b, uffd_register(b->fd, b->m.area, b->m.len, MISSING));
}

static void do_unregister(struct bench *b)
{
	check(b, uffd_unregister(b->fd, b->m.area, b->m.len));
}

static void do_copy(struct bench *b)
{
	check(b, uffd_copy(b->fd, b->m.area, b->source, b->m.len, 0));
}

static void do_zeropage(struct bench *b)
{
	check(b, uffd_zeropage(b->fd, b->m.area, b->m.len));
}

static void do_continue(struct bench *b)
{
	check(b, uffd_continue(b->fd, b->m.area, b->m.len, 0));
}

static void do_poison(struct bench *b)
{
	check(b, uffd_poison(b->fd, b->m.area, b->m.len));
}

static void wp_on(struct bench *b)
{
	check(b, uffd_wp(b->fd, b->m.area, b->m.len, UFFDIO_WRITEPROTECT_MODE_WP));
}

static void wp_off(struct bench *b)
{
	check(b, uffd_wp(b->fd, b->m.area, b->m.len, 0));
}

static void touch_and_wp(struct bench *b)
{
	touch(b);
	wp_on(b);
}

static void rwp_on(struct bench *b)
{
	check(b, uffd_rwp(b->fd, b->m.area, b->m.len, UFFDIO_RWPROTECT_MODE_RWP));
}

static void rwp_off(struct bench *b)
{
	check(b, uffd_rwp(b->fd, b->m.area, b->m.len, 0));
}

static void touch_and_rwp(struct bench *b)
{
	touch(b);
	rwp_on(b);
}

static void touch_source(struct bench *b)
{
	for (size_t i = 0; i < b->len; i += page_size())
		*(volatile char *)(b->source + i) = 1;
}

static void do_move(struct bench *b)
{
	check(b, uffd_do(b->fd, &(struct uffd_call){ OP_MOVE, b->m.area, b->source, b->m.len, 0 },
			 NULL));
}

/* Touched before it is registered: the fill is not what is measured. */
static void make_and_touch(struct bench *b)
{
	check(b, mem_make(&b->m, b->type, b->units) ? -ENOMEM : 0);
	if (b->err)
		return;
	touch(b);
	if (b->op->mode)
		check(b, uffd_register(b->fd, b->m.area, b->m.len, b->op->mode));
}

static void free_mapping(struct bench *b)
{
	mem_free(&b->m);
}

static void do_munmap(struct bench *b)
{
	check_errno(b, munmap(b->m.area, b->m.len));
	b->m.area = NULL;
}

static void do_fork(struct bench *b)
{
	b->child = fork();
	if (!b->child)
		_exit(0);
	check_errno(b, b->child);
}

static void reap_and_free(struct bench *b)
{
	waitpid(b->child, NULL, 0);
	free_mapping(b);
}

static void do_mmap_munmap(struct bench *b)
{
	void *p = mmap(NULL, b->len, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check_errno(b, p == MAP_FAILED ? -1 : munmap(p, b->len));
}

static void do_mremap(struct bench *b)
{
	void *p = mremap(b->m.area, b->len, b->len, MREMAP_MAYMOVE | MREMAP_FIXED, b->target);

	check_errno(b, p == MAP_FAILED ? -1 : 0);
	b->m.area = b->target;
}

/* The place is kept, or the next mapping takes it. */
static void free_target(struct bench *b)
{
	void *p = mmap(b->target, b->len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		       -1, 0);

	check_errno(b, p == MAP_FAILED ? -1 : 0);
	b->m.area = NULL;
}

static void do_mprotect(struct bench *b)
{
	check_errno(b, mprotect(b->m.area, b->m.len, PROT_READ));
	check_errno(b, mprotect(b->m.area, b->m.len, RW));
}

static void do_memcpy(struct bench *b)
{
	memcpy(b->m.area, b->source, b->m.len);
	__asm__ volatile("" : : "r" (b->m.area) : "memory");
}

#define BIT_OF(name) (1U << _UFFDIO_##name)

static const struct op ops[] = {
	{ "REGISTER", do_nothing, do_register, do_unregister, 0, 0, 0, USES_UFFD },
	{ "UNREGISTER", do_register, do_unregister, do_nothing, 0, 0, 0, USES_UFFD },
	{ "COPY", do_nothing, do_copy, empty, MISSING, 0, BIT_OF(COPY), COPIES },
	{ "COPY-wp", do_nothing, do_copy, empty, MISSING | WP, 0, BIT_OF(COPY), COPIES },
	{ "ZEROPAGE", do_nothing, do_zeropage, empty, MISSING, 0, BIT_OF(ZEROPAGE) },
	{ "CONTINUE", fill_cache_and_unmap, do_continue, do_nothing, MINOR, 0, BIT_OF(CONTINUE) },
	{ "POISON", do_nothing, do_poison, unmap_pages, MISSING, 0, BIT_OF(POISON) },
	{ "WP-on", touch, wp_on, wp_off, WP, 0, BIT_OF(WRITEPROTECT) },
	{ "WP-off", touch_and_wp, wp_off, do_nothing, WP, 0, BIT_OF(WRITEPROTECT) },
	{ "RWP-on", touch, rwp_on, rwp_off, RWP, UFFD_FEATURE_RWP, BIT_OF(RWPROTECT) },
	{ "RWP-off", touch_and_rwp, rwp_off, do_nothing, RWP, UFFD_FEATURE_RWP, BIT_OF(RWPROTECT) },
	{ "MOVE", touch_source, do_move, empty, MISSING, 0, BIT_OF(MOVE), ONLY_ANON },
	{ "missing-fault", empty, touch, do_nothing, MISSING, 0, BIT_OF(COPY), HANDLER | COPIES },
	{ "minor-fault", fill_cache_and_unmap, touch, do_nothing, MINOR, 0, BIT_OF(CONTINUE),
		HANDLER },
	{ "wp-fault", touch_and_wp, touch, do_nothing, WP, 0, BIT_OF(WRITEPROTECT), HANDLER },
	{ "fork-registered", make_and_touch, do_fork, reap_and_free, MISSING, 0, 0,
		OWN_MAPPING },
	{ "fork-event", make_and_touch, do_fork, reap_and_free, MISSING, UFFD_FEATURE_EVENT_FORK, 0,
		OWN_MAPPING | HANDLER },
	{ "munmap-registered", make_and_touch, do_munmap, free_mapping, MISSING, 0, 0,
		OWN_MAPPING },
	{ "munmap-event", make_and_touch, do_munmap, free_mapping, MISSING,
		UFFD_FEATURE_EVENT_UNMAP, 0, OWN_MAPPING | HANDLER },
	/* Nobody uses a userfaultfd from here on. */
	{ "fault", empty, touch, do_nothing },
	{ "fork", make_and_touch, do_fork, reap_and_free, 0, 0, 0, OWN_MAPPING | NOT_HUGE },
	{ "munmap", make_and_touch, do_munmap, free_mapping, 0, 0, 0, OWN_MAPPING | NOT_HUGE },
	{ "mmap-munmap", do_nothing, do_mmap_munmap, do_nothing, 0, 0, 0, ONLY_ANON },
	{ "mremap", make_and_touch, do_mremap, free_target, 0, 0, 0, OWN_MAPPING | ONLY_ANON },
	{ "mprotect", touch, do_mprotect, do_nothing, 0, 0, 0, NOT_HUGE },
	{ "memcpy", touch, do_memcpy, do_nothing, 0, 0, 0, ONLY_ANON | HAS_SOURCE },
};

static const char *const types[] = {
	"anon", "shmem", "shmem-private", "hugetlb", "hugetlb-private", "gmem",
};

/* What the handler does for the page at @addr. */
static void resolve(struct bench *b, char *addr)
{
	size_t unit = b->m.unit;

	addr = (char *)((unsigned long)addr & ~(unit - 1));
	if (b->op->mode == MISSING)
		check(b, uffd_copy(b->fd, addr, b->source, unit, 0));
	else if (b->op->mode == MINOR)
		check(b, uffd_continue(b->fd, addr, unit, 0));
	else
		check(b, uffd_wp(b->fd, addr, unit, 0));
}

static void *handle(void *arg)
{
	struct bench *b = arg;
	struct pollfd fds[] = {
		{ .fd = b->fd, .events = POLLIN },
		{ .fd = b->stop, .events = POLLIN },
	};
	struct uffd_msg msg;

	while (poll(fds, 2, -1) > 0 && !(fds[1].revents & POLLIN)) {
		if (read(b->fd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		if (msg.event == UFFD_EVENT_PAGEFAULT)
			resolve(b, (char *)(unsigned long)msg.arg.pagefault.address);
		else if (msg.event == UFFD_EVENT_FORK)
			close(msg.arg.fork.ufd);
	}
	return NULL;
}

/*
 * The handler runs when there is a message and the toucher when there is none:
 * not when the scheduler thinks it fair, which differs from run to run.
 */
static void set_priority(pthread_t thread, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	pthread_setschedparam(thread, priority ? SCHED_FIFO : SCHED_OTHER, &param);
}

static void start_handler(struct bench *b)
{
	b->stop = eventfd(0, EFD_CLOEXEC);
	if (b->stop < 0 || pthread_create(&b->handler, NULL, handle, b))
		abort();
	set_priority(b->handler, 2);
	set_priority(pthread_self(), 1);
}

static void stop_handler(struct bench *b)
{
	uint64_t one = 1;

	if (write(b->stop, &one, sizeof(one)) != sizeof(one))
		abort();
	pthread_join(b->handler, NULL);
	set_priority(pthread_self(), 0);
	close(b->stop);
}

static uint64_t time_once(struct bench *b)
{
	/* Not around the clock itself, see clock_cost(). */
	bool mark = options.mark && b->units;
	uint64_t start, end;

	b->op->prepare(b);
	if (b->err)
		return 0;
	/* What the kernel has put off is done now, not while we count. */
	if (options.count)
		usleep(1000);
	if (mark)
		syscall(SYS_getppid);
	start = now();
	b->op->run(b);
	end = now();
	if (mark)
		syscall(SYS_getppid);
	b->op->restore(b);
	return end - start;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* What reading the clock twice costs, taken off each run. */
static uint64_t clock_cost(void)
{
	static uint64_t least;
	static const struct op nothing = { "", do_nothing, do_nothing, do_nothing };
	struct bench b = { .op = &nothing };

	if (!least) {
		least = UINT64_MAX;
		for (int i = 0; i < 64; i++) {
			uint64_t t = time_once(&b);

			if (t < least)
				least = t;
		}
	}
	return least;
}

/* The median lies between these with 95 %: their ranks are binomial. */
static void print_row(const struct bench *b, const char *suffix, const uint64_t *t,
		      unsigned int n, uint64_t less)
{
	unsigned int half = 0, low, high;

	/* 0.98 times the root of n, rounded up */
	while (half * half * 10000 < 9604 * n)
		half++;
	low = n / 2 > half ? n / 2 - half : 0;
	high = n / 2 + half < n ? n / 2 + half : n - 1;
	printf("%s%s\t%s\t%zu\t%u\t%s\t%lld\t%lld\t%lld\t%lld\n", b->op->name, suffix,
	       b->type->name, b->units, n, options.count ? "instructions" : "ns",
	       (long long)(t[0] - less), (long long)(t[n / 2] - less),
	       (long long)(t[low] - less), (long long)(t[high] - less));
	fflush(stdout);
}

static unsigned int runs_for(const struct bench *b)
{
	if (options.mark)
		return 1;
	/* A huge page is long enough to need no more. */
	if (b->type->caps & MEM_HUGETLB)
		return options.runs / 3 + 1;
	return options.runs;
}

static void run_row(struct bench *b)
{
	uint64_t t[MAX_RUNS];
	unsigned int n = runs_for(b);

	for (unsigned int i = 0; i < WARM_UP + n && !b->err; i++) {
		uint64_t took = time_once(b);

		if (i >= WARM_UP)
			t[i - WARM_UP] = took - clock_cost();
	}
	if (b->err)
		return;
	qsort(t, n, sizeof(t[0]), by_value);
	print_row(b, "", t, n, 0);
	if (options.count && (b->op->flags & COPIES))
		print_row(b, "-code", t, n, b->len);
}

/* 0; 1 if this kernel has no such thing; or a negative errno. */
static int open_uffd(struct bench *b)
{
	long long bits;

	if (!b->op->mode && !(b->op->flags & USES_UFFD))
		return 0;
	if ((uffd_features() & b->op->features) != b->op->features)
		return 1;
	b->fd = uffd_open(b->op->features);
	if (b->fd < 0)
		return b->fd;
	if (b->op->flags & (OWN_MAPPING | USES_UFFD)) {
		bits = uffd_register(b->fd, b->m.area, b->m.len, MISSING);
		if (bits >= 0)
			uffd_unregister(b->fd, b->m.area, b->m.len);
	} else {
		bits = uffd_register(b->fd, b->m.area, b->m.len, b->op->mode);
	}
	if (bits == -EINVAL)
		return 1;
	return bits < 0 ? bits : (bits & b->op->ioctl) != b->op->ioctl;
}

static char *reserve(size_t len, int prot)
{
	char *p = mmap(NULL, len, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	madvise(p, len, MADV_NOHUGEPAGE);
	return p;
}

static void one_row(struct bench *b)
{
	bool handler = b->op->flags & HANDLER;

	b->len = b->m.len;
	b->source = reserve(b->len, RW);
	b->target = reserve(b->len, PROT_NONE);
	if (b->op->flags & (COPIES | HAS_SOURCE))
		touch_source(b);
	if (b->op->flags & OWN_MAPPING)
		mem_free(&b->m);
	if (handler)
		start_handler(b);
	run_row(b);
	if (handler)
		stop_handler(b);
	munmap(b->source, b->len);
	munmap(b->target, b->len);
}

/* False if it went wrong, for another reason than not being there. */
static bool bench_one(const struct op *op, const struct mem_type *type, size_t units)
{
	struct bench b = { .op = op, .type = type, .units = units, .fd = -1 };
	char name[96];
	int ret;

	snprintf(name, sizeof(name), "%s/%s/%zu", op->name, type->name, units);
	if (fnmatch(options.pattern, name, 0))
		return true;
	if (mem_make(&b.m, type, units)) {
		fprintf(stderr, "# %s: %s\n", name, b.m.why);
		return false;
	}
	ret = open_uffd(&b);
	if (!ret) {
		one_row(&b);
		ret = b.err;
	}
	if (ret < 0)
		fprintf(stderr, "# %s: %s\n", name, err_name(ret));
	if (b.fd >= 0)
		close(b.fd);
	mem_free(&b.m);
	return ret >= 0;
}

static bool exists(const struct mem_type *type)
{
	struct mem m;

	if (mem_make(&m, type, 1)) {
		fprintf(stderr, "# no %s: %s\n", type->name, m.why);
		return false;
	}
	mem_free(&m);
	return true;
}

static bool fits(const struct op *op, const struct mem_type *type)
{
	if (op->flags & ONLY_ANON)
		return type->class == CLASS_ANON;
	return !(op->flags & NOT_HUGE) || !(type->caps & MEM_HUGETLB);
}

static bool bench_type(const struct op *op, const struct mem_type *type)
{
	static const size_t small[] = { 1, 16, 512, 0 }, huge[] = { 1, 8, 0 };
	bool good = true;

	if (!fits(op, type))
		return true;
	for (const size_t *n = type->caps & MEM_HUGETLB ? huge : small; *n; n++)
		good &= bench_one(op, type, *n);
	return good;
}

static bool bench_all(void)
{
	const struct mem_type *there[ARRAY_SIZE(types)];
	unsigned int nr = 0;
	bool good = true;

	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
		there[nr] = mem_type_find(types[i]);
		if (exists(there[nr]))
			nr++;
	}
	for (unsigned int o = 0; o < ARRAY_SIZE(ops); o++)
		for (unsigned int i = 0; i < nr; i++)
			good &= bench_type(&ops[o], there[i]);
	return good;
}

static void usage(void)
{
	fprintf(stderr,
		"usage: uffd-bench [-c] [-n RUNS] [-r PATTERN] [-m]\n"
		"  -c  the clock counts instructions (qemu -icount shift=0)\n"
		"  -n  runs of each row (11 with -c, else 201)\n"
		"  -r  rows OPERATION/TYPE/PAGES that match, such as 'COPY/anon/*'\n"
		"  -m  call getppid() before and after each timed run, for a trace\n");
	exit(2);
}

static void parse(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "cmn:r:")) != -1) {
		if (opt == 'c')
			options.count = true;
		else if (opt == 'm')
			options.mark = true;
		else if (opt == 'n')
			options.runs = atoi(optarg);
		else if (opt == 'r')
			options.pattern = optarg;
		else
			usage();
	}
	if (!options.runs)
		options.runs = options.count ? 11 : 201;
	if (optind != argc || options.runs > MAX_RUNS)
		usage();
}

static void stay_on_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

int main(int argc, char **argv)
{
	parse(argc, argv);
	stay_on_one_cpu();
	pin_background();
	/* Whoever switches the trace on needs a moment. */
	if (options.mark) {
		fprintf(stderr, "# to be traced\n");
		sleep(3);
	}
	need_huge_pages(32);
	return bench_all() ? 0 : 1;
}
