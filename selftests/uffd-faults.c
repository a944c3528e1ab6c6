// SPDX-License-Identifier: GPL-2.0
/*
 * Who is told of a fault, with which message, and who is woken by what.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
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
	/* Not a byte beside it, and nothing in the file of a private mapping. */
	EXPECT_EQ(0, self->target[self->mem.unit - 1]);
	if (!mem_is_shared(&self->mem))
		EXPECT_LE(mem_blocks(&self->mem), 0);
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

		/* What is written after CONTINUE stays private. */
		EXPECT_EQ(BYTE_CACHE, alias[TARGET * self->mem.unit]);
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

/* Only anonymous memory needs the feature for that. */
TEST_F(uffd, wp_write_unpopulated_unasked)
{
	OPEN(0, W);
	ASSERT_EQ(0, uffd_wp(self->fd, self->target, self->mem.unit, UFFDIO_WRITEPROTECT_MODE_WP));
	TOUCH(self->target, true);
	if (self->type->class == CLASS_ANON) {
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
	EXPECT_FALSE(pagemap(self->target) & PM_UFFD);
	EXPECT_TRUE(pagemap(self->mem.area) & PM_UFFD);
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
	EXPECT_FALSE(pagemap(self->target) & PM_UFFD);
	EXPECT_TRUE(pagemap(self->mem.area) & PM_UFFD);
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

/* Told like a memory failure, if the kernel knows any, so that a guest can be. */
#define EXPECT_POISON() do {							\
	bool mce = !access("/proc/sys/vm/memory_failure_recovery", F_OK);	\
										\
	ASSERT_TRUE(touch_join(&self->toucher, WAIT_S));			\
	EXPECT_EQ(SIGBUS, self->toucher.trap.sig);				\
	EXPECT_EQ(mce ? BUS_MCEERR_AR : BUS_ADRERR, self->toucher.trap.code);	\
	EXPECT_EQ((void *)self->toucher.p, self->toucher.trap.addr);		\
	if (mce)								\
		EXPECT_EQ(__builtin_ctzl(self->mem.unit), self->toucher.trap.lsb); \
} while (0)

TEST_F(uffd, poison_read)
{
	NEED_FEATURE(UFFD_FEATURE_POISON);
	OPEN(0, M);
	TOUCH(self->target, false);
	EXPECT_FAULT(self->target, 0);
	EXPECT_ERR(0, uffd_poison(self->fd, self->target, self->mem.unit), "POISON");
	EXPECT_POISON();
}

/*
 * fork() copies no page table of a shared mapping, and so loses the markers:
 * the child sees what the file has, or a new page.
 */
TEST_F(uffd, poison_is_inherited)
{
	int status;
	pid_t pid;

	NEED_FEATURE(UFFD_FEATURE_POISON);
	OPEN(0, M);
	ASSERT_EQ(0, uffd_poison(self->fd, self->target, self->mem.unit));
	pid = fork();
	if (!pid)
		_exit(try_read(self->target, NULL).sig);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(mem_is_shared(&self->mem) ? 0 : SIGBUS, WEXITSTATUS(status));
}

TEST_F(uffd, sigbus_instead_of_message)
{
	NEED_FEATURE(UFFD_FEATURE_SIGBUS);
	OPEN(UFFD_FEATURE_SIGBUS, M);
	TOUCH(self->target, true);
	ASSERT_TRUE(touch_join(&self->toucher, WAIT_S));
	EXPECT_EQ(SIGBUS, self->toucher.trap.sig);
	EXPECT_EQ(BUS_ADRERR, self->toucher.trap.code);
	EXPECT_NO_FAULT();
	EXPECT_ERR(0, COPY(TARGET, 0), "COPY");
	EXPECT_EQ(0, try_read(self->target, NULL).sig);
}

TEST_F(uffd, thread_id)
{
	struct uffd_msg msg;

	OPEN(UFFD_FEATURE_THREAD_ID, M);
	TOUCH(self->target, false);
	ASSERT_EQ(1, uffd_event(self->fd, &msg, WAIT_MS));
	EXPECT_EQ(self->toucher.tid, msg.arg.pagefault.feat.ptid);
	EXPECT_ERR(0, COPY(TARGET, 0), "COPY");
	EXPECT_DONE(BYTE_COPY);
}

TEST_F(uffd, no_thread_id_unasked)
{
	struct uffd_msg msg;

	OPEN(0, M);
	TOUCH(self->target, false);
	ASSERT_EQ(1, uffd_event(self->fd, &msg, WAIT_MS));
	EXPECT_EQ(0, msg.arg.pagefault.feat.ptid);
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

/* With DONTWAKE the page is there, and the thread sleeps until WAKE. */
TEST_F(uffd, dontwake)
{
	OPEN(0, M);
	TOUCH(self->target, false);
	EXPECT_FAULT(self->target, 0);
	ASSERT_TRUE(thread_wait_sleeps(self->toucher.tid));
	EXPECT_ERR(0, COPY(TARGET, UFFDIO_COPY_MODE_DONTWAKE), "COPY");
	EXPECT_TRUE(thread_sleeps(self->toucher.tid))
		TH_LOG("%s: woken in spite of DONTWAKE", self->type->name);
	/* Beside it is not it. */
	EXPECT_ERR(0, uffd_wake(self->fd, self->mem.area, self->mem.unit), "WAKE");
	EXPECT_TRUE(thread_sleeps(self->toucher.tid))
		TH_LOG("%s: woken by a WAKE of another range", self->type->name);
	EXPECT_ERR(0, uffd_wake(self->fd, self->target, self->mem.unit), "WAKE");
	EXPECT_DONE(BYTE_COPY);
}

/* Filling one page wakes those who wait for it, and nobody else. */
TEST_F(uffd, wakes_its_own_range)
{
	struct toucher other = { 0 };

	OPEN(0, M);
	TOUCH(self->target, false);
	EXPECT_FAULT(self->target, 0);
	touch_start(&other, self->mem.area, false);
	EXPECT_FAULT(self->mem.area, 0);
	ASSERT_TRUE(thread_wait_sleeps(self->toucher.tid));
	ASSERT_TRUE(thread_wait_sleeps(other.tid));
	EXPECT_ERR(0, COPY(TARGET, 0), "COPY");
	EXPECT_DONE(BYTE_COPY);
	EXPECT_TRUE(thread_sleeps(other.tid))
		TH_LOG("%s: woken by the COPY of another page", self->type->name);
	EXPECT_ERR(0, COPY(0, 0), "COPY");
	EXPECT_TRUE(touch_join(&other, WAIT_S));
	EXPECT_EQ(BYTE_COPY, other.value);
}

/* Whatever somebody waits for, UNREGISTER is the end of the waiting. */
#define EXPECT_UNREGISTER_WAKES(byte) do {					\
	ASSERT_TRUE(thread_wait_sleeps(self->toucher.tid));			\
	ASSERT_EQ(0, uffd_unregister(self->fd, self->mem.area, self->mem.len));	\
	if (!touch_join(&self->toucher, 2)) {					\
		EXPECT_TRUE(false)						\
			TH_LOG("%s: still asleep after UNREGISTER", self->type->name); \
		uffd_wake(self->fd, self->mem.area, self->mem.len);		\
		ASSERT_TRUE(touch_join(&self->toucher, WAIT_S));		\
	}									\
	EXPECT_EQ((char)(byte), self->toucher.value);				\
} while (0)

TEST_F(uffd, unregister_wakes_missing)
{
	OPEN(0, M);
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
	OPEN(0, M);
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
	EXPECT_EQ(UFFD_EVENT_PAGEFAULT, msg.event);
	EXPECT_EQ((unsigned long)self->target, msg.arg.pagefault.address);
	EXPECT_ERR(0, uffd_copy(child, self->target, self->source, self->mem.unit, 0), "COPY");
	pthread_join(f.thread, NULL);
	EXPECT_EQ(BYTE_COPY, WEXITSTATUS(f.status));
	/* A private page of the child's is nothing to its parent. */
	if (!mem_is_shared(&self->mem))
		EXPECT_EQ(0, pagemap(self->target) & PM_PRESENT);
}

#define KPF_DIRTY_BIT	4

/* A page that is filled but not dirty is thrown away instead of swapped. */
TEST_F(uffd, copied_page_is_dirty)
{
	char *alias;

	NEED(self->type->class == CLASS_SHMEM && self->mem.fd >= 0, "not a file of shmem");
	NEED(!geteuid(), "not root: no /proc/kpageflags");
	OPEN(0, M);
	ASSERT_EQ(0, COPY(TARGET, 0));
	alias = mem_alias(&self->mem);
	ASSERT_NE(MAP_FAILED, alias);
	alias += TARGET * self->mem.unit;
	EXPECT_EQ(BYTE_COPY, *(volatile char *)alias);
	/* The dirty bit goes from the page table to the page. */
	ASSERT_EQ(0, munmap(self->mem.area, self->mem.len));
	EXPECT_TRUE(kpageflags(alias) & (1 << KPF_DIRTY_BIT))
		TH_LOG("%s: page flags %#llx", self->type->name,
		       (unsigned long long)kpageflags(alias));
}

TEST_HARNESS_MAIN
