// SPDX-License-Identifier: GPL-2.0
/*
 * What is refused, with which errno, and what is left behind: nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uffd-fixture.h"

/* What follows the mapping is nothing, and below the end of user space. */
#define NOWHERE		((char *)(1UL << 46))
#define BEYOND		((char *)(1UL << 63))

struct bad_range {
	const char *name;
	long dst;		/* added to the target */
	char *at;		/* in its place */
	size_t len;		/* ~0: a unit */
	long len_add;
	int err;
	int wake_err;		/* WAKE asks for no mapping */
};

static const struct bad_range bad_ranges[] = {
	{ "start not aligned", 1, NULL, ~0UL, 0, -EINVAL, -EINVAL },
	{ "length not aligned", 0, NULL, ~0UL, 1, -EINVAL, -EINVAL },
	{ "no length", 0, NULL, 0, 0, -EINVAL, -EINVAL },
	{ "wraps around", 0, NULL, -(1UL << 12), 0, -EINVAL, -EINVAL },
	{ "kernel's addresses", 0, BEYOND, ~0UL, 0, -EINVAL, -EINVAL },
	{ "nothing is there", 0, NOWHERE, ~0UL, 0, -ENOENT, 0 },
};

static int expected_error(const struct bad_range *bad, enum uffd_op op)
{
	if (op == OP_WAKE)
		return bad->wake_err;
	/* UNREGISTER finds no mapping, the others no registered one. */
	return op == OP_UNREGISTER ? -EINVAL : bad->err;
}

TEST_F(uffd, bad_range)
{
	NEED_FEATURE(RWP);
	OPEN(RWP, M);
	for (unsigned int i = 0; i < ARRAY_LEN(bad_ranges); i++) {
		const struct bad_range *bad = &bad_ranges[i];

		for (int op = 0; op < NR_OPS; op++) {
			struct uffd_call call = {
				.op = op,
				.dst = (bad->at ? bad->at : self->target) + bad->dst,
				.src = self->source,
				.len = bad->len == ~0UL ? self->mem.unit : bad->len,
			};
			int err;

			call.len += bad->len_add;
			/* The source of a MOVE has to be aligned, too. */
			if (op == OP_MOVE)
				call.src = self->mem.area;
			err = uffd_do(self->fd, &call, NULL);
			EXPECT_EQ(expected_error(bad, op), err)
				TH_LOG("%s %s, %s: expected %s, got %s", self->type->name,
				       op_names[op], bad->name,
				       err_name(expected_error(bad, op)), err_name(err));
		}
	}
	EXPECT_EQ(0, pagemap(self->target) & PM_PRESENT);
}

TEST_F(uffd, bad_register_range)
{
	size_t unit = self->mem.unit;
	char *p = self->mem.area;

	self->fd = uffd_open(0);
	ASSERT_GE(self->fd, 0);
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, p + 1, unit, M), "REGISTER of half a page");
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, p, unit + 1, M), "REGISTER of a byte more");
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, p, 0, M), "REGISTER of nothing");
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, p, -unit, M), "REGISTER around the end");
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, BEYOND, unit, M), "REGISTER of the kernel");
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, NOWHERE, unit, M), "REGISTER where nothing is");
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, p, unit, 0), "REGISTER without a mode");
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, p, unit, 1 << 4), "REGISTER, unknown mode");
}

/* Half a huge page is not a page. */
TEST_F(uffd, part_of_a_huge_page)
{
	char *p = self->target;
	size_t part = page_size();

	NEED(mem_is(&self->mem, MEM_HUGETLB), "not hugetlb");
	self->fd = uffd_open(0);
	ASSERT_GE(self->fd, 0);
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, p + part, part, M), "REGISTER");
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, p, part, M), "REGISTER");
	close(self->fd);
	OPEN(0, M | N);
	EXPECT_ERR(-EINVAL, uffd_copy(self->fd, p, self->source, part, 0), "COPY");
	EXPECT_ERR(-EINVAL, uffd_copy(self->fd, p + part, self->source, part, 0), "COPY");
	EXPECT_ERR(-EINVAL, uffd_continue(self->fd, p, part, 0), "CONTINUE");
	EXPECT_ERR(-EINVAL, uffd_poison(self->fd, p, part), "POISON");
	EXPECT_ERR(-EINVAL, uffd_unregister(self->fd, p + part, part), "UNREGISTER");
	close(self->fd);
	OPEN(0, W);
	EXPECT_ERR(-EINVAL, uffd_wp(self->fd, p, part, UFFDIO_WRITEPROTECT_MODE_WP),
		   "WRITEPROTECT");
	close(self->fd);
	if (!(uffd_features() & RWP))
		return;
	OPEN(RWP, R);
	EXPECT_ERR(-EINVAL, uffd_rwp(self->fd, p, part, UFFDIO_RWPROTECT_MODE_RWP), "RWPROTECT");
}

