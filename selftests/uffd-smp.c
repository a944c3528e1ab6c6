// SPDX-License-Identifier: GPL-2.0
/*
 * Two threads at the same memory: one operates on it, the other changes its mapping.
 *
 * In each round one starts a random moment after the other, and when both are done what
 * is there must be what one after the other would have left.  uffd-races opens its window on
 * purpose; here it is luck, so each line says in how many rounds they met.  In
 * qemu -icount with two virtual CPUs luck is the same each time.
 */
#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "uffd-file.h"
#include "uffd-fixture.h"

#define ROUNDS		40
#define ENOUGH		8	/* rounds in which they met */
#define NAP_NS		20000
#define MAX_ERRNO	200

/* The other thread, and what the two share. */
struct changer {
	const struct change *change;
	const struct mem *mem;
	void *room;		/* address space of a mapping */
	__u64 modes;
	int fd;
	int err;
	bool stop;
	atomic_uint steps;	/* odd: in the middle of a change */
	sem_t go;
	sem_t done;
	pthread_t thread;
};

/* What is done to the mapping, and back, and what an operation may say of it. */
struct change {
	const char *name;
	int (*fn)(const struct changer *c);
	bool drops;		/* what is in the page table */
	int error;
	int move_error;
	int copy_error;		/* if its source was not there for a moment */
	bool lasts;		/* an error is said afterwards, too */
};

static int register_again(const struct changer *c)
{
	long long bits = uffd_register(c->fd, c->mem->area, c->mem->len, c->modes);

	return bits < 0 ? bits : 0;
}

static int change_registration(const struct changer *c)
{
	int err = uffd_unregister(c->fd, c->mem->area, c->mem->len);

	return err ?: register_again(c);
}

/* The unit gets a mapping of its own; most types merge it again. */
static int change_protection(const struct changer *c)
{
	char *unit = mem_unit(c->mem, TARGET);

	return mprotect(unit, c->mem->unit, PROT_READ) ||
	       mprotect(unit, c->mem->unit, PROT_READ | PROT_WRITE) ? -errno : 0;
}

static int drop_pages(const struct changer *c)
{
	return madvise(c->mem->area, c->mem->len, MADV_DONTNEED) ? -errno : 0;
}

static int punch_hole(const struct changer *c)
{
	return madvise(c->mem->area, c->mem->len, MADV_REMOVE) ? -errno : 0;
}

static int map_again(const struct changer *c)
{
	const struct mem *m = c->mem;
	int flags = m->type->map_flags | MAP_FIXED | (m->fd < 0 ? MAP_ANONYMOUS : 0);
	void *p = mmap(m->area, m->len, PROT_READ | PROT_WRITE, flags, m->fd, m->offset);

	return p == m->area ? register_again(c) : -errno;
}

static int move_and_back(const struct changer *c)
{
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED;
	const struct mem *m = c->mem;

	if (mremap(m->area, m->len, m->len, flags, c->room) != c->room ||
	    mremap(c->room, m->len, m->len, flags, m->area) != m->area ||
	    /* Nothing else gets in there. */
	    mmap(c->room, m->len, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != c->room)
		return -errno;
	return register_again(c);
}

static int fork_child(const struct changer *c)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(0);
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -errno;
}

static const struct change changes[] = {
	{ "unregister", change_registration, false, -ENOENT, -EINVAL },
	{ "mprotect", change_protection, false, 0, -EINVAL, -EAGAIN },
	{ "MADV_DONTNEED", drop_pages, true },
	/* CONTINUE finds nothing then. */
	{ "MADV_REMOVE", punch_hole, true, -EFAULT, 0, 0, true },
	{ "mmap", map_again, true, -ENOENT, -EINVAL, -EAGAIN },
	{ "mremap", move_and_back, false, -ENOENT, -EINVAL, -EAGAIN },
	/* A page that a child has, or had, is not moved. */
	{ "fork", fork_child, false, 0, -EBUSY, 0, true },
};

static bool can_be_changed(const struct mem *m, const struct change *change)
{
	if (change->fn == punch_hole)
		return mem_is_shared(m);
	/* Shared memory without a descriptor cannot be mapped a second time. */
	return change->fn != map_again || m->fd >= 0 || !mem_is_shared(m);
}

