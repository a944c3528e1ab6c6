/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A mapping of each type, a userfaultfd, and a thread that touches memory:
 * what the tests of faults and of errors start from.
 */
#ifndef UFFD_FIXTURE_H
#define UFFD_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "uffd-lib.h"

#define UNITS		2
#define TARGET		1
#define BYTE_COPY	0x5a
#define BYTE_CACHE	0x33
#define BYTE_MAPPED	0x11
#define WAIT_MS		10000
#define WAIT_S		10

#define M	UFFDIO_REGISTER_MODE_MISSING
#define W	UFFDIO_REGISTER_MODE_WP
#define N	UFFDIO_REGISTER_MODE_MINOR
#define R	UFFDIO_REGISTER_MODE_RWP

#define F_WRITE	UFFD_PAGEFAULT_FLAG_WRITE
#define F_WP	UFFD_PAGEFAULT_FLAG_WP
#define F_MINOR	UFFD_PAGEFAULT_FLAG_MINOR
#define F_RWP	UFFD_PAGEFAULT_FLAG_RWP

#define WP_SYNC	UFFD_FEATURE_WP_UNPOPULATED
#define RWP	UFFD_FEATURE_RWP

FIXTURE(uffd)
{
	const struct mem_type *type;
	struct mem mem;
	struct toucher toucher;
	char *target;
	char *source;
	int fd;
};

FIXTURE_VARIANT(uffd)
{
	const char *type;
};

FIXTURE_VARIANT_ADD(uffd, anon) { .type = "anon" };
FIXTURE_VARIANT_ADD(uffd, shmem) { .type = "shmem" };
FIXTURE_VARIANT_ADD(uffd, shmem_offset) { .type = "shmem-offset" };
FIXTURE_VARIANT_ADD(uffd, shmem_private) { .type = "shmem-private" };
FIXTURE_VARIANT_ADD(uffd, tmpfs) { .type = "tmpfs" };
FIXTURE_VARIANT_ADD(uffd, anon_shared) { .type = "anon-shared" };
FIXTURE_VARIANT_ADD(uffd, gmem) { .type = "gmem" };
FIXTURE_VARIANT_ADD(uffd, hugetlb) { .type = "hugetlb" };
FIXTURE_VARIANT_ADD(uffd, hugetlb_offset) { .type = "hugetlb-offset" };
FIXTURE_VARIANT_ADD(uffd, hugetlb_private) { .type = "hugetlb-private" };
FIXTURE_VARIANT_ADD(uffd, hugetlb_sysv) { .type = "hugetlb-sysv" };
FIXTURE_VARIANT_ADD(uffd, dev_zero) { .type = "dev-zero" };

FIXTURE_SETUP(uffd)
{
	self->fd = -1;
	self->type = mem_type_find(variant->type);
	if (!uffd_features())
		SKIP(return, NO_UFFD);
	if (!uffd_offers(self->type->class))
		SKIP(return, NO_GMEM);
	if (mem_make(&self->mem, self->type, UNITS))
		SKIP(return, "%s: %s", variant->type, self->mem.why);
	self->target = mem_unit(&self->mem, TARGET);
	/* A byte more than a unit, for a source that is not aligned. */
	self->source = malloc(self->mem.unit + 1);
	memset(self->source, BYTE_COPY, self->mem.unit + 1);
}

FIXTURE_TEARDOWN(uffd)
{
}

/* Another mapping in place of the one before, at @at if that is not NULL; nothing is registered. */
static inline bool renew_at(FIXTURE_DATA(uffd) * self, void *at)
{
	if (self->fd >= 0)
		close(self->fd);
	self->fd = -1;
	mem_free(&self->mem);
	if (mem_make_at(&self->mem, self->type, UNITS, at))
		return false;
	self->target = mem_unit(&self->mem, TARGET);
	return true;
}

static inline bool renew(FIXTURE_DATA(uffd) * self)
{
	return renew_at(self, NULL);
}

/* /dev/zero: anonymous memory, but the file that it has ends before it starts. */
static inline bool can_be_filled(const struct mem_type *type)
{
	return type->class != CLASS_DEV_ZERO;
}

/* What a child left with, or the signal that ended it, negative. */
static inline int exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline bool is_private_memory(const struct mem_type *type)
{
	return type->class == CLASS_ANON || type->class == CLASS_DEV_ZERO;
}

