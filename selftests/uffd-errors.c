// SPDX-License-Identifier: GPL-2.0
/*
 * What is refused, with which errno, and what is left behind: nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uffd-file.h"
#include "uffd-fixture.h"

#define NOWHERE		((char *)half_of_space())
#define BEYOND		((char *)(1UL << 63))

struct bad_range {
	const char *name;
	long dst;		/* added to where it is */
	enum { AT_TARGET, AT_NOWHERE, AT_BEYOND } at;
	long len;		/* in units */
	long len_add;
	int err;
	int wake_err;		/* WAKE asks for no mapping */
};

static const struct bad_range bad_ranges[] = {
	{ "start not aligned", 1, AT_TARGET, 1, 0, -EINVAL, -EINVAL },
	{ "length not aligned", 0, AT_TARGET, 1, 1, -EINVAL, -EINVAL },
	{ "no length", 0, AT_TARGET, 0, 0, -EINVAL, -EINVAL },
	{ "wraps around", 0, AT_TARGET, -1, 0, -EINVAL, -EINVAL },
	{ "kernel's addresses", 0, AT_BEYOND, 1, 0, -EINVAL, -EINVAL },
	{ "nothing is there", 0, AT_NOWHERE, 1, 0, -ENOENT, 0 },
};

/* Write protection, too, of memory that has it: the rest is tried without. */
static bool can_protect(const struct mem_type *type)
{
	return has_wp(type) && type->class != CLASS_GMEM;
}

static __u64 missing_and_wp(const struct mem_type *type)
{
	return can_protect(type) ? M | W : M;
}

/* As much again as is mapped may be more huge pages than there are. */
#define NEED_ROOM(units) do {							\
	struct mem __m;								\
										\
	if (mem_make(&__m, self->type, units))					\
		SKIP(return, "%s: %s", self->type->name, __m.why);		\
	mem_free(&__m);								\
} while (0)

static int expected_error(const struct bad_range *bad, enum uffd_op op)
{
	if (op == OP_WAKE)
		return bad->wake_err;
	/* UNREGISTER finds no mapping, the others no registered one. */
	return op == OP_UNREGISTER ? -EINVAL : bad->err;
}

TEST_F(uffd, bad_range)
{
	char *const places[] = { self->target, NOWHERE, BEYOND };

	OPEN_ALWAYS(uffd_features() & RWP, M);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad_ranges); i++) {
		const struct bad_range *bad = &bad_ranges[i];

		for (int op = 0; op < NR_OPS; op++) {
			struct uffd_call call = {
				.op = op,
				.dst = places[bad->at] + bad->dst,
				.src = self->source,
				.len = bad->len * self->mem.unit + bad->len_add,
			};

			if (!uffd_knows(op))
				continue;
			/* The source of a MOVE has to be aligned, too. */
			if (op == OP_MOVE)
				call.src = self->mem.area;
			EXPECT_RESULT(expected_error(bad, op), uffd_do(self->fd, &call, NULL),
				      "%s %s, %s", self->type->name, op_names[op], bad->name);
		}
	}
	EXPECT_ABSENT(self->target, "bad ranges");
}

TEST_F(uffd, bad_register_range)
{
	size_t unit = self->mem.unit;
	char *p = self->mem.area;

	self->fd = uffd_open(0);
	ASSERT_GE(self->fd, 0);
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, p + 1, unit, M), "REGISTER of half a page");
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, p, unit + 1, M), "REGISTER of a byte more");
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, p, 0, M), "REGISTER of nothing");
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, p, -unit, M), "REGISTER around the end");
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, BEYOND, unit, M), "REGISTER of the kernel");
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, NOWHERE, unit, M), "REGISTER where nothing is");
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, p, unit, 0), "REGISTER without a mode");
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, p, unit, 1 << 4), "REGISTER, unknown mode");
}

/* Half a huge page is not a page. */
TEST_F(uffd, part_of_a_huge_page)
{
	char *p = self->target;
	size_t part = page_size();

	NEED(mem_is(&self->mem, MEM_HUGETLB), "not hugetlb");
	NEED_MINOR();
	self->fd = uffd_open(0);
	ASSERT_GE(self->fd, 0);
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, p + part, part, M), "REGISTER");
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, p, part, M), "REGISTER");
	close(self->fd);
	/* From here on a skip would hide what failed. */
	OPEN_ALWAYS(0, M | N);
	EXPECT_ERR(-EINVAL, uffd_copy(self->fd, p, self->source, part, 0), "COPY");
	EXPECT_ERR(-EINVAL, uffd_copy(self->fd, p + part, self->source, part, 0), "COPY");
	EXPECT_ERR(-EINVAL, uffd_continue(self->fd, p, part, 0), "CONTINUE");
	if (uffd_knows(OP_POISON))
		EXPECT_ERR(-EINVAL, uffd_poison(self->fd, p, part), "POISON");
	EXPECT_ERR(-EINVAL, uffd_unregister(self->fd, p + part, part), "UNREGISTER");
	close(self->fd);
	if (!can_protect(self->type))
		return;
	OPEN_ALWAYS(0, W);
	EXPECT_ERR(-EINVAL, uffd_wp(self->fd, p, part, UFFDIO_WRITEPROTECT_MODE_WP),
		   "WRITEPROTECT");
	/* What is refused undoes nothing; 7.3 and before: the protection is gone. */
	ASSERT_EQ(0, uffd_wp(self->fd, p, self->mem.unit, UFFDIO_WRITEPROTECT_MODE_WP));
	EXPECT_ERR(-EINVAL, uffd_unregister(self->fd, p, part), "UNREGISTER");
	EXPECT_PM_UFFD(true, p, "UNREGISTER of a part");
	close(self->fd);
	if (!(uffd_features() & RWP))
		return;
	OPEN_ALWAYS(RWP, R);
	EXPECT_ERR(-EINVAL, uffd_rwp(self->fd, p, part, UFFDIO_RWPROTECT_MODE_RWP), "RWPROTECT");
}

