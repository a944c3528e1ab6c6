// SPDX-License-Identifier: GPL-2.0
/*
 * userfaultfd calls, and looking at memory without dying of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <linux/io_uring.h>

#include "uffd-lib.h"

const char *const op_names[NR_OPS] = {
	[OP_COPY] = "COPY",
	[OP_ZEROPAGE] = "ZEROPAGE",
	[OP_CONTINUE] = "CONTINUE",
	[OP_POISON] = "POISON",
	[OP_WP] = "WRITEPROTECT",
	[OP_RWP] = "RWPROTECT",
	[OP_MOVE] = "MOVE",
	[OP_WAKE] = "WAKE",
	[OP_UNREGISTER] = "UNREGISTER",
};

static int call_ioctl(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? -errno : 0;
}

static int do_copy(int fd, const struct uffd_call *c, long long *done)
{
	struct uffdio_copy a = {
		.dst = (unsigned long)c->dst,
		.src = (unsigned long)c->src,
		.len = c->len,
		.mode = c->mode,
	};
	int err = call_ioctl(fd, UFFDIO_COPY, &a);

	*done = a.copy;
	return err;
}

static int do_move(int fd, const struct uffd_call *c, long long *done)
{
	struct uffdio_move a = {
		.dst = (unsigned long)c->dst,
		.src = (unsigned long)c->src,
		.len = c->len,
		.mode = c->mode,
	};
	int err = call_ioctl(fd, UFFDIO_MOVE, &a);

	*done = a.move;
	return err;
}

static const unsigned long range_cmds[NR_OPS] = {
	[OP_ZEROPAGE] = UFFDIO_ZEROPAGE,
	[OP_CONTINUE] = UFFDIO_CONTINUE,
	[OP_POISON] = UFFDIO_POISON,
	[OP_WP] = UFFDIO_WRITEPROTECT,
	[OP_RWP] = UFFDIO_RWPROTECT,
	[OP_WAKE] = UFFDIO_WAKE,
	[OP_UNREGISTER] = UFFDIO_UNREGISTER,
};

/* The others are a range, then the mode, then what was done, or less. */
static int do_range(int fd, const struct uffd_call *c, long long *done)
{
	struct uffdio_zeropage a = {
		.range = { (unsigned long)c->dst, c->len },
		.mode = c->mode,
	};
	int err = call_ioctl(fd, range_cmds[c->op], &a);

	*done = a.zeropage;
	return err;
}

int uffd_do(int fd, const struct uffd_call *call, long long *done)
{
	long long unused;

	if (!done)
		done = &unused;
	if (call->op == OP_COPY)
		return do_copy(fd, call, done);
	if (call->op == OP_MOVE)
		return do_move(fd, call, done);
	return do_range(fd, call, done);
}

int uffd_copy(int fd, void *dst, const void *src, size_t len, __u64 mode)
{
	return uffd_do(fd, &(struct uffd_call){ OP_COPY, dst, src, len, mode }, NULL);
}

int uffd_zeropage(int fd, void *dst, size_t len)
{
	return uffd_do(fd, &(struct uffd_call){ OP_ZEROPAGE, dst, NULL, len, 0 }, NULL);
}

int uffd_continue(int fd, void *dst, size_t len, __u64 mode)
{
	return uffd_do(fd, &(struct uffd_call){ OP_CONTINUE, dst, NULL, len, mode }, NULL);
}

int uffd_poison(int fd, void *dst, size_t len)
{
	return uffd_do(fd, &(struct uffd_call){ OP_POISON, dst, NULL, len, 0 }, NULL);
}

int uffd_wp(int fd, void *dst, size_t len, __u64 mode)
{
	return uffd_do(fd, &(struct uffd_call){ OP_WP, dst, NULL, len, mode }, NULL);
}

int uffd_rwp(int fd, void *dst, size_t len, __u64 mode)
{
	return uffd_do(fd, &(struct uffd_call){ OP_RWP, dst, NULL, len, mode }, NULL);
}

int uffd_protect(int fd, void *dst, size_t len, __u64 modes)
{
	if (modes & UFFDIO_REGISTER_MODE_RWP)
		return uffd_rwp(fd, dst, len, UFFDIO_RWPROTECT_MODE_RWP);
	if (modes & UFFDIO_REGISTER_MODE_WP)
		return uffd_wp(fd, dst, len, UFFDIO_WRITEPROTECT_MODE_WP);
	return 0;
}

int uffd_wake(int fd, void *dst, size_t len)
{
	return uffd_do(fd, &(struct uffd_call){ OP_WAKE, dst, NULL, len, 0 }, NULL);
}

int uffd_unregister(int fd, void *dst, size_t len)
{
	return uffd_do(fd, &(struct uffd_call){ OP_UNREGISTER, dst, NULL, len, 0 }, NULL);
}

long long uffd_register(int fd, void *p, size_t len, __u64 mode)
{
	struct uffdio_register a = {
		.range = { (unsigned long)p, len },
		.mode = mode,
	};
	int err = call_ioctl(fd, UFFDIO_REGISTER, &a);

	return err ? err : (long long)a.ioctls;
}