TEST_F(uffd, not_registered)
{
	static const int want[NR_OPS] = {
		[OP_COPY] = -ENOENT,
		[OP_ZEROPAGE] = -ENOENT,
		[OP_CONTINUE] = -ENOENT,
		[OP_POISON] = -ENOENT,
		[OP_WP] = -ENOENT,
		[OP_RWP] = -ENOENT,
		[OP_MOVE] = -EINVAL,
		[OP_WAKE] = 0,
		[OP_UNREGISTER] = 0,
	};

	self->fd = uffd_open(0);
	ASSERT_GE(self->fd, 0);
	for (int op = 0; op < NR_OPS; op++) {
		struct uffd_call call = {
			op, self->target, op == OP_MOVE ? self->mem.area : self->source,
			self->mem.unit, 0
		};

		if (op == OP_RWP && !(uffd_features() & RWP))
			continue;
		EXPECT_ERR(want[op], uffd_do(self->fd, &call, NULL), op_names[op]);
	}
	EXPECT_EQ(0, pagemap(self->target) & PM_PRESENT);
	EXPECT_LE(mem_blocks(&self->mem), 0);
}

/*
 * Only REGISTER, UNREGISTER and MOVE ask whose mapping it is; filled it may be
 * by any userfaultfd of the same process, as always.
 */
TEST_F(uffd, another_userfaultfd)
{
	int other = uffd_open(0);

	ASSERT_GE(other, 0);
	OPEN(0, M | W);
	EXPECT_ERR(-EBUSY, uffd_register(other, self->mem.area, self->mem.len, M), "REGISTER");
	EXPECT_ERR(-EINVAL, uffd_unregister(other, self->mem.area, self->mem.len), "UNREGISTER");
	EXPECT_ERR(-EINVAL, uffd_do(other, &(struct uffd_call){
			OP_MOVE, self->target, self->mem.area, self->mem.unit, 0 }, NULL), "MOVE");
	EXPECT_ERR(0, uffd_copy(other, self->target, self->source, self->mem.unit, 0), "COPY");
	EXPECT_ERR(0, uffd_wp(other, self->target, self->mem.unit, UFFDIO_WRITEPROTECT_MODE_WP),
		   "WRITEPROTECT");
	EXPECT_ERR(0, uffd_poison(other, self->mem.area, self->mem.unit), "POISON");
	EXPECT_TRUE(pagemap(self->target) & PM_UFFD);
}

TEST_F(uffd, mode_switch)
{
	NEED_FEATURE(RWP);
	OPEN(RWP, M);
	EXPECT_GT(uffd_register(self->fd, self->mem.area, self->mem.len, M | W), 0);
	/* What is write-protected would stay so, with nobody to undo it. */
	EXPECT_ERR(-EBUSY, uffd_register(self->fd, self->mem.area, self->mem.len, M), "WP dropped");
	EXPECT_ERR(-EBUSY, uffd_register(self->fd, self->mem.area, self->mem.len, R), "WP to RWP");
	EXPECT_GT(uffd_register(self->fd, self->mem.area, self->mem.len, W), 0);
	EXPECT_ERR(0, uffd_unregister(self->fd, self->mem.area, self->mem.len), "UNREGISTER");
	EXPECT_GT(uffd_register(self->fd, self->mem.area, self->mem.len, R), 0);
	EXPECT_ERR(-EBUSY, uffd_register(self->fd, self->mem.area, self->mem.len, M),
		   "RWP dropped");
}