/* Those that are for us.  With one they meet where one is preempted. */
static cpu_set_t cpus;

static void run_on(unsigned int nr)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &cpus) && !nr--)
			CPU_SET(cpu, &one);
	if (CPU_COUNT(&one))
		sched_setaffinity(0, sizeof(one), &one);
}

static void nap(unsigned int *seed)
{
	struct timespec t = { .tv_nsec = 1 + rand_r(seed) % NAP_NS };

	nanosleep(&t, NULL);
}

static void *change_mapping(void *arg)
{
	struct changer *c = arg;

	run_on(1);
	for (;;) {
		sem_wait(&c->go);
		if (c->stop)
			return NULL;
		c->steps++;
		c->err = c->change->fn(c);
		c->steps++;
		sem_post(&c->done);
	}
}

static bool protects(const struct answer *a)
{
	return a->op == OP_WP || a->op == OP_RWP;
}

/* In this round, and before: nothing else runs. */
static int make_ready(FIXTURE_DATA(uffd) * self, const struct answer *a, char *source)
{
	char *unit = self->target;
	size_t len = self->mem.unit;
	int err;

	if (protects(a)) {
		err = answer_give(a, self, TARGET, 0);
		if (!err)
			memset(unit, BYTE_MAPPED, len);
		return err;
	}
	if (a->op == OP_MOVE)
		memset(source, BYTE_COPY, len);
	if (madvise(unit, len, MADV_DONTNEED))
		return -errno;
	if (mem_is_shared(&self->mem) && madvise(unit, len, MADV_REMOVE))
		return -errno;
	/* No event: it fills a hole, and only minor faults are told. */
	return a->op == OP_CONTINUE ? mem_fill_cache(&self->mem, TARGET, BYTE_CACHE) : 0;
}

static int operate(FIXTURE_DATA(uffd) * self, const struct answer *a, char *source)
{
	struct uffd_call call = {
		a->op, self->target, source, self->mem.unit, a->dontwake
	};

	return protects(a) ? answer_arm(a, self->fd, &self->mem) : uffd_do(self->fd, &call, NULL);
}

static bool may_say(const struct answer *a, const struct change *c, int err)
{
	if (c->fn == punch_hole && a->op != OP_CONTINUE)
		return !err;
	return !err || err == c->error || (a->op == OP_MOVE && err == c->move_error) ||
	       (a->op == OP_COPY && err == c->copy_error);
}

#define EXPECT_ROUND(cond, fmt, ...) do {					\
	EXPECT_TRUE(cond)							\
		TH_LOG("%s %s, %s, got %s: " fmt, self->type->name, op_names[a->op], \
		       c->name, err_name(err), ##__VA_ARGS__);			\
} while (0)

/* Both are done: what one after the other would have left, in either order. */
static void check_filled(struct __test_metadata *_metadata, FIXTURE_DATA(uffd) * self,
			 const struct answer *a, const struct change *c, int err, char *source)
{
	bool in_file = mem_is_shared(&self->mem) && a->op != OP_CONTINUE && a->op != OP_POISON;
	size_t len = self->mem.unit;
	char *unit = self->target;
	__u64 bits = pagemap(unit);
	long filled = in_file ? mem_in_file(&self->mem) : -1;

	if (err) {
		EXPECT_ROUND(!(bits & (PM_PRESENT | PM_SWAP | PM_UFFD)), "expected no page");
		EXPECT_ROUND(filled <= 0, "expected nothing in the file, got %ld", filled);
		EXPECT_ROUND(a->op != OP_MOVE || unit_is(source, len, BYTE_COPY),
			     "expected the source as it was, got %s", unit_name(source, len));
	} else if (a->op == OP_POISON) {
		EXPECT_ROUND(!(bits & PM_PRESENT), "expected no page");
		/* pagemap tells no poison of huge pages. */
		EXPECT_ROUND(c->drops || mem_is(&self->mem, MEM_HUGETLB) || bits & PM_SWAP,
			     "expected poison");
	} else {
		EXPECT_ROUND((c->drops && !(bits & PM_PRESENT)) || unit_is(unit, len, a->byte),
			     "expected 0x%02x everywhere, got %s", a->byte, unit_name(unit, len));
		EXPECT_ROUND(filled || c->fn == punch_hole, "expected it in the file");
	}
}

