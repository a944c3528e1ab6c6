// SPDX-License-Identifier: GPL-2.0
/*
 * Memory runs out in the middle: ENOMEM, and everything as it was before.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uffd-file.h"
#include "uffd-fixture.h"

#define MAX_FAILURES	64

#define NO_INJECTION	"no fault injection: root, CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC"

/*
 * The @n-th allocation of this thread fails.  Returns false if the kernel
 * cannot do that.
 */
static bool fail_nth(int n)
{
	char buf[16];
	int fd = open("/proc/thread-self/fail-nth", O_WRONLY | O_CLOEXEC);
	int len = snprintf(buf, sizeof(buf), "%d", n);
	bool ok = fd >= 0 && write(fd, buf, len) == len;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Was there an n-th one?  Counting stops. */
static bool fail_nth_hit(void)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	char buf[16] = "1";
	bool hit = fd >= 0 && read(fd, buf, sizeof(buf) - 1) > 0 && atoi(buf) == 0;

	if (fd >= 0) {
		if (write(fd, "0", 1) != 1)
			hit = false;
		close(fd);
	}
	return hit;
}

/* All allocations may fail, also those that could wait, and quietly. */
static bool failures_prepared(void)
{
	static const struct { const char *path, *value; } knobs[] = {
		{ "/sys/kernel/debug/failslab/ignore-gfp-wait", "N" },
		{ "/sys/kernel/debug/failslab/verbose", "0" },
		{ "/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N" },
		{ "/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "/sys/kernel/debug/fail_page_alloc/min-order", "0" },
		{ "/sys/kernel/debug/fail_page_alloc/verbose", "0" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(knobs); i++)
		if (set_until_exit(knobs[i].path, knobs[i].value))
			return false;
	return fail_nth(0);
}

/* Opened before: nothing can be opened while allocations fail. */
static void make_it_fail(int fd, bool on)
{
	if (write(fd, on ? "1" : "0", 1) != 1)
		abort();
}

struct counts {
	__u64 entry;
	long in_file;
	unsigned long huge;
	unsigned long reserved;	/* huge pages */
};

static struct counts count(const struct mem *m, const char *p)
{
	return (struct counts) {
		.entry = pagemap(p) & (PM_PRESENT | PM_SWAP | PM_UFFD),
		.in_file = mem_in_file(m),
		.huge = free_huge_pages(),
		.reserved = reserved_huge_pages(),
	};
}

/* All of it is as it was. */
#define EXPECT_SAME(before, after, what, n) do {				\
	EXPECT_VALUE((before).entry, (after).entry, "%s %s, allocation %u: page table", \
		     self->type->name, what, n);				\
	EXPECT_VALUE((before).in_file, (after).in_file, "%s %s, allocation %u: in the file", \
		     self->type->name, what, n);				\
	EXPECT_VALUE((before).huge, (after).huge, "%s %s, allocation %u: free huge pages", \
		     self->type->name, what, n);				\
	EXPECT_VALUE((before).reserved, (after).reserved,			\
		     "%s %s, allocation %u: reserved huge pages", self->type->name, what, n); \
} while (0)

/*
 * Let the first allocation fail, the second, and so on, until none is left
 * that could; the operation must then have succeeded.  What got a second
 * chance, and took it, is undone, and does not end it.
 */
#define FAIL_EACH(call) do {							\
	unsigned int n, failed = 0;						\
										\
	for (n = 1; n < MAX_FAILURES; n++) {					\
		struct counts before = count(&self->mem, self->target), after;	\
		bool hit;							\
		int err;							\
										\
		fail_nth(n);							\
		err = uffd_do(self->fd, call, NULL);				\
		hit = fail_nth_hit();						\
		if (!hit) {							\
			EXPECT_ERR(0, err, op_names[(call)->op]);		\
			break;							\
		}								\
		if (!err) {							\
			undo(&self->mem, self->target, (call)->op);		\
			continue;						\
		}								\
		failed++;							\
		EXPECT_ERR(-ENOMEM, err, op_names[(call)->op]);			\
		after = count(&self->mem, self->target);			\
		EXPECT_SAME(before, after, op_names[(call)->op], n);		\
	}									\
	TH_LOG("%s %s: %u of %u failing allocations gave ENOMEM",		\
	       self->type->name, op_names[(call)->op], failed, n - 1);		\
	EXPECT_LT(n, MAX_FAILURES)						\
		TH_LOG("%s %s: no end of allocations", self->type->name,	\
		       op_names[(call)->op]);					\
	EXPECT_GT(failed, 0)							\
		TH_LOG("%s %s: expected ENOMEM, never got it", self->type->name, \
		       op_names[(call)->op]);					\
} while (0)