TEST_F(uffd, not_registered)
{
	static const int want[NR_OPS] = {
		[OP_COPY] = -ENOENT,
		[OP_ZEROPAGE] = -ENOENT,
		[OP_CONTINUE] = -ENOENT,
		[OP_POISON] = -ENOENT,
		[OP_WP] = -ENOENT,
		[OP_RWP] = -ENOENT,
		[OP_MOVE] = -EINVAL,
		[OP_WAKE] = 0,
		[OP_UNREGISTER] = 0,
	};

	self->fd = uffd_open(0);
	ASSERT_GE(self->fd, 0);
	for (int op = 0; op < NR_OPS; op++) {
		struct uffd_call call = {
			op, self->target, op == OP_MOVE ? self->mem.area : self->source,
			self->mem.unit, 0
		};

		if (!uffd_knows(op))
			continue;
		EXPECT_ERR(want[op], uffd_do(self->fd, &call, NULL), op_names[op]);
	}
	EXPECT_ABSENT(self->target, "not registered");
	EXPECT_VALUE(0, mem_in_file(&self->mem) > 0, "%s not registered: in the file",
		     self->type->name);
}

/*
 * Only REGISTER, UNREGISTER and MOVE ask whose mapping it is; filled it may be
 * by any userfaultfd of the same process, as always.
 */
TEST_F(uffd, another_userfaultfd)
{
	int other = uffd_open(0);

	ASSERT_GE(other, 0);
	OPEN(0, missing_and_wp(self->type));
	EXPECT_ERR(-EBUSY, uffd_register(other, self->mem.area, self->mem.len, M), "REGISTER");
	EXPECT_ERR(-EINVAL, uffd_unregister(other, self->mem.area, self->mem.len), "UNREGISTER");
	if (uffd_knows(OP_MOVE))
		EXPECT_ERR(-EINVAL, uffd_do(other, &(struct uffd_call){
				OP_MOVE, self->target, self->mem.area, self->mem.unit, 0 }, NULL),
			   "MOVE");
	EXPECT_ERR(0, uffd_copy(other, self->target, self->source, self->mem.unit, 0), "COPY");
	if (uffd_knows(OP_POISON))
		EXPECT_ERR(0, uffd_poison(other, self->mem.area, self->mem.unit), "POISON");
	if (!can_protect(self->type))
		return;
	EXPECT_ERR(0, uffd_wp(other, self->target, self->mem.unit, UFFDIO_WRITEPROTECT_MODE_WP),
		   "WRITEPROTECT");
	EXPECT_PM_UFFD(true, self->target, "WRITEPROTECT");
}

TEST_F(uffd, mode_switch)
{
	NEED_FEATURE(RWP);
	NEED_WP();
	NEED_PROTECT();
	OPEN_ALWAYS(RWP, M);
	EXPECT_GT(uffd_register(self->fd, self->mem.area, self->mem.len, M | W), 0);
	/* What is write-protected would stay so, with nobody to undo it. */
	EXPECT_ERR(-EBUSY, uffd_register(self->fd, self->mem.area, self->mem.len, M), "WP dropped");
	EXPECT_ERR(-EBUSY, uffd_register(self->fd, self->mem.area, self->mem.len, R), "WP to RWP");
	EXPECT_GT(uffd_register(self->fd, self->mem.area, self->mem.len, W), 0);
	EXPECT_ERR(0, uffd_unregister(self->fd, self->mem.area, self->mem.len), "UNREGISTER");
	EXPECT_GT(uffd_register(self->fd, self->mem.area, self->mem.len, R), 0);
	EXPECT_ERR(-EBUSY, uffd_register(self->fd, self->mem.area, self->mem.len, M),
		   "RWP dropped");
}

/* Fills stay inside one mapping; protection does not care. */
TEST_F(uffd, across_two_mappings)
{
	size_t len = 2 * self->mem.unit;
	char *p = self->mem.area;
	char *source = malloc(len);

	memset(source, BYTE_COPY, len);
	OPEN(0, missing_and_wp(self->type));
	/* Other protection makes it two. */
	ASSERT_EQ(0, mprotect(p, self->mem.unit, PROT_READ));
	EXPECT_ERR(-ENOENT, uffd_copy(self->fd, p, source, len, 0), "COPY");
	if (uffd_knows(OP_POISON))
		EXPECT_ERR(-ENOENT, uffd_poison(self->fd, p, len), "POISON");
	EXPECT_ABSENT(p, "across two mappings");
	EXPECT_ABSENT(self->target, "across two mappings");
	EXPECT_ERR(0, COPY(0, 0), "COPY of the first mapping");
	EXPECT_ERR(0, COPY(TARGET, 0), "COPY of the second mapping");
	if (has_wide_wp() && can_protect(self->type)) {
		EXPECT_ERR(0, uffd_wp(self->fd, p, len, UFFDIO_WRITEPROTECT_MODE_WP),
			   "WRITEPROTECT");
		EXPECT_PM_UFFD(true, p, "WRITEPROTECT, the first mapping");
		EXPECT_PM_UFFD(true, self->target, "WRITEPROTECT, the second mapping");
	}
	EXPECT_ERR(0, uffd_unregister(self->fd, p, len), "UNREGISTER");
	EXPECT_GT(uffd_register(self->fd, p, len, M), 0);
	free(source);
}

/* Nor is a border between types crossed, whichever is first. */
static const char *const neighbours[] = { "anon", "shmem", "shmem-private", "hugetlb",
	"gmem" };

