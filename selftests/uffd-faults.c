// SPDX-License-Identifier: GPL-2.0
/*
 * Who is told of a fault, with which message, and who is woken by what.
 */
#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "uffd-fixture.h"

TEST_F(uffd, missing_read)
{
	OPEN(0, M);
	TOUCH(self->target + 8, false);
	EXPECT_FAULT(self->target, 0);
	EXPECT_ERR(0, COPY(TARGET, 0), "COPY");
	EXPECT_DONE(BYTE_COPY);
	EXPECT_NO_FAULT();
}

TEST_F(uffd, missing_write)
{
	OPEN(0, M);
	TOUCH(self->target + 8, true);
	EXPECT_FAULT(self->target, F_WRITE);
	EXPECT_ERR(0, COPY(TARGET, 0), "COPY");
	EXPECT_DONE(TOUCH_BYTE);
	EXPECT_NO_FAULT();
}

TEST_F(uffd, missing_write_copied_protected)
{
	NEED_FEATURE(WP_SYNC);
	OPEN(WP_SYNC, M | W);
	TOUCH(self->target, true);
	EXPECT_FAULT(self->target, F_WRITE);
	EXPECT_ERR(0, COPY(TARGET, UFFDIO_COPY_MODE_WP), "COPY");
	EXPECT_FAULT(self->target, F_WRITE | F_WP);
	EXPECT_ERR(0, uffd_wp(self->fd, self->target, self->mem.unit, 0), "WRITEPROTECT off");
	EXPECT_DONE(TOUCH_BYTE);
}

TEST_F(uffd, missing_zeropage)
{
	NEED(!mem_is(&self->mem, MEM_HUGETLB), "hugetlb has no zero page");
	OPEN(0, M);
	TOUCH(self->target, false);
	EXPECT_FAULT(self->target, 0);
	EXPECT_ERR(0, uffd_zeropage(self->fd, self->target, self->mem.unit), "ZEROPAGE");
	EXPECT_DONE(0);
}

TEST_F(uffd, missing_zeropage_write)
{
	NEED(!mem_is(&self->mem, MEM_HUGETLB), "hugetlb has no zero page");
	OPEN(0, M);
	TOUCH(self->target, true);
	EXPECT_FAULT(self->target, F_WRITE);
	EXPECT_ERR(0, uffd_zeropage(self->fd, self->target, self->mem.unit), "ZEROPAGE");
	EXPECT_DONE(TOUCH_BYTE);
	EXPECT_VALUE(0, self->target[self->mem.unit - 1], "%s ZEROPAGE, the last byte",
		     self->type->name);
	if (!mem_is_shared(&self->mem))
		EXPECT_LE(mem_blocks(&self->mem), 0)
			TH_LOG("%s ZEROPAGE: expected nothing in the file, got %ld blocks",
			       self->type->name, mem_blocks(&self->mem));
}

/* What is in the page cache is mapped without asking, unless MINOR says so. */
TEST_F(uffd, missing_finds_page_cache)
{
	NEED_MINOR();
	ASSERT_EQ(0, mem_fill_cache(&self->mem, TARGET, BYTE_CACHE));
	OPEN(0, M);
	TOUCH(self->target, false);
	EXPECT_DONE(BYTE_CACHE);
	EXPECT_NO_FAULT();
}

TEST_F(uffd, minor_read)
{
	NEED_MINOR();
	ASSERT_EQ(0, mem_fill_cache(&self->mem, TARGET, BYTE_CACHE));
	OPEN(0, N);
	TOUCH(self->target + 8, false);
	EXPECT_FAULT(self->target, F_MINOR);
	EXPECT_ERR(0, uffd_continue(self->fd, self->target, self->mem.unit, 0), "CONTINUE");
	EXPECT_DONE(BYTE_CACHE);
}

TEST_F(uffd, minor_write)
{
	NEED_MINOR();
	ASSERT_EQ(0, mem_fill_cache(&self->mem, TARGET, BYTE_CACHE));
	OPEN(0, N);
	TOUCH(self->target, true);
	EXPECT_FAULT(self->target, F_MINOR | F_WRITE);
	EXPECT_ERR(0, uffd_continue(self->fd, self->target, self->mem.unit, 0), "CONTINUE");
	EXPECT_DONE(TOUCH_BYTE);
	if (!mem_is_shared(&self->mem)) {
		char *alias = mem_alias(&self->mem);

		EXPECT_VALUE(BYTE_CACHE, alias[TARGET * self->mem.unit],
			     "%s write after CONTINUE, the file", self->type->name);
	}
}