/* Far from all else: page tables of all levels have to be made. */
#define FAR_DST		((char *)(half_of_space() / 2))
#define FAR_SRC		((char *)(half_of_space() / 4))
#define FAR_AWAY	(half_of_space() / 64)
#define FAR_UNITS	4

/* Through another mapping, so that this one gets no page table of it. */
static int fill_cache_apart(struct mem *m)
{
	char *p = mem_alias(m);

	if (p == MAP_FAILED && mem_is_shared(m))
		p = mremap(m->area, 0, m->len, MREMAP_MAYMOVE);
	if (p == MAP_FAILED)
		return -errno;
	memset(p + TARGET * m->unit, BYTE_CACHE, m->unit);
	return munmap(p, m->len);
}

static void undo(struct mem *m, char *p, enum uffd_op op)
{
	bool file = mem_is_shared(m) && op != OP_CONTINUE && op != OP_POISON;

	madvise(p, m->unit, file ? MADV_REMOVE : MADV_DONTNEED);
}

TEST_F(uffd, each_allocation_of_copy)
{
	struct uffd_call call = { OP_COPY, self->target, self->source, self->mem.unit, 0 };

	NEED(failures_prepared(), NO_INJECTION);
	OPEN(0, M);
	FAIL_EACH(&call);
	EXPECT_UNIT(self->target, self->mem.unit, BYTE_COPY, "afterwards");
}

TEST_F(uffd, each_allocation_of_zeropage)
{
	struct uffd_call call = { .op = OP_ZEROPAGE, .len = self->mem.unit };

	NEED(!mem_is(&self->mem, MEM_HUGETLB), "hugetlb has no zero page");
	NEED(failures_prepared(), NO_INJECTION);
	ASSERT_TRUE(renew_at(self, FAR_DST));
	OPEN(0, M);
	call.dst = self->target;
	FAIL_EACH(&call);
	EXPECT_UNIT(self->target, self->mem.unit, 0, "afterwards");
}

TEST_F(uffd, each_allocation_of_continue)
{
	struct uffd_call call = { .op = OP_CONTINUE, .len = self->mem.unit };

	NEED_MINOR();
	NEED(failures_prepared(), NO_INJECTION);
	/* mremap() makes no second mapping of huge pages. */
	NEED(self->mem.fd >= 0 || !mem_is(&self->mem, MEM_HUGETLB), "not a file");
	ASSERT_TRUE(renew_at(self, FAR_DST));
	ASSERT_EQ(0, fill_cache_apart(&self->mem));
	OPEN(0, N);
	call.dst = self->target;
	FAIL_EACH(&call);
	EXPECT_UNIT(self->target, self->mem.unit, BYTE_CACHE, "afterwards");
}

TEST_F(uffd, each_allocation_of_poison)
{
	struct uffd_call call = { .op = OP_POISON, .len = self->mem.unit };

	NEED_KNOWN(OP_POISON);
	NEED(failures_prepared(), NO_INJECTION);
	ASSERT_TRUE(renew_at(self, FAR_DST));
	OPEN(0, M);
	call.dst = self->target;
	FAIL_EACH(&call);
	EXPECT_VALUE(SIGBUS, try_read(self->target, NULL).sig, "%s read after POISON, signal",
		     self->type->name);
}

