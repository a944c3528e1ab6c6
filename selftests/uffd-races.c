// SPDX-License-Identifier: GPL-2.0
/*
 * What may happen to a mapping while UFFDIO_COPY sleeps, and must do no harm.
 *
 * Nothing here is left to luck: the source of the COPY is a page that a second
 * userfaultfd has not filled, so the ioctl has dropped its locks and sleeps
 * while the test changes the destination, and goes on when it is told to.
 * What must come out is an error, with nothing changed, or the right page in
 * the right mapping.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uffd-file.h"
#include "uffd-lib.h"

#define TARGET		1	/* the unit that is copied to */
#define BYTE_LATE	0x5a
#define BYTE_FIRST	0x21

#define M		UFFDIO_REGISTER_MODE_MISSING
#define W		UFFDIO_REGISTER_MODE_WP
#define N		UFFDIO_REGISTER_MODE_MINOR
#define R		UFFDIO_REGISTER_MODE_RWP

FIXTURE(race)
{
	const struct mem_type *type;
	struct mem mem;
	char *target;
	int fd;
	struct late_copy late;
};

FIXTURE_VARIANT(race)
{
	const char *type;
};

FIXTURE_VARIANT_ADD(race, anon) { .type = "anon" };
FIXTURE_VARIANT_ADD(race, shmem) { .type = "shmem" };
FIXTURE_VARIANT_ADD(race, shmem_private) { .type = "shmem-private" };
FIXTURE_VARIANT_ADD(race, anon_shared) { .type = "anon-shared" };
FIXTURE_VARIANT_ADD(race, gmem) { .type = "gmem" };
FIXTURE_VARIANT_ADD(race, hugetlb) { .type = "hugetlb" };
FIXTURE_VARIANT_ADD(race, hugetlb_private) { .type = "hugetlb-private" };
FIXTURE_VARIANT_ADD(race, hugetlb_sysv) { .type = "hugetlb-sysv" };

FIXTURE_SETUP(race)
{
	self->fd = -1;
	self->type = mem_type_find(variant->type);
	if (!uffd_features())
		SKIP(return, NO_UFFD);
	if (!uffd_offers(self->type->class))
		SKIP(return, NO_GMEM);
	if (!uffd_sees_kernel())
		SKIP(return, NO_KERNEL_FAULTS);
	if (mem_make_at(&self->mem, self->type, 2 * huge_size() /
			(self->type->caps & MEM_HUGETLB ? huge_size() : page_size()),
			huge_room(3)))
		SKIP(return, "%s: %s", variant->type, self->mem.why);
	self->target = mem_unit(&self->mem, TARGET);
}

FIXTURE_TEARDOWN(race)
{
}

/* What the copy was for is not there, in pages of whatever size, nor in the file. */
#define EXPECT_UNTOUCHED(m, what) do {						\
	EXPECT_VALUE(0, pagemap_any((m)->area + TARGET * self->mem.unit, self->mem.unit), \
		     "%s late COPY, %s: page, or its uffd bit", self->type->name, what); \
	EXPECT_LE(mem_in_file(m), 0)						\
		TH_LOG("%s late COPY, %s: expected nothing in the file, got %ld of it", \
		       self->type->name, what, mem_in_file(m));			\
} while (0)

#define NEED_PROTECT() do {							\
	if (!mem_has_protect(&self->mem))					\
		SKIP(return, NO_PROTECT);					\
} while (0)

#define EXPECT_ERR(want, got, what)						\
	EXPECT_RESULT(want, got, "%s %s", self->type->name, what)

/* The late copy, after what was done to its destination. */
#define EXPECT_LATE(want, what) do {						\
	EXPECT_RESULT(want, self->late.err, "%s late COPY, %s", self->type->name, what); \
	EXPECT_VALUE((want) ?: (long long)self->mem.unit, self->late.done,	\
		     "%s late COPY, %s: written back", self->type->name, what);	\
} while (0)

#define EXPECT_UNIT(p, byte, what) do {						\
	EXPECT_TRUE(unit_is(p, self->mem.unit, byte))				\
		TH_LOG("%s late COPY, %s: expected 0x%02x everywhere, got %s",	\
		       self->type->name, what, byte, unit_name(p, self->mem.unit)); \
} while (0)

/* It may go on, or ask to try again. */
#define EXPECT_DONE_OR_AGAIN(what) do {						\
	const char *__what = (what);						\
										\
	if (self->late.err) {							\
		EXPECT_LATE(-EAGAIN, __what);					\
		EXPECT_UNTOUCHED(&self->mem, __what);				\
	} else {								\
		EXPECT_UNIT(self->target, BYTE_LATE, __what);			\
	}									\
} while (0)