/* WRITEPROTECT goes over more than one mapping since 6.4, as WP_UNPOPULATED is. */
static inline bool has_wide_wp(void)
{
	return uffd_features() & UFFD_FEATURE_WP_UNPOPULATED;
}

static inline bool has_minor(const struct mem_type *type)
{
	__u64 feature = type->caps & MEM_HUGETLB ? UFFD_FEATURE_MINOR_HUGETLBFS :
						   UFFD_FEATURE_MINOR_SHMEM;

	return !is_private_memory(type) && uffd_features() & feature;
}

static inline bool has_wp(const struct mem_type *type)
{
	/* Not every architecture has the bit in its page tables. */
	__u64 need = UFFD_FEATURE_PAGEFAULT_FLAG_WP;

	if (!is_private_memory(type))
		need |= UFFD_FEATURE_WP_HUGETLBFS_SHMEM;
	return (uffd_features() & need) == need;
}

#define NEED(have, why) do { if (!(have)) SKIP(return, why); } while (0)
#define NEED_FEATURE(f) NEED((uffd_features() & (f)) == (f), "this kernel has no " #f)
#define NEED_KNOWN(op) NEED(uffd_knows(op), "this kernel has no " #op)
#define NEED_MINOR() do {							\
	NEED(!is_private_memory(self->type), "no minor faults of anonymous memory"); \
	NEED(has_minor(self->type), "this kernel has no MINOR of this memory");	\
} while (0)
#define NEED_FILL() NEED(can_be_filled(self->type), "/dev/zero cannot be filled")
#define NEED_WP() NEED(has_wp(self->type), "this kernel has no WP of this memory")
#define NEED_PROTECT() NEED(mem_has_protect(&self->mem), NO_PROTECT)
#define NEED_KERNEL() NEED(uffd_sees_kernel(), NO_KERNEL_FAULTS)
#define NEED_FORK_EVENTS() NEED(uffd_sees_fork(), NO_FORK_EVENTS)

/* What the kernel does wrong so far; what else goes wrong is still a failure. */
#define XFAIL_IF(is_so, why) do {						\
	if ((is_so) && !_metadata->exit_code) {					\
		snprintf(_metadata->results->reason,				\
			 sizeof(_metadata->results->reason), why);		\
		_metadata->exit_code = KSFT_XFAIL;				\
		return;								\
	}									\
} while (0)

#define EXPECT_ERR(want, got, what)						\
	EXPECT_RESULT(want, got, "%s %s", self->type->name, what)

/* All of a unit is @byte, and it is there. */
#define EXPECT_UNIT(p, len, byte, what) do {					\
	EXPECT_TRUE(unit_is(p, len, byte))					\
		TH_LOG("%s %s: expected 0x%02x everywhere, got %s", self->type->name, \
		       what, (byte) & 0xff, unit_name(p, len));			\
} while (0)

#define EXPECT_ABSENT(p, what)							\
	EXPECT_VALUE(0, pagemap(p) & PM_PRESENT, "%s %s: page that is there",	\
		     self->type->name, what)

#define EXPECT_PM_UFFD(want, p, what)						\
	EXPECT_VALUE((want) ? PM_UFFD : 0, pagemap(p) & PM_UFFD,		\
		     "%s %s: uffd bit of the page table", self->type->name, what)

#define OPEN(features, modes) do {						\
	if ((modes) & M)							\
		NEED_FILL();							\
	if ((modes) & W)							\
		NEED_WP();							\
	/* WP alone, if nobody waits for an answer, is for any memory. */	\
	if ((modes) & (W | R) && !((modes) == W && (features) & UFFD_FEATURE_WP_ASYNC)) \
		NEED_PROTECT();							\
	OPEN_ALWAYS(features, modes);						\
} while (0)

#define OPEN_ALWAYS(features, modes) do {					\
	long long __bits;							\
										\
	if ((features) & UFFD_FEATURE_EVENT_FORK)				\
		NEED_FORK_EVENTS();						\
	self->fd = uffd_open(features);						\
	ASSERT_GE(self->fd, 0) TH_LOG("userfaultfd: %s", err_name(self->fd));	\
	__bits = uffd_register(self->fd, self->mem.area, self->mem.len, modes);	\
	ASSERT_GT(__bits, 0)							\
		TH_LOG("%s REGISTER %#x: expected ok, got %s", self->type->name, \
		       (int)(modes), err_name(__bits));				\
} while (0)