/* With no slab at all the page cache cannot take a page that is there. */
TEST_F(uffd, no_slab)
{
	int fd = open("/proc/self/make-it-fail", O_WRONLY | O_CLOEXEC);
	struct counts before, after;
	int err;

	NEED(fd >= 0 && failures_prepared(), NO_INJECTION);
	ASSERT_EQ(0, set_until_exit("/sys/kernel/debug/failslab/task-filter", "Y"));
	ASSERT_EQ(0, set_until_exit("/sys/kernel/debug/failslab/times", "-1"));
	ASSERT_EQ(0, set_until_exit("/sys/kernel/debug/failslab/probability", "100"));
	OPEN(0, M);
	before = count(&self->mem, self->target);
	make_it_fail(fd, true);
	err = COPY(TARGET, 0);
	make_it_fail(fd, false);
	after = count(&self->mem, self->target);
	/* Shared memory needs a place in a file, which is new here. */
	if (mem_is_shared(&self->mem) || err) {
		EXPECT_ERR(-ENOMEM, err, "COPY");
		EXPECT_SAME(before, after, "COPY without slab", 0U);
		EXPECT_ERR(0, COPY(TARGET, 0), "COPY");
	}
	EXPECT_UNIT(self->target, self->mem.unit, BYTE_COPY, "afterwards");
}