TEST_F(uffd, wp_write)
{
	NEED_FEATURE(WP_SYNC);
	memset(self->target, BYTE_MAPPED, self->mem.unit);
	OPEN(WP_SYNC, W);
	ASSERT_EQ(0, uffd_wp(self->fd, self->target, self->mem.unit, UFFDIO_WRITEPROTECT_MODE_WP));
	TOUCH(self->target, false);
	EXPECT_DONE(BYTE_MAPPED);
	EXPECT_NO_FAULT();
	TOUCH(self->target + 8, true);
	EXPECT_FAULT(self->target, F_WRITE | F_WP);
	EXPECT_ERR(0, uffd_wp(self->fd, self->target, self->mem.unit, 0), "WRITEPROTECT off");
	EXPECT_DONE(TOUCH_BYTE);
}

TEST_F(uffd, wp_write_unpopulated)
{
	NEED_FEATURE(WP_SYNC);
	OPEN(WP_SYNC, W);
	ASSERT_EQ(0, uffd_wp(self->fd, self->target, self->mem.unit, UFFDIO_WRITEPROTECT_MODE_WP));
	TOUCH(self->target, true);
	EXPECT_FAULT(self->target, F_WRITE | F_WP);
	EXPECT_ERR(0, uffd_wp(self->fd, self->target, self->mem.unit, 0), "WRITEPROTECT off");
	EXPECT_DONE(TOUCH_BYTE);
}

/* A page that is missing is missing first, protected or not. */
TEST_F(uffd, missing_write_under_protection)
{
	NEED_FEATURE(WP_SYNC);
	OPEN(WP_SYNC, M | W);
	ASSERT_EQ(0, uffd_wp(self->fd, self->target, self->mem.unit, UFFDIO_WRITEPROTECT_MODE_WP));
	TOUCH(self->target, true);
	EXPECT_FAULT(self->target, F_WRITE);
	EXPECT_ERR(0, COPY(TARGET, UFFDIO_COPY_MODE_WP), "COPY");
	EXPECT_FAULT(self->target, F_WRITE | F_WP);
	EXPECT_ERR(0, uffd_wp(self->fd, self->target, self->mem.unit, 0), "WRITEPROTECT off");
	EXPECT_DONE(TOUCH_BYTE);
}

/* Only anonymous memory needs the feature for that: /dev/zero, too, is such. */
TEST_F(uffd, wp_write_unpopulated_unasked)
{
	OPEN(0, W);
	ASSERT_EQ(0, uffd_wp(self->fd, self->target, self->mem.unit, UFFDIO_WRITEPROTECT_MODE_WP));
	TOUCH(self->target, true);
	if (is_private_memory(self->type)) {
		EXPECT_DONE(TOUCH_BYTE);
		EXPECT_NO_FAULT();
		return;
	}
	EXPECT_FAULT(self->target, F_WRITE | F_WP);
	EXPECT_ERR(0, uffd_wp(self->fd, self->target, self->mem.unit, 0), "WRITEPROTECT off");
	EXPECT_DONE(TOUCH_BYTE);
}

TEST_F(uffd, wp_async_write)
{
	NEED_FEATURE(UFFD_FEATURE_WP_ASYNC);
	memset(self->target, BYTE_MAPPED, self->mem.unit);
	OPEN(UFFD_FEATURE_WP_ASYNC, W);
	ASSERT_EQ(0, uffd_wp(self->fd, self->mem.area, self->mem.len, UFFDIO_WRITEPROTECT_MODE_WP));
	TOUCH(self->target, true);
	EXPECT_DONE(TOUCH_BYTE);
	EXPECT_NO_FAULT();
	EXPECT_PM_UFFD(false, self->target, "async, touched");
	EXPECT_PM_UFFD(true, self->mem.area, "async, not touched");
}

TEST_F(uffd, rwp_read)
{
	NEED_FEATURE(RWP);
	memset(self->target, BYTE_MAPPED, self->mem.unit);
	OPEN(RWP, R);
	ASSERT_EQ(0, uffd_rwp(self->fd, self->target, self->mem.unit, UFFDIO_RWPROTECT_MODE_RWP));
	TOUCH(self->target + 8, false);
	EXPECT_FAULT(self->target, F_RWP);
	EXPECT_ERR(0, uffd_rwp(self->fd, self->target, self->mem.unit, 0), "RWPROTECT off");
	EXPECT_DONE(BYTE_MAPPED);
}