#define TOUCH(where, is_write) touch_start(&self->toucher, where, is_write)

/* What is said of the access that self->toucher makes. */
#define EXPECT_ACCESS(want, got, what)						\
	EXPECT_VALUE(want, got, "%s %s, %s", self->type->name,			\
		     touch_name(&self->toucher), what)

/* The event for an access at @where, with exactly these flags. */
#define EXPECT_FAULT(where, want_flags) do {					\
	struct uffd_msg msg = { 0 };						\
										\
	ASSERT_EQ(1, uffd_event(self->fd, &msg, WAIT_MS))			\
		TH_LOG("%s %s: expected a message, got none", self->type->name,	\
		       touch_name(&self->toucher));				\
	EXPECT_ACCESS(UFFD_EVENT_PAGEFAULT, msg.event, "event");		\
	EXPECT_ACCESS((unsigned long)(where), msg.arg.pagefault.address, "address"); \
	EXPECT_ACCESS(want_flags, msg.arg.pagefault.flags, "flags");		\
} while (0)

#define EXPECT_NO_FAULT() do {							\
	struct uffd_msg msg = { 0 };						\
										\
	EXPECT_EQ(0, uffd_event(self->fd, &msg, 0))				\
		TH_LOG("%s %s: expected no message, got event %#x, flags %#llx, address %#llx", \
		       self->type->name, touch_name(&self->toucher), msg.event,	\
		       (unsigned long long)msg.arg.pagefault.flags,		\
		       (unsigned long long)msg.arg.pagefault.address);		\
} while (0)

#define EXPECT_COMES_BACK() do {							\
	ASSERT_TRUE(touch_join(&self->toucher, WAIT_S))				\
		TH_LOG("%s %s: expected to come back, still sleeps", self->type->name, \
		       touch_name(&self->toucher));				\
} while (0)

/* The access came back, and it read or wrote @byte. */
#define EXPECT_DONE(byte) do {							\
	EXPECT_COMES_BACK();							\
	EXPECT_ACCESS(0, self->toucher.trap.sig, "signal");			\
	EXPECT_ACCESS((unsigned char)(byte), (unsigned char)self->toucher.value, "value"); \
	EXPECT_ACCESS((unsigned char)(byte),					\
		      *(volatile unsigned char *)self->toucher.p, "value then there"); \
} while (0)

/* Told like a memory failure, if the kernel knows any, so that a guest can be. */
#define EXPECT_POISON() do {							\
	bool mce = !access("/proc/sys/vm/memory_failure_recovery", F_OK);	\
										\
	EXPECT_COMES_BACK();							\
	EXPECT_ACCESS(SIGBUS, self->toucher.trap.sig, "signal");		\
	EXPECT_ACCESS(mce ? BUS_MCEERR_AR : BUS_ADRERR, self->toucher.trap.code, \
		      "code of the signal");					\
	EXPECT_ACCESS((unsigned long)self->toucher.p,				\
		      (unsigned long)self->toucher.trap.addr, "address of the signal"); \
	if (mce)								\
		EXPECT_ACCESS(__builtin_ctzl(self->mem.unit), self->toucher.trap.lsb, \
			      "size in the signal");				\
} while (0)

#define EXPECT_SLEEPS(t, what) do {						\
	EXPECT_TRUE(thread_sleeps((t)->tid))					\
		TH_LOG("%s %s: expected it to sleep on, got woken", self->type->name, what); \
} while (0)

#define COPY(nr, mode) uffd_copy(self->fd, mem_unit(&self->mem, nr),		\
				 self->source, self->mem.unit, mode)

/*
 * An answer to a fault: for which registration, which message it answers, and
 * how it says that nobody is to be woken.
 */
struct answer {
	enum uffd_op op;
	__u64 modes;
	__u64 features;
	__u64 dontwake;
	bool write;		/* the access that needs it */
	__u64 flags;
	int byte;		/* what is there then, -1: poison */
};

