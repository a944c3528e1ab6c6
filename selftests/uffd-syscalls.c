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

#define BYTE_WRITTEN	0x78
#define NO_BYTE		(-1)

/* What a call found in the memory, and gave to who called it. */
static int found;

static long call_read(void *p)
{
	char byte = BYTE_WRITTEN;
	int fds[2];
	long ret;

	if (pipe(fds) || write(fds[1], &byte, 1) != 1)
		return -errno;
	ret = read(fds[0], p, 1) == 1 ? 1 : -errno;
	close(fds[0]);
	close(fds[1]);
	return ret;
}

/* The other end of a pipe has it. */
static void find_in_pipe(int fd)
{
	unsigned char byte;

	if (read(fd, &byte, 1) == 1)
		found = byte;
}

static long call_write(void *p)
{
	int fds[2];
	long ret;

	if (pipe(fds))
		return -errno;
	ret = write(fds[1], p, 1) == 1 ? 1 : -errno;
	if (ret == 1)
		find_in_pipe(fds[0]);
	close(fds[0]);
	close(fds[1]);
	return ret;
}

static long call_vm_readv(void *p)
{
	unsigned char byte;
	struct iovec to = { &byte, 1 }, from = { p, 1 };

	if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != 1)
		return -errno;
	found = byte;
	return 1;
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
	if (ret == 1)
		find_in_pipe(fds[0]);
	close(fds[0]);
	close(fds[1]);
	return ret;
}

/* What is pinned, written to a pipe. */
static void find_in_buffer(int ring, const struct io_uring_params *params, void *p)
{
	size_t len = params->sq_off.array + sizeof(__u32);
	char *sq = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	struct io_uring_sqe *sqe = mmap(NULL, sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED,
					ring, IORING_OFF_SQES);
	int fds[2];

	/* If it writes nothing, nothing is found. */
	if (sq == MAP_FAILED || sqe == MAP_FAILED || pipe2(fds, O_NONBLOCK))
		return;
	*sqe = (struct io_uring_sqe) {
		.opcode = IORING_OP_WRITE_FIXED,
		.fd = fds[1],
		.addr = (unsigned long)p,
		.len = 1,
	};
	*(__u32 *)(sq + params->sq_off.array) = 0;
	__atomic_store_n((__u32 *)(sq + params->sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1)
		find_in_pipe(fds[0]);
	close(fds[0]);
	close(fds[1]);
	munmap(sqe, sizeof(*sqe));
	munmap(sq, len);
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
	if (ret == 1)
		find_in_buffer(fd, &params, p);
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
	bool finds;		/* what is there, and tells it */
};

static const struct kernel_access kernel_accesses[] = {
	{ "read() into it", call_read, true, false },
	{ "write() from it", call_write, false, true },
	{ "process_vm_readv()", call_vm_readv, false, true },
	{ "MADV_POPULATE_READ", call_populate, false, false },
	{ "vmsplice()", call_vmsplice, false, true },
	{ "io_uring buffer", call_io_uring, true, true },
};

/* The answer's page is there, and the call had to do with that and no other. */
static void check_data(struct __test_metadata *_metadata, FIXTURE_DATA(uffd) * self,
		       const struct kernel_access *call, const struct answer *a)
{
	int byte = a->modes & (W | R) ? BYTE_MAPPED : a->byte;
	unsigned char *p = (unsigned char *)self->target;
	char what[64];

	snprintf(what, sizeof(what), "%s, %s: memory", call->name, op_names[a->op]);
	EXPECT_VALUE(call->finds ? byte : NO_BYTE, found, "%s %s, %s: what it found",
		     self->type->name, call->name, op_names[a->op]);
	if (call->call == call_read) {
		EXPECT_VALUE(BYTE_WRITTEN, *p, "%s %s, first byte", self->type->name, what);
		*p = byte;
	}
	EXPECT_UNIT(self->target, self->mem.unit, byte, what);
}

/* The system call waits for the answer as a thread would, and then goes through. */
static void try_call(struct __test_metadata *_metadata, FIXTURE_DATA(uffd) * self,
		     const struct kernel_access *call, const struct answer *a)
{
	__u64 flags = (a->flags & ~F_WRITE) | (call->writes ? F_WRITE : 0);

	BEGIN_ANSWER(a, 0);
	self->toucher.call = call->call;
	self->toucher.name = call->name;
	found = NO_BYTE;
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
	check_data(_metadata, self, call, a);
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
	if (!has_io_uring())
		TH_LOG("%s io_uring buffer: not tried, there is none or not for us",
		       self->type->name);
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
	int status;
	pid_t pid;

	OPEN_ALWAYS(0, M);
	pid = process_here(exit_and_clear, self->target);
	ASSERT_GT(pid, 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_VALUE(0, exit_code(status), "%s exit, its code", self->type->name);
	EXPECT_NO_FAULT();
	EXPECT_ABSENT(self->target, "exit");
}

TEST_HARNESS_MAIN