/* Fills stay inside one mapping; protection does not care. */
TEST_F(uffd, across_two_mappings)
{
	size_t len = 2 * self->mem.unit;
	char *p = self->mem.area;
	char *source = malloc(len);

	memset(source, BYTE_COPY, len);
	OPEN(0, M | W);
	/* Other protection makes it two. */
	ASSERT_EQ(0, mprotect(p, self->mem.unit, PROT_READ));
	EXPECT_ERR(-ENOENT, uffd_copy(self->fd, p, source, len, 0), "COPY");
	EXPECT_ERR(-ENOENT, uffd_poison(self->fd, p, len), "POISON");
	EXPECT_EQ(0, pagemap(p) & PM_PRESENT);
	EXPECT_ERR(0, uffd_wp(self->fd, p, len, UFFDIO_WRITEPROTECT_MODE_WP), "WRITEPROTECT");
	EXPECT_ERR(0, uffd_unregister(self->fd, p, len), "UNREGISTER");
	EXPECT_GT(uffd_register(self->fd, p, len, M), 0);
	free(source);
}

/* The end of the mapping is the end, whatever is behind it. */
TEST_F(uffd, across_the_end)
{
	size_t unit = self->mem.unit;
	char *source = malloc(2 * unit);

	memset(source, BYTE_COPY, 2 * unit);
	ASSERT_EQ(0, munmap(self->target, unit));
	self->mem.len = unit;
	OPEN(0, M | W);
	EXPECT_ERR(-ENOENT, uffd_copy(self->fd, self->mem.area, source, 2 * unit, 0), "COPY");
	EXPECT_ERR(0, uffd_wp(self->fd, self->mem.area, 2 * unit, UFFDIO_WRITEPROTECT_MODE_WP),
		   "WRITEPROTECT");
	EXPECT_ERR(0, uffd_copy(self->fd, self->mem.area, source, unit, 0), "COPY");
	free(source);
}

/* A mapping that cannot be registered spoils the whole range. */
TEST_F(uffd, next_to_refused)
{
	size_t unit = self->mem.unit;
	void *p;

	ASSERT_EQ(0, munmap(self->target, unit));
	p = mmap(self->target, unit, PROT_READ | PROT_WRITE,
		 0x08 | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	NEED(p == self->target, "no MAP_DROPPABLE");
	self->fd = uffd_open(0);
	ASSERT_GE(self->fd, 0);
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, self->mem.area, 2 * unit, M), "REGISTER");
	EXPECT_ERR(-ENOENT, COPY(0, 0), "COPY");
	EXPECT_GT(uffd_register(self->fd, self->mem.area, unit, M), 0);
}

#define HUGE_BITS ((1 << _UFFDIO_WAKE) | (1 << _UFFDIO_COPY) | (1 << _UFFDIO_POISON))

/* Huge pages in the range take ZEROPAGE and MOVE from all of it. */
TEST_F(uffd, mixed_with_hugetlb)
{
	const struct mem_type *hugetlb = mem_type_find("hugetlb");
	struct mem huge, other;
	char *p;

	NEED(!mem_is(&self->mem, MEM_HUGETLB), "hugetlb itself");
	NEED(!mem_make(&huge, hugetlb, UNITS), "no free huge pages");
	/* Half of it gives way to this type. */
	p = mem_unit(&huge, 1);
	ASSERT_EQ(0, munmap(p, huge.unit));
	ASSERT_EQ(0, mem_make_at(&other, self->type, huge.unit / page_size(), p));
	self->fd = uffd_open(0);
	ASSERT_GE(self->fd, 0);
	EXPECT_EQ(HUGE_BITS, uffd_register(self->fd, huge.area, huge.len, M));
	EXPECT_ERR(0, uffd_copy(self->fd, p, self->source, page_size(), 0), "COPY");
	mem_free(&other);
	huge.len = huge.unit;
	mem_free(&huge);
}

/* What was filled before the error stays, and is told. */
static const struct {
	enum uffd_op op;
	bool minor;
	bool pte_only;
} partial_ops[] = {
	{ OP_COPY, false, false },
	{ OP_ZEROPAGE, false, true },
	{ OP_POISON, false, false },
	{ OP_CONTINUE, true, false },
};