static const struct answer answers[] = {
	{ OP_COPY, M, 0, UFFDIO_COPY_MODE_DONTWAKE, false, 0, BYTE_COPY },
	{ OP_ZEROPAGE, M, 0, UFFDIO_ZEROPAGE_MODE_DONTWAKE, false, 0, 0 },
	{ OP_MOVE, M, 0, UFFDIO_MOVE_MODE_DONTWAKE, false, 0, BYTE_COPY },
	{ OP_POISON, M, 0, UFFDIO_POISON_MODE_DONTWAKE, false, 0, -1 },
	{ OP_CONTINUE, N, 0, UFFDIO_CONTINUE_MODE_DONTWAKE, false, F_MINOR, BYTE_CACHE },
	{ OP_WP, W, 0, UFFDIO_WRITEPROTECT_MODE_DONTWAKE, true, F_WP | F_WRITE, TOUCH_BYTE },
	{ OP_RWP, R, RWP, UFFDIO_RWPROTECT_MODE_DONTWAKE, false, F_RWP, BYTE_MAPPED },
};

/* Is it one for this type, and of this kernel? */
static inline bool answer_fits(const struct answer *a, const struct mem_type *type)
{
	switch (a->op) {
	case OP_COPY:
		return can_be_filled(type);
	case OP_ZEROPAGE:
		return can_be_filled(type) && !(type->caps & MEM_HUGETLB);
	case OP_POISON:
		return can_be_filled(type) && uffd_knows(a->op);
	case OP_MOVE:
		return is_private_memory(type) && uffd_knows(a->op);
	case OP_CONTINUE:
		return has_minor(type);
	case OP_WP:
		return has_wp(type) && type->class != CLASS_GMEM;
	default:
		return uffd_knows(a->op) && type->class != CLASS_GMEM;
	}
}

/* What has to be in the memory before it is registered. */
static inline bool answer_prepare(const struct answer *a, struct mem *m)
{
	for (size_t i = 0; i < m->units; i++) {
		if (a->op == OP_CONTINUE && mem_fill_cache(m, i, BYTE_CACHE))
			return false;
		if (a->op == OP_WP || a->op == OP_RWP)
			memset(mem_unit(m, i), BYTE_MAPPED, m->unit);
	}
	return true;
}

/* And what afterwards. */
static inline int answer_arm(const struct answer *a, int fd, const struct mem *m)
{
	if (a->op == OP_WP)
		return uffd_wp(fd, m->area, m->len, UFFDIO_WRITEPROTECT_MODE_WP);
	if (a->op == OP_RWP)
		return uffd_rwp(fd, m->area, m->len, UFFDIO_RWPROTECT_MODE_RWP);
	return 0;
}

/* Give it for unit @nr. */
static inline int answer_give(const struct answer *a, FIXTURE_DATA(uffd) * self, size_t nr,
			      __u64 mode)
{
	struct uffd_call call = {
		a->op, mem_unit(&self->mem, nr), self->source, self->mem.unit, mode
	};
	void *page = NULL;
	int err;

	if (a->op == OP_MOVE) {
		/* Moved from where nothing else is, in units of its own. */
		page = mmap(NULL, self->mem.unit, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED)
			return -ENOMEM;
		memset(page, BYTE_COPY, self->mem.unit);
		call.src = page;
	}
	err = uffd_do(self->fd, &call, NULL);
	if (page)
		munmap(page, self->mem.unit);
	return err;
}

/* Memory for the answer, registered, so that each access needs it. */
#define BEGIN_ANSWER(a, more_features) do {					\
	ASSERT_TRUE(renew(self) && answer_prepare(a, &self->mem))		\
		TH_LOG("%s %s: no memory for it", self->type->name, op_names[(a)->op]);	\
	OPEN_ALWAYS((a)->features | (more_features), (a)->modes);		\
	ASSERT_EQ(0, answer_arm(a, self->fd, &self->mem));			\
} while (0)

/* The access that waited for it sees it. */
#define EXPECT_ANSWERED(a) do {							\
	if ((a)->byte < 0)							\
		EXPECT_POISON();						\
	else									\
		EXPECT_DONE((a)->byte);						\
} while (0)

static void __attribute__((constructor)) prepare(void)
{
	pin_background();
	need_huge_pages(8);
}

#endif
