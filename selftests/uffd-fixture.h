/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A mapping of each type, a userfaultfd, and a thread that touches memory:
 * what the tests of faults and of errors start from.
 */
#ifndef UFFD_FIXTURE_H
#define UFFD_FIXTURE_H

#include <stdlib.h>
#include <string.h>

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
FIXTURE_VARIANT_ADD(uffd, shmem_private) { .type = "shmem-private" };
FIXTURE_VARIANT_ADD(uffd, tmpfs) { .type = "tmpfs" };
FIXTURE_VARIANT_ADD(uffd, anon_shared) { .type = "anon-shared" };
FIXTURE_VARIANT_ADD(uffd, hugetlb) { .type = "hugetlb" };
FIXTURE_VARIANT_ADD(uffd, hugetlb_private) { .type = "hugetlb-private" };
FIXTURE_VARIANT_ADD(uffd, hugetlb_sysv) { .type = "hugetlb-sysv" };

FIXTURE_SETUP(uffd)
{
	self->fd = -1;
	self->type = mem_type_find(variant->type);
	if (!uffd_features())
		SKIP(return, NO_UFFD);
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

static inline bool has_minor(const struct mem_type *type)
{
	return type->class != CLASS_ANON;
}

#define NEED(have, why) do { if (!(have)) SKIP(return, why); } while (0)
#define NEED_FEATURE(f) NEED((uffd_features() & (f)) == (f), "this kernel has no " #f)
#define NEED_MINOR() NEED(has_minor(self->type), "no minor faults of anonymous memory")
#define NEED_KERNEL() NEED(uffd_sees_kernel(), NO_KERNEL_FAULTS)

#define EXPECT_ERR(want, got, what) do {					\
	int __want = (want), __got = (got);					\
										\
	EXPECT_EQ(__want, __got)						\
		TH_LOG("%s %s: expected %s, got %s", self->type->name, what,	\
		       err_name(__want), err_name(__got));			\
} while (0)

#define OPEN(features, modes) do {						\
	self->fd = uffd_open(features);						\
	ASSERT_GE(self->fd, 0) TH_LOG("userfaultfd: %s", err_name(self->fd));	\
	ASSERT_GT(uffd_register(self->fd, self->mem.area, self->mem.len, modes), 0) \
		TH_LOG("%s: cannot be registered", self->type->name);		\
} while (0)

#define TOUCH(where, is_write) touch_start(&self->toucher, where, is_write)

/* The event for an access at @where, with exactly these flags. */
#define EXPECT_FAULT(where, want_flags) do {					\
	struct uffd_msg msg = { 0 };						\
										\
	ASSERT_EQ(1, uffd_event(self->fd, &msg, WAIT_MS))			\
		TH_LOG("%s: no message", self->type->name);			\
	EXPECT_EQ(UFFD_EVENT_PAGEFAULT, msg.event);				\
	EXPECT_EQ((unsigned long)(where), msg.arg.pagefault.address);		\
	EXPECT_EQ(want_flags, msg.arg.pagefault.flags)				\
		TH_LOG("%s: flags expected %#llx, got %#llx", self->type->name,	\
		       (unsigned long long)(want_flags),			\
		       (unsigned long long)msg.arg.pagefault.flags);		\
} while (0)

#define EXPECT_NO_FAULT() do {							\
	struct uffd_msg msg;							\
										\
	EXPECT_EQ(0, uffd_event(self->fd, &msg, 0))				\
		TH_LOG("%s: a message nobody asked for", self->type->name);	\
} while (0)

/* The access came back, and it read or wrote @byte. */
#define EXPECT_DONE(byte) do {							\
	ASSERT_TRUE(touch_join(&self->toucher, WAIT_S))				\
		TH_LOG("%s: the access still sleeps", self->type->name);	\
	EXPECT_EQ(0, self->toucher.trap.sig);					\
	EXPECT_EQ((char)(byte), self->toucher.value);				\
	EXPECT_EQ((char)(byte), *(volatile char *)self->toucher.p);		\
} while (0)

#define COPY(nr, mode) uffd_copy(self->fd, mem_unit(&self->mem, nr),		\
				 self->source, self->mem.unit, mode)

static void __attribute__((constructor)) prepare(void)
{
	pin_background();
	need_huge_pages(8);
}

#endif