TEST_F(uffd, rwp_write)
{
	NEED_FEATURE(RWP);
	memset(self->target, BYTE_MAPPED, self->mem.unit);
	OPEN(RWP, R);
	ASSERT_EQ(0, uffd_rwp(self->fd, self->target, self->mem.unit, UFFDIO_RWPROTECT_MODE_RWP));
	TOUCH(self->target, true);
	EXPECT_FAULT(self->target, F_RWP | F_WRITE);
	EXPECT_ERR(0, uffd_rwp(self->fd, self->target, self->mem.unit, 0), "RWPROTECT off");
	EXPECT_DONE(TOUCH_BYTE);
}

TEST_F(uffd, rwp_async_read)
{
	NEED_FEATURE(RWP | UFFD_FEATURE_RWP_ASYNC);
	memset(self->mem.area, BYTE_MAPPED, self->mem.len);
	OPEN(RWP | UFFD_FEATURE_RWP_ASYNC, R);
	ASSERT_EQ(0, uffd_rwp(self->fd, self->mem.area, self->mem.len, UFFDIO_RWPROTECT_MODE_RWP));
	TOUCH(self->target, false);
	EXPECT_DONE(BYTE_MAPPED);
	EXPECT_NO_FAULT();
	EXPECT_PM_UFFD(false, self->target, "async, touched");
	EXPECT_PM_UFFD(true, self->mem.area, "async, not touched");
}

TEST_F(uffd, set_mode_wakes)
{
	struct uffdio_set_mode mode = { .enable = UFFD_FEATURE_RWP_ASYNC };

	NEED_FEATURE(RWP | UFFD_FEATURE_RWP_ASYNC);
	memset(self->target, BYTE_MAPPED, self->mem.unit);
	OPEN(RWP, R);
	ASSERT_EQ(0, uffd_rwp(self->fd, self->target, self->mem.unit, UFFDIO_RWPROTECT_MODE_RWP));
	TOUCH(self->target, false);
	EXPECT_FAULT(self->target, F_RWP);
	ASSERT_EQ(0, ioctl(self->fd, UFFDIO_SET_MODE, &mode));
	EXPECT_DONE(BYTE_MAPPED);
}

TEST_F(uffd, poison_read)
{
	NEED_KNOWN(OP_POISON);
	OPEN(0, M);
	TOUCH(self->target, false);
	EXPECT_FAULT(self->target, 0);
	EXPECT_ERR(0, uffd_poison(self->fd, self->target, self->mem.unit), "POISON");
	EXPECT_POISON();
}

/*
 * What was lost must not come back in a child.  fork() copies no page table of a
 * shared mapping, and so it does, so far: the child sees what the file has, or a
 * new page.
 */
TEST_F(uffd, poison_is_inherited)
{
	int status;
	pid_t pid;

	NEED_KNOWN(OP_POISON);
	OPEN(0, M);
	ASSERT_EQ(0, uffd_poison(self->fd, self->target, self->mem.unit));
	pid = fork();
	if (!pid)
		_exit(try_read(self->target, NULL).sig);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	XFAIL_IF(mem_is_shared(&self->mem) && !exit_code(status), "no poison in the child");
	EXPECT_VALUE(SIGBUS, exit_code(status), "%s read by a child after POISON, signal",
		     self->type->name);
}

/* A signal, whatever it is that would be told. */
static void try_sigbus(struct __test_metadata *_metadata, FIXTURE_DATA(uffd) * self,
		       const struct answer *a)
{
	BEGIN_ANSWER(a, UFFD_FEATURE_SIGBUS);
	TOUCH(self->target, a->write);
	EXPECT_COMES_BACK();
	EXPECT_ACCESS(SIGBUS, self->toucher.trap.sig, op_names[a->op]);
	EXPECT_ACCESS(BUS_ADRERR, self->toucher.trap.code, op_names[a->op]);
	EXPECT_NO_FAULT();
	EXPECT_ERR(0, answer_give(a, self, TARGET, 0), op_names[a->op]);
	TOUCH(self->target, a->write);
	EXPECT_ANSWERED(a);
}

/* With each answer that there is, or none: then it is not for this type. */
#define EACH_ANSWER(try) do {							\
	unsigned int tried = 0;							\
										\
	for (unsigned int i = 0; i < ARRAY_SIZE(answers); i++) {		\
		if (!answer_fits(&answers[i], self->type))			\
			continue;						\
		tried++;							\
		try(_metadata, self, &answers[i]);				\
	}									\
	NEED(tried, "this kernel has no answer to a fault of this memory");	\
} while (0)

TEST_F(uffd, sigbus_instead_of_message)
{
	NEED_FEATURE(UFFD_FEATURE_SIGBUS);
	EACH_ANSWER(try_sigbus);
}

