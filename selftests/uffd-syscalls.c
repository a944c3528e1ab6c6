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

/*
 * Some forbid it, to whom and how is their affair.  Up to 6.4 it did not wait for
 * a fault to be answered; POISON came with 6.6.
 */
static bool has_io_uring(void)
{
	if (!uffd_knows(OP_POISON))
		return false;
	return syscall(SYS_io_uring_setup, 0, NULL) >= 0 || (errno != ENOSYS && errno != EPERM);
}

struct kernel_access {
	const char *name;
	long (*call)(void *p);
	bool writes;
};

static const struct kernel_access kernel_accesses[] = {
	{ "read() into it", call_read, true },
	{ "write() from it", call_write, false },
	{ "process_vm_readv()", call_vm_readv, false },
	{ "MADV_POPULATE_READ", call_populate, false },
	{ "vmsplice()", call_vmsplice, false },
	{ "io_uring buffer", call_io_uring, true },
};

/* The system call waits for the answer as a thread would, and then goes through. */
static void try_call(struct __test_metadata *_metadata, FIXTURE_DATA(uffd) * self,
		     const struct kernel_access *call, const struct answer *a)
{
	__u64 flags = (a->flags & ~F_WRITE) | (call->writes ? F_WRITE : 0);

	BEGIN_ANSWER(a, 0);
	self->toucher.call = call->call;
	self->toucher.name = call->name;
	TOUCH(self->target, call->writes);
	/* What is protected from writes may be read. */
	if (a->op != OP_WP || call->writes) {
		EXPECT_FAULT(self->target, flags);
		EXPECT_ERR(0, answer_give(a, self, TARGET, 0), call->name);
	}
	ASSERT_TRUE(touch_join(&self->toucher, WAIT_S))
		TH_LOG("%s %s, %s: expected to come back, still sleeps", self->type->name,
		       call->name, op_names[a->op]);
	EXPECT_VALUE(1, self->toucher.ret, "%s %s, %s: result (%s)", self->type->name, call->name,
		     op_names[a->op], err_name(self->toucher.ret));
	EXPECT_NO_FAULT();
}

/* One answer for each mode of registration. */
static const enum uffd_op call_answers[] = { OP_COPY, OP_CONTINUE, OP_WP, OP_RWP };

static const struct answer *find_answer(enum uffd_op op)
{
	const struct answer *a = answers;

	while (a->op != op)
		a++;
	return a;
}

TEST_F_TIMEOUT(uffd, system_calls, 60)
{
	unsigned int tried = 0;

	NEED_KERNEL();
	for (unsigned int i = 0; i < ARRAY_SIZE(call_answers); i++) {
		const struct answer *a = find_answer(call_answers[i]);

		if (!answer_fits(a, self->type))
			continue;
		for (unsigned int j = 0; j < ARRAY_SIZE(kernel_accesses); j++) {
			const struct kernel_access *call = &kernel_accesses[j];

			if (call->call == call_io_uring && !has_io_uring())
				continue;
			tried++;
			try_call(_metadata, self, call, a);
		}
	}
	NEED(tried, "this kernel has no answer to a fault of this memory");
}

/* Who may see faults of user space only has the system call fail. */
TEST_F(uffd, system_call_user_mode_only)
{
	struct uffdio_api api = { .api = UFFD_API };

	self->fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, ioctl(self->fd, UFFDIO_API, &api));
	ASSERT_GT(uffd_register(self->fd, self->mem.area, self->mem.len, M), 0);
	NEED_FILL();
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
	EXPECT_ERR(-EIO, pread(fd, &byte, 1, (unsigned long)self->target) < 0 ? -errno : 0,
		   "read of /proc/self/mem, empty");
	EXPECT_NO_FAULT();
	EXPECT_ERR(0, COPY(TARGET, 0), "COPY");
	EXPECT_ERR(0, pread(fd, &byte, 1, (unsigned long)self->target) < 0 ? -errno : 0,
		   "read of /proc/self/mem, filled");
	EXPECT_VALUE(BYTE_COPY, byte, "anon read of /proc/self/mem, value");
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

	OPEN_ALWAYS(0, M);
	pid = process_here(exit_and_clear, self->target);
	ASSERT_GT(pid, 0);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_NO_FAULT();
	EXPECT_ABSENT(self->target, "exit");
}

TEST_HARNESS_MAIN
