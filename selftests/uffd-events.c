// SPDX-License-Identifier: GPL-2.0
/*
 * Messages: how they are read, and the events of who changes his mappings,
 * also if nobody reads them.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uffd-lib.h"

#define M		UFFDIO_REGISTER_MODE_MISSING
#define PAGES		4
#define WAIT_MS		10000
#define WAIT_S		10
#define BYTE		0x5a

FIXTURE(events)
{
	char *area;		/* PAGES pages */
	char *room;		/* as many, for mremap() */
	char *source;
	size_t page;
	size_t len;
	int fd;
};

FIXTURE_SETUP(events)
{
	self->fd = -1;
	self->page = page_size();
	self->len = PAGES * self->page;
	if (!uffd_features())
		SKIP(return, NO_UFFD);
	if (!uffd_sees_kernel())
		SKIP(return, NO_KERNEL_FAULTS);
	self->area = mmap(NULL, 3 * self->len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->area);
	/* Nothing of the same kind beside it. */
	self->room = self->area + 2 * self->len;
	ASSERT_EQ(0, mprotect(self->area, self->len, PROT_READ | PROT_WRITE));
	self->source = malloc(self->page);
	memset(self->source, BYTE, self->page);
}

FIXTURE_TEARDOWN(events)
{
}

#define OPEN(features) do {							\
	self->fd = uffd_open(features);						\
	ASSERT_GE(self->fd, 0) TH_LOG("userfaultfd: %s", err_name(self->fd));	\
	ASSERT_GT(uffd_register(self->fd, self->area, self->len, M), 0);	\
} while (0)

#define COPY(p) uffd_copy(self->fd, p, self->source, self->page, 0)

/* How many faults wait, as fdinfo has it: "pending" to be read, or in "total". */
static long waiting(int fd, const char *name)
{
	char path[64], line[128];
	long value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			value = atol(line + strlen(name) + 1);
	if (f)
		fclose(f);
	return value;
}

/* Two at once, and not half of one. */
TEST_F(events, read_many)
{
	struct toucher first = { 0 }, second = { 0 };
	struct uffd_msg msgs[3];
	char *buf = (char *)msgs;

	OPEN(0);
	touch_start(&first, self->area, false);
	touch_start(&second, self->area + self->page, false);
	while (waiting(self->fd, "pending") < 2)
		sched_yield();
	EXPECT_VALUE(2 * sizeof(msgs[0]), read(self->fd, buf, sizeof(msgs) - 1),
		     "anon read many: bytes read");
	/* In whatever order. */
	EXPECT_EQ(2 * (unsigned long)self->area + self->page,
		  msgs[0].arg.pagefault.address + msgs[1].arg.pagefault.address);
	EXPECT_RESULT(0, COPY(self->area), "anon COPY, read many");
	EXPECT_RESULT(0, COPY(self->area + self->page), "anon COPY, read many");
	EXPECT_TRUE(touch_join(&first, WAIT_S))
		TH_LOG("anon read many: expected it to wake, still sleeps");
	EXPECT_TRUE(touch_join(&second, WAIT_S))
		TH_LOG("anon read many: expected it to wake, still sleeps");
}

/* A message that cannot be handed over is lost, its fault is not. */
TEST_F(events, read_to_nowhere)
{
	struct pollfd pfd = { .events = POLLIN };
	struct toucher toucher = { 0 };

	OPEN(0);
	touch_start(&toucher, self->area, false);
	pfd.fd = self->fd;
	ASSERT_EQ(1, poll(&pfd, 1, WAIT_MS));
	EXPECT_RESULT(-EFAULT, read(self->fd, self->room, sizeof(struct uffd_msg)) < 0 ? -errno : 0,
		      "anon read to nowhere");
	EXPECT_RESULT(0, COPY(self->area), "anon COPY, read to nowhere");
	EXPECT_TRUE(touch_join(&toucher, WAIT_S))
		TH_LOG("anon read to nowhere: expected it to wake, still sleeps");
	EXPECT_VALUE(BYTE, toucher.value, "anon read to nowhere: value");
}