TEST_F(uffd, thread_id)
{
	struct uffd_msg msg;

	OPEN(UFFD_FEATURE_THREAD_ID, M);
	TOUCH(self->target, false);
	ASSERT_EQ(1, uffd_event(self->fd, &msg, WAIT_MS));
	EXPECT_ACCESS(self->toucher.tid, msg.arg.pagefault.feat.ptid, "thread id");
	EXPECT_ERR(0, COPY(TARGET, 0), "COPY");
	EXPECT_DONE(BYTE_COPY);
}

TEST_F(uffd, no_thread_id_unasked)
{
	struct uffd_msg msg;

	OPEN(0, M);
	TOUCH(self->target, false);
	ASSERT_EQ(1, uffd_event(self->fd, &msg, WAIT_MS));
	EXPECT_ACCESS(0, msg.arg.pagefault.feat.ptid, "thread id");
	EXPECT_ERR(0, COPY(TARGET, 0), "COPY");
	EXPECT_DONE(BYTE_COPY);
}

TEST_F(uffd, exact_address)
{
	NEED_FEATURE(UFFD_FEATURE_EXACT_ADDRESS);
	OPEN(UFFD_FEATURE_EXACT_ADDRESS, M);
	TOUCH(self->target + 123, false);
	EXPECT_FAULT(self->target + 123, 0);
	EXPECT_ERR(0, COPY(TARGET, 0), "COPY");
	EXPECT_DONE(BYTE_COPY);
}

/* With DONTWAKE the answer is there, and the thread sleeps until WAKE. */
static void try_dontwake(struct __test_metadata *_metadata, FIXTURE_DATA(uffd) * self,
			 const struct answer *a)
{
	BEGIN_ANSWER(a, 0);
	TOUCH(self->target, a->write);
	EXPECT_FAULT(self->target, a->flags);
	ASSERT_TRUE(thread_wait_sleeps(self->toucher.tid));
	EXPECT_ERR(0, answer_give(a, self, TARGET, a->dontwake), op_names[a->op]);
	EXPECT_SLEEPS(&self->toucher, op_names[a->op]);
	/* Beside it is not it. */
	EXPECT_ERR(0, uffd_wake(self->fd, self->mem.area, self->mem.unit), "WAKE");
	EXPECT_SLEEPS(&self->toucher, "WAKE of another range");
	EXPECT_ERR(0, uffd_wake(self->fd, self->target, self->mem.unit), "WAKE");
	EXPECT_ANSWERED(a);
	EXPECT_NO_FAULT();
}

TEST_F(uffd, dontwake)
{
	EACH_ANSWER(try_dontwake);
}

/*
 * An answer for one page wakes those who wait for it, and nobody else: who is
 * woken for nothing says so once more, and sleeps again.
 */
static void try_own_range(struct __test_metadata *_metadata, FIXTURE_DATA(uffd) * self,
			  const struct answer *a)
{
	struct toucher other = { 0 };

	BEGIN_ANSWER(a, 0);
	TOUCH(self->target, a->write);
	EXPECT_FAULT(self->target, a->flags);
	touch_start(&other, self->mem.area, a->write);
	EXPECT_FAULT(self->mem.area, a->flags);
	ASSERT_TRUE(thread_wait_sleeps(self->toucher.tid));
	ASSERT_TRUE(thread_wait_sleeps(other.tid));
	EXPECT_ERR(0, answer_give(a, self, TARGET, 0), op_names[a->op]);
	EXPECT_ANSWERED(a);
	EXPECT_SLEEPS(&other, op_names[a->op]);
	EXPECT_NO_FAULT();
	EXPECT_ERR(0, answer_give(a, self, 0, 0), op_names[a->op]);
	ASSERT_TRUE(touch_join(&other, WAIT_S))
		TH_LOG("%s %s: expected it to wake, still sleeps", self->type->name,
		       op_names[a->op]);
	EXPECT_VALUE(a->byte < 0 ? SIGBUS : a->byte, other.trap.sig ? other.trap.sig : other.value,
		     "%s %s, what the other gets", self->type->name, op_names[a->op]);
}

TEST_F(uffd, wakes_its_own_range)
{
	EACH_ANSWER(try_own_range);
}

/* Less than WAIT_S: older kernels let most of them sleep. */
#define WAKE_S		3