static long free_kb(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	long kb = -1;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemFree: %ld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

#define FAILED_COPIES	4096
#define WARM_UP		3	/* times that: a CPU may hoard so many free pages */

/*
 * @call fails again and again, with @want.  A page for each time would be 16 MiB,
 * or all huge pages.
 */
static void try_often(struct __test_metadata *_metadata, FIXTURE_DATA(uffd) * self,
		      int (*call)(FIXTURE_DATA(uffd) * self), int want, const char *what)
{
	unsigned int n = mem_is(&self->mem, MEM_HUGETLB) ? 1 : FAILED_COPIES;
	unsigned long huge = free_huge_pages(), reserved = reserved_huge_pages();
	long before = 0, after, slack = FAILED_COPIES * page_size() / 2048;

	for (unsigned int i = 0; i < (WARM_UP + 1) * n; i++) {
		if (i == WARM_UP * n)
			before = free_kb();
		ASSERT_EQ(want, call(self))
			TH_LOG("%s %s, time %u: expected %s", self->type->name, what, i,
			       err_name(want));
	}
	/* The count is of the machine, and others work there, too. */
	for (unsigned int i = 0; i < 3 && (after = free_kb()) <= before - slack; i++)
		sched_yield();
	EXPECT_VALUE(huge, free_huge_pages(), "%s %s: free huge pages", self->type->name, what);
	EXPECT_VALUE(reserved, reserved_huge_pages(), "%s %s: reserved huge pages",
		     self->type->name, what);
	EXPECT_GT(after, before - slack)
		TH_LOG("%s %s: expected %ld kB to be free, got %ld kB", self->type->name, what,
		       before, after);
}

static int copy_again(FIXTURE_DATA(uffd) * self)
{
	return COPY(TARGET, 0);
}

TEST_F(uffd, failures_keep_nothing)
{
	OPEN(0, M);
	ASSERT_EQ(0, COPY(TARGET, 0));
	try_often(_metadata, self, copy_again, -EEXIST, "COPY onto a page");
}

/* Which allocation it is that makes COPY say ENOMEM, the last one: 0, none does. */
static unsigned int last_failing(FIXTURE_DATA(uffd) * self)
{
	unsigned int last = 0;

	for (unsigned int n = 1; n < MAX_FAILURES; n++) {
		int err;

		fail_nth(n);
		err = COPY(TARGET, 0);
		if (!fail_nth_hit())
			break;
		if (err == -ENOMEM)
			last = n;
		else
			undo(&self->mem, self->target, OP_COPY);
	}
	undo(&self->mem, self->target, OP_COPY);
	return last;
}

static unsigned int nth;

/* The later the allocation, the more there is that has to be given back. */
static int copy_without_memory(FIXTURE_DATA(uffd) * self)
{
	int err;

	fail_nth(nth);
	err = COPY(TARGET, 0);
	fail_nth(0);
	return err;
}

TEST_F_TIMEOUT(uffd, failed_allocations_keep_nothing, 120)
{
	NEED(failures_prepared(), NO_INJECTION);
	OPEN(0, M);
	/* Page tables fail once, and then are there. */
	ASSERT_EQ(0, COPY(TARGET, 0));
	undo(&self->mem, self->target, OP_COPY);
	nth = last_failing(self);
	NEED(nth || !mem_is(&self->mem, MEM_HUGETLB), "hugetlb: no allocation fails each time");
	ASSERT_GT(nth, 0) TH_LOG("%s COPY: expected ENOMEM, never got it", self->type->name);
	try_often(_metadata, self, copy_without_memory, -ENOMEM, "COPY without memory");
}

/*
 * No huge page is free and none was reserved.  7.3 and before: EEXIST, which
 * a handler takes for "somebody was faster".
 */
TEST_F(uffd, empty_pool)
{
	struct mem all;
	char *p;

	NEED(mem_is(&self->mem, MEM_HUGETLB) && self->mem.fd >= 0, "not a file of hugetlb");
	ASSERT_EQ(0, ftruncate(self->mem.fd, 0));
	mem_free(&self->mem);
	ASSERT_EQ(0, mem_make(&self->mem, self->type, 1));
	/* The same file again, and no promise that there is memory for it. */
	ASSERT_EQ(0, ftruncate(self->mem.fd, self->mem.offset + 4 * self->mem.unit));
	p = mmap(NULL, 2 * self->mem.unit, PROT_READ | PROT_WRITE,
		 self->type->map_flags | MAP_NORESERVE, self->mem.fd,
		 self->mem.offset + 2 * self->mem.unit);
	ASSERT_NE(MAP_FAILED, p);
	set_until_exit("/proc/sys/vm/nr_overcommit_hugepages", "0");
	ASSERT_EQ(0, mem_make(&all, mem_type_find("hugetlb"),
			      free_huge_pages() - reserved_huge_pages()));
	self->fd = uffd_open(0);
	ASSERT_GE(self->fd, 0);
	ASSERT_GT(uffd_register(self->fd, p, 2 * self->mem.unit, M), 0);
	EXPECT_ERR(-ENOMEM, uffd_copy(self->fd, p, self->source, self->mem.unit, 0), "COPY");
	EXPECT_ABSENT(p, "COPY from an empty pool");
	/* With memory it goes. */
	mem_free(&all);
	EXPECT_ERR(0, uffd_copy(self->fd, p, self->source, self->mem.unit, 0), "COPY");
}

/* Put a file of a file system of one page in place of @m's. */
static bool on_small_tmpfs(struct mem *m)
{
	char dir[] = "/tmp/uffd-full-XXXXXX", option[32];
	int fd = -1;

	snprintf(option, sizeof(option), "size=%zu", page_size());
	if (geteuid() || !mkdtemp(dir))
		return false;
	if (!mount("uffd-test", dir, "tmpfs", 0, option)) {
		fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		umount2(dir, MNT_DETACH);
	}
	rmdir(dir);
	if (fd < 0 || ftruncate(fd, m->len) ||
	    mmap(m->area, m->len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 fd, 0) != m->area)
		return false;
	close(m->fd);
	m->fd = fd;
	return true;
}

TEST_F(uffd, full_tmpfs)
{
	struct mem *m = &self->mem;
	long blocks;

	NEED(!strcmp(self->type->name, "tmpfs"), "not tmpfs");
	NEED(on_small_tmpfs(m), "not root: cannot mount a tmpfs");
	OPEN(0, M);
	EXPECT_ERR(0, COPY(0, 0), "COPY");
	blocks = mem_blocks(m);
	EXPECT_ERR(-ENOMEM, COPY(TARGET, 0), "COPY");
	EXPECT_ERR(-ENOMEM, uffd_zeropage(self->fd, self->target, m->unit), "ZEROPAGE");
	EXPECT_VALUE(blocks, mem_blocks(m), "tmpfs COPY without room: blocks");
	EXPECT_ABSENT(self->target, "COPY without room");
	/* What is there is there, full or not; 6.18 said ENOMEM. */
	EXPECT_ERR(-EEXIST, COPY(0, 0), "COPY");
	/* Room again: nothing of the failures was kept. */
	ASSERT_EQ(0, madvise(m->area, m->unit, MADV_REMOVE));
	EXPECT_ERR(0, COPY(TARGET, 0), "COPY");
}

#define MADV_GUARD_ON	102

/*
 * A page that got into the file, but not into the mapping, leaves room for
 * another.  Nobody may ask for the size of the file in between: that mends it.
 */
TEST_F(uffd, failure_leaves_room)
{
	struct mem *m = &self->mem;

	NEED(!strcmp(self->type->name, "tmpfs"), "not tmpfs");
	NEED(on_small_tmpfs(m), "not root: cannot mount a tmpfs");
	NEED(!madvise(self->target, m->unit, MADV_GUARD_ON), "no MADV_GUARD_INSTALL");
	OPEN(0, M);
	EXPECT_ERR(-EEXIST, COPY(TARGET, 0), "COPY onto a guard");
	EXPECT_ERR(0, COPY(0, 0), "COPY");
}

#define MAX_CALL_FAILURES	3000

/* A call that userfaultfd has a part in, and what it needs. */
struct call {
	const char *name;
	__u64 modes;
	int dst_flags;		/* of its mapping */
	int (*run)(int fd, size_t unit);	/* 0 or a negative errno */
	bool unregistered;
	bool source;		/* a page to move */
	bool protected;		/* and stays so whatever fails */
	bool allocates_nothing;
};

static int run_open(int fd, size_t unit)
{
	fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -errno : 0;
}

/* The second unit only: the mapping has to be split. */
static int run_register(int fd, size_t unit)
{
	long long bits = uffd_register(fd, FAR_DST + unit, unit, M);

	return bits < 0 ? bits : 0;
}

static int run_unregister(int fd, size_t unit)
{
	return uffd_unregister(fd, FAR_DST + unit, unit);
}

static int run_copy(int fd, size_t unit)
{
	return uffd_copy(fd, FAR_DST, FAR_SRC, unit, 0);
}

static int run_wp(int fd, size_t unit)
{
	return uffd_wp(fd, FAR_DST, unit, UFFDIO_WRITEPROTECT_MODE_WP);
}

/* Where there is no page nothing is marked, and no page table made. */
static int run_rwp(int fd, size_t unit)
{
	return uffd_features() & RWP ?
	       uffd_rwp(fd, FAR_DST, unit, UFFDIO_RWPROTECT_MODE_RWP) : 0;
}

static int run_move(int fd, size_t unit)
{
	return uffd_do(fd, &(struct uffd_call){ OP_MOVE, FAR_DST, FAR_SRC, unit,
		       UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES }, NULL);
}

/*
 * A fork that copies the memory and fails at its very end, where it has nowhere to
 * write the pidfd to.  With a child this thread would have to copy its stack when
 * it writes to it, which is an allocation, too.
 */
static int run_fork(int fd, size_t unit)
{
	if (!syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, NULL, 0, 0))
		_exit(0);
	return errno == EFAULT ? 0 : -errno;
}