/* A reader that waits, as those do that have nothing else to wait for. */
struct reader {
	pthread_t thread;
	int fd;
	int tid;
	ssize_t got;
	int err;
	struct uffd_msg msg;
};

static void *reader_thread(void *arg)
{
	struct reader *r = arg;

	__atomic_store_n(&r->tid, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
	r->got = read(r->fd, &r->msg, sizeof(r->msg));
	r->err = errno;
	return NULL;
}

/* Comes back when it sleeps. */
static bool reader_start(struct reader *r, int fd)
{
	r->fd = fd;
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) ||
	    pthread_create(&r->thread, NULL, reader_thread, r))
		return false;
	while (!__atomic_load_n(&r->tid, __ATOMIC_ACQUIRE))
		sched_yield();
	return thread_wait_sleeps(r->tid);
}

TEST_F(events, read_waits)
{
	struct toucher toucher = { 0 };
	struct reader r = { 0 };

	OPEN(0);
	ASSERT_TRUE(reader_start(&r, self->fd));
	touch_start(&toucher, self->area, true);
	ASSERT_EQ(0, pthread_join(r.thread, NULL));
	EXPECT_VALUE(sizeof(r.msg), r.got, "anon read waits: bytes read");
	EXPECT_VALUE((unsigned long)self->area, r.msg.arg.pagefault.address,
		     "anon read waits: address");
	EXPECT_RESULT(0, COPY(self->area), "anon COPY, read waits");
	EXPECT_TRUE(touch_join(&toucher, WAIT_S))
		TH_LOG("anon read waits: expected it to wake, still sleeps");
}

static void on_signal(int sig)
{
}

TEST_F(events, read_is_interrupted)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct reader r = { 0 };

	OPEN(0);
	ASSERT_EQ(0, sigaction(SIGUSR1, &act, NULL));
	ASSERT_TRUE(reader_start(&r, self->fd));
	ASSERT_EQ(0, pthread_kill(r.thread, SIGUSR1));
	ASSERT_EQ(0, pthread_join(r.thread, NULL));
	EXPECT_RESULT(-EINTR, r.got < 0 ? -r.err : 0, "anon read that is interrupted");
}

TEST_F(events, fdinfo)
{
	struct toucher toucher = { 0 };
	struct pollfd pfd = { .events = POLLIN };
	struct uffd_msg msg;

	OPEN(0);
	EXPECT_VALUE(0, waiting(self->fd, "total"), "anon fdinfo: total");
	touch_start(&toucher, self->area, false);
	pfd.fd = self->fd;
	ASSERT_EQ(1, poll(&pfd, 1, WAIT_MS));
	EXPECT_VALUE(1, waiting(self->fd, "pending"), "anon fdinfo: pending");
	EXPECT_VALUE(1, waiting(self->fd, "total"), "anon fdinfo: total");
	ASSERT_EQ(1, uffd_event(self->fd, &msg, 0));
	EXPECT_VALUE(0, waiting(self->fd, "pending"), "anon fdinfo: pending");
	EXPECT_VALUE(1, waiting(self->fd, "total"), "anon fdinfo: total");
	EXPECT_RESULT(0, COPY(self->area), "anon COPY, fdinfo");
	EXPECT_TRUE(touch_join(&toucher, WAIT_S))
		TH_LOG("anon fdinfo: expected it to wake, still sleeps");
	EXPECT_VALUE(0, waiting(self->fd, "total"), "anon fdinfo: total");
}

/*
 * What raises an event, and sleeps until it is read.
 */
struct change {
	const char *name;
	__u64 feature;
	int event;
	long (*call)(struct change *c);
	/* for the call */
	char *area;
	char *room;
	size_t len;
	pthread_t thread;
	long ret;
};

/*
 * Not fork(): glibc's holds its locks until the parent is back.  And with files
 * of its own the child would keep open what the parent closes.
 */