/* Whatever somebody waits for, UNREGISTER is the end of the waiting. */
#define EXPECT_UNREGISTER_WAKES(byte) do {					\
	ASSERT_TRUE(thread_wait_sleeps(self->toucher.tid));			\
	ASSERT_EQ(0, uffd_unregister(self->fd, self->mem.area, self->mem.len));	\
	if (!touch_join(&self->toucher, WAKE_S)) {					\
		EXPECT_TRUE(false)						\
			TH_LOG("%s UNREGISTER: expected to wake, still sleeps",	\
			       self->type->name);				\
		uffd_wake(self->fd, self->mem.area, self->mem.len);		\
		ASSERT_TRUE(touch_join(&self->toucher, WAIT_S));		\
	}									\
	/* Not EXPECT_DONE(): it is joined.  A writer has its value whatever became of it. */ \
	EXPECT_ACCESS(0, self->toucher.trap.sig, "signal");			\
	EXPECT_ACCESS((unsigned char)(byte), (unsigned char)self->toucher.value, "value"); \
	EXPECT_ACCESS((unsigned char)(byte),					\
		      *(volatile unsigned char *)self->toucher.p, "value then there"); \
} while (0)

/* Whatever memory it is, filled it need not be. */
TEST_F(uffd, unregister_wakes_missing)
{
	OPEN_ALWAYS(0, M);
	TOUCH(self->target, false);
	EXPECT_FAULT(self->target, 0);
	EXPECT_UNREGISTER_WAKES(0);
}

TEST_F(uffd, unregister_wakes_minor)
{
	NEED_MINOR();
	ASSERT_EQ(0, mem_fill_cache(&self->mem, TARGET, BYTE_CACHE));
	OPEN(0, N);
	TOUCH(self->target, false);
	EXPECT_FAULT(self->target, F_MINOR);
	EXPECT_UNREGISTER_WAKES(BYTE_CACHE);
}

TEST_F(uffd, unregister_wakes_wp)
{
	memset(self->target, BYTE_MAPPED, self->mem.unit);
	OPEN(0, W);
	ASSERT_EQ(0, uffd_wp(self->fd, self->target, self->mem.unit, UFFDIO_WRITEPROTECT_MODE_WP));
	TOUCH(self->target, true);
	EXPECT_FAULT(self->target, F_WP | F_WRITE);
	EXPECT_UNREGISTER_WAKES(TOUCH_BYTE);
}

TEST_F(uffd, unregister_wakes_rwp)
{
	NEED_FEATURE(RWP);
	memset(self->target, BYTE_MAPPED, self->mem.unit);
	OPEN(RWP, R);
	ASSERT_EQ(0, uffd_rwp(self->fd, self->target, self->mem.unit, UFFDIO_RWPROTECT_MODE_RWP));
	TOUCH(self->target, false);
	EXPECT_FAULT(self->target, F_RWP);
	EXPECT_UNREGISTER_WAKES(BYTE_MAPPED);
}

TEST_F(uffd, close_wakes)
{
	OPEN_ALWAYS(0, M);
	TOUCH(self->target, false);
	EXPECT_FAULT(self->target, 0);
	close(self->fd);
	EXPECT_DONE(0);
}

struct forker {
	pthread_t thread;
	char *p;
	int status;
};

/* Not fork(): glibc's holds its locks until the parent is back. */
static void *fork_and_read(void *arg)
{
	struct forker *f = arg;
	pid_t pid = syscall(SYS_fork);

	if (!pid)
		_exit(*(volatile unsigned char *)f->p);
	if (waitpid(pid, &f->status, 0) != pid)
		f->status = -1;
	return NULL;
}

/* After fork the child's faults come by a userfaultfd of its own. */
TEST_F(uffd, fork_event)
{
	struct forker f = { .p = self->target };
	struct uffd_msg msg;
	int child;

	NEED_KERNEL();
	OPEN(UFFD_FEATURE_EVENT_FORK, M);
	ASSERT_EQ(0, pthread_create(&f.thread, NULL, fork_and_read, &f));
	ASSERT_EQ(1, uffd_event(self->fd, &msg, WAIT_MS));
	ASSERT_EQ(UFFD_EVENT_FORK, msg.event);
	child = msg.arg.fork.ufd;
	ASSERT_EQ(1, uffd_event(child, &msg, WAIT_MS));
	EXPECT_VALUE(UFFD_EVENT_PAGEFAULT, msg.event, "%s read of a child, event",
		     self->type->name);
	EXPECT_VALUE((unsigned long)self->target, msg.arg.pagefault.address,
		     "%s read of a child, address", self->type->name);
	EXPECT_ERR(0, uffd_copy(child, self->target, self->source, self->mem.unit, 0), "COPY");
	pthread_join(f.thread, NULL);
	EXPECT_VALUE(BYTE_COPY, exit_code(f.status), "%s read of a child, value",
		     self->type->name);
	/* A private page of the child's is nothing to its parent. */
	if (!mem_is_shared(&self->mem))
		EXPECT_ABSENT(self->target, "COPY for a child");
}

