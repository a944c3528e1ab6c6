// SPDX-License-Identifier: GPL-2.0
/*
 * Opening a userfaultfd, who may, and reading from it.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uffd-lib.h"

FIXTURE(api)
{
	int fd;
};

static int open_raw(int flags)
{
	return syscall(SYS_userfaultfd, O_CLOEXEC | flags);
}

FIXTURE_SETUP(api)
{
	self->fd = open_raw(O_NONBLOCK | (uffd_sees_kernel() ? 0 : UFFD_USER_MODE_ONLY));
	if (self->fd < 0)
		SKIP(return, NO_UFFD);
}

FIXTURE_TEARDOWN(api)
{
	close(self->fd);
}

/* 0 or a negative errno, of whatever returns -1. */
static int result(long ret)
{
	return ret < 0 ? -errno : 0;
}

static int ask(int fd, __u64 version, __u64 features)
{
	struct uffdio_api api = { .api = version, .features = features };

	return result(ioctl(fd, UFFDIO_API, &api));
}

/* None of this depends on the type of memory: messages say the operation. */
#define EXPECT_READ(want, size) do {						\
	struct uffd_msg __msg;							\
										\
	EXPECT_RESULT(want, result(read(self->fd, &__msg, size)),		\
		      "read() of %zu bytes", (size_t)(size));			\
} while (0)

#define EXPECT_POLL(want, poll_fd) do {						\
	struct pollfd __pfd = { .fd = (poll_fd), .events = POLLIN };		\
										\
	EXPECT_VALUE(1, poll(&__pfd, 1, 0), "poll()");				\
	EXPECT_VALUE(want, __pfd.revents, "poll(), its events");		\
} while (0)

TEST_F(api, features)
{
	struct uffdio_api api = { .api = UFFD_API };

	ASSERT_EQ(0, ioctl(self->fd, UFFDIO_API, &api));
	EXPECT_VALUE(UFFD_FEATURE_MISSING_SHMEM, api.features & UFFD_FEATURE_MISSING_SHMEM,
		     "UFFDIO_API, a feature of all kernels");
	/* A later kernel has more than this was built to know. */
	if (api.features & ~(__u64)UFFD_API_FEATURES)
		TH_LOG("UFFDIO_API, features without a name: %#llx",
		       api.features & ~(__u64)UFFD_API_FEATURES);
	EXPECT_VALUE(1ULL << _UFFDIO_REGISTER, api.ioctls & (1ULL << _UFFDIO_REGISTER),
		     "UFFDIO_API, its ioctls");
}

TEST_F(api, refusals)
{
	EXPECT_RESULT(-EINVAL, ask(self->fd, 0, 0), "UFFDIO_API, version 0");
	EXPECT_RESULT(-EINVAL, ask(self->fd, UFFD_API, 1ULL << 63), "UFFDIO_API, unknown feature");
	EXPECT_RESULT(-EINVAL, ask(self->fd, UFFD_API, UFFD_FEATURE_RWP_ASYNC),
		      "UFFDIO_API, RWP_ASYNC without RWP");
	/* A refusal is no answer: it may be asked again, once. */
	EXPECT_RESULT(0, ask(self->fd, UFFD_API, 0), "UFFDIO_API after refusals");
	EXPECT_RESULT(-EINVAL, ask(self->fd, UFFD_API, 0), "UFFDIO_API again");
}