/* Registered, and a COPY on its way to self->target. */
#define BEGIN(features, modes, copy_mode) do {					\
	self->fd = uffd_open(features);						\
	ASSERT_GE(self->fd, 0) TH_LOG("userfaultfd: %s", err_name(self->fd));	\
	ASSERT_GT(uffd_register(self->fd, self->mem.area, self->mem.len, modes), 0) \
		TH_LOG("%s: cannot be registered", self->type->name);		\
	ASSERT_EQ(0, late_start(&self->late, self->fd, self->target,		\
				self->mem.unit, copy_mode));			\
} while (0)

#define FINISH() ASSERT_EQ(0, late_finish(&self->late, BYTE_LATE))

/* Take @old's place.  NULL, or why not. */
static const char *replace(struct mem *new, const struct mem_type *type, struct mem *old)
{
	size_t unit = type->caps & MEM_HUGETLB ? huge_size() : page_size();
	char *at = old->area;
	size_t len = old->len;

	if (old->shm) {
		munmap(at, len);
		old->shm = false;
	}
	old->area = NULL;
	return mem_make_at(new, type, len / unit, at) ? new->why : NULL;
}

static int register_it(int fd, const struct mem *m, __u64 modes)
{
	long long bits = uffd_register(fd, m->area, m->len, modes);

	return bits < 0 ? bits : 0;
}

/* What REGISTER answers for memory of @type that takes nobody's place. */
static int register_another(int fd, const struct mem_type *type, __u64 modes)
{
	struct mem m;
	int err;

	if (mem_make(&m, type, 1))
		return -ENOMEM;
	err = register_it(fd, &m, modes);
	mem_free(&m);
	return err;
}

static bool can_replace(const struct mem_type *type)
{
	return !(type->caps & MEM_GIGANTIC) && strcmp(type->name, "anon-thp") &&
	       strcmp(type->name, "vdso") && strcmp(type->name, "shadow-stack");
}

/* Nothing tells these from each other: both are plain anonymous memory. */
static bool same_to_mm(const struct mem_type *a, const struct mem_type *b)
{
	return a->class == CLASS_ANON && b->class == CLASS_ANON;
}

static bool has_wp(void)
{
	return uffd_features() & UFFD_FEATURE_PAGEFAULT_FLAG_WP;
}

/*
 * In which mode the destination is registered, before and after: in one that
 * both can be, so that nothing but the type tells them apart.
 */
static __u64 modes_of(const struct mem_type *type)
{
	return (type->class == CLASS_OTHER || type->class == CLASS_GMEM) && has_wp() ? W : M;
}

/* False if there is no memory of @type here. */
static bool try_replace(struct __test_metadata *_metadata, FIXTURE_DATA(race) * self,
			const struct mem_type *type)
{
	__u64 features = uffd_features() & UFFD_FEATURE_WP_ASYNC, modes = modes_of(type);
	struct mem new, old = self->mem;
	int want, err = 0;
	const char *why;

	BEGIN(features, modes, 0);
	want = register_another(self->fd, type, modes);
	why = replace(&new, type, &self->mem);
	if (!why)
		err = register_it(self->fd, &new, modes);
	FINISH();
	/* One that is not registered would prove less. */
	if (!why)
		EXPECT_RESULT(want, err, "%s REGISTER of %s in its place", self->type->name,
			      type->name);
	if (!why && same_to_mm(self->type, type)) {
		EXPECT_LATE(0, type->name);
		EXPECT_UNIT(self->target, BYTE_LATE, type->name);
	} else if (!why) {
		EXPECT_NE(0, self->late.err)
			TH_LOG("%s late COPY, replaced by %s: expected an error, got ok",
			       self->type->name, type->name);
		EXPECT_UNTOUCHED(&new, type->name);
	}
	/* Where it was is another's. */
	old.area = NULL;
	if (!why) {
		EXPECT_VALUE(0, mem_in_file(&old) > 0,
			     "%s late COPY, replaced by %s: in the file",
			     self->type->name, type->name);
		mem_free(&new);
	}
	close(self->fd);
	mem_free(&old);
	return !why;
}