/* Protects a page that is there, and, in @W, one that is not.  0 or a negative errno. */
static int protect(int fd, struct mem *m, __u64 modes)
{
	long long bits = uffd_register(fd, m->area, m->len, modes);

	if (bits < 0)
		return bits;
	if (modes == R)
		return uffd_protect(fd, mem_unit(m, TARGET), m->unit, modes);
	return uffd_protect(fd, m->area, m->len, modes);
}

/* Bit 0: the page that is there is protected; bit 1: the one that is not. */
static int protection(const struct mem *m)
{
	return (pagemap(mem_unit(m, TARGET)) & PM_UFFD ? 1 : 0) |
	       (pagemap(m->area) & PM_UFFD ? 2 : 0);
}

/* Who asked for the event of a change keeps the protection, others lose it. */
static const struct {
	const char *name;
	__u64 modes;
	bool event;
	bool pinned;
	int kept;
} keeps[] = {
	{ "WP", W, false, false, 0 },
	{ "WP with the event", W, true, false, 3 },
	{ "WP, pinned", W, false, true, 0 },
	{ "WP with the event, pinned", W, true, true, 3 },
	{ "RWP", R, false, false, 0 },
	{ "RWP with the event", R, true, false, 1 },
	{ "RWP, pinned", R, false, true, 0 },
	{ "RWP with the event, pinned", R, true, true, 1 },
};

/* A new mapping, protected as row @i of keeps says; false if there is no such. */
static bool keeps_prepare(struct __test_metadata *_metadata, FIXTURE_DATA(uffd) * self,
			  unsigned int i, __u64 event)
{
	__u64 features = WP_SYNC | (keeps[i].modes == R ? RWP : 0) | (keeps[i].event ? event : 0);

	if ((uffd_features() & features) != features)
		return false;
	if (!renew(self))
		return false;
	memset(self->target, BYTE_MAPPED, self->mem.unit);
	if (keeps[i].pinned && !pin_page(self->target))
		return false;
	self->fd = uffd_open(features);
	/* The event of a fork is for the privileged. */
	if (self->fd == -EPERM)
		return false;
	ASSERT_GE(self->fd, 0) TH_LOG("userfaultfd: %s", err_name(self->fd));
	EXPECT_ERR(0, protect(self->fd, &self->mem, keeps[i].modes), keeps[i].name);
	if (keeps[i].event)
		ASSERT_TRUE(uffd_ignore_events(self->fd));
	return true;
}

/* Of the rows that are @pinned, or not. */
static void try_fork(struct __test_metadata *_metadata, FIXTURE_DATA(uffd) * self, bool pinned)
{
	unsigned int tried = 0;
	int status;
	pid_t pid;

	NEED_PROTECT();
	for (unsigned int i = 0; i < ARRAY_SIZE(keeps); i++) {
		if (keeps[i].pinned != pinned ||
		    !keeps_prepare(_metadata, self, i, UFFD_FEATURE_EVENT_FORK))
			continue;
		tried++;
		/* Not fork(): its locks. */
		pid = syscall(SYS_fork);
		if (!pid)
			_exit(protection(&self->mem));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_VALUE(keeps[i].kept, exit_code(status), "%s fork, %s: the child",
			     self->type->name, keeps[i].name);
		EXPECT_VALUE(keeps[i].modes == R ? 1 : 3, protection(&self->mem),
			     "%s fork, %s: its parent", self->type->name, keeps[i].name);
	}
	NEED(tried, "no protection of this memory, or nothing to pin it with");
}

TEST_F(uffd, protection_after_fork)
{
	NEED_KERNEL();
	try_fork(_metadata, self, false);
}

TEST_F(uffd, protection_after_fork_pinned)
{
	NEED_KERNEL();
	try_fork(_metadata, self, true);
}

TEST_F(uffd, protection_after_mremap)
{
	unsigned int tried = 0;

	NEED_PROTECT();
	for (unsigned int i = 0; i < ARRAY_SIZE(keeps); i++) {
		char *to = huge_room(UNITS);

		if (keeps[i].pinned ||
		    !keeps_prepare(_metadata, self, i, UFFD_FEATURE_EVENT_REMAP))
			continue;
		tried++;
		ASSERT_EQ(to, mremap(self->mem.area, self->mem.len, self->mem.len,
				     MREMAP_MAYMOVE | MREMAP_FIXED, to));
		self->mem.area = to;
		EXPECT_VALUE(keeps[i].kept, protection(&self->mem), "%s mremap, %s",
			     self->type->name, keeps[i].name);
	}
	NEED(tried, "no protection of this memory");
}

