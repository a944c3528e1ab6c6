// SPDX-License-Identifier: GPL-2.0
/*
 * UFFDIO_MOVE: what the source may be, and what the destination.
 *
 * A source is a page, or huge page, in some state.  If it is moved, all of it
 * is at the destination and nothing is left; if it is refused, it stays.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uffd-lib.h"

#define BYTE	0x5a

#define M	UFFDIO_REGISTER_MODE_MISSING
#define R	UFFDIO_REGISTER_MODE_RWP
#define HOLES	UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES

#define MADV_GUARD_ON	102

/* Two huge pages of private memory, aligned, nothing beside them. */
static char *make_area(void)
{
	size_t huge = huge_size();
	char *p = huge_room(3);

	p = mmap(p, 2 * huge, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	madvise(p, 2 * huge, MADV_NOHUGEPAGE);
	return p;
}

FIXTURE(move)
{
	char *src;
	char *dst;
	size_t page;
	size_t huge;
	int fd;
};

static void renew(FIXTURE_DATA(move) * self, __u64 modes)
{
	if (self->src) {
		munmap(self->src, 2 * self->huge);
		munmap(self->dst, 2 * self->huge);
		close(self->fd);
	}
	self->src = make_area();
	self->dst = make_area();
	self->fd = uffd_open(modes & R ? UFFD_FEATURE_RWP : 0);
	if (!self->src || !self->dst || self->fd < 0)
		abort();
}

FIXTURE_SETUP(move)
{
	if (!(uffd_features() & UFFD_FEATURE_MOVE))
		SKIP(return, "no userfaultfd, or this kernel has no MOVE");
	self->page = page_size();
	self->huge = huge_size();
	renew(self, M);
}

FIXTURE_TEARDOWN(move)
{
}

static int move(int fd, void *dst, void *src, size_t len, __u64 mode)
{
	long long done;
	int err = uffd_do(fd, &(struct uffd_call){ OP_MOVE, dst, src, len, mode }, &done);

	/* All of it, or the reason. */
	return err ? err : done == (long long)len ? 0 : -EIO;
}

/* No two halves are alike, and nothing is zero. */
static int byte_at(size_t at)
{
	return 1 + at / page_size() % 251;
}

static bool write_it(char *p, size_t len)
{
	for (size_t at = 0; at < len; at += page_size())
		memset(p + at, byte_at(at), page_size());
	return true;
}

/* The zero page, or the huge zero page. */
static bool read_it(char *p, size_t len)
{
	for (size_t at = 0; at < len; at += page_size())
		if (*(volatile char *)(p + at))
			return false;
	return true;
}

static bool swap_out(char *p, size_t len)
{
	write_it(p, len);
	return !madvise(p, len, MADV_PAGEOUT) && pagemap(p) & PM_SWAP;
}

/* Read in again, but not mapped. */
static bool swap_cache(char *p, size_t len)
{
	return swap_out(p, len) && !madvise(p, len, MADV_WILLNEED);
}

/* A child has it, too. */
static bool inherit(char *p, size_t len)
{
	return write_it(p, len) && have_child();
}

static bool swap_inherit(char *p, size_t len)
{
	return swap_out(p, len) && have_child();
}

static bool guard(char *p, size_t len)
{
	return !madvise(p, len, MADV_GUARD_ON);
}

static bool pin(char *p, size_t len)
{
	return write_it(p, len) && pin_page(p);
}

/* A huge page, mapped by one entry. */
static bool huge(char *p, size_t len)
{
	return !madvise(p, len, MADV_HUGEPAGE) && write_it(p, len) &&
	       smaps_kb(p, "AnonHugePages") >= (long)(len >> 10);
}

static bool huge_zero(char *p, size_t len)
{
	return !madvise(p, len, MADV_HUGEPAGE) && read_it(p, len);
}

static bool huge_inherit(char *p, size_t len)
{
	return huge(p, len) && inherit(p, len);
}

static bool huge_pin(char *p, size_t len)
{
	return huge(p, len) && pin(p, len);
}

/* The same, mapped page by page. */
static bool huge_by_pages(char *p, size_t len)
{
	return huge(p, len) && !mprotect(p + page_size(), page_size(), PROT_READ) &&
	       !mprotect(p + page_size(), page_size(), PROT_READ | PROT_WRITE);
}

static bool huge_by_pages_pin(char *p, size_t len)
{
	return huge_by_pages(p, len) && pin(p, len);
}

struct source {
	const char *name;
	bool (*prepare)(char *p, size_t len);
	int err;
	enum { WRITTEN, ZERO, SIGNAL } what;	/* is in each page, or is got by a read */
};

static const struct source pages[] = {
	{ "a page", write_it, 0 },
	{ "the zero page", read_it, 0, ZERO },
	{ "swapped out", swap_out, 0 },
	{ "in the swap cache", swap_cache, 0 },
	/* A child has it, too: it must not see what is written after the move. */
	{ "inherited", inherit, -EBUSY },
	{ "swapped out and inherited", swap_inherit, -EBUSY },
	{ "pinned", pin, -EBUSY },
	{ "a guard", guard, -EFAULT, SIGNAL },
};

static const struct source huge_pages[] = {
	{ "a huge page", huge, 0 },
	{ "the huge zero page", huge_zero, 0, ZERO },
	{ "a huge page mapped by pages", huge_by_pages, 0 },
	{ "a huge page, inherited", huge_inherit, -EBUSY },
	{ "a huge page, pinned", huge_pin, -EBUSY },
	{ "a huge page mapped by pages, pinned", huge_by_pages_pin, -EBUSY },
};

/* Each page in [@from, @to) of the area at @p has what was put there. */
static void check_pages(struct __test_metadata *_metadata, const struct source *s, const char *p,
			size_t from, size_t to, const char *where)
{
	for (size_t at = from; at < to; at += page_size()) {
		int byte = s->what == ZERO ? 0 : byte_at(at);
		/* Swapped out, it has to be read first. */
		int sig = try_read(p + at, NULL).sig;

		if (s->what == SIGNAL ? sig == SIGSEGV : unit_is(p + at, page_size(), byte))
			continue;
		EXPECT_TRUE(false)
			TH_LOG("anon MOVE, %s: %s, page %zu: expected %s 0x%02x, got %s, signal %d",
			       s->name, where, at / page_size(),
			       s->what == SIGNAL ? "a signal instead of" : "no signal and",
			       byte, unit_name(p + at, page_size()), sig);
		/* The others are likely to be as wrong. */
		return;
	}
}

/* What is said of the MOVE from @s. */
#define EXPECT_MOVE(want, got, s, what)						\
	EXPECT_VALUE(want, got, "anon MOVE, %s: %s", (s)->name, what)

/* One source, of @size, of which @len is moved.  False if it cannot be had here. */
static bool try_source(struct __test_metadata *_metadata, FIXTURE_DATA(move) * self,
		       const struct source *s, size_t size, size_t len, __u64 modes)
{
	int err;

	renew(self, modes);
	if (!s->prepare(self->src, size)) {
		TH_LOG("%s: cannot be had here", s->name);
		return false;
	}
	ASSERT_GT(uffd_register(self->fd, self->dst, 2 * self->huge, modes), 0);
	err = move(self->fd, self->dst, self->src, len, 0);
	EXPECT_RESULT(s->err, err, "anon MOVE, %s", s->name);
	if (err) {
		EXPECT_MOVE(0, pagemap_any(self->dst, size), s, "refused, the destination");
		check_pages(_metadata, s, self->src, 0, size, "refused, the source");
		return true;
	}
	EXPECT_MOVE(0, pagemap_any(self->src, len), s, "moved, the source");
	EXPECT_MOVE(0, pagemap_any(self->dst + len, size - len), s,
		    "moved, behind the destination");
	check_pages(_metadata, s, self->src, len, size, "moved, the rest of the source");
	/* What comes into an RWP range is protected from the start. */
	EXPECT_MOVE(!!(modes & R), !!(pagemap(self->dst) & PM_UFFD), s, "uffd bit");
	if (modes & R)
		ASSERT_EQ(0, uffd_rwp(self->fd, self->dst, 2 * self->huge, 0));
	check_pages(_metadata, s, self->dst, 0, len, "moved, the destination");
	return true;
}

static void try_sources(struct __test_metadata *_metadata, FIXTURE_DATA(move) * self,
			const struct source *s, unsigned int nr, size_t size, size_t len)
{
	bool rwp = uffd_features() & UFFD_FEATURE_RWP;
	const char *missing = NULL;

	for (unsigned int i = 0; i < nr; i++)
		if (!try_source(_metadata, self, &s[i], size, len, M) ||
		    (rwp && !try_source(_metadata, self, &s[i], size, len, M | R)))
			missing = s[i].name;
	/* A skip would hide a failure. */
	if (missing && __test_passed(_metadata))
		SKIP(return, "%s cannot be had here", missing);
}

TEST_F(move, one_page)
{
	try_sources(_metadata, self, pages, ARRAY_SIZE(pages), self->page, self->page);
}

/* Several in one go, as far as one page table reaches. */
TEST_F(move, some_pages)
{
	try_sources(_metadata, self, pages, ARRAY_SIZE(pages), 4 * self->page, 4 * self->page);
}

TEST_F(move, huge_page)
{
	try_sources(_metadata, self, huge_pages, ARRAY_SIZE(huge_pages), self->huge, self->huge);
}

/* Half of it: it has to be split. */
TEST_F(move, half_a_huge_page)
{
	try_sources(_metadata, self, huge_pages, ARRAY_SIZE(huge_pages), self->huge,
		    self->huge / 2);
}

/* Source and destination in one mapping, across the end of a page table. */
TEST_F(move, same_mapping)
{
	static const struct source s = { "same mapping" };
	size_t len = 4 * self->page;
	char *src = self->dst + self->huge - 2 * self->page;

	write_it(src, len);
	ASSERT_GT(uffd_register(self->fd, self->dst, 2 * self->huge, M), 0);
	EXPECT_RESULT(0, move(self->fd, self->dst, src, len, 0), "anon MOVE, same mapping");
	check_pages(_metadata, &s, self->dst, 0, len, "the destination");
	EXPECT_MOVE(0, pagemap_any(src, len), &s, "the source");
	/* And to the other side of the end. */
	EXPECT_RESULT(0, move(self->fd, src, self->dst, len, 0), "anon MOVE, same mapping");
	check_pages(_metadata, &s, src, 0, len, "the destination");
}

/* The first page only; the second is a child's, too. */
TEST_F(move, up_to_the_inherited)
{
	static const struct source s = { "up to the inherited" };
	size_t len = 2 * self->page;
	long long done;

	write_it(self->src, len);
	ASSERT_TRUE(have_child());
	/* Written to, it is no longer what the child has. */
	self->src[0] = byte_at(0);
	ASSERT_GT(uffd_register(self->fd, self->dst, 2 * self->huge, M), 0);
	EXPECT_RESULT(-EAGAIN, uffd_do(self->fd, &(struct uffd_call){
			OP_MOVE, self->dst, self->src, len, 0 }, &done),
		      "anon MOVE, up to the inherited");
	EXPECT_VALUE(self->page, done, "anon MOVE, up to the inherited: written back");
	check_pages(_metadata, &s, self->dst, 0, self->page, "the destination");
	EXPECT_MOVE(0, pagemap_any(self->src, self->page), &s, "the source");
	check_pages(_metadata, &s, self->src, self->page, len, "the rest of the source");
}

/* A page among holes, with page tables and without any. */
TEST_F(move, holes)
{
	size_t len = self->huge + 2 * self->page;
	char *last = self->src + len - self->page;

	*last = BYTE;
	ASSERT_GT(uffd_register(self->fd, self->dst, 2 * self->huge, M), 0);
	EXPECT_RESULT(-ENOENT, move(self->fd, self->dst, self->src, len, 0), "anon MOVE, holes");
	EXPECT_RESULT(-ENOENT, move(self->fd, self->dst + self->huge, self->src + self->huge,
				    self->page, 0), "anon MOVE, holes");
	EXPECT_RESULT(0, move(self->fd, self->dst, self->src, len, HOLES), "anon MOVE, holes");
	EXPECT_VALUE(0, pagemap(self->dst) & PM_PRESENT, "anon MOVE, holes: a page");
	EXPECT_EQ(BYTE, self->dst[len - self->page]);
	/* A gigabyte away there is not even a table of page tables. */
	munmap(self->src, 2 * self->huge);
	self->src = mmap((void *)(half_of_space() / 2), self->huge, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->src);
	EXPECT_RESULT(-ENOENT, move(self->fd, self->dst, self->src, self->page, 0),
		      "anon MOVE, holes");
	EXPECT_RESULT(0, move(self->fd, self->dst, self->src, self->page, HOLES),
		      "anon MOVE, holes");
}

enum area { SRC, DST, BOTH };

/* What is done to the mappings before two pages are moved. */
struct mapping_row {
	const char *name;
	int err;
	enum area area;
	enum { KEEP, READ_ONLY, LOCK, SHARE, PRIVATE_FILE, UNMAP, NOT_REGISTERED,
	       FILL, FILL_HUGE, LAST_PAGE } what;
};

static const struct mapping_row mapping_rows[] = {
	{ "as they are", 0, BOTH, KEEP },
	{ "source read-only", -EINVAL, SRC, READ_ONLY },
	{ "destination read-only", -EINVAL, DST, READ_ONLY },
	{ "both read-only", -EINVAL, BOTH, READ_ONLY },
	{ "source locked", -EINVAL, SRC, LOCK },
	{ "source shared", -EINVAL, SRC, SHARE },
	{ "destination shared", -EINVAL, DST, SHARE },
	{ "source a file", -EINVAL, SRC, PRIVATE_FILE },
	{ "no source", -ENOENT, SRC, UNMAP },
	{ "no destination", -ENOENT, DST, UNMAP },
	{ "not registered", -EINVAL, DST, NOT_REGISTERED },
	{ "a page in the way", -EEXIST, DST, FILL },
	{ "a huge page in the way", -EEXIST, DST, FILL_HUGE },
	{ "source ends", -EINVAL, SRC, LAST_PAGE },
	{ "destination ends", -EINVAL, DST, LAST_PAGE },
};

static char *map_over(char *p, size_t len, int flags)
{
	int fd = flags & MAP_ANONYMOUS ? -1 : memfd_create("uffd-move", MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, len))
		return MAP_FAILED;
	return mmap(p, len, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);
}