/* What is not registered, or was not when it was asked for, is not protected. */
static void check_protected(struct __test_metadata *_metadata, FIXTURE_DATA(uffd) * self,
			    const struct answer *a, const struct change *c, int err)
{
	bool is = pagemap(self->target) & PM_UFFD;

	if (err)
		EXPECT_ROUND(!is, "expected no protection");
	else if (!c->error && !c->drops)
		EXPECT_ROUND(is, "expected protection");
}

/* How often they met, and what was said. */
struct tally {
	unsigned int rounds;
	unsigned int met;
	unsigned int said[MAX_ERRNO];
};

static void run_round(struct __test_metadata *_metadata, FIXTURE_DATA(uffd) * self,
		      const struct answer *a, struct changer *other, char *source,
		      struct tally *t, unsigned int *seed)
{
	const struct change *c = other->change;
	unsigned int start = other->steps, before, after;
	bool met;
	int err;

	ASSERT_EQ(0, make_ready(self, a, source));
	sem_post(&other->go);
	nap(seed);
	before = other->steps;
	err = operate(self, a, source);
	after = other->steps;
	met = before & 1 || before != after;
	sem_wait(&other->done);
	t->rounds++;
	t->met += met;
	t->said[-err % MAX_ERRNO]++;
	EXPECT_ROUND(met || (c->lasts && after != start) ? may_say(a, c, err) : !err,
		     "not said %s", met ? "for this change" : "while nothing changes");
	EXPECT_RESULT(0, other->err, "%s, %s itself", self->type->name, c->name);
	if (protects(a))
		check_protected(_metadata, self, a, c, err);
	else
		check_filled(_metadata, self, a, c, err, source);
}

static void print_tally(const struct tally *t, const char *type, const char *op, const char *what)
{
	printf("# %s %s, %s: met in %u of %u:", type, op, what, t->met, t->rounds);
	for (int i = 0; i < MAX_ERRNO; i++)
		if (t->said[i])
			printf(" %s %u", err_name(-i), t->said[i]);
	printf("\n");
}

/* Rounds of one operation against one change: in how many they met. */
static unsigned int race(struct __test_metadata *_metadata, FIXTURE_DATA(uffd) * self,
			 const struct answer *a, const struct change *change)
{
	struct changer other = { .change = change, .modes = a->modes };
	struct tally t = { 0 };
	unsigned int seed = 1;
	char *source = self->source;

	other.mem = &self->mem;
	other.fd = self->fd;
	other.room = huge_room(UNITS);
	ASSERT_NE(NULL, other.room);
	/* Mapped before: it must not get where the memory was moved away from. */
	if (a->op == OP_MOVE)
		source = mmap(NULL, self->mem.unit, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, source);
	sem_init(&other.go, 0, 0);
	sem_init(&other.done, 0, 0);
	ASSERT_EQ(0, pthread_create(&other.thread, NULL, change_mapping, &other));
	while (t.rounds < ROUNDS && t.met < ENOUGH && !_metadata->exit_code)
		run_round(_metadata, self, a, &other, source, &t, &seed);
	other.stop = true;
	sem_post(&other.go);
	pthread_join(other.thread, NULL);
	print_tally(&t, self->type->name, op_names[a->op], change->name);
	return t.met;
}

TEST_F_TIMEOUT(uffd, operate_and_change, 300)
{
	unsigned int met = 0;

	ASSERT_EQ(0, sched_getaffinity(0, sizeof(cpus), &cpus));
	prctl(PR_SET_TIMERSLACK, 1);
	run_on(0);
	for (unsigned int i = 0; i < ARRAY_SIZE(answers) * ARRAY_SIZE(changes); i++) {
		const struct change *change = &changes[i % ARRAY_SIZE(changes)];
		const struct answer *a = &answers[i / ARRAY_SIZE(changes)];

		if (!answer_fits(a, self->type) || !can_be_changed(&self->mem, change))
			continue;
		BEGIN_ANSWER(a, 0);
		met += race(_metadata, self, a, change);
	}
	if (!met && !_metadata->exit_code)
		SKIP(return, "the two never met");
}

TEST_HARNESS_MAIN