static int raw_open(bool *user_only)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	*user_only = false;
	if (fd < 0 && errno == EPERM) {
		*user_only = true;
		fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK |
			     UFFD_USER_MODE_ONLY);
	}
	return fd < 0 ? -errno : fd;
}

int uffd_open(__u64 features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	bool user_only;
	int err, fd = raw_open(&user_only);

	if (fd < 0)
		return fd;
	err = call_ioctl(fd, UFFDIO_API, &api);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

__u64 uffd_features(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	static __u64 features;
	bool user_only;
	int fd;

	if (features)
		return features;
	fd = raw_open(&user_only);
	if (fd < 0)
		return 0;
	if (!ioctl(fd, UFFDIO_API, &api))
		features = api.features;
	close(fd);
	return features;
}

#ifndef UFFD_FEATURE_MISSING_GUEST_MEMFD
#define UFFD_FEATURE_MISSING_GUEST_MEMFD	(1 << 19)
#endif

bool uffd_offers(enum mem_class class)
{
	return class != CLASS_GMEM || uffd_features() & UFFD_FEATURE_MISSING_GUEST_MEMFD;
}

bool uffd_sees_kernel(void)
{
	bool user_only;
	int fd = raw_open(&user_only);

	if (fd >= 0)
		close(fd);
	return fd >= 0 && !user_only;
}

bool uffd_sees_fork(void)
{
	int fd = uffd_open(UFFD_FEATURE_EVENT_FORK);

	if (fd >= 0)
		close(fd);
	return fd != -EPERM;
}

bool uffd_knows(enum uffd_op op)
{
	static const __u64 features[NR_OPS] = {
		[OP_POISON] = UFFD_FEATURE_POISON,
		[OP_RWP] = UFFD_FEATURE_RWP,
		[OP_MOVE] = UFFD_FEATURE_MOVE,
	};

	return (uffd_features() & features[op]) == features[op];
}

int uffd_event(int fd, struct uffd_msg *msg, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int n = poll(&pfd, 1, timeout_ms);

	if (n <= 0)
		return n ? -errno : 0;
	if (read(fd, msg, sizeof(*msg)) != sizeof(*msg))
		return -errno;
	return 1;
}

static void *read_events(void *arg)
{
	int fd = (long)arg;
	struct uffd_msg msg;

	while (uffd_event(fd, &msg, -1) == 1 && msg.event != UFFD_EVENT_PAGEFAULT)
		;
	return NULL;
}

bool uffd_ignore_events(int fd)
{
	pthread_t thread;

	return !pthread_create(&thread, NULL, read_events, (void *)(long)fd) &&
	       !pthread_detach(thread);
}

static __thread sigjmp_buf trap_env;
static __thread struct trap *trap_now;

static void on_trap(int sig, siginfo_t *info, void *context)
{
	if (!trap_now) {
		signal(sig, SIG_DFL);
		return;
	}
	*trap_now = (struct trap) {
		.sig = sig,
		.code = info->si_code,
		.addr = info->si_addr,
		.lsb = info->si_addr_lsb,
	};
	siglongjmp(trap_env, 1);
}

static struct trap try_access(void *p, bool write, char *value)
{
	struct sigaction new = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
	struct trap trap = { 0 };

	sigaction(SIGBUS, &new, NULL);
	sigaction(SIGSEGV, &new, NULL);
	trap_now = &trap;
	if (!sigsetjmp(trap_env, 1)) {
		if (write)
			*(volatile char *)p = *value;
		else
			*value = *(volatile char *)p;
	}
	trap_now = NULL;
	return trap;
}

struct trap try_read(const void *p, char *value)
{
	char unused;

	return try_access((void *)p, false, value ? value : &unused);
}

struct trap try_write(void *p, char value)
{
	return try_access(p, true, &value);
}

int pagemap_open(void)
{
	return open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
}

__u64 pagemap_entry(int fd, const void *p)
{
	__u64 entry;

	return pread(fd, &entry, sizeof(entry),
		     (unsigned long)p / page_size() * sizeof(entry)) == sizeof(entry) ? entry : 0;
}

__u64 pagemap(const void *p)
{
	int fd = pagemap_open();
	__u64 entry = pagemap_entry(fd, p);

	if (fd >= 0)
		close(fd);
	return entry;
}

__u64 pagemap_any(const char *p, size_t len)
{
	__u64 bits = 0;

	for (size_t at = 0; at < len; at += page_size())
		bits |= pagemap(p + at);
	return bits & (PM_PRESENT | PM_SWAP | PM_UFFD);
}

__u64 kpageflags(const void *p)
{
	__u64 flags = 0, pfn = pagemap(p) & ((1ULL << 55) - 1);
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (!pfn || pread(fd, &flags, sizeof(flags), pfn * sizeof(flags)) != sizeof(flags))
		flags = 0;
	close(fd);
	return flags;
}

long smaps_kb(const void *p, const char *field)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long start, end, addr = (unsigned long)p;
	bool inside = false;
	long kb = -1;
	char line[256];
	char dash;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx%c%lx ", &start, &dash, &end) == 3 && dash == '-')
			inside = addr >= start && addr < end;
		else if (inside && !strncmp(line, field, strlen(field)) &&
			 line[strlen(field)] == ':')
			kb = atol(line + strlen(field) + 1);
	}
	if (f)
		fclose(f);
	return kb;
}