/* A huge page's worth of each; false if there is not so much. */
static bool make_neighbours(const struct mem_type *left, struct mem *first,
			    const struct mem_type *right, struct mem *second)
{
	size_t huge = huge_size();
	char *at = huge_room(2);

	if (mem_make_at(first, left, left->caps & MEM_HUGETLB ? 1 : huge / page_size(), at))
		return false;
	if (!mem_make_at(second, right, right->caps & MEM_HUGETLB ? 1 : huge / page_size(),
			 at + huge))
		return true;
	mem_free(first);
	return false;
}

static bool try_neighbour(struct __test_metadata *_metadata, FIXTURE_DATA(uffd) * self,
			  const struct mem_type *type)
{
	bool wp = has_wide_wp() && can_protect(type) && can_protect(self->type);
	size_t huge = huge_size(), len = 2 * huge;
	struct mem first, second;
	char *at, *source;
	char what[64];

	if (!make_neighbours(self->type, &first, type, &second))
		return false;
	at = first.area;
	source = calloc(1, len);
	self->fd = uffd_open(0);
	ASSERT_GT(uffd_register(self->fd, at, len, wp ? M | W : M), 0);
	snprintf(what, sizeof(what), "COPY over the border to %s", type->name);
	EXPECT_ERR(-ENOENT, uffd_copy(self->fd, at, source, len, 0), what);
	if (uffd_knows(OP_POISON))
		EXPECT_ERR(-ENOENT, uffd_poison(self->fd, at, len), what);
	EXPECT_ABSENT(at, what);
	EXPECT_ABSENT(at + huge, what);
	/* Protection goes over all of it; what is empty here anonymous memory forgets. */
	snprintf(what, sizeof(what), "WRITEPROTECT over the border to %s", type->name);
	if (wp) {
		EXPECT_ERR(0, uffd_wp(self->fd, at, len, UFFDIO_WRITEPROTECT_MODE_WP), what);
		EXPECT_PM_UFFD(!is_private_memory(self->type), at + huge - page_size(), what);
		EXPECT_PM_UFFD(!is_private_memory(type), at + huge, what);
	}
	/* Refused as a whole; 7.3 and before: what is before the border is unregistered. */
	if (type->caps & MEM_HUGETLB) {
		snprintf(what, sizeof(what), "UNREGISTER of a part of %s", type->name);
		EXPECT_ERR(-EINVAL, uffd_unregister(self->fd, at, huge + page_size()), what);
		EXPECT_VALUE(false, uffd_copy(self->fd, at, source, first.unit, 0) == -ENOENT,
			     "%s %s: unregistered", self->type->name, what);
	}
	close(self->fd);
	self->fd = -1;
	mem_free(&first);
	mem_free(&second);
	free(source);
	return true;
}

TEST_F(uffd, across_two_types)
{
	unsigned int tried = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(neighbours); i++) {
		const struct mem_type *type = mem_type_find(neighbours[i]);

		if (type != self->type && uffd_offers(type->class))
			tried += try_neighbour(_metadata, self, type);
	}
	NEED(tried, "no free huge pages");
}

/* The end of the mapping is the end, whatever is behind it. */
TEST_F(uffd, across_the_end)
{
	size_t unit = self->mem.unit;
	char *source = malloc(2 * unit);

	memset(source, BYTE_COPY, 2 * unit);
	ASSERT_EQ(0, munmap(self->target, unit));
	self->mem.len = unit;
	OPEN(0, missing_and_wp(self->type));
	EXPECT_ERR(-ENOENT, uffd_copy(self->fd, self->mem.area, source, 2 * unit, 0), "COPY");
	if (has_wide_wp() && can_protect(self->type))
		EXPECT_ERR(0, uffd_wp(self->fd, self->mem.area, 2 * unit,
				      UFFDIO_WRITEPROTECT_MODE_WP), "WRITEPROTECT");
	EXPECT_ERR(0, uffd_copy(self->fd, self->mem.area, source, unit, 0), "COPY");
	free(source);
}

/* A mapping that cannot be registered spoils the whole range. */
TEST_F(uffd, next_to_refused)
{
	size_t unit = self->mem.unit;
	void *p;

	ASSERT_EQ(0, munmap(self->target, unit));
	p = mmap(self->target, unit, PROT_READ | PROT_WRITE,
		 0x08 | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	NEED(p == self->target, "no MAP_DROPPABLE");
	self->fd = uffd_open(0);
	ASSERT_GE(self->fd, 0);
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, self->mem.area, 2 * unit, M), "REGISTER");
	EXPECT_ERR(-ENOENT, COPY(0, 0), "COPY");
	EXPECT_GT(uffd_register(self->fd, self->mem.area, unit, M), 0);
}

#define HUGE_BITS ((1 << _UFFDIO_WAKE) | (1 << _UFFDIO_COPY) | (1 << _UFFDIO_POISON))

/* Huge pages in the range take ZEROPAGE and MOVE from all of it. */
TEST_F(uffd, mixed_with_hugetlb)
{
	const struct mem_type *hugetlb = mem_type_find("hugetlb");
	struct mem huge, other;
	char *p;

	NEED(!mem_is(&self->mem, MEM_HUGETLB), "hugetlb itself");
	NEED_FILL();
	NEED(uffd_knows(OP_POISON), "this kernel has no POISON");
	NEED(!mem_make(&huge, hugetlb, UNITS), "no free huge pages");
	/* Half of it gives way to this type. */
	p = mem_unit(&huge, 1);
	ASSERT_EQ(0, munmap(p, huge.unit));
	ASSERT_EQ(0, mem_make_at(&other, self->type, huge.unit / page_size(), p));
	self->fd = uffd_open(0);
	ASSERT_GE(self->fd, 0);
	EXPECT_VALUE(HUGE_BITS, uffd_register(self->fd, huge.area, huge.len, M),
		     "%s REGISTER with hugetlb beside it, ioctls", self->type->name);
	EXPECT_ERR(0, uffd_copy(self->fd, p, self->source, page_size(), 0), "COPY");
	mem_free(&other);
	huge.len = huge.unit;
	mem_free(&huge);
}