static long change_fork(struct change *c)
{
	int status;
	pid_t pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		_exit(*(volatile unsigned char *)c->area);
	return waitpid(pid, &status, 0) == pid ? status : -errno;
}

static long change_remap(struct change *c)
{
	return mremap(c->area, c->len, c->len, MREMAP_MAYMOVE | MREMAP_FIXED, c->room) ==
	       c->room ? 0 : -errno;
}

static long change_remove(struct change *c)
{
	return madvise(c->area, c->len, MADV_DONTNEED) ? -errno : 0;
}

static long change_unmap(struct change *c)
{
	return munmap(c->area, c->len) ? -errno : 0;
}

static const struct change changes[] = {
	{ "fork", UFFD_FEATURE_EVENT_FORK, UFFD_EVENT_FORK, change_fork },
	{ "mremap", UFFD_FEATURE_EVENT_REMAP, UFFD_EVENT_REMAP, change_remap },
	{ "madvise", UFFD_FEATURE_EVENT_REMOVE, UFFD_EVENT_REMOVE, change_remove },
	{ "munmap", UFFD_FEATURE_EVENT_UNMAP, UFFD_EVENT_UNMAP, change_unmap },
};

static void *change_thread(void *arg)
{
	struct change *c = arg;

	c->ret = c->call(c);
	return NULL;
}

FIXTURE(change)
{
	struct change change;
	char *source;
	size_t page;
	int fd;
};

FIXTURE_VARIANT(change)
{
	unsigned int nr;
};

FIXTURE_VARIANT_ADD(change, fork) { .nr = 0 };
FIXTURE_VARIANT_ADD(change, mremap) { .nr = 1 };
FIXTURE_VARIANT_ADD(change, madvise) { .nr = 2 };
FIXTURE_VARIANT_ADD(change, munmap) { .nr = 3 };

FIXTURE_SETUP(change)
{
	struct change *c = &self->change;

	*c = changes[variant->nr];
	self->page = page_size();
	if (!uffd_features())
		SKIP(return, NO_UFFD);
	if (!uffd_sees_kernel())
		SKIP(return, NO_KERNEL_FAULTS);
	c->len = PAGES * self->page;
	c->area = mmap(NULL, 3 * c->len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, c->area);
	c->room = c->area + 2 * c->len;
	ASSERT_EQ(0, mprotect(c->area, c->len, PROT_READ | PROT_WRITE));
	self->source = malloc(self->page);
	memset(self->source, BYTE, self->page);
	self->fd = uffd_open(c->feature);
	ASSERT_GE(self->fd, 0) TH_LOG("userfaultfd: %s", err_name(self->fd));
	ASSERT_GT(uffd_register(self->fd, c->area, c->len, M), 0);
}

FIXTURE_TEARDOWN(change)
{
}

/* The call sleeps, and its event is there. */
#define BEGIN() do {								\
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };		\
										\
	ASSERT_EQ(0, pthread_create(&self->change.thread, NULL, change_thread,	\
				    &self->change));				\
	ASSERT_EQ(1, poll(&pfd, 1, WAIT_MS));					\
} while (0)