/* A page that a child has, too, gets a copy when it is pinned to be read. */
TEST_F(uffd, unshared_page_is_protected)
{
	NEED_FEATURE(WP_SYNC);
	memset(self->target, BYTE_MAPPED, self->mem.unit);
	OPEN(WP_SYNC, W);
	ASSERT_EQ(0, uffd_wp(self->fd, self->target, self->mem.unit, UFFDIO_WRITEPROTECT_MODE_WP));
	ASSERT_TRUE(have_child());
	ASSERT_EQ(1, process_vm_readv(getpid(), &(struct iovec){ self->source, 1 }, 1,
				      &(struct iovec){ self->target, 1 }, 1, 0));
	EXPECT_VALUE(BYTE_MAPPED, self->source[0], "%s process_vm_readv(), value",
		     self->type->name);
	EXPECT_PM_UFFD(true, self->target, "process_vm_readv()");
}

static bool make_huge(struct mem *m)
{
	if (mem_make(m, mem_type_find("anon-thp"), UNITS))
		return false;
	memset(m->area, BYTE_MAPPED, m->len);
	if (smaps_kb(m->area, "AnonHugePages") > 0)
		return true;
	mem_free(m);
	return false;
}

/* A transparent huge page is protected as it is, and its faults are of a page. */
TEST_F(uffd, transparent_huge_page)
{
	static const __u64 modes[] = { W, R };
	unsigned int tried = 0;

	NEED(self->type->class == CLASS_ANON, "not anonymous memory");
	for (unsigned int i = 0; i < ARRAY_SIZE(modes); i++) {
		bool rwp = modes[i] == R;
		struct mem m;

		if (!(rwp ? !!(uffd_features() & RWP) : has_wp(self->type)) || !make_huge(&m))
			continue;
		tried++;
		self->fd = uffd_open(rwp ? RWP : 0);
		ASSERT_GT(uffd_register(self->fd, m.area, m.len, modes[i]), 0);
		ASSERT_EQ(0, rwp ? uffd_rwp(self->fd, m.area, m.len, UFFDIO_RWPROTECT_MODE_RWP) :
			     uffd_wp(self->fd, m.area, m.len, UFFDIO_WRITEPROTECT_MODE_WP));
		EXPECT_GT(smaps_kb(m.area, "AnonHugePages"), 0);
		TOUCH(m.area + page_size(), true);
		EXPECT_FAULT(m.area + page_size(), (rwp ? F_RWP : F_WP) | F_WRITE);
		ASSERT_EQ(0, rwp ? uffd_rwp(self->fd, m.area, m.len, 0) :
			     uffd_wp(self->fd, m.area, m.len, 0));
		EXPECT_DONE(TOUCH_BYTE);
		close(self->fd);
		mem_free(&m);
	}
	NEED(tried, "no free transparent huge page");
}

/* What is swapped out is not missing. */
TEST_F(uffd, swapped_out)
{
	NEED(!mem_is(&self->mem, MEM_HUGETLB), "hugetlb is never swapped");
	NEED(self->type->class != CLASS_GMEM, "guest_memfd is never swapped");
	memset(self->target, BYTE_MAPPED, self->mem.unit);
	NEED(!madvise(self->target, self->mem.unit, MADV_PAGEOUT) &&
	     !(pagemap(self->target) & PM_PRESENT), "cannot be swapped out");
	OPEN_ALWAYS(0, M);
	TOUCH(self->target, false);
	EXPECT_DONE(BYTE_MAPPED);
	EXPECT_NO_FAULT();
}

/* Somebody fills it before anybody has read that it is waited for. */
TEST_F(uffd, filled_before_read)
{
	struct pollfd pfd = { .events = POLLIN };

	OPEN(0, M);
	TOUCH(self->target, false);
	pfd.fd = self->fd;
	ASSERT_EQ(1, poll(&pfd, 1, WAIT_MS));
	EXPECT_ERR(0, COPY(TARGET, 0), "COPY");
	EXPECT_DONE(BYTE_COPY);
	EXPECT_NO_FAULT();
}

#define KPF_DIRTY_BIT	4