/* What was filled before the error stays, is told, and wakes. */
static const struct {
	enum uffd_op op;
	bool minor;
	bool pte_only;
	int byte;		/* -1: poison */
} partial_ops[] = {
	{ OP_COPY, false, false, BYTE_COPY },
	{ OP_ZEROPAGE, false, true, 0 },
	{ OP_POISON, false, false, -1 },
	{ OP_CONTINUE, true, false, BYTE_CACHE },
};

TEST_F(uffd, partial)
{
	NEED_FILL();
	/* Of a private mapping the file has as many. */
	NEED_ROOM(2 * 3);
	for (unsigned int i = 0; i < ARRAY_SIZE(partial_ops); i++) {
		bool minor = partial_ops[i].minor;
		struct uffd_call call = { .op = partial_ops[i].op };
		struct mem m;
		char *source;
		long long done;

		if (!uffd_knows(call.op) ||
		    (partial_ops[i].pte_only && mem_is(&self->mem, MEM_HUGETLB)) ||
		    (minor && !has_minor(self->type)))
			continue;
		ASSERT_EQ(0, mem_make(&m, self->type, 3));
		/* CONTINUE stops at a hole in the file, the others at a page. */
		if (minor) {
			ASSERT_EQ(0, mem_fill_cache(&m, 0, BYTE_CACHE));
			ASSERT_EQ(0, mem_fill_cache(&m, 1, BYTE_CACHE));
		} else {
			memset(mem_unit(&m, 2), BYTE_MAPPED, m.unit);
		}
		self->fd = uffd_open(0);
		ASSERT_GE(self->fd, 0);
		ASSERT_GT(uffd_register(self->fd, m.area, m.len, minor ? N : M), 0);
		source = malloc(m.len);
		memset(source, BYTE_COPY, m.len);
		call.dst = m.area;
		call.src = source;
		call.len = 3 * m.unit;
		TOUCH(mem_unit(&m, 1), false);
		EXPECT_FAULT(mem_unit(&m, 1), minor ? F_MINOR : 0);
		EXPECT_ERR(-EAGAIN, uffd_do(self->fd, &call, &done), op_names[call.op]);
		EXPECT_VALUE(2 * m.unit, done, "%s %s: written back", self->type->name,
			     op_names[call.op]);
		EXPECT_COMES_BACK();
		for (unsigned int u = 0; u < 2; u++) {
			bool poison = partial_ops[i].byte < 0;

			EXPECT_VALUE(poison ? SIGBUS : 0, try_read(mem_unit(&m, u), NULL).sig,
				     "%s %s: signal, unit %u", self->type->name,
				     op_names[call.op], u);
			if (!poison)
				EXPECT_UNIT(mem_unit(&m, u), m.unit, partial_ops[i].byte,
					    op_names[call.op]);
		}
		/* The rest alone says why. */
		call.dst = mem_unit(&m, 2);
		call.len = m.unit;
		EXPECT_ERR(minor ? -EFAULT : -EEXIST, uffd_do(self->fd, &call, &done),
			   op_names[call.op]);
		if (!minor)
			EXPECT_UNIT(mem_unit(&m, 2), m.unit, BYTE_MAPPED, op_names[call.op]);
		close(self->fd);
		mem_free(&m);
		free(source);
	}
}

/*
 * Piece by piece, in each order: split from what stays registered, merged with what
 * is not any more.  The piece loses its protection, and nothing else does.
 */
TEST_F(uffd, unregister_in_pieces)
{
	static const char *const orders[] = { "012", "021", "102", "120", "201", "210" };
	__u64 modes[] = { W, uffd_features() & RWP ? R : 0 };

	NEED_WP();
	NEED_PROTECT();
	NEED_ROOM(2 * 3);
	for (unsigned int i = 0; i < ARRAY_SIZE(orders) * ARRAY_SIZE(modes); i++) {
		const char *order = orders[i / ARRAY_SIZE(modes)];
		__u64 mode = modes[i % ARRAY_SIZE(modes)];
		bool registered[] = { true, true, true };
		struct mem m;

		if (!mode)
			continue;
		ASSERT_EQ(0, mem_make(&m, self->type, ARRAY_SIZE(registered)));
		memset(m.area, BYTE_MAPPED, m.len);
		self->fd = uffd_open(mode == R ? RWP : 0);
		ASSERT_GE(self->fd, 0);
		ASSERT_GT(uffd_register(self->fd, m.area, m.len, mode), 0);
		ASSERT_EQ(0, uffd_protect(self->fd, m.area, m.len, mode));
		for (const char *nr = order; *nr; nr++) {
			char *p = mem_unit(&m, *nr - '0');

			registered[*nr - '0'] = false;
			EXPECT_ERR(0, uffd_unregister(self->fd, p, m.unit), "UNREGISTER");
			for (unsigned int u = 0; u < ARRAY_SIZE(registered); u++)
				EXPECT_VALUE(registered[u] ? PM_UFFD : 0,
					     pagemap(mem_unit(&m, u)) & PM_UFFD,
					     "%s %s, UNREGISTER of %c of %s: uffd bit of %u",
					     self->type->name, mode == R ? "RWP" : "WP", *nr,
					     order, u);
			EXPECT_UNIT(p, m.unit, BYTE_MAPPED, "UNREGISTER");
		}
		close(self->fd);
		mem_free(&m);
	}
}