/* With two mappings and one userfaultfd it is one event, but for mremap(). */
TEST_F(change, one_event)
{
	struct change *c = &self->change;
	struct uffd_msg msg;

	/* Other protection makes it two mappings. */
	if (c->event != UFFD_EVENT_REMAP)
		ASSERT_EQ(0, mprotect(c->area, self->page, PROT_READ));
	BEGIN();
	ASSERT_EQ(1, uffd_event(self->fd, &msg, WAIT_MS));
	EXPECT_VALUE(c->event, msg.event, "anon %s one event: event", self->change.name);
	if (c->event == UFFD_EVENT_FORK) {
		close(msg.arg.fork.ufd);
	} else if (c->event == UFFD_EVENT_REMAP) {
		EXPECT_VALUE((unsigned long)c->area, msg.arg.remap.from,
			     "anon %s one event: from", self->change.name);
		EXPECT_VALUE((unsigned long)c->room, msg.arg.remap.to,
			     "anon %s one event: to", self->change.name);
		EXPECT_VALUE(c->len, msg.arg.remap.len,
			     "anon %s one event: len", self->change.name);
	} else if (c->event == UFFD_EVENT_UNMAP) {
		EXPECT_VALUE((unsigned long)c->area, msg.arg.remove.start,
			     "anon %s one event: start", self->change.name);
		EXPECT_VALUE((unsigned long)c->area + c->len, msg.arg.remove.end,
			     "anon %s one event: end", self->change.name);
	} else {
		/* madvise() goes from mapping to mapping. */
		EXPECT_VALUE((unsigned long)c->area + self->page, msg.arg.remove.end,
			     "anon %s one event: end", self->change.name);
		ASSERT_EQ(1, uffd_event(self->fd, &msg, WAIT_MS));
		EXPECT_VALUE((unsigned long)c->area + c->len, msg.arg.remove.end,
			     "anon %s one event: end", self->change.name);
	}
	ASSERT_EQ(0, pthread_join(c->thread, NULL));
	EXPECT_RESULT(0, c->ret, "anon %s result, one event", self->change.name);
	EXPECT_VALUE(0, uffd_event(self->fd, &msg, 0),
		     "anon %s one event: messages left", self->change.name);
}

/* Nobody reads it any more: the call goes on, and nothing is registered. */
TEST_F(change, closed)
{
	struct change *c = &self->change;

	BEGIN();
	close(self->fd);
	ASSERT_EQ(0, pthread_join(c->thread, NULL));
	EXPECT_RESULT(0, c->ret, "anon %s result, closed", self->change.name);
	if (c->event == UFFD_EVENT_REMAP)
		c->area = c->room;
	if (c->event != UFFD_EVENT_UNMAP)
		EXPECT_VALUE(0, try_read(c->area, NULL).sig,
			     "anon %s closed: signal", self->change.name);
}

