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

/* The errno of UFFDIO_API. */
static int ask(int fd, __u64 version, __u64 features)
{
	struct uffdio_api api = { .api = version, .features = features };

	return ioctl(fd, UFFDIO_API, &api) ? errno : 0;
}

TEST_F(api, features)
{
	struct uffdio_api api = { .api = UFFD_API };

	ASSERT_EQ(0, ioctl(self->fd, UFFDIO_API, &api));
	EXPECT_EQ(UFFD_FEATURE_MISSING_SHMEM, api.features & UFFD_FEATURE_MISSING_SHMEM);
	EXPECT_EQ(0, api.features & ~(__u64)UFFD_API_FEATURES);
	EXPECT_EQ(1ULL << _UFFDIO_REGISTER, api.ioctls & (1ULL << _UFFDIO_REGISTER));
}

TEST_F(api, refusals)
{
	EXPECT_EQ(EINVAL, ask(self->fd, 0, 0));
	EXPECT_EQ(EINVAL, ask(self->fd, UFFD_API, 1ULL << 63));
	EXPECT_EQ(EINVAL, ask(self->fd, UFFD_API, UFFD_FEATURE_RWP_ASYNC));
	/* A refusal is no answer: it may be asked again, once. */
	EXPECT_EQ(0, ask(self->fd, UFFD_API, 0));
	EXPECT_EQ(EINVAL, ask(self->fd, UFFD_API, 0));
}

TEST_F(api, nothing_before_it)
{
	char *p = mmap(NULL, page_size(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };
	struct uffd_msg msg;

	EXPECT_EQ(-EINVAL, uffd_register(self->fd, p, page_size(), UFFDIO_REGISTER_MODE_MISSING));
	EXPECT_EQ(-1, read(self->fd, &msg, sizeof(msg)));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLERR, pfd.revents);
}

TEST_F(api, read)
{
	struct uffd_msg msg;

	ASSERT_EQ(0, ask(self->fd, UFFD_API, 0));
	EXPECT_EQ(-1, read(self->fd, &msg, sizeof(msg)));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, read(self->fd, &msg, sizeof(msg) - 1));
	EXPECT_EQ(EINVAL, errno);
}

/* poll() on one that blocks would be a trap, and says so. */
TEST_F(api, poll_blocking)
{
	struct pollfd pfd = { .events = POLLIN };

	pfd.fd = open_raw(uffd_sees_kernel() ? 0 : UFFD_USER_MODE_ONLY);
	ASSERT_GE(pfd.fd, 0);
	ASSERT_EQ(0, ask(pfd.fd, UFFD_API, 0));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLERR, pfd.revents);
	close(pfd.fd);
}

TEST_F(api, set_mode)
{
	struct uffdio_set_mode both = {
		.enable = UFFD_FEATURE_RWP_ASYNC, .disable = UFFD_FEATURE_RWP_ASYNC,
	}, other = {
		.enable = UFFD_FEATURE_WP_ASYNC,
	}, on = {
		.enable = UFFD_FEATURE_RWP_ASYNC,
	}, off = {
		.disable = UFFD_FEATURE_RWP_ASYNC,
	};

	if (!(uffd_features() & UFFD_FEATURE_RWP_ASYNC))
		SKIP(return, "this kernel has no RWP_ASYNC");
	ASSERT_EQ(0, ask(self->fd, UFFD_API, 0));
	/* Not without RWP. */
	EXPECT_EQ(-1, ioctl(self->fd, UFFDIO_SET_MODE, &on));
	EXPECT_EQ(EINVAL, errno);
	close(self->fd);
	self->fd = uffd_open(UFFD_FEATURE_RWP);
	EXPECT_EQ(0, ioctl(self->fd, UFFDIO_SET_MODE, &on));
	EXPECT_EQ(0, ioctl(self->fd, UFFDIO_SET_MODE, &off));
	EXPECT_EQ(-1, ioctl(self->fd, UFFDIO_SET_MODE, &both));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(self->fd, UFFDIO_SET_MODE, &other));
	EXPECT_EQ(EINVAL, errno);
}

/* One process may have many, each of a page of its own. */
TEST_F(api, many)
{
	static int fds[256];
	char *p = mmap(NULL, ARRAY_LEN(fds) * page_size(), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *source = calloc(1, page_size());

	ASSERT_NE(MAP_FAILED, p);
	for (unsigned int i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = uffd_open(0);
		ASSERT_GE(fds[i], 0);
		EXPECT_GT(uffd_register(fds[i], p + i * page_size(), page_size(),
					UFFDIO_REGISTER_MODE_MISSING), 0);
	}
	for (unsigned int i = 0; i < ARRAY_LEN(fds); i++)
		EXPECT_EQ(0, uffd_copy(fds[i], p + i * page_size(), source, page_size(), 0));
	for (unsigned int i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	EXPECT_EQ(0, madvise(p, ARRAY_LEN(fds) * page_size(), MADV_DONTNEED));
	EXPECT_EQ(0, p[0]);
	free(source);
}

TEST_F(api, flags)
{
	EXPECT_EQ(-1, open_raw(O_APPEND));
	EXPECT_EQ(EINVAL, errno);
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
	ASSERT_EQ(0, set_until_exit(path, "0"));
	if (!become_nobody())
		SKIP(return, "cannot become another user");
	EXPECT_EQ(-1, open_raw(0));
	EXPECT_EQ(EPERM, errno);
	fd = open_raw(UFFD_USER_MODE_ONLY);
	EXPECT_GE(fd, 0);
	/* To see into children needs the right to trace them. */
	EXPECT_EQ(EPERM, ask(fd, UFFD_API, UFFD_FEATURE_EVENT_FORK));
	EXPECT_EQ(0, ask(fd, UFFD_API, 0));
	close(fd);
}

TEST_HARNESS_MAIN