static int run_mremap(int fd, size_t unit)
{
	return mremap(FAR_DST, FAR_UNITS * unit, FAR_UNITS * unit, MREMAP_MAYMOVE | MREMAP_FIXED,
		      FAR_DST + FAR_AWAY) == MAP_FAILED ? -errno : 0;
}

/* A hole in the middle. */
static int run_munmap(int fd, size_t unit)
{
	return munmap(FAR_DST + unit, unit) ? -errno : 0;
}

static const struct call calls[] = {
	{ "userfaultfd()", M, MAP_PRIVATE, run_open },
	{ "REGISTER", M, MAP_PRIVATE, run_register, .unregistered = true },
	{ "UNREGISTER", M, MAP_PRIVATE, run_unregister },
	{ "UNREGISTER of protected shmem", W, MAP_SHARED, run_unregister, .protected = true },
	{ "COPY", M, MAP_PRIVATE, run_copy, .source = true },
	{ "COPY to shmem", M, MAP_SHARED, run_copy, .source = true },
	{ "COPY to hugetlb", M, MAP_SHARED | MAP_HUGETLB, run_copy, .source = true },
	{ "WRITEPROTECT", W, MAP_SHARED, run_wp },
	{ "WRITEPROTECT of hugetlb", W, MAP_SHARED | MAP_HUGETLB, run_wp },
	{ "RWPROTECT of hugetlb", R, MAP_SHARED | MAP_HUGETLB, run_rwp, .allocates_nothing = true },
	{ "MOVE", M, MAP_PRIVATE, run_move, .source = true },
	{ "MOVE of a hole", M, MAP_PRIVATE, run_move },
	{ "fork()", M, MAP_PRIVATE, run_fork },
	{ "mremap()", M, MAP_PRIVATE, run_mremap },
	{ "munmap()", M, MAP_PRIVATE, run_munmap },
};