/* Nobody has to read it for the caller to be killed. */
TEST_F(change, killed)
{
	struct change *c = &self->change;
	int status, fds[2];
	pid_t pid;
	char one;

	/* The fork of this test itself has nothing to tell. */
	close(self->fd);
	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	if (!pid) {
		struct pollfd pfd = { .events = POLLIN };

		pfd.fd = uffd_open(c->feature);
		if (uffd_register(pfd.fd, c->area, c->len, M) < 0 ||
		    pthread_create(&c->thread, NULL, change_thread, c) ||
		    poll(&pfd, 1, WAIT_MS) != 1 || write(fds[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	close(fds[1]);
	ASSERT_EQ(1, read(fds[0], &one, 1));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSIGNALED(status))
		TH_LOG("anon %s killed: expected a signal, got status %#x", self->change.name,
		       status);
	EXPECT_VALUE(SIGKILL, WTERMSIG(status), "anon %s killed: signal", self->change.name);
}

/* While it is not read, everything has to be tried again; then it works. */
TEST_F(change, again)
{
	struct change *c = &self->change;
	struct uffd_msg msg;

	BEGIN();
	if (c->event != UFFD_EVENT_UNMAP && c->event != UFFD_EVENT_REMAP)
		EXPECT_RESULT(-EAGAIN, uffd_copy(self->fd, c->area, self->source, self->page, 0),
			      "anon %s COPY, again", self->change.name);
	ASSERT_EQ(1, uffd_event(self->fd, &msg, WAIT_MS));
	if (c->event == UFFD_EVENT_FORK)
		close(msg.arg.fork.ufd);
	ASSERT_EQ(0, pthread_join(c->thread, NULL));
	EXPECT_RESULT(0, c->ret, "anon %s result, again", self->change.name);
	if (c->event == UFFD_EVENT_REMAP)
		c->area = c->room;
	EXPECT_RESULT(c->event == UFFD_EVENT_UNMAP ? -ENOENT : 0,
		      uffd_copy(self->fd, c->area, self->source, self->page, 0),
		      "anon %s COPY, again", self->change.name);
	if (c->event != UFFD_EVENT_UNMAP)
		EXPECT_VALUE(BYTE, c->area[0], "anon %s again: value", self->change.name);
}

/* Who did not ask for an event is not told; what is moved, or unmapped, is not registered. */
TEST_F(change, unasked)
{
	struct change *c = &self->change;
	char *p = c->event == UFFD_EVENT_REMAP ? c->room : c->area;
	bool gone = c->event == UFFD_EVENT_REMAP || c->event == UFFD_EVENT_UNMAP;
	struct uffd_msg msg;

	close(self->fd);
	self->fd = uffd_open(0);
	ASSERT_GT(uffd_register(self->fd, c->area, c->len, M), 0);
	if (c->event == UFFD_EVENT_FORK)
		ASSERT_EQ(0, uffd_copy(self->fd, c->area, self->source, self->page, 0));
	EXPECT_VALUE(c->event == UFFD_EVENT_FORK ? BYTE << 8 : 0, c->call(c),
		     "anon %s unasked: result", self->change.name);
	EXPECT_VALUE(0, uffd_event(self->fd, &msg, 0), "anon %s unasked: messages",
		     self->change.name);
	/* Not the first page: a child reads that. */
	EXPECT_RESULT(gone ? -ENOENT : 0,
		      uffd_copy(self->fd, p + self->page, self->source, self->page, 0),
		      "anon %s COPY, unasked", self->change.name);
}

/* A fork whose userfaultfd finds no room among the reader's files. */
TEST_F(events, fork_without_a_free_file)
{
	struct change c = changes[0];
	struct rlimit old, none = { 0 };
	struct pollfd pfd = { .events = POLLIN };
	struct uffd_msg msg;

	OPEN(UFFD_FEATURE_EVENT_FORK);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	none.rlim_max = old.rlim_max;
	c.area = self->area;
	ASSERT_EQ(0, pthread_create(&c.thread, NULL, change_thread, &c));
	pfd.fd = self->fd;
	ASSERT_EQ(1, poll(&pfd, 1, WAIT_MS));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_RESULT(-EMFILE, read(self->fd, &msg, sizeof(msg)) < 0 ? -errno : 0,
		      "anon read of a fork without a free file");
	/* It can be read again when there is. */
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	ASSERT_EQ(1, uffd_event(self->fd, &msg, WAIT_MS));
	EXPECT_VALUE(UFFD_EVENT_FORK, msg.event, "anon fork without a free file: event");
	close(msg.arg.fork.ufd);
	ASSERT_EQ(0, pthread_join(c.thread, NULL));
	EXPECT_RESULT(0, c.ret, "anon fork, fork without a free file");
}

/* The other way to open one. */
TEST_F(events, device)
{
	int dev = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	struct uffdio_api api = { .api = UFFD_API };

	if (dev < 0)
		SKIP(return, "no /dev/userfaultfd");
	self->fd = ioctl(dev, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
	ASSERT_GE(self->fd, 0);
	EXPECT_RESULT(0, ioctl(self->fd, UFFDIO_API, &api) ? -errno : 0, "UFFDIO_API");
	EXPECT_GT(uffd_register(self->fd, self->area, self->len, M), 0)
		TH_LOG("anon REGISTER with one of the device");
	EXPECT_RESULT(0, COPY(self->area), "anon COPY, device");
	EXPECT_RESULT(-EINVAL, ioctl(dev, USERFAULTFD_IOC_NEW, O_APPEND) < 0 ? -errno : 0,
		      "IOC_NEW, unknown flag");
	EXPECT_RESULT(-EINVAL, ioctl(dev, UFFDIO_API, &api) < 0 ? -errno : 0,
		      "UFFDIO_API of the device");
}

TEST_HARNESS_MAIN