TEST_F(uffd, partial)
{
	for (unsigned int i = 0; i < ARRAY_LEN(partial_ops); i++) {
		bool minor = partial_ops[i].minor;
		struct uffd_call call = { .op = partial_ops[i].op };
		struct mem m;
		char *source;
		long long done;

		if ((partial_ops[i].pte_only && mem_is(&self->mem, MEM_HUGETLB)) ||
		    (minor && !has_minor(self->type)))
			continue;
		ASSERT_EQ(0, mem_make(&m, self->type, 3));
		/* CONTINUE stops at a hole in the file, the others at a page. */
		if (minor) {
			ASSERT_EQ(0, mem_fill_cache(&m, 0, BYTE_CACHE));
			ASSERT_EQ(0, mem_fill_cache(&m, 1, BYTE_CACHE));
		} else {
			memset(mem_unit(&m, 2), BYTE_MAPPED, m.unit);
		}
		self->fd = uffd_open(0);
		ASSERT_GE(self->fd, 0);
		ASSERT_GT(uffd_register(self->fd, m.area, m.len, minor ? N : M), 0);
		source = calloc(1, m.len);
		call.dst = m.area;
		call.src = source;
		call.len = 3 * m.unit;
		EXPECT_ERR(-EAGAIN, uffd_do(self->fd, &call, &done), op_names[call.op]);
		EXPECT_EQ(2 * m.unit, done)
			TH_LOG("%s %s: expected %zu, got %lld", self->type->name,
			       op_names[call.op], 2 * m.unit, done);
		/* The rest alone says why. */
		call.dst = mem_unit(&m, 2);
		call.len = m.unit;
		EXPECT_ERR(minor ? -EFAULT : -EEXIST, uffd_do(self->fd, &call, &done),
			   op_names[call.op]);
		if (!minor)
			EXPECT_TRUE(unit_is(mem_unit(&m, 2), m.unit, BYTE_MAPPED));
		close(self->fd);
		mem_free(&m);
		free(source);
	}
}

TEST_F(uffd, move_partial)
{
	struct mem from;
	struct uffd_call call = { .op = OP_MOVE, .dst = self->mem.area };
	long long done;

	NEED(self->type->class == CLASS_ANON, "only anonymous memory is moved");
	ASSERT_EQ(0, mem_make(&from, self->type, UNITS));
	memset(from.area, BYTE_COPY, from.unit);
	OPEN(0, M);
	call.src = from.area;
	call.len = 2 * from.unit;
	EXPECT_ERR(-EAGAIN, uffd_do(self->fd, &call, &done), "MOVE");
	EXPECT_EQ(from.unit, done);
	EXPECT_TRUE(unit_is(self->mem.area, self->mem.unit, BYTE_COPY));
}