bool unit_is(const char *p, size_t len, int byte)
{
	if (!(pagemap(p) & PM_PRESENT))
		return false;
	for (size_t i = 0; i < len; i += 64)
		if (p[i] != (char)byte)
			return false;
	return p[len - 1] == (char)byte;
}

const char *unit_name(const char *p, size_t len)
{
	static char buf[32];
	size_t i;

	if (!(pagemap(p) & PM_PRESENT))
		return "no page";
	for (i = 0; i < len && p[i] == p[0];)
		i++;
	snprintf(buf, sizeof(buf), i < len ? "0x%02x and 0x%02x" : "0x%02x", p[0] & 0xff,
		 i < len ? p[i] & 0xff : 0);
	return buf;
}

bool pin_page(void *p)
{
	struct io_uring_params params = { 0 };
	struct iovec buf = { p, page_size() };
	int fd = syscall(SYS_io_uring_setup, 1, &params);

	return fd >= 0 && !syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS, &buf, 1);
}

bool have_child(void)
{
	pid_t parent = getpid();
	pid_t pid = syscall(SYS_fork);

	if (pid)
		return pid > 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It may be gone already. */
	while (getppid() == parent)
		pause();
	_exit(0);
}

pid_t process_here(int (*fn)(void *), void *arg)
{
	const size_t size = 65536;
	char *stack = malloc(size);

	/* Nobody knows when it is done with its stack: it stays. */
	return stack ? clone(fn, stack + size, CLONE_VM | SIGCHLD, arg) : -1;
}

const char *err_name(int err)
{
	const char *name = strerrorname_np(err < 0 ? -err : err);

	return err ? name ? name : "?" : "ok";
}

static void *touch_thread(void *arg)
{
	struct toucher *t = arg;

	__atomic_store_n(&t->tid, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
	if (t->call)
		t->ret = t->call(t->p);
	else
		t->trap = t->write ? try_write(t->p, t->value) : try_read(t->p, &t->value);
	return NULL;
}

void touch_start(struct toucher *t, void *p, bool write)
{
	t->p = p;
	t->write = write;
	t->value = TOUCH_BYTE;
	t->tid = 0;
	if (pthread_create(&t->thread, NULL, touch_thread, t))
		abort();
}

const char *touch_name(const struct toucher *t)
{
	return t->call ? t->name : t->write ? "write" : "read";
}

bool touch_join(struct toucher *t, int seconds)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += seconds;
	return !pthread_timedjoin_np(t->thread, NULL, &end);
}

bool thread_sleeps(int tid)
{
	char path[64], buf[16] = "running";
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* The kernel waits for it to be off the CPU, or says "running". */
	if (fd < 0 || read(fd, buf, sizeof(buf) - 1) <= 0)
		buf[0] = 'r';
	if (fd >= 0)
		close(fd);
	return buf[0] != 'r';
}

bool thread_wait_sleeps(int tid)
{
	struct timespec now, start;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		if (thread_sleeps(tid))
			return true;
		sched_yield();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - start.tv_sec < 10);
	return false;
}

static void *late_thread(void *arg)
{
	struct late_copy *l = arg;

	l->err = uffd_do(l->fd, &l->call, &l->done);
	return NULL;
}

int late_start(struct late_copy *l, int fd, void *dst, size_t len, __u64 mode)
{
	struct uffd_msg msg;
	long long bits;

	*l = (struct late_copy) { .fd = fd, .len = len, .page = malloc(len) };
	l->source = mmap(NULL, len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (l->source == MAP_FAILED)
		return -errno;
	madvise(l->source, len, MADV_NOHUGEPAGE);
	l->source_fd = uffd_open(0);
	if (l->source_fd < 0)
		return l->source_fd;
	bits = uffd_register(l->source_fd, l->source, len,
			     UFFDIO_REGISTER_MODE_MISSING);
	if (bits < 0)
		return bits;
	l->call = (struct uffd_call) { OP_COPY, dst, l->source, len, mode };
	if (pthread_create(&l->thread, NULL, late_thread, l))
		return -EAGAIN;
	/* The message is there only once the ioctl sleeps on its source. */
	return uffd_event(l->source_fd, &msg, 10000) == 1 ? 0 : -ETIMEDOUT;
}

int late_finish(struct late_copy *l, int byte)
{
	int err;

	memset(l->page, byte, l->len);
	err = uffd_copy(l->source_fd, l->source, l->page, l->len, 0);
	pthread_join(l->thread, NULL);
	close(l->source_fd);
	munmap(l->source, l->len);
	free(l->page);
	return err;
}