TEST_F(uffd, move_partial)
{
	struct mem from;
	struct uffd_call call = { .op = OP_MOVE, .dst = self->mem.area };
	long long done;

	NEED(is_private_memory(self->type), "only anonymous memory is moved");
	NEED_KNOWN(OP_MOVE);
	ASSERT_EQ(0, mem_make(&from, self->type, UNITS));
	memset(from.area, BYTE_COPY, from.unit);
	OPEN_ALWAYS(0, M);
	call.src = from.area;
	call.len = 2 * from.unit;
	EXPECT_ERR(-EAGAIN, uffd_do(self->fd, &call, &done), "MOVE");
	EXPECT_VALUE(from.unit, done, "%s MOVE: written back", self->type->name);
	EXPECT_UNIT(self->mem.area, self->mem.unit, BYTE_COPY, "MOVE");
}

TEST_F(uffd, bad_source)
{
	size_t unit = self->mem.unit;
	char *source = mmap(NULL, 2 * unit, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffd_call call = { OP_COPY, self->mem.area, source, 2 * unit, 0 };
	long long done;

	ASSERT_NE(MAP_FAILED, source);
	memset(source, BYTE_COPY, 2 * unit);
	OPEN(0, M);
	/* The last page of the second unit cannot be read. */
	ASSERT_EQ(0, mprotect(source + 2 * unit - page_size(), page_size(), PROT_NONE));
	EXPECT_ERR(-EAGAIN, uffd_do(self->fd, &call, &done), "COPY");
	EXPECT_VALUE(unit, done, "%s COPY: written back", self->type->name);
	EXPECT_ERR(-EFAULT, uffd_copy(self->fd, self->target, source + unit, unit, 0), "COPY");
	EXPECT_ABSENT(self->target, "COPY without a source");
	EXPECT_ERR(-EINVAL, uffd_copy(self->fd, self->target, (void *)-unit, unit, 0),
		   "COPY from the end of memory");
	/* A source needs no alignment. */
	EXPECT_ERR(0, uffd_copy(self->fd, self->target, self->source + 1, unit, 0), "COPY");
	EXPECT_UNIT(self->target, unit, BYTE_COPY, "COPY");
}

/* Two pages on each side of where one page table ends and the next begins. */
static const struct {
	enum uffd_op op;
	bool minor;
	int byte;		/* what is there then, -1: poison */
} pmd_ops[] = {
	{ OP_COPY, false, BYTE_COPY },
	{ OP_ZEROPAGE, false, 0 },
	{ OP_POISON, false, -1 },
	{ OP_CONTINUE, true, BYTE_CACHE },
};

TEST_F(uffd, across_two_page_tables)
{
	size_t page = page_size(), huge = huge_size();
	char *source = malloc(4 * page);

	NEED(!mem_is(&self->mem, MEM_HUGETLB), "hugetlb: no page tables of small pages");
	NEED_FILL();
	memset(source, BYTE_COPY, 4 * page);
	for (unsigned int i = 0; i < ARRAY_SIZE(pmd_ops); i++) {
		struct uffd_call call = { .op = pmd_ops[i].op, .src = source, .len = 4 * page };
		char *at = huge_room(2);
		struct mem m;
		long long done;

		if (!uffd_knows(call.op) || (pmd_ops[i].minor && !has_minor(self->type)))
			continue;
		ASSERT_EQ(0, mem_make_at(&m, self->type, 2 * huge / page, at));
		for (int n = -2; n < 2 && pmd_ops[i].minor; n++)
			ASSERT_EQ(0, mem_fill_cache(&m, huge / page + n, BYTE_CACHE));
		self->fd = uffd_open(0);
		ASSERT_GE(self->fd, 0);
		ASSERT_GT(uffd_register(self->fd, m.area, m.len, pmd_ops[i].minor ? N : M), 0);
		call.dst = m.area + huge - 2 * page;
		EXPECT_ERR(0, uffd_do(self->fd, &call, &done), op_names[call.op]);
		EXPECT_VALUE(4 * page, done, "%s %s: written back", self->type->name,
			     op_names[call.op]);
		for (char *p = call.dst; p < (char *)call.dst + 4 * page; p += page) {
			if (pmd_ops[i].byte < 0) {
				EXPECT_VALUE(SIGBUS, try_read(p, NULL).sig,
					     "%s POISON, signal of a read", self->type->name);
				continue;
			}
			EXPECT_UNIT(p, page, pmd_ops[i].byte, op_names[call.op]);
		}
		close(self->fd);
		mem_free(&m);
	}
	free(source);
}

#define PM_PFN		((1ULL << 55) - 1)
#define UNPOISON	"/sys/kernel/debug/hwpoison/unpoison-pfn"

static void on_loss(int sig)
{
}

/*
 * As if the hardware had lost unit @nr of the file, which is mapped nowhere then.
 * The number of its page, for unpoison(), or 0.
 */
static __u64 lose_page(struct mem *m, size_t nr, int *err)
{
	char *map = mem_is_shared(m) ? m->area : mem_alias(m);
	__u64 pfn;
	char *p;

	if (map == MAP_FAILED)
		return 0;
	p = map + nr * m->unit;
	memset(p, BYTE_CACHE, m->unit);
	pfn = pagemap(p) & PM_PFN;
	/* Who has it mapped is told at once. */
	signal(SIGBUS, on_loss);
	*err = madvise(p, m->unit, MADV_HWPOISON) ? -errno : 0;
	if (map != m->area)
		munmap(map, m->len);
	else if (madvise(p, m->unit, MADV_DONTNEED))
		return 0;
	return pfn;
}

static int unpoison(__u64 pfn)
{
	int fd = open(UNPOISON, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0 || dprintf(fd, "%#llx", (unsigned long long)pfn) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

/* Or else whoever loses a page loses the machine. */
static bool survives_loss(void)
{
	FILE *f = fopen("/proc/sys/vm/memory_failure_recovery", "re");
	int c = f ? fgetc(f) : '0';

	if (f)
		fclose(f);
	return c != '0';
}

TEST_F(uffd, continue_lost_page)
{
	unsigned long huge = free_huge_pages();
	int err = 0;
	__u64 pfn;

	NEED_MINOR();
	NEED(!access(UNPOISON, W_OK), "not root, or no CONFIG_HWPOISON_INJECT");
	NEED(survives_loss(), "vm.memory_failure_recovery is 0: the kernel would panic");
	OPEN_ALWAYS(0, N);
	pfn = lose_page(&self->mem, TARGET, &err);
	ASSERT_NE(0, pfn);
	/* It is kept in the file: of guest_memfd that is said to be a failure. */
	if (self->type->class != CLASS_GMEM || err != -EBUSY)
		EXPECT_ERR(0, err, "MADV_HWPOISON");
	EXPECT_ERR(-EIO, uffd_continue(self->fd, self->target, self->mem.unit, 0), "CONTINUE");
	EXPECT_ABSENT(self->target, "CONTINUE of a lost page");
	/* Nor does anybody get it who asks without a userfaultfd. */
	EXPECT_ERR(0, uffd_unregister(self->fd, self->mem.area, self->mem.len), "UNREGISTER");
	EXPECT_VALUE(SIGBUS, try_read(self->target, NULL).sig, "%s read of a lost page, signal",
		     self->type->name);
	/* Nobody has it any more: it is as good as new. */
	close(self->fd);
	mem_free(&self->mem);
	EXPECT_ERR(0, unpoison(pfn), "the lost page found again");
	EXPECT_VALUE(huge, free_huge_pages(), "%s lost page: free huge pages", self->type->name);
}

/* Memory that may not be written must not be filled behind its back. */
TEST_F(uffd, read_only_file)
{
	char path[64];
	void *p;
	int fd;

	NEED(self->mem.fd >= 0 && mem_is_shared(&self->mem), "not a shared file");
	NEED(self->type->class != CLASS_GMEM, "guest_memfd cannot be opened again");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->mem.fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	p = mmap(NULL, self->mem.len, PROT_READ, MAP_SHARED, fd, self->mem.offset);
	ASSERT_NE(MAP_FAILED, p);
	self->fd = uffd_open(0);
	ASSERT_GE(self->fd, 0);
	EXPECT_ERR(-EPERM, uffd_register(self->fd, p, self->mem.len, M), "REGISTER");
}

TEST_F(uffd, read_only_mapping)
{
	ASSERT_EQ(0, mprotect(self->mem.area, self->mem.len, PROT_READ));
	OPEN(0, M);
	EXPECT_ERR(0, COPY(TARGET, 0), "COPY");
	EXPECT_UNIT(self->target, self->mem.unit, BYTE_COPY, "COPY");
	EXPECT_VALUE(SIGSEGV, try_write(self->target, 1).sig, "%s write, signal",
		     self->type->name);
}

TEST_F(uffd, rwp_needs_access)
{
	NEED_FEATURE(RWP);
	ASSERT_EQ(0, mprotect(self->mem.area, self->mem.len, PROT_NONE));
	self->fd = uffd_open(RWP);
	ASSERT_GE(self->fd, 0);
	EXPECT_ERR(-EINVAL, uffd_register(self->fd, self->mem.area, self->mem.len, R), "REGISTER");
	EXPECT_GT(uffd_register(self->fd, self->mem.area, self->mem.len, M), 0);
}

/* The process whose memory it is has gone. */
TEST_F(uffd, dead_process)
{
	int fds[2], fd, pidfd, status;
	pid_t pid;

	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fd = uffd_open(0);
		uffd_register(fd, self->mem.area, self->mem.len, M);
		if (write(fds[1], &fd, sizeof(fd)) != sizeof(fd))
			_exit(1);
		pause();
	}
	ASSERT_EQ(sizeof(fd), read(fds[0], &fd, sizeof(fd)));
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	self->fd = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	NEED(self->fd >= 0 || errno != EPERM, "may not take a descriptor of its child");
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_VALUE(-SIGKILL, exit_code(status), "%s dead process, signal", self->type->name);
	EXPECT_ERR(-ESRCH, COPY(TARGET, 0), "COPY");
	if (uffd_knows(OP_POISON))
		EXPECT_ERR(-ESRCH, uffd_poison(self->fd, self->target, self->mem.unit), "POISON");
	EXPECT_ERR(-ESRCH, uffd_continue(self->fd, self->target, self->mem.unit, 0), "CONTINUE");
	EXPECT_ERR(-ESRCH, uffd_zeropage(self->fd, self->target, self->mem.unit), "ZEROPAGE");
	EXPECT_ERR(-ESRCH, uffd_wp(self->fd, self->target, self->mem.unit, 0), "WRITEPROTECT");
	EXPECT_ERR(-ENOMEM, uffd_unregister(self->fd, self->mem.area, self->mem.len), "UNREGISTER");
	EXPECT_ERR(-ENOMEM, uffd_register(self->fd, self->mem.area, self->mem.len, M), "REGISTER");
	if (uffd_features() & UFFD_FEATURE_RWP_ASYNC) {
		struct uffdio_set_mode off = { .disable = UFFD_FEATURE_RWP_ASYNC };

		EXPECT_ERR(-ESRCH, uffd_rwp(self->fd, self->target, self->mem.unit, 0),
			   "RWPROTECT");
		EXPECT_ERR(-ESRCH, ioctl(self->fd, UFFDIO_SET_MODE, &off) ? -errno : 0,
			   "SET_MODE");
	}
}

#define LONG_LEN	(64UL << 20)

struct long_call {
	struct uffd_call call;
	int fd;
	int code;		/* that it ended with */
};

static int do_long_call(void *arg)
{
	struct long_call *c = arg;

	return uffd_do(c->fd, &c->call, NULL) ? 1 : 0;
}

enum kill_result { KILL_NO_MEMORY, KILL_STOPPED, KILL_DONE, KILL_WENT_ON };

/* Fill all of a mapping, and be killed once its first page is there. */
static enum kill_result kill_once(struct long_call *c, struct mem *m)
{
	char *last = mem_unit(m, m->units - 1);
	bool in_time = false;
	int status = 0;
	pid_t pid, gone = 0;

	c->fd = uffd_open(0);
	if (c->fd < 0 || uffd_register(c->fd, m->area, m->len, M) < 0)
		return KILL_NO_MEMORY;
	/* One that can be killed alone, and what it did be seen. */
	pid = process_here(do_long_call, c);
	if (pid < 0)
		return KILL_NO_MEMORY;
	/* It ends, or is seen: whatever it says, this does not wait for ever. */
	while (!gone && !(pagemap(m->area) & PM_PRESENT)) {
		sched_yield();
		gone = waitpid(pid, &status, WNOHANG);
	}
	if (!gone) {
		kill(pid, SIGKILL);
		/* Between two looks for a signal it fills what one page table has, no more. */
		in_time = m->len > huge_size() && !(pagemap(last - huge_size()) & PM_PRESENT);
		waitpid(pid, &status, 0);
	}
	c->code = exit_code(status);
	if (pagemap(last) & PM_PRESENT)
		return in_time ? KILL_WENT_ON : KILL_DONE;
	return pagemap(m->area) & PM_PRESENT ? KILL_STOPPED : KILL_DONE;
}

static enum kill_result kill_in_the_middle(const struct mem_type *type, struct long_call *c,
					   size_t units)
{
	enum kill_result result = KILL_NO_MEMORY;
	struct mem m, from;

	if (mem_make(&m, type, units))
		return KILL_NO_MEMORY;
	if (!mem_make(&from, mem_type_find("anon"), m.len / page_size())) {
		if (c->call.op == OP_MOVE)
			memset(from.area, BYTE_COPY, from.len);
		c->call.dst = m.area;
		c->call.src = from.area;
		c->call.len = m.len;
		result = kill_once(c, &m);
		close(c->fd);
		mem_free(&from);
	}
	mem_free(&m);
	return result;
}

#define KILLS	20

/*
 * It may be done before the signal is there, but not always: how often it was
 * stopped is told, and never is no failure.  To go on with the signal there is one.
 * What is not done was ended by the signal, and by nothing else.
 */
static void try_kills(struct __test_metadata *_metadata, FIXTURE_DATA(uffd) * self,
		      enum uffd_op op, size_t units)
{
	unsigned int tries = 0, stopped = 0;

	while (tries < KILLS && !stopped) {
		struct long_call c = { .call.op = op };
		enum kill_result result = kill_in_the_middle(self->type, &c, units);

		NEED(tries || result != KILL_NO_MEMORY, "no memory that takes long to fill");
		ASSERT_NE(KILL_NO_MEMORY, result);
		ASSERT_NE(KILL_WENT_ON, result)
			TH_LOG("%s %s, killed: expected to be stopped, got all of it done",
			       self->type->name, op_names[op]);
		tries++;
		stopped += result == KILL_STOPPED;
		if (result == KILL_STOPPED || c.code)
			ASSERT_EQ(-SIGKILL, c.code)
				TH_LOG("%s %s, killed: expected signal %d, got %s %d",
				       self->type->name, op_names[op], SIGKILL,
				       c.code < 0 ? "signal" : "exit code", abs(c.code));
	}
	TH_LOG("%s %s: stopped in the middle %u of %u times", self->type->name, op_names[op],
	       stopped, tries);
	NEED(stopped, "done before it was killed, each time");
}

static size_t long_units(FIXTURE_DATA(uffd) * self)
{
	return mem_is(&self->mem, MEM_HUGETLB) ? 24 : LONG_LEN / self->mem.unit;
}

TEST_F(uffd, killed)
{
	NEED_FILL();
	if (mem_is(&self->mem, MEM_HUGETLB))
		need_huge_pages(32);
	try_kills(_metadata, self, OP_COPY, long_units(self));
}

TEST_F(uffd, killed_move)
{
	NEED(self->type->class == CLASS_ANON, "only anonymous memory is moved");
	NEED_KNOWN(OP_MOVE);
	try_kills(_metadata, self, OP_MOVE, long_units(self));
}

/* The result of a call that cannot be told is an error, too. */
TEST_F(uffd, arguments_not_mapped)
{
	static const struct { enum uffd_op op; unsigned long cmd; } cmds[] = {
		{ OP_UNREGISTER, UFFDIO_UNREGISTER }, { OP_WAKE, UFFDIO_WAKE },
		{ OP_COPY, UFFDIO_COPY }, { OP_ZEROPAGE, UFFDIO_ZEROPAGE },
		{ OP_CONTINUE, UFFDIO_CONTINUE }, { OP_POISON, UFFDIO_POISON },
		{ OP_WP, UFFDIO_WRITEPROTECT }, { OP_MOVE, UFFDIO_MOVE },
		{ OP_RWP, UFFDIO_RWPROTECT },
	};
	static const struct { const char *name; unsigned long cmd; int err; } others[] = {
		{ "REGISTER", UFFDIO_REGISTER, -EFAULT }, { "API", UFFDIO_API, -EFAULT },
		{ "an unknown ioctl", _IO(UFFDIO, 0x3e), -EINVAL },
	};

	OPEN_ALWAYS(0, M);
	for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++)
		if (uffd_knows(cmds[i].op))
			EXPECT_ERR(-EFAULT, ioctl(self->fd, cmds[i].cmd, NOWHERE) ? -errno : 0,
				   op_names[cmds[i].op]);
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++)
		EXPECT_ERR(others[i].err, ioctl(self->fd, others[i].cmd, NOWHERE) ? -errno : 0,
			   others[i].name);
	if (uffd_knows(OP_RWP))
		EXPECT_ERR(-EFAULT, ioctl(self->fd, UFFDIO_SET_MODE, NOWHERE) ? -errno : 0,
			   "SET_MODE");
}