TEST_F(uffd, bad_source)
{
	size_t unit = self->mem.unit;
	char *source = mmap(NULL, 2 * unit, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffd_call call = { OP_COPY, self->mem.area, source, 2 * unit, 0 };
	long long done;

	ASSERT_NE(MAP_FAILED, source);
	memset(source, BYTE_COPY, 2 * unit);
	OPEN(0, M);
	/* The last page of the second unit cannot be read. */
	ASSERT_EQ(0, mprotect(source + 2 * unit - page_size(), page_size(), PROT_NONE));
	EXPECT_ERR(-EAGAIN, uffd_do(self->fd, &call, &done), "COPY");
	EXPECT_EQ(unit, done);
	EXPECT_ERR(-EFAULT, uffd_copy(self->fd, self->target, source + unit, unit, 0), "COPY");
	EXPECT_EQ(0, pagemap(self->target) & PM_PRESENT);
	EXPECT_ERR(-EINVAL, uffd_copy(self->fd, self->target, (void *)-unit, unit, 0),
		   "COPY from the end of memory");
	/* A source needs no alignment. */
	EXPECT_ERR(0, uffd_copy(self->fd, self->target, self->source + 1, unit, 0), "COPY");
	EXPECT_TRUE(unit_is(self->target, unit, BYTE_COPY));
}

/* Two pages on each side of where one page table ends and the next begins. */
static const struct {
	enum uffd_op op;
	bool minor;
	int byte;		/* what is there then, -1: poison */
} pmd_ops[] = {
	{ OP_COPY, false, BYTE_COPY },
	{ OP_ZEROPAGE, false, 0 },
	{ OP_POISON, false, -1 },
	{ OP_CONTINUE, true, BYTE_CACHE },
};

TEST_F(uffd, across_two_page_tables)
{
	size_t page = page_size(), huge = huge_size();
	char *source = malloc(4 * page);

	NEED(!mem_is(&self->mem, MEM_HUGETLB), "hugetlb: no page tables of small pages");
	memset(source, BYTE_COPY, 4 * page);
	for (unsigned int i = 0; i < ARRAY_LEN(pmd_ops); i++) {
		struct uffd_call call = { .op = pmd_ops[i].op, .src = source, .len = 4 * page };
		char *room = mmap(NULL, 3 * huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		char *at = (char *)(((unsigned long)room + huge - 1) & ~(huge - 1));
		struct mem m;
		long long done;

		if (pmd_ops[i].minor && !has_minor(self->type))
			continue;
		ASSERT_EQ(0, mem_make_at(&m, self->type, 2 * huge / page, at));
		for (int n = -2; n < 2 && pmd_ops[i].minor; n++)
			ASSERT_EQ(0, mem_fill_cache(&m, huge / page + n, BYTE_CACHE));
		self->fd = uffd_open(0);
		ASSERT_GE(self->fd, 0);
		ASSERT_GT(uffd_register(self->fd, m.area, m.len, pmd_ops[i].minor ? N : M), 0);
		call.dst = m.area + huge - 2 * page;
		EXPECT_ERR(0, uffd_do(self->fd, &call, &done), op_names[call.op]);
		EXPECT_EQ(4 * page, done);
		for (char *p = call.dst; p < (char *)call.dst + 4 * page; p += page) {
			if (pmd_ops[i].byte < 0) {
				EXPECT_EQ(SIGBUS, try_read(p, NULL).sig);
				continue;
			}
			EXPECT_TRUE(unit_is(p, page, pmd_ops[i].byte))
				TH_LOG("%s %s: wrong page %ld", self->type->name, op_names[call.op],
				       (p - (char *)call.dst) / (long)page);
		}
		close(self->fd);
		mem_free(&m);
		munmap(room, 3 * huge);
	}
	free(source);
}

/* Memory that may not be written must not be filled behind its back. */
TEST_F(uffd, read_only_file)
{
	char path[64];
	void *p;
	int fd;

	NEED(self->mem.fd >= 0 && mem_is_shared(&self->mem), "not a shared file");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->mem.fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	p = mmap(NULL, self->mem.len, PROT_READ, MAP_SHARED, fd, self->mem.offset);
	ASSERT_NE(MAP_FAILED, p);
	self->fd = uffd_open(0);
	ASSERT_GE(self->fd, 0);
	EXPECT_ERR(-EPERM, uffd_register(self->fd, p, self->mem.len, M), "REGISTER");
}

TEST_F(uffd, read_only_mapping)
{
	ASSERT_EQ(0, mprotect(self->mem.area, self->mem.len, PROT_READ));
	OPEN(0, M);
	EXPECT_ERR(0, COPY(TARGET, 0), "COPY");
	EXPECT_TRUE(unit_is(self->target, self->mem.unit, BYTE_COPY));
	EXPECT_EQ(SIGSEGV, try_write(self->target, 1).sig);
}

TEST_F(uffd, rwp_needs_access)
{
	NEED_FEATURE(RWP);
	ASSERT_EQ(0, mprotect(self->mem.area, self->mem.len, PROT_NONE));
	self->fd = uffd_open(RWP);
	ASSERT_GE(self->fd, 0);
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, self->mem.area, self->mem.len, R), "REGISTER");
	EXPECT_GT(uffd_register(self->fd, self->mem.area, self->mem.len, M), 0);
}

