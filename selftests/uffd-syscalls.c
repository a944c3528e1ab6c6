// SPDX-License-Identifier: GPL-2.0
/*
 * Faults that the kernel takes for a system call.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/io_uring.h>

#include "uffd-fixture.h"

static long call_read(void *p)
{
	int fds[2];
	long ret;

	if (pipe(fds) || write(fds[1], "x", 1) != 1)
		return -errno;
	ret = read(fds[0], p, 1) == 1 ? 1 : -errno;
	close(fds[0]);
	close(fds[1]);
	return ret;
}

static long call_write(void *p)
{
	int fds[2];
	long ret;

	if (pipe(fds))
		return -errno;
	ret = write(fds[1], p, 1) == 1 ? 1 : -errno;
	close(fds[0]);
	close(fds[1]);
	return ret;
}

static long call_vm_readv(void *p)
{
	char byte;
	struct iovec to = { &byte, 1 }, from = { p, 1 };

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1 ? 1 : -errno;
}

static long call_populate(void *p)
{
	return madvise(p, page_size(), MADV_POPULATE_READ) ? -errno : 1;
}

static long call_vmsplice(void *p)
{
	struct iovec from = { p, 1 };
	int fds[2];
	long ret;

	if (pipe(fds))
		return -errno;
	ret = vmsplice(fds[1], &from, 1, 0) == 1 ? 1 : -errno;
	close(fds[0]);
	close(fds[1]);
	return ret;
}

/* A registered buffer is pinned for as long as it takes. */
static long call_io_uring(void *p)
{
	struct io_uring_params params = { 0 };
	struct iovec buf = { p, page_size() };
	int fd = syscall(SYS_io_uring_setup, 1, &params);
	long ret;

	if (fd < 0)
		return -errno;
	ret = syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS, &buf, 1) ?
	      -errno : 1;
	close(fd);
	return ret;
}

struct kernel_access {
	const char *name;
	long (*call)(void *p);
	__u64 flags;		/* of the MISSING message */
};

static const struct kernel_access kernel_accesses[] = {
	{ "read() into it", call_read, F_WRITE },
	{ "write() from it", call_write, 0 },
	{ "process_vm_readv()", call_vm_readv, 0 },
	{ "MADV_POPULATE_READ", call_populate, 0 },
	{ "vmsplice()", call_vmsplice, 0 },
	{ "io_uring buffer", call_io_uring, F_WRITE },
};

TEST_F(uffd, system_calls)
{
	NEED_KERNEL();
	OPEN(0, M);
	for (unsigned int i = 0; i < ARRAY_LEN(kernel_accesses); i++) {
		const struct kernel_access *a = &kernel_accesses[i];

		if (a->call == call_io_uring && syscall(SYS_io_uring_setup, 0, NULL) < 0 &&
		    errno == ENOSYS)
			continue;
		ASSERT_EQ(0, uffd_unregister(self->fd, self->mem.area, self->mem.len));
		mem_free(&self->mem);
		ASSERT_EQ(0, mem_make(&self->mem, self->type, UNITS));
		self->target = mem_unit(&self->mem, TARGET);
		ASSERT_GT(uffd_register(self->fd, self->mem.area, self->mem.len, M), 0);

		self->toucher.call = a->call;
		TOUCH(self->target, false);
		EXPECT_FAULT(self->target, a->flags);
		EXPECT_ERR(0, COPY(TARGET, 0), a->name);
		ASSERT_TRUE(touch_join(&self->toucher, WAIT_S));
		EXPECT_EQ(1, self->toucher.ret)
			TH_LOG("%s: %s gave %s", self->type->name, a->name,
			       err_name(self->toucher.ret));
	}
}

TEST_F(uffd, system_call_wp)
{
	NEED_KERNEL();
	memset(self->target, BYTE_MAPPED, self->mem.unit);
	OPEN(0, W);
	ASSERT_EQ(0, uffd_wp(self->fd, self->target, self->mem.unit, UFFDIO_WRITEPROTECT_MODE_WP));
	self->toucher.call = call_read;
	TOUCH(self->target, true);
	EXPECT_FAULT(self->target, F_WP | F_WRITE);
	EXPECT_ERR(0, uffd_wp(self->fd, self->target, self->mem.unit, 0), "WRITEPROTECT off");
	ASSERT_TRUE(touch_join(&self->toucher, WAIT_S));
	EXPECT_EQ(1, self->toucher.ret);
	EXPECT_EQ('x', self->target[0]);
}

TEST_F(uffd, system_call_rwp)
{
	NEED_KERNEL();
	NEED_FEATURE(RWP);
	memset(self->target, BYTE_MAPPED, self->mem.unit);
	OPEN(RWP, R);
	ASSERT_EQ(0, uffd_rwp(self->fd, self->target, self->mem.unit, UFFDIO_RWPROTECT_MODE_RWP));
	self->toucher.call = call_write;
	TOUCH(self->target, false);
	EXPECT_FAULT(self->target, F_RWP);
	EXPECT_ERR(0, uffd_rwp(self->fd, self->target, self->mem.unit, 0), "RWPROTECT off");
	ASSERT_TRUE(touch_join(&self->toucher, WAIT_S));
	EXPECT_EQ(1, self->toucher.ret);
}

/* Who may see faults of user space only has the system call fail. */
TEST_F(uffd, system_call_user_mode_only)
{
	struct uffdio_api api = { .api = UFFD_API };

	self->fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, ioctl(self->fd, UFFDIO_API, &api));
	ASSERT_GT(uffd_register(self->fd, self->mem.area, self->mem.len, M), 0);
	EXPECT_ERR(-EFAULT, call_write(self->target), "write() from it");
	EXPECT_NO_FAULT();
	TOUCH(self->target, false);
	EXPECT_FAULT(self->target, 0);
	EXPECT_ERR(0, COPY(TARGET, 0), "COPY");
	EXPECT_DONE(BYTE_COPY);
}

/*
 * Who reads /proc/PID/mem cannot wait, and so gets nothing.  A kernel with DEBUG_VM
 * prints a stack: once is enough.
 */
TEST_F(uffd, proc_mem)
{
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	char byte;

	NEED(self->type->class == CLASS_ANON, "does not depend on the type");
	NEED_KERNEL();
	ASSERT_GE(fd, 0);
	OPEN(0, M);
	EXPECT_EQ(-1, pread(fd, &byte, 1, (unsigned long)self->target));
	EXPECT_EQ(EIO, errno);
	EXPECT_NO_FAULT();
	EXPECT_ERR(0, COPY(TARGET, 0), "COPY");
	EXPECT_EQ(1, pread(fd, &byte, 1, (unsigned long)self->target));
	EXPECT_EQ(BYTE_COPY, byte);
	close(fd);
}

/* The last thing that the kernel writes for a thread: nobody is asked. */
static int exit_and_clear(void *p)
{
	syscall(SYS_set_tid_address, p);
	return 0;
}

TEST_F(uffd, exit_clears_tid)
{
	pid_t pid;

	OPEN(0, M);
	pid = process_here(exit_and_clear, self->target);
	ASSERT_GT(pid, 0);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_NO_FAULT();
	EXPECT_EQ(0, pagemap(self->target) & PM_PRESENT);
}

TEST_HARNESS_MAIN