/* What can be read but not written to: it is done, and cannot be told. */
static const struct told_cmd {
	const char *name;
	unsigned long cmd;
	enum uffd_op op;	/* that it takes; REGISTER takes none */
	__u64 modes;		/* that the range is registered with */
	int byte;		/* what is there then, -1: poison */
	bool source;		/* the argument has one, after the destination */
	bool anon;		/* for anonymous memory only */
	bool pte_only;
} told_cmds[] = {
	{ "REGISTER", UFFDIO_REGISTER, OP_WAKE, 0, BYTE_COPY, false, false, false },
	{ "COPY", UFFDIO_COPY, OP_COPY, M, BYTE_COPY, true, false, false },
	{ "ZEROPAGE", UFFDIO_ZEROPAGE, OP_ZEROPAGE, M, 0, false, false, true },
	{ "POISON", UFFDIO_POISON, OP_POISON, M, -1, false, false, false },
	{ "CONTINUE", UFFDIO_CONTINUE, OP_CONTINUE, N, BYTE_CACHE, false, false, false },
	{ "MOVE", UFFDIO_MOVE, OP_MOVE, M, BYTE_COPY, true, true, false },
};

/* With an argument that is read-only for so long.  0 or a negative errno. */
static int ioctl_untold(int fd, unsigned long cmd, void *arg)
{
	int err;

	if (mprotect(arg, page_size(), PROT_READ))
		return -errno;
	err = ioctl(fd, cmd, arg) ? -errno : 0;
	return mprotect(arg, page_size(), PROT_READ | PROT_WRITE) ? -errno : err;
}