TEST_F_TIMEOUT(race, replaced_by_every_type, 120)
{
	char *at = self->mem.area;
	unsigned int tried = 0;

	for (unsigned int i = 0; i < nr_mem_types; i++) {
		if (!can_replace(&mem_types[i]))
			continue;
		tried += try_replace(_metadata, self, &mem_types[i]);
		/* A new one, at the same place, for the next. */
		ASSERT_EQ(0, mem_make_at(&self->mem, self->type, self->mem.units, at));
	}
	EXPECT_GE(tried, 6) TH_LOG("only %u types to replace it by", tried);
}

TEST_F(race, another_file)
{
	struct mem new;

	if (self->type->class == CLASS_ANON)
		SKIP(return, "anonymous memory has no file");
	BEGIN(0, M, 0);
	ASSERT_EQ(NULL, replace(&new, self->type, &self->mem));
	ASSERT_EQ(0, register_it(self->fd, &new, M));
	FINISH();
	EXPECT_LATE(-EAGAIN, "another file");
	EXPECT_UNTOUCHED(&new, "the new file");
	EXPECT_VALUE(0, mem_in_file(&self->mem) > 0, "%s late COPY, another file: in the file",
		     self->type->name);
	mem_free(&new);
}

TEST_F(race, another_offset)
{
	struct mem *m = &self->mem;

	if (m->fd < 0)
		SKIP(return, "%s has no file to map elsewhere", self->type->name);
	if (mem_is(m, MEM_SIZE))
		ASSERT_EQ(0, ftruncate(m->fd, m->len + m->unit));
	BEGIN(0, M, 0);
	ASSERT_EQ(m->area, mmap(m->area, m->len, PROT_READ | PROT_WRITE,
				m->type->map_flags | MAP_FIXED, m->fd, m->unit));
	ASSERT_GT(uffd_register(self->fd, m->area, m->len, M), 0);
	FINISH();
	EXPECT_LATE(-EAGAIN, "another offset");
	EXPECT_UNTOUCHED(m, "the new mapping");
}

/* The new mapping has another page there, and starts like the old one in the file. */
TEST_F(race, another_offset_same_start)
{
	struct mem *m = &self->mem;

	if (m->fd < 0)
		SKIP(return, "%s has no file to map elsewhere", self->type->name);
	BEGIN(0, M, 0);
	ASSERT_EQ(self->target, mmap(self->target, m->unit, PROT_READ | PROT_WRITE,
				     m->type->map_flags | MAP_FIXED, m->fd, m->offset));
	ASSERT_GT(uffd_register(self->fd, self->target, m->unit, M), 0);
	FINISH();
	EXPECT_LATE(-EAGAIN, "another offset");
	EXPECT_UNTOUCHED(m, "the new mapping");
}

TEST_F(race, shared_becomes_private)
{
	struct mem *m = &self->mem;
	int flags = m->type->map_flags ^ (MAP_SHARED | MAP_PRIVATE);

	if (self->type->class == CLASS_GMEM)
		SKIP(return, "guest_memfd has no private mappings");
	if (m->fd < 0)
		SKIP(return, "%s has no file to map again", self->type->name);
	BEGIN(0, M, 0);
	ASSERT_EQ(m->area, mmap(m->area, m->len, PROT_READ | PROT_WRITE,
				flags | MAP_FIXED, m->fd, m->offset));
	ASSERT_GT(uffd_register(self->fd, m->area, m->len, M), 0);
	FINISH();
	EXPECT_LATE(-EAGAIN, "shared becomes private");
	EXPECT_UNTOUCHED(m, "the new mapping");
}

/* The same file at the same place. */
TEST_F(race, mapped_again)
{
	struct mem *m = &self->mem;

	if (m->fd < 0)
		SKIP(return, "%s has no file to map again", self->type->name);
	BEGIN(0, M, 0);
	ASSERT_EQ(m->area, mmap(m->area, m->len, PROT_READ | PROT_WRITE,
				m->type->map_flags | MAP_FIXED, m->fd, m->offset));
	ASSERT_GT(uffd_register(self->fd, m->area, m->len, M), 0);
	FINISH();
	EXPECT_DONE_OR_AGAIN("mapped again");
}

/* A page that is write-protected must not get into memory without WP. */
TEST_F(race, registered_without_wp)
{
	if (!has_wp())
		SKIP(return, "this kernel has no WP");
	NEED_PROTECT();
	BEGIN(0, M | W, UFFDIO_COPY_MODE_WP);
	ASSERT_EQ(0, uffd_unregister(self->fd, self->mem.area, self->mem.len));
	ASSERT_GT(uffd_register(self->fd, self->mem.area, self->mem.len, M), 0);
	FINISH();
	EXPECT_LATE(-EINVAL, "registered without wp");
	EXPECT_UNTOUCHED(&self->mem, "registered without wp");
}