/* The process whose memory it is has gone. */
TEST_F(uffd, dead_process)
{
	int fds[2], fd, pidfd;
	pid_t pid;

	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	if (!pid) {
		fd = uffd_open(0);
		uffd_register(fd, self->mem.area, self->mem.len, M);
		if (write(fds[1], &fd, sizeof(fd)) != sizeof(fd))
			_exit(1);
		pause();
	}
	ASSERT_EQ(sizeof(fd), read(fds[0], &fd, sizeof(fd)));
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	self->fd = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_ERR(-ESRCH, COPY(TARGET, 0), "COPY");
	EXPECT_ERR(-ESRCH, uffd_poison(self->fd, self->target, self->mem.unit), "POISON");
	EXPECT_ERR(-ESRCH, uffd_continue(self->fd, self->target, self->mem.unit, 0), "CONTINUE");
	EXPECT_ERR(-ESRCH, uffd_zeropage(self->fd, self->target, self->mem.unit), "ZEROPAGE");
	EXPECT_ERR(-ESRCH, uffd_wp(self->fd, self->target, self->mem.unit, 0), "WRITEPROTECT");
	EXPECT_ERR(-ENOMEM, uffd_unregister(self->fd, self->mem.area, self->mem.len), "UNREGISTER");
	EXPECT_ERR(-ENOMEM, uffd_register(self->fd, self->mem.area, self->mem.len, M), "REGISTER");
	if (uffd_features() & UFFD_FEATURE_RWP_ASYNC) {
		struct uffdio_set_mode off = { .disable = UFFD_FEATURE_RWP_ASYNC };

		EXPECT_ERR(-ESRCH, uffd_rwp(self->fd, self->target, self->mem.unit, 0),
			   "RWPROTECT");
		EXPECT_EQ(-1, ioctl(self->fd, UFFDIO_SET_MODE, &off));
		EXPECT_EQ(ESRCH, errno);
	}
}

#define LONG_LEN	(64UL << 20)

struct long_call {
	struct uffd_call call;
	int fd;
};

static int do_long_call(void *arg)
{
	struct long_call *c = arg;

	uffd_do(c->fd, &c->call, NULL);
	return 0;
}

/* Fill all of @m, and be killed once its first page is there. */
static bool kill_in_the_middle(const struct mem_type *type, enum uffd_op op, size_t units)
{
	struct long_call c = { .call.op = op };
	struct mem m, from;
	bool stopped;
	pid_t pid;

	if (mem_make(&m, type, units) ||
	    mem_make(&from, mem_type_find("anon"), m.len / page_size()))
		abort();
	if (op == OP_MOVE)
		memset(from.area, BYTE_COPY, from.len);
	c.call.dst = m.area;
	c.call.src = from.area;
	c.call.len = m.len;
	c.fd = uffd_open(0);
	if (uffd_register(c.fd, m.area, m.len, M) < 0)
		abort();
	/* One that can be killed alone, and what it did be seen. */
	pid = process_here(do_long_call, &c);
	while (!(pagemap(m.area) & PM_PRESENT))
		sched_yield();
	if (kill(pid, SIGKILL) || waitpid(pid, NULL, 0) != pid)
		abort();
	stopped = !(pagemap(mem_unit(&m, units - 1)) & PM_PRESENT);
	close(c.fd);
	mem_free(&from);
	mem_free(&m);
	return stopped;
}

/* It may be done before the signal is there, but not always. */
#define EXPECT_STOPS(op, units) do {						\
	bool stopped = false;							\
										\
	for (int tries = 0; !stopped && tries < 20; tries++)			\
		stopped = kill_in_the_middle(self->type, op, units);		\
	EXPECT_TRUE(stopped)							\
		TH_LOG("%s %s: not stopped by SIGKILL", self->type->name, op_names[op]); \
} while (0)

TEST_F(uffd, killed)
{
	size_t units = mem_is(&self->mem, MEM_HUGETLB) ? 24 : LONG_LEN / self->mem.unit;

	need_huge_pages(32);
	EXPECT_STOPS(OP_COPY, units);
	if (self->type->class == CLASS_ANON && uffd_features() & UFFD_FEATURE_MOVE)
		EXPECT_STOPS(OP_MOVE, units);
}