static void try_told(struct __test_metadata *_metadata, FIXTURE_DATA(uffd) * self,
		     const struct told_cmd *t, __u64 *arg)
{
	struct mem m, from;
	__u64 *p = arg;

	ASSERT_EQ(0, mem_make(&m, self->type, UNITS));
	ASSERT_EQ(0, mem_make(&from, mem_type_find("anon"), UNITS));
	memset(from.area, BYTE_COPY, from.unit);
	if (t->modes == N)
		ASSERT_EQ(0, mem_fill_cache(&m, 0, BYTE_CACHE));
	self->fd = uffd_open(0);
	if (t->modes)
		ASSERT_GT(uffd_register(self->fd, m.area, m.len, t->modes), 0);
	*p++ = (unsigned long)m.area;
	if (t->source)
		*p++ = (unsigned long)(t->anon ? from.area : self->source);
	*p++ = m.unit;
	*p = t->modes ? 0 : M;
	EXPECT_ERR(-EFAULT, ioctl_untold(self->fd, t->cmd, arg), t->name);
	/* What is registered can be filled. */
	if (!t->modes)
		EXPECT_ERR(0, uffd_copy(self->fd, m.area, self->source, m.unit, 0),
			   "COPY after REGISTER that cannot be told");
	/* Nobody waits for what is not there. */
	close(self->fd);
	if (t->byte < 0)
		EXPECT_VALUE(SIGBUS, try_read(m.area, NULL).sig, "%s %s, signal of a read",
			     self->type->name, t->name);
	else
		EXPECT_UNIT(m.area, m.unit, t->byte, t->name);
	mem_free(&from);
	mem_free(&m);
}