/* How it is registered when COPY begins, and then. */
static const struct {
	const char *name;
	__u64 before;
	__u64 after;
} mode_changes[] = {
	{ "registered with wp", M, M | W },
	{ "registered with minor", M, M | N },
	{ "registered with minor only", M, N },
	{ "registered without minor", M | N, M },
	{ "registered with rwp", M, M | R },
	{ "registered with rwp only", M, R },
};

TEST_F(race, registered_otherwise)
{
	__u64 features = uffd_features() & UFFD_FEATURE_RWP;
	int fd = uffd_open(features);
	char *at = self->mem.area;
	unsigned int tried = 0;

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, register_another(fd, self->type, M));
	for (unsigned int i = 0; i < ARRAY_SIZE(mode_changes); i++) {
		__u64 before = mode_changes[i].before, after = mode_changes[i].after;

		if (!register_another(fd, self->type, before) &&
		    !register_another(fd, self->type, after)) {
			tried++;
			BEGIN(features, before, 0);
			/* To register it again takes no mode away. */
			if (!(after & ~before))
				ASSERT_EQ(0, uffd_unregister(self->fd, at, self->mem.len));
			ASSERT_EQ(0, register_it(self->fd, &self->mem, after));
			FINISH();
			EXPECT_LATE(-EAGAIN, mode_changes[i].name);
			EXPECT_UNTOUCHED(&self->mem, mode_changes[i].name);
			close(self->fd);
			/* A new one, at the same place, for the next. */
			mem_free(&self->mem);
			ASSERT_EQ(0, mem_make_at(&self->mem, self->type, self->mem.units, at));
		}
	}
	close(fd);
	if (!tried)
		SKIP(return, "not to be registered in any other mode");
}

/* Whose it is, is not asked: the page is for the mapping. */
TEST_F(race, registered_with_another)
{
	int other = uffd_open(0);

	ASSERT_GE(other, 0);
	BEGIN(0, M, 0);
	ASSERT_EQ(0, uffd_unregister(self->fd, self->mem.area, self->mem.len));
	ASSERT_EQ(0, register_it(other, &self->mem, M));
	FINISH();
	EXPECT_DONE_OR_AGAIN("registered with another userfaultfd");
	close(other);
}

TEST_F(race, unregistered)
{
	BEGIN(0, M, 0);
	ASSERT_EQ(0, uffd_unregister(self->fd, self->mem.area, self->mem.len));
	FINISH();
	EXPECT_LATE(-ENOENT, "unregistered");
	EXPECT_UNTOUCHED(&self->mem, "unregistered");
}

TEST_F(race, unmapped)
{
	BEGIN(0, M, 0);
	ASSERT_EQ(0, munmap(self->mem.area, self->mem.len));
	self->mem.area = NULL;
	FINISH();
	EXPECT_LATE(-ENOENT, "unmapped");
	EXPECT_VALUE(0, mem_in_file(&self->mem) > 0, "%s late COPY, unmapped: in the file",
		     self->type->name);
}

/* What is beyond the end of the file must not be filled any more. */
TEST_F(race, truncated)
{
	bool fills = self->type->class == CLASS_HUGETLB_PRIVATE;

	if (!mem_is(&self->mem, MEM_SIZE))
		SKIP(return, "%s has no file to truncate", self->type->name);
	BEGIN(0, M, 0);
	ASSERT_EQ(0, mem_truncate(&self->mem, TARGET));
	FINISH();
	/* Private hugetlb memory does not look at the size of its file. */
	EXPECT_LATE(fills ? 0 : -EFAULT, "truncated");
	EXPECT_VALUE(0, mem_blocks(&self->mem) > 0, "%s late COPY, truncated: blocks",
		     self->type->name);
	if (!fills)
		EXPECT_UNTOUCHED(&self->mem, "truncated");
}

TEST_F(race, filled_by_another)
{
	char *page = malloc(self->mem.unit);

	memset(page, BYTE_FIRST, self->mem.unit);
	BEGIN(0, M, 0);
	ASSERT_EQ(0, uffd_copy(self->fd, self->target, page, self->mem.unit, 0));
	FINISH();
	EXPECT_LATE(-EEXIST, "filled by another");
	EXPECT_UNIT(self->target, BYTE_FIRST, "after the first");
	free(page);
}