#define EVENTS (UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_EVENT_REMAP | UFFD_FEATURE_EVENT_UNMAP)

static size_t unit_of(const struct call *c)
{
	return c->dst_flags & MAP_HUGETLB ? huge_size() : page_size();
}

static bool make_far(const struct call *c, int fd)
{
	size_t len = FAR_UNITS * unit_of(c);
	/* The default size may be another. */
	int size = __builtin_ctzl(huge_size()) << MAP_HUGE_SHIFT;
	int flags = c->dst_flags | (c->dst_flags & MAP_HUGETLB ? size : 0);
	__u64 modes = uffd_features() & RWP ? c->modes : c->modes & ~R;

	/* Also the huge pages of the call before. */
	munmap(FAR_DST + FAR_AWAY, FAR_UNITS * huge_size());
	munmap(FAR_DST, FAR_UNITS * huge_size());
	munmap(FAR_SRC, FAR_UNITS * huge_size());
	if (mmap(FAR_DST, len, PROT_READ | PROT_WRITE,
		 flags | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != FAR_DST ||
	    mmap(FAR_SRC, len, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != FAR_SRC)
		return false;
	madvise(FAR_DST, len, MADV_NOHUGEPAGE);
	madvise(FAR_SRC, len, MADV_NOHUGEPAGE);
	if (c->source)
		*FAR_SRC = BYTE_COPY;
	if (!c->unregistered && modes && uffd_register(fd, FAR_DST, len, modes) <= 0)
		return false;
	return !c->protected || !uffd_wp(fd, FAR_DST, len, UFFDIO_WRITEPROTECT_MODE_WP);
}

/* False if it cannot be had here. */
static bool has_call(const struct call *c)
{
	__u64 need = c->modes & W && c->dst_flags & MAP_SHARED ?
		     UFFD_FEATURE_WP_HUGETLBFS_SHMEM : 0;

	return (uffd_features() & need) == need && (c->run != run_move || uffd_knows(OP_MOVE));
}

/*
 * Whatever failed: nobody is left who changes the mappings, for then COPY would
 * ask to try again, and for ever.
 */
static void fail_call(struct __test_metadata *_metadata, FIXTURE_DATA(uffd) * self,
		      const struct call *c)
{
	unsigned int n, failed = 0;
	bool hit = true;

	for (n = 1; hit && n < MAX_CALL_FAILURES; n++) {
		int err;

		ASSERT_TRUE(make_far(c, self->fd)) TH_LOG("%s: no memory for it", c->name);
		fail_nth(n);
		err = c->run(self->fd, unit_of(c));
		hit = fail_nth_hit();
		if (!hit)
			EXPECT_ERR(0, err, c->name);
		if (!err)
			continue;
		failed++;
		EXPECT_ERR(-ENOMEM, err, c->name);
		if (c->protected)
			EXPECT_PM_UFFD(true, FAR_DST + unit_of(c), c->name);
		if (!c->unregistered && c->modes == M)
			EXPECT_ERR(0, uffd_copy(self->fd, FAR_DST, FAR_SRC, unit_of(c), 0),
				   c->name);
	}
	EXPECT_FALSE(hit) TH_LOG("%s: no end of allocations", c->name);
	EXPECT_EQ(c->allocates_nothing, !failed)
		TH_LOG("%s: expected %s of %u allocations to give an error, got %u", c->name,
		       c->allocates_nothing ? "none" : "some", n - 1, failed);
}

TEST_F_TIMEOUT(uffd, each_allocation_of_calls, 240)
{
	const char *missing = NULL;

	NEED(self->type->class == CLASS_ANON, "does not depend on the type");
	NEED_KERNEL();
	NEED(failures_prepared(), NO_INJECTION);
	self->fd = uffd_open(EVENTS | (uffd_features() & RWP));
	ASSERT_GE(self->fd, 0);
	ASSERT_TRUE(uffd_ignore_events(self->fd));
	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++)
		if (has_call(&calls[i]) && make_far(&calls[i], self->fd))
			fail_call(_metadata, self, &calls[i]);
		else
			missing = calls[i].name;
	/* A skip would hide a failure. */
	if (missing && __test_passed(_metadata))
		SKIP(return, "%s cannot be had here", missing);
}

TEST_HARNESS_MAIN