/* Before the destination is registered. */
static bool change_mapping(const struct mapping_row *row, char *p, size_t len)
{
	switch (row->what) {
	case READ_ONLY:
		return !mprotect(p, len, PROT_READ);
	case LOCK:
		return !mlock2(p, len, MLOCK_ONFAULT);
	case SHARE:
		return map_over(p, len, MAP_SHARED | MAP_ANONYMOUS) == p;
	case PRIVATE_FILE:
		return map_over(p, len, MAP_PRIVATE) == p;
	case FILL:
		return write_it(p, page_size());
	case FILL_HUGE:
		return huge(p, huge_size());
	default:
		return true;
	}
}

TEST_F(move, mappings)
{
	unsigned int tried = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(mapping_rows); i++) {
		const struct mapping_row *row = &mapping_rows[i];
		size_t len = 2 * self->huge, at = 0;
		int err;

		renew(self, M);
		memset(self->src, BYTE, 2 * self->page);
		memset(self->src + len - self->page, BYTE, self->page);
		if ((row->area != DST && !change_mapping(row, self->src, len)) ||
		    (row->area != SRC && !change_mapping(row, self->dst, len))) {
			TH_LOG("%s: cannot be had here", row->name);
			continue;
		}
		tried++;
		if (row->what != NOT_REGISTERED)
			ASSERT_GT(uffd_register(self->fd, self->dst, len, M), 0);
		if (row->what == UNMAP)
			munmap(row->area == SRC ? self->src : self->dst, len);
		if (row->what == LAST_PAGE)
			at = len - self->page;
		err = move(self->fd, self->dst + (row->area == DST ? at : 0),
			   self->src + (row->area == SRC ? at : 0), 2 * self->page, 0);
		EXPECT_RESULT(row->err, err, "anon MOVE, %s", row->name);
	}
	if (!tried)
		SKIP(return, "no such mapping can be had here");
}

/* A child has the userfaultfd, but not the memory that it is for. */
TEST_F(move, another_process)
{
	int status;
	pid_t pid;

	memset(self->src, BYTE, self->page);
	ASSERT_GT(uffd_register(self->fd, self->dst, 2 * self->huge, M), 0);
	pid = fork();
	if (!pid)
		_exit(-move(self->fd, self->dst, self->src, self->page, 0));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status))
		TH_LOG("anon MOVE, another process: expected it to end, got status %#x", status);
	EXPECT_RESULT(-EINVAL, -WEXITSTATUS(status), "anon MOVE, another process");
	EXPECT_VALUE(0, pagemap(self->dst) & PM_PRESENT, "anon MOVE, another process: a page");
}

static void __attribute__((constructor)) prepare(void)
{
	pin_background();
}

TEST_HARNESS_MAIN
