/* SPDX-License-Identifier: GPL-2.0 */
/*
 * userfaultfd calls, and looking at memory without dying of it.
 */
#ifndef UFFD_LIB_H
#define UFFD_LIB_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <linux/userfaultfd.h>

#include "uffd-mem.h"

/* Why a test may be skipped, for a person. */
#define NO_UFFD \
	"no userfaultfd: CONFIG_USERFAULTFD, root or vm.unprivileged_userfaultfd"
#define NO_GMEM \
	"this kernel has no userfaultfd for guest_memfd"
#define NO_PROTECT \
	"guest_memfd can be neither write-protected nor made inaccessible"
#define NO_KERNEL_FAULTS \
	"not root: userfaultfd sees no fault of a system call"
#define NO_FORK_EVENTS \
	"no CAP_SYS_PTRACE: a userfaultfd may not follow a fork"

enum uffd_op {
	OP_COPY,
	OP_ZEROPAGE,
	OP_CONTINUE,
	OP_POISON,
	OP_WP,
	OP_RWP,
	OP_MOVE,
	OP_WAKE,
	OP_UNREGISTER,
	NR_OPS
};

extern const char *const op_names[NR_OPS];

struct uffd_call {
	enum uffd_op op;
	void *dst;
	const void *src;	/* COPY and MOVE */
	size_t len;
	__u64 mode;
};

/*
 * 0 or a negative errno.  @done, if not NULL, gets what the kernel wrote back:
 * bytes, or a negative errno; 0 for operations that write nothing back.
 */
int uffd_do(int fd, const struct uffd_call *call, long long *done);

int uffd_copy(int fd, void *dst, const void *src, size_t len, __u64 mode);
int uffd_zeropage(int fd, void *dst, size_t len);
int uffd_continue(int fd, void *dst, size_t len, __u64 mode);
int uffd_poison(int fd, void *dst, size_t len);
int uffd_wp(int fd, void *dst, size_t len, __u64 mode);
int uffd_rwp(int fd, void *dst, size_t len, __u64 mode);
/* As memory registered in @modes is protected; 0, too, if it is not. */
int uffd_protect(int fd, void *dst, size_t len, __u64 modes);
int uffd_wake(int fd, void *dst, size_t len);
int uffd_unregister(int fd, void *dst, size_t len);

/* The ioctl bits that were granted, or a negative errno. */
long long uffd_register(int fd, void *p, size_t len, __u64 mode);

/*
 * A userfaultfd with @features, or a negative errno.  Without the privilege
 * to see faults of the kernel it sees those of user space only.
 */
int uffd_open(__u64 features);
/* The features that the kernel offers, 0 if there is no userfaultfd. */
__u64 uffd_features(void);
/* Are there faults of this memory?  guest_memfd came last. */
bool uffd_offers(enum mem_class class);
/* Is it one that handles the faults that system calls take, too? */
bool uffd_sees_kernel(void);
/* May it have UFFD_FEATURE_EVENT_FORK? */
bool uffd_sees_fork(void);

/* Does this kernel have the operation? */
bool uffd_knows(enum uffd_op op);

/* 1 and the message, 0 if none came in time, or a negative errno. */
int uffd_event(int fd, struct uffd_msg *msg, int timeout_ms);

/*
 * A thread reads the events of @fd, up to the first fault.  The memory of children
 * stays registered: what it is registered with is not closed.
 */
bool uffd_ignore_events(int fd);

/* What became of an access: sig is 0 if it went through. */
struct trap {
	int sig;
	int code;
	void *addr;
	int lsb;
};

struct trap try_read(const void *p, char *value);
struct trap try_write(void *p, char value);

#define PM_PRESENT	(1ULL << 63)
#define PM_SWAP		(1ULL << 62)
#define PM_FILE		(1ULL << 61)
#define PM_UFFD		(1ULL << 57)

__u64 pagemap(const void *p);
/* The same by a descriptor that this process, and not its parent, opened. */
int pagemap_open(void);
__u64 pagemap_entry(int fd, const void *p);
/* What is there for any page of the range: PM_PRESENT, PM_SWAP, PM_UFFD. */
__u64 pagemap_any(const char *p, size_t len);
/* Kilobytes of @field ("AnonHugePages") in the mapping at @p, -1: no such. */
long smaps_kb(const void *p, const char *field);
/* The flags of /proc/kpageflags for the page at @p, 0 if they cannot be had. */
__u64 kpageflags(const void *p);

/*
 * Is all of the unit @byte?  Reads every 64th byte, and the last, and nothing
 * if the page is not there: nobody may be there to bring it.
 */
bool unit_is(const char *p, size_t len, int byte);
/* What is in it, for a message: "0x5a", "0x5a and 0x00", "no page". */
const char *unit_name(const char *p, size_t len);

/* Pin the page at @p, as a buffer of an io_uring, until this process ends. */
bool pin_page(void *p);
/* A child that has all of this memory, too, and lives as long as this thread. */
bool have_child(void);
/* A process that is no thread of this one, but in the very same memory. */
pid_t process_here(int (*fn)(void *), void *arg);

/* An error as its name, "EINVAL", or "ok". */
const char *err_name(int err);

/*
 * For tests of kselftest_harness.h: 0 or a negative errno, and any number.  What
 * is printed starts with a format that says of which memory and which operation.
 */
#define EXPECT_RESULT(want, got, fmt, ...) do {					\
	int __want = (want), __got = (got);					\
										\
	EXPECT_EQ(__want, __got)						\
		TH_LOG(fmt ": expected %s, got %s", ##__VA_ARGS__,		\
		       err_name(__want), err_name(__got));			\
} while (0)

#define EXPECT_VALUE(want, got, fmt, ...) do {					\
	unsigned long long __want = (want), __got = (got);			\
										\
	EXPECT_EQ(__want, __got)						\
		TH_LOG(fmt ": expected %#llx, got %#llx", ##__VA_ARGS__,	\
		       __want, __got);						\
} while (0)

#define TOUCH_BYTE	0x77

/* A thread that touches one byte, or has a system call do it. */
struct toucher {
	long (*call)(void *p);	/* a byte count, or a negative errno */
	const char *name;	/* of that call */
	long ret;
	pthread_t thread;
	char *p;
	bool write;
	char value;
	int tid;
	struct trap trap;
};

void touch_start(struct toucher *t, void *p, bool write);
/* "read", "write", or the name of the call */
const char *touch_name(const struct toucher *t);
/* False if it does not come back within @seconds. */
bool touch_join(struct toucher *t, int seconds);

/* Is thread @tid off the CPU and asleep, not merely about to be? */
bool thread_sleeps(int tid);
/* Until it does, 10 seconds at the most. */
bool thread_wait_sleeps(int tid);

/*
 * A COPY caught in the act.  Its source is a page that a second userfaultfd
 * has not filled, so the ioctl drops its locks and sleeps exactly where it
 * may: late_start() comes back when it sleeps, late_finish() lets it go on.
 */
struct late_copy {
	pthread_t thread;
	int fd;
	int source_fd;
	char *source;
	char *page;		/* what the source is filled with */
	size_t len;
	struct uffd_call call;
	int err;
	long long done;
};

int late_start(struct late_copy *l, int fd, void *dst, size_t len, __u64 mode);
int late_finish(struct late_copy *l, int byte);

#endif