/* The result of a call that cannot be told is an error, too. */
TEST_F(uffd, arguments_not_mapped)
{
	static const unsigned long cmds[] = {
		UFFDIO_REGISTER, UFFDIO_UNREGISTER, UFFDIO_WAKE, UFFDIO_COPY,
		UFFDIO_ZEROPAGE, UFFDIO_CONTINUE, UFFDIO_POISON,
		UFFDIO_WRITEPROTECT, UFFDIO_MOVE, UFFDIO_API,
		UFFDIO_RWPROTECT, UFFDIO_SET_MODE,
	};

	OPEN(0, M);
	for (unsigned int i = 0; i < ARRAY_LEN(cmds); i++) {
		if ((cmds[i] == UFFDIO_RWPROTECT || cmds[i] == UFFDIO_SET_MODE) &&
		    !(uffd_features() & RWP))
			continue;
		EXPECT_EQ(-1, ioctl(self->fd, cmds[i], NOWHERE));
		EXPECT_EQ(EFAULT, errno) TH_LOG("ioctl %#lx", cmds[i]);
	}
	EXPECT_EQ(-1, ioctl(self->fd, _IO(UFFDIO, 0x3e), 0));
	EXPECT_EQ(EINVAL, errno);
}

/* What can be read but not written to: it is done, and cannot be told. */
static const struct {
	const char *name;
	unsigned long cmd;
	__u64 modes;		/* that the range is registered with */
	bool source;		/* the argument has one, after the destination */
	bool anon;		/* for anonymous memory only */
	bool pte_only;
	bool minor;
} told_cmds[] = {
	{ "REGISTER", UFFDIO_REGISTER, M, false, false, false, false },
	{ "COPY", UFFDIO_COPY, M, true, false, false, false },
	{ "ZEROPAGE", UFFDIO_ZEROPAGE, M, false, false, true, false },
	{ "POISON", UFFDIO_POISON, M, false, false, false, false },
	{ "CONTINUE", UFFDIO_CONTINUE, N, false, false, false, true },
	{ "MOVE", UFFDIO_MOVE, M, true, true, false, false },
};

TEST_F(uffd, result_cannot_be_told)
{
	__u64 *arg = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_api *api = (void *)arg;

	ASSERT_NE(MAP_FAILED, arg);
	for (unsigned int i = 0; i < ARRAY_LEN(told_cmds); i++) {
		struct mem m, from;
		__u64 *p = arg;

		if ((told_cmds[i].anon && self->type->class != CLASS_ANON) ||
		    (told_cmds[i].pte_only && mem_is(&self->mem, MEM_HUGETLB)) ||
		    (told_cmds[i].minor && !has_minor(self->type)))
			continue;
		ASSERT_EQ(0, mem_make(&m, self->type, UNITS));
		ASSERT_EQ(0, mem_make(&from, mem_type_find("anon"), UNITS));
		memset(from.area, BYTE_COPY, from.unit);
		if (told_cmds[i].minor)
			ASSERT_EQ(0, mem_fill_cache(&m, 0, BYTE_CACHE));
		self->fd = uffd_open(0);
		ASSERT_GT(uffd_register(self->fd, m.area, m.len, told_cmds[i].modes), 0);
		*p++ = (unsigned long)m.area;
		if (told_cmds[i].source)
			*p++ = told_cmds[i].anon ? (unsigned long)from.area :
				(unsigned long)self->source;
		*p++ = m.unit;
		*p = told_cmds[i].cmd == UFFDIO_REGISTER ? M : 0;
		ASSERT_EQ(0, mprotect(arg, page_size(), PROT_READ));
		EXPECT_EQ(-1, ioctl(self->fd, told_cmds[i].cmd, arg));
		EXPECT_EQ(EFAULT, errno) TH_LOG("%s %s", self->type->name, told_cmds[i].name);
		ASSERT_EQ(0, mprotect(arg, page_size(), PROT_READ | PROT_WRITE));
		close(self->fd);
		mem_free(&from);
		mem_free(&m);
	}
	/* API, its answer and its refusal. */
	self->fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	for (int version = 0; version < 2; version++) {
		*api = (struct uffdio_api) { .api = version ? UFFD_API : 0 };
		ASSERT_EQ(0, mprotect(arg, page_size(), PROT_READ));
		EXPECT_EQ(-1, ioctl(self->fd, UFFDIO_API, arg));
		EXPECT_EQ(EFAULT, errno);
		ASSERT_EQ(0, mprotect(arg, page_size(), PROT_READ | PROT_WRITE));
	}
	munmap(arg, page_size());
}

TEST_HARNESS_MAIN