/* The page gets into the file, but not into this mapping. */
TEST_F(race, file_filled)
{
	struct mem *m = &self->mem;
	char *alias = mem_alias(m);

	if (alias == MAP_FAILED)
		SKIP(return, "%s has no file to fill", self->type->name);
	BEGIN(0, M, 0);
	memset(alias + TARGET * m->unit, BYTE_FIRST, m->unit);
	FINISH();
	/* Private memory is not of the file. */
	EXPECT_LATE(mem_is_shared(m) ? -EEXIST : 0, "file filled");
	if (!mem_is_shared(m))
		EXPECT_UNIT(self->target, BYTE_LATE, "file filled");
	EXPECT_UNIT(alias + TARGET * m->unit, BYTE_FIRST, "the file");
}

/* The half that is not copied to goes away. */
TEST_F(race, split)
{
	BEGIN(0, M, 0);
	ASSERT_EQ(0, munmap(self->mem.area, self->mem.unit));
	FINISH();
	EXPECT_DONE_OR_AGAIN("split");
}

/* Without events nobody has to be asked; the page is the parent's alone. */
TEST_F(race, forked)
{
	int status;
	pid_t pid;

	BEGIN(0, M, 0);
	pid = fork();
	if (!pid) {
		/* Its parent goes on when it is gone. */
		_exit(pagemap(self->target) & PM_PRESENT ? 1 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_VALUE(0, status, "%s, page in the child", self->type->name);
	FINISH();
	EXPECT_LATE(0, "forked");
	EXPECT_UNIT(self->target, BYTE_LATE, "forked");
}

/*
 * With events the system call that changes the mapping sleeps until its event
 * is read; a COPY that wakes up before that must say EAGAIN.
 */
struct changer {
	pthread_t thread;
	struct mem *mem;
	char *to;
	int status;
};

#define CHANGE(fn, c) do {							\
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };		\
										\
	(c)->mem = &self->mem;							\
	ASSERT_EQ(0, pthread_create(&(c)->thread, NULL, fn, c));		\
	ASSERT_EQ(1, poll(&pfd, 1, 10000));					\
} while (0)

/* Not fork(): glibc's holds its locks until the parent is back. */
static void *do_fork(void *arg)
{
	struct changer *c = arg;
	pid_t pid = syscall(SYS_fork);

	if (!pid)
		_exit(0);
	c->status = waitpid(pid, &c->status, 0) == pid ? c->status : -1;
	return NULL;
}

static void *do_remap(void *arg)
{
	struct changer *c = arg;

	c->status = mremap(c->mem->area, c->mem->len, c->mem->len,
			   MREMAP_MAYMOVE | MREMAP_FIXED, c->to) != c->to;
	return NULL;
}

static void *do_remove(void *arg)
{
	struct changer *c = arg;

	c->status = madvise(c->mem->area, c->mem->unit, MADV_DONTNEED);
	return NULL;
}

static void *do_unmap(void *arg)
{
	struct changer *c = arg;

	c->status = munmap(c->mem->area, c->mem->unit);
	return NULL;
}

TEST_F(race, fork_event)
{
	struct changer c = { 0 };
	struct uffd_msg msg;

	if (!uffd_sees_fork())
		SKIP(return, NO_FORK_EVENTS);
	BEGIN(UFFD_FEATURE_EVENT_FORK, M, 0);
	CHANGE(do_fork, &c);
	FINISH();
	EXPECT_LATE(-EAGAIN, "fork event");
	EXPECT_VALUE(-EAGAIN, self->late.done, "%s late COPY, written back", self->type->name);
	ASSERT_EQ(1, uffd_event(self->fd, &msg, 10000));
	EXPECT_VALUE(UFFD_EVENT_FORK, msg.event, "%s fork, event", self->type->name);
	/* It keeps the child's memory registered. */
	close(msg.arg.fork.ufd);
	pthread_join(c.thread, NULL);
	EXPECT_VALUE(0, c.status, "%s, status of the change", self->type->name);
	EXPECT_UNTOUCHED(&self->mem, "fork event");
}