TEST_F(api, nothing_before_it)
{
	char *p = mmap(NULL, page_size(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_RESULT(-EINVAL, uffd_register(self->fd, p, page_size(),
					     UFFDIO_REGISTER_MODE_MISSING),
		      "REGISTER before UFFDIO_API");
	EXPECT_READ(-EINVAL, sizeof(struct uffd_msg));
	EXPECT_POLL(POLLERR, self->fd);
}

TEST_F(api, read)
{
	ASSERT_EQ(0, ask(self->fd, UFFD_API, 0));
	EXPECT_READ(-EAGAIN, sizeof(struct uffd_msg));
	EXPECT_READ(-EINVAL, sizeof(struct uffd_msg) - 1);
}

/* poll() on one that blocks would be a trap, and says so. */
TEST_F(api, poll_blocking)
{
	int fd = open_raw(uffd_sees_kernel() ? 0 : UFFD_USER_MODE_ONLY);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, ask(fd, UFFD_API, 0));
	EXPECT_POLL(POLLERR, fd);
	close(fd);
}

static int set_mode(int fd, __u64 enable, __u64 disable)
{
	struct uffdio_set_mode mode = { .enable = enable, .disable = disable };

	return result(ioctl(fd, UFFDIO_SET_MODE, &mode));
}

TEST_F(api, set_mode)
{
	const __u64 async = UFFD_FEATURE_RWP_ASYNC;

	if (!(uffd_features() & async))
		SKIP(return, "this kernel has no RWP_ASYNC");
	ASSERT_EQ(0, ask(self->fd, UFFD_API, 0));
	EXPECT_RESULT(-EINVAL, set_mode(self->fd, async, 0), "SET_MODE on, without RWP");
	close(self->fd);
	self->fd = uffd_open(UFFD_FEATURE_RWP);
	EXPECT_RESULT(0, set_mode(self->fd, async, 0), "SET_MODE on");
	EXPECT_RESULT(0, set_mode(self->fd, 0, async), "SET_MODE off");
	EXPECT_RESULT(-EINVAL, set_mode(self->fd, async, async), "SET_MODE on and off");
	EXPECT_RESULT(-EINVAL, set_mode(self->fd, UFFD_FEATURE_WP_ASYNC, 0),
		      "SET_MODE on of WP_ASYNC");
}

/* One process may have many, each of a page of its own. */
TEST_F(api, many)
{
	static int fds[256];
	char *p = mmap(NULL, ARRAY_SIZE(fds) * page_size(), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *source = calloc(1, page_size());

	ASSERT_NE(MAP_FAILED, p);
	for (unsigned int i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = uffd_open(0);
		ASSERT_GE(fds[i], 0);
		EXPECT_GT(uffd_register(fds[i], p + i * page_size(), page_size(),
					UFFDIO_REGISTER_MODE_MISSING), 0)
			TH_LOG("anon REGISTER with userfaultfd %u", i);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(fds); i++)
		EXPECT_RESULT(0, uffd_copy(fds[i], p + i * page_size(), source, page_size(), 0),
			      "anon COPY with userfaultfd %u", i);
	for (unsigned int i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	EXPECT_RESULT(0, result(madvise(p, ARRAY_SIZE(fds) * page_size(), MADV_DONTNEED)),
		      "anon MADV_DONTNEED after all are closed");
	EXPECT_VALUE(0, p[0], "anon, read after it");
	free(source);
}

TEST_F(api, flags)
{
	EXPECT_RESULT(-EINVAL, result(open_raw(O_APPEND | UFFD_USER_MODE_ONLY)),
		      "userfaultfd(), unknown flag");
}

/* Root gives up what it has, in this test's own process. */
static bool become_nobody(void)
{
	return !setgroups(0, NULL) && !setgid(65534) && !setuid(65534);
}

TEST_F(api, unprivileged)
{
	static const char path[] = "/proc/sys/vm/unprivileged_userfaultfd";
	int fd;

	if (geteuid())
		SKIP(return, "not root: nothing to give up");
	if (set_until_exit(path, "0"))
		SKIP(return, "cannot set %s", path);
	if (!become_nobody())
		SKIP(return, "cannot become another user");
	EXPECT_RESULT(-EPERM, result(open_raw(0)), "userfaultfd() of another user");
	fd = open_raw(UFFD_USER_MODE_ONLY);
	EXPECT_RESULT(0, result(fd), "userfaultfd() of another user, USER_MODE_ONLY");
	/* To see into children needs the right to trace them. */
	EXPECT_RESULT(-EPERM, ask(fd, UFFD_API, UFFD_FEATURE_EVENT_FORK),
		      "UFFDIO_API of another user, EVENT_FORK");
	EXPECT_RESULT(0, ask(fd, UFFD_API, 0), "UFFDIO_API of another user");
	close(fd);
}

/* This program again, with one test, and without what it says. */
static int run_test(const char *name)
{
	int status = -1, null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid_t pid = fork();

	if (!pid) {
		dup2(null, 1);
		dup2(null, 2);
		execl("/proc/self/exe", "uffd-api", "-t", name, NULL);
		_exit(127);
	}
	close(null);
	return waitpid(pid, &status, 0) == pid ? status : -1;
}

/* What a test sets is put back, though tests leave by _exit(). */
TEST_F(api, settings_are_put_back)
{
	static const char path[] = "/proc/sys/vm/unprivileged_userfaultfd";
	char is = 0;
	int fd;

	if (geteuid())
		SKIP(return, "not root: nothing can be set");
	if (set_until_exit(path, "1"))
		SKIP(return, "cannot set %s", path);
	EXPECT_VALUE(0, run_test("unprivileged"), "exit status of a test that sets %s", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(1, read(fd, &is, 1));
	EXPECT_VALUE('1', is, "%s after that test", path);
	close(fd);
}

TEST_HARNESS_MAIN