TEST_F(uffd, result_cannot_be_told)
{
	__u64 *arg = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED_FILL();
	/* Of a private mapping the file has as many. */
	NEED_ROOM(2 * UNITS);
	ASSERT_NE(MAP_FAILED, arg);
	for (unsigned int i = 0; i < ARRAY_SIZE(told_cmds); i++) {
		const struct told_cmd *t = &told_cmds[i];

		if (uffd_knows(t->op) && (!t->anon || self->type->class == CLASS_ANON) &&
		    (!t->pte_only || !mem_is(&self->mem, MEM_HUGETLB)) &&
		    (t->modes != N || has_minor(self->type)))
			try_told(_metadata, self, t, arg);
	}
	munmap(arg, page_size());
}

/* API, its refusal and its answer: it is not done. */
TEST_F(uffd, api_cannot_be_told)
{
	struct uffdio_api *api = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(self->type->class == CLASS_ANON, "does not depend on the type");
	ASSERT_NE(MAP_FAILED, api);
	self->fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	for (int version = 0; version < 2; version++) {
		*api = (struct uffdio_api) { .api = version ? UFFD_API : 0 };
		EXPECT_ERR(-EFAULT, ioctl_untold(self->fd, UFFDIO_API, api), "API");
	}
	EXPECT_ERR(0, ioctl(self->fd, UFFDIO_API, api) ? -errno : 0, "API that can be told");
	munmap(api, page_size());
}

TEST_HARNESS_MAIN