/* A page that is filled but not dirty is thrown away instead of swapped. */
TEST_F(uffd, copied_page_is_dirty)
{
	char *alias;

	NEED(self->type->class == CLASS_SHMEM && self->mem.fd >= 0, "not a file of shmem");
	/* Even root may be without CAP_SYS_ADMIN, and then sees no page numbers. */
	NEED(kpageflags(self->source), "not root, or no /proc/kpageflags");
	OPEN(0, M);
	ASSERT_EQ(0, COPY(TARGET, 0));
	alias = mem_alias(&self->mem);
	ASSERT_NE(MAP_FAILED, alias);
	alias += TARGET * self->mem.unit;
	EXPECT_VALUE(BYTE_COPY, *(volatile char *)alias, "%s COPY, the file", self->type->name);
	/* The dirty bit goes from the page table to the page. */
	ASSERT_EQ(0, munmap(self->mem.area, self->mem.len));
	EXPECT_TRUE(kpageflags(alias) & (1 << KPF_DIRTY_BIT))
		TH_LOG("%s COPY: expected a dirty page, got page flags %#llx", self->type->name,
		       (unsigned long long)kpageflags(alias));
}

/* It says that it can be filled, and cannot: see the page of the memory types. */
TEST_F(uffd, cannot_be_filled)
{
	NEED(self->type->class == CLASS_DEV_ZERO, "not /dev/zero");
	OPEN_ALWAYS(0, M);
	TOUCH(self->target, true);
	EXPECT_FAULT(self->target, F_WRITE);
	EXPECT_ERR(-EFAULT, COPY(TARGET, 0), "COPY");
	EXPECT_ERR(-EFAULT, uffd_zeropage(self->fd, self->target, self->mem.unit), "ZEROPAGE");
	EXPECT_ERR(0, uffd_unregister(self->fd, self->mem.area, self->mem.len), "UNREGISTER");
	EXPECT_DONE(TOUCH_BYTE);
}

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

/*
 * A huge page's worth of a file, with nothing of it mapped in @m, and all of it
 * at the address that is returned.
 */
static char *make_collapsible(struct mem *m, const struct mem_type *type)
{
	size_t huge = huge_size();
	char *at = huge_room(3);

	if (mem_make_at(m, type, huge / page_size(), at) ||
	    mmap(at + 2 * huge, huge, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, m->fd,
		 m->offset) != at + 2 * huge)
		return NULL;
	memset(at + 2 * huge, BYTE_CACHE, huge);
	return at + 2 * huge;
}

#define NEED_COLLAPSIBLE() do {							\
	NEED(self->type->class == CLASS_SHMEM && self->mem.fd >= 0, "not a file of shmem"); \
	NEED(!self->mem.offset, "not a whole huge page of the file");		\
} while (0)

/*
 * What was lost must not come back because a huge page takes the place of the
 * page table that said so.  It does, so far.
 */
TEST_F(uffd, poison_after_collapse)
{
	struct mem m;
	char *alias;

	NEED_COLLAPSIBLE();
	NEED_KNOWN(OP_POISON);
	alias = make_collapsible(&m, self->type);
	ASSERT_NE(NULL, alias);
	self->fd = uffd_open(0);
	ASSERT_GT(uffd_register(self->fd, m.area, m.len, M), 0);
	ASSERT_EQ(0, uffd_poison(self->fd, mem_unit(&m, TARGET), m.unit));
	ASSERT_TRUE(pagemap(mem_unit(&m, TARGET)) & PM_SWAP)
		TH_LOG("%s: expected poison, got none", self->type->name);
	NEED(!madvise(alias, m.len, MADV_COLLAPSE), "no MADV_COLLAPSE of shmem");
	XFAIL_IF(!(pagemap(mem_unit(&m, TARGET)) & PM_SWAP), "the poison is gone");
	TOUCH(mem_unit(&m, TARGET), false);
	EXPECT_POISON();
}

/* Nor must there be pages that nobody gave with CONTINUE.  There are, so far. */
TEST_F(uffd, minor_after_collapse)
{
	struct mem m;

	NEED_COLLAPSIBLE();
	NEED_MINOR();
	/* Of nothing it only says whether there is such a thing. */
	NEED(!madvise(self->target, 0, MADV_COLLAPSE), "no MADV_COLLAPSE");
	ASSERT_NE(NULL, make_collapsible(&m, self->type));
	self->fd = uffd_open(0);
	ASSERT_GT(uffd_register(self->fd, m.area, m.len, N), 0);
	/* It may well be refused here, but not for want of memory. */
	NEED(!madvise(m.area, m.len, MADV_COLLAPSE) || errno != ENOMEM, "no free huge page");
	XFAIL_IF(pagemap(mem_unit(&m, TARGET)) & PM_PRESENT, "a page that nobody gave");
	TOUCH(mem_unit(&m, TARGET), false);
	EXPECT_FAULT(mem_unit(&m, TARGET), F_MINOR);
	EXPECT_ERR(0, uffd_continue(self->fd, m.area, m.len, 0), "CONTINUE");
	EXPECT_DONE(BYTE_CACHE);
}

TEST_HARNESS_MAIN