TEST_F(race, remap_event)
{
	struct changer c = { .to = huge_room(3) };
	struct uffd_msg msg;

	BEGIN(UFFD_FEATURE_EVENT_REMAP, M, 0);
	CHANGE(do_remap, &c);
	FINISH();
	/* Nothing is there any more, which is seen first. */
	EXPECT_LATE(-ENOENT, "remap event");
	ASSERT_EQ(1, uffd_event(self->fd, &msg, 10000));
	EXPECT_VALUE(UFFD_EVENT_REMAP, msg.event, "%s remap, event", self->type->name);
	EXPECT_VALUE((unsigned long)c.to, msg.arg.remap.to, "%s event, to", self->type->name);
	pthread_join(c.thread, NULL);
	EXPECT_VALUE(0, c.status, "%s, status of the change", self->type->name);
	self->mem.area = c.to;
	EXPECT_UNTOUCHED(&self->mem, "remap event");
}

TEST_F(race, remove_event)
{
	struct changer c = { 0 };
	struct uffd_msg msg;

	BEGIN(UFFD_FEATURE_EVENT_REMOVE, M, 0);
	CHANGE(do_remove, &c);
	FINISH();
	EXPECT_LATE(-EAGAIN, "remove event");
	ASSERT_EQ(1, uffd_event(self->fd, &msg, 10000));
	EXPECT_VALUE(UFFD_EVENT_REMOVE, msg.event, "%s remove, event", self->type->name);
	EXPECT_VALUE((unsigned long)self->mem.area, msg.arg.remove.start,
		     "%s event, start", self->type->name);
	EXPECT_VALUE((unsigned long)self->mem.area + self->mem.unit, msg.arg.remove.end,
		     "%s event, end", self->type->name);
	pthread_join(c.thread, NULL);
	EXPECT_VALUE(0, c.status, "%s, status of the change", self->type->name);
	EXPECT_UNTOUCHED(&self->mem, "remove event");
}

TEST_F(race, unmap_event)
{
	struct changer c = { 0 };
	struct uffd_msg msg;

	BEGIN(UFFD_FEATURE_EVENT_UNMAP, M, 0);
	CHANGE(do_unmap, &c);
	FINISH();
	EXPECT_LATE(-EAGAIN, "unmap event");
	ASSERT_EQ(1, uffd_event(self->fd, &msg, 10000));
	EXPECT_VALUE(UFFD_EVENT_UNMAP, msg.event, "%s unmap, event", self->type->name);
	EXPECT_VALUE((unsigned long)self->mem.area, msg.arg.remove.start,
		     "%s event, start", self->type->name);
	pthread_join(c.thread, NULL);
	EXPECT_VALUE(0, c.status, "%s, status of the change", self->type->name);
	EXPECT_UNTOUCHED(&self->mem, "unmap event");
}

/* Not only COPY asks for patience while the mapping changes. */
TEST_F(race, everything_waits_for_the_event)
{
	static const struct { enum uffd_op op; unsigned long cmd; } told_cmds[] = {
		{ OP_COPY, UFFDIO_COPY }, { OP_ZEROPAGE, UFFDIO_ZEROPAGE },
		{ OP_CONTINUE, UFFDIO_CONTINUE }, { OP_POISON, UFFDIO_POISON },
		{ OP_MOVE, UFFDIO_MOVE },
	};
	void *empty = mmap(NULL, page_size(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct changer c = { 0 };
	struct uffd_msg msg;

	BEGIN(UFFD_FEATURE_EVENT_REMOVE, has_wp() && mem_has_protect(&self->mem) ? M | W : M, 0);
	CHANGE(do_remove, &c);
	for (int op = OP_COPY; op <= OP_MOVE; op++) {
		struct uffd_call call = {
			.op = op,
			.dst = self->target,
			.src = self->target,
			.len = self->mem.unit,
		};
		long long done;
		int err;

		if (!uffd_knows(op))
			continue;
		err = uffd_do(self->fd, &call, &done);
		EXPECT_ERR(-EAGAIN, err, op_names[op]);
		if (op <= OP_POISON || op == OP_MOVE)
			EXPECT_VALUE(-EAGAIN, done, "%s %s: written back", self->type->name,
				     op_names[op]);
	}
	/* Where that cannot be written, the error is another. */
	for (unsigned int i = 0; i < ARRAY_SIZE(told_cmds); i++) {
		if (uffd_knows(told_cmds[i].op))
			EXPECT_ERR(-EFAULT, ioctl(self->fd, told_cmds[i].cmd, empty) ? -errno : 0,
				   op_names[told_cmds[i].op]);
	}
	FINISH();
	ASSERT_EQ(1, uffd_event(self->fd, &msg, 10000));
	pthread_join(c.thread, NULL);
}

static void __attribute__((constructor)) prepare(void)
{
	pin_background();
	need_huge_pages(10);
}

TEST_HARNESS_MAIN
