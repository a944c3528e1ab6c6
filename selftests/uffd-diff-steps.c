// SPDX-License-Identifier: GPL-2.0
/*
 * The steps of the differential test: what can be done to memory, and what
 * can be seen of it.  See uffd-diff.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "uffd-diff.h"

#define NR_SLOTS	DIFF_SLOTS
#define NR_FDS		4
#define MAX_UNITS	8
#define MAX_EVENTS	6	/* of one access, before it is helped out */
#define ACTION_SECONDS	20	/* of one action, which nothing has to wait for */
#define TOUCH_AT	100	/* in a page, but not at its start */
#define MADV_GUARD_ON	102
#define MADV_GUARD_OFF	103
#define MADV_COLLAPSE_NOW 25

#define M	UFFDIO_REGISTER_MODE_MISSING
#define W	UFFDIO_REGISTER_MODE_WP
#define N	UFFDIO_REGISTER_MODE_MINOR
#define R	UFFDIO_REGISTER_MODE_RWP

static const __u64 fd_features[NR_FDS] = {
	UFFD_FEATURE_RWP | UFFD_FEATURE_WP_UNPOPULATED,
	UFFD_FEATURE_RWP | UFFD_FEATURE_WP_ASYNC,
	UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_EVENT_REMAP |
		UFFD_FEATURE_EVENT_REMOVE | UFFD_FEATURE_EVENT_UNMAP,
	UFFD_FEATURE_SIGBUS | UFFD_FEATURE_EXACT_ADDRESS,
};

struct slot {
	struct mem mem;
	bool made;
	int prot;
	int fd;			/* the last that it was registered with */
};

static struct slot slots[NR_SLOTS];
static int fds[NR_FDS];
static char *source;
bool diff_rwp = true;
static char *child_says;	/* a line, shared with the children */

/* Random numbers of one step. */
static __u64 rnd_state;

static __u64 rnd(__u64 below)
{
	__u64 z = rnd_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31)) % below;
}

static void rnd_start(__u64 seed, __u64 step)
{
	rnd_state = seed * 0xd1342543de82ef95ULL + step;
	rnd_state = rnd(~0ULL) ^ step << 32;
}

__u64 diff_mix(__u64 hash, __u64 v)
{
	return (hash ^ v) * 0x100000001b3ULL;
}

static size_t slot_units(const struct slot *s)
{
	return s->mem.units < MAX_UNITS ? s->mem.units : MAX_UNITS;
}

static char *random_unit(const struct slot *s)
{
	return mem_unit(&s->mem, rnd(slot_units(s)));
}

/* Mostly whole pages, now and then what must be refused. */
static size_t random_len(const struct slot *s)
{
	switch (rnd(16)) {
	case 0:
		return 0;
	case 1:
		return 512;
	case 2:
		return page_size();
	case 3:
		return s->mem.len;
	default:
		return s->mem.unit * (1 + rnd(2));
	}
}

static long offset_of(const struct slot *s, const void *p)
{
	return (const char *)p - s->mem.area;
}

static struct slot *slot_of(unsigned long addr)
{
	for (int i = 0; i < NR_SLOTS; i++) {
		unsigned long start = (unsigned long)slots[i].mem.area;

		if (slots[i].made && addr >= start && addr < start + slots[i].mem.len)
			return &slots[i];
	}
	return NULL;
}

/* Between two places where nothing else is, so that a range beyond its end hits nothing. */
#define PLACES		(half_of_space() / 4)
#define PLACE_SIZE	(half_of_space() / 1024)

static long move_slot(struct slot *s)
{
	unsigned long to = PLACES + 2 * (s - slots) * PLACE_SIZE;
	char *p;

	if (s->mem.area == (char *)to)
		to += PLACE_SIZE;
	p = mremap(s->mem.area, s->mem.len, s->mem.len, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (p == MAP_FAILED)
		return -errno;
	s->mem.area = p;
	return 0;
}

/* In a mode that may be none of this memory. */
static long long try_register(struct slot *s, char *p, size_t len)
{
	static const __u64 modes[] = {
		M, M, M, W, W, M | W, M | W, N, N, M | N, W | N, M | W | N, R, M | R, W | R, 0,
	};
	int nr = rnd(NR_FDS);
	__u64 mode = modes[rnd(ARRAY_SIZE(modes))];
	long long got;

	if (mode & R && !diff_rwp)
		mode = M;
	got = uffd_register(fds[nr], p, len, mode);
	if (got > 0)
		s->fd = nr;

	printf("register fd %d mode %#llx at %#lx len %#zx", nr, (unsigned long long)mode,
	       offset_of(s, p), len);
	if (got < 0)
		printf(" = %s", err_name(got));
	else
		printf(" = %#llx", got & ~(diff_rwp ? 0 : 1LL << _UFFDIO_RWPROTECT));
	return got;
}

static void make_slot(struct slot *s)
{
	const struct mem_type *type;

	/* Filling huge pages takes a thousand times as long; CLASS_OTHER is never filled. */
	do {
		/* The first two are anonymous; UFFDIO_MOVE takes no other. */
		type = &mem_types[rnd(rnd(4) ? nr_mem_types : 2)];
	} while (type->caps & MEM_GIGANTIC || type->class == CLASS_REFUSED ||
		 ((type->caps & MEM_HUGETLB || type->class == CLASS_OTHER) && rnd(2)));
	s->made = !mem_make(&s->mem, type, type->caps & MEM_HUGETLB ? 2 : MAX_UNITS);
	if (s->made && move_slot(s)) {
		mem_free(&s->mem);
		s->made = false;
		s->mem.why = "cannot be moved";
	}
	s->prot = PROT_READ | PROT_WRITE;
	printf(" slot %ld is %s%s%s", (long)(s - slots), type->name,
	       s->made ? "" : ": ", s->made ? "" : s->mem.why);
	/* What is not registered answers all the same. */
	for (int tries = 0; s->made && tries < 6; tries++) {
		printf(", ");
		if (try_register(s, s->mem.area, s->mem.len) > 0)
			break;
	}
}

/*
 * What can be seen of a slot without touching what may not be touched: a page
 * with the uffd bit may be one that nobody is there to unprotect.
 */
static void print_slot(const struct slot *s)
{
	__u64 hash = 0;

	printf("   [");
	for (size_t i = 0; i < slot_units(s); i++) {
		char *p = mem_unit(&s->mem, i);
		__u64 entry = pagemap(p);
		bool present = entry & PM_PRESENT;

		printf("%c", present ? entry & PM_UFFD ? 'u' : entry & PM_FILE ? 'f' : 'a' :
		       entry & PM_UFFD ? 'm' : entry & PM_SWAP ? 's' : '.');
		if (!present || entry & PM_UFFD || !(s->prot & PROT_READ))
			continue;
		for (size_t at = 0; at < s->mem.unit; at += s->mem.unit / 8)
			hash = diff_mix(diff_mix(hash, p[at]), p[at + TOUCH_AT]);
	}
	printf("] %016llx blocks %ld rss %ld anon %ld\n", (unsigned long long)hash,
	       mem_blocks(&s->mem), smaps_kb(s->mem.area, "Rss"),
	       smaps_kb(s->mem.area, "Anonymous"));
}

/* A blocking action has a thread of its own, so that its events can be read. */
struct action {
	enum { TOUCH, ADVISE, REMAP, UNMAP, FORK, PUNCH, TRUNCATE } what;
	struct slot *slot;
	char *p;
	size_t len;
	int arg;
	char value;
	bool write;
	struct trap trap;
	long ret;
	int done_fd;
};

/* In the child: what each unit reads as, a value or signal/code. */
static void child_reads(const struct slot *s)
{
	char *end = child_says;

	for (size_t i = 0; i < slot_units(s); i++) {
		char value = 0;
		struct trap trap = try_read(mem_unit(&s->mem, i), &value);

		if (trap.sig)
			end += sprintf(end, " %d/%d", trap.sig, trap.code);
		else
			end += sprintf(end, " %d", value & 0xff);
	}
	_exit(0);
}

static long do_fork(const struct slot *s)
{
	pid_t pid = syscall(SYS_fork);
	int status;

	if (!pid)
		child_reads(s);
	if (pid < 0)
		return -errno;
	return waitpid(pid, &status, 0) == pid ? status : -errno;
}

static void *run_action(void *arg)
{
	struct action *a = arg;
	struct mem *m = &a->slot->mem;
	__u64 one = 1;
	long ret = 0;

	switch (a->what) {
	case TOUCH:
		a->trap = a->write ? try_write(a->p, a->value) : try_read(a->p, &a->value);
		break;
	case ADVISE:
		ret = madvise(a->p, a->len, a->arg) ? -errno : 0;
		break;
	case REMAP:
		ret = move_slot(a->slot);
		break;
	case UNMAP:
		ret = munmap(a->p, a->len) ? -errno : 0;
		break;
	case FORK:
		ret = do_fork(a->slot);
		break;
	case PUNCH:
		ret = fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				m->offset + a->arg * m->unit, a->len) ? -errno : 0;
		break;
	case TRUNCATE:
		ret = ftruncate(m->fd, m->offset + a->arg * m->unit) ? -errno : 0;
		break;
	}
	a->ret = ret;
	if (write(a->done_fd, &one, sizeof(one)) != sizeof(one))
		abort();
	return NULL;
}

static int say(const char *name, int err)
{
	printf(" %s=%s", name, err_name(err));
	return err;
}

/* One of the answers that may help who waits at @p. */
static int try_answer(int fd, __u64 flags, char *p, size_t unit)
{
	if (flags & UFFD_PAGEFAULT_FLAG_RWP)
		return say("rwp-off", uffd_rwp(fd, p, unit, 0));
	if (flags & UFFD_PAGEFAULT_FLAG_WP)
		return say("wp-off", uffd_wp(fd, p, unit, 0));
	if (flags & UFFD_PAGEFAULT_FLAG_MINOR)
		return say("continue", uffd_continue(fd, p, unit, rnd(8) ? 0 :
						     UFFDIO_CONTINUE_MODE_WP));
	if (!rnd(4))
		return say("zeropage", uffd_zeropage(fd, p, unit));
	if (!rnd(8))
		return say("poison", uffd_poison(fd, p, unit));
	return say("copy", uffd_copy(fd, p, source, unit, rnd(8) ? 0 : UFFDIO_COPY_MODE_WP));
}

static void answer(int fd, const struct uffd_msg *msg, struct slot *s, unsigned int nr)
{
	unsigned long addr = msg->arg.pagefault.address;
	size_t unit = s->mem.unit;

	if (nr < MAX_EVENTS && rnd(8) &&
	    !try_answer(fd, msg->arg.pagefault.flags, (char *)(addr & ~(unit - 1)), unit))
		return;
	say("unregister", uffd_unregister(fd, s->mem.area, s->mem.len));
	/* Up to 7.3 it wakes only those who wait for MISSING. */
	uffd_wake(fd, s->mem.area, s->mem.len);
}

static void one_event(int nr, unsigned int count)
{
	struct uffd_msg msg;
	struct slot *s;

	if (uffd_event(fds[nr], &msg, 0) != 1)
		return;
	printf(" event%d:", nr);
	switch (msg.event) {
	case UFFD_EVENT_PAGEFAULT:
		s = slot_of(msg.arg.pagefault.address);
		if (!s)
			break;
		printf("fault %ld+%#lx flags %#llx", (long)(s - slots),
		       offset_of(s, (void *)msg.arg.pagefault.address),
		       (unsigned long long)msg.arg.pagefault.flags);
		answer(fds[nr], &msg, s, count);
		break;
	case UFFD_EVENT_FORK:
		printf("fork");
		close(msg.arg.fork.ufd);
		break;
	case UFFD_EVENT_REMAP:
		printf("remap len %#llx", (unsigned long long)msg.arg.remap.len);
		break;
	default:
		printf("%s len %#llx", msg.event == UFFD_EVENT_REMOVE ? "remove" : "unmap",
		       (unsigned long long)(msg.arg.remove.end - msg.arg.remove.start));
	}
}

/* Run it, and read and answer what it makes the kernel say. */
static void act(struct action *a)
{
	struct pollfd pfds[NR_FDS + 1];
	unsigned int count = 0;
	pthread_t thread;

	a->done_fd = eventfd(0, EFD_CLOEXEC);
	if (pthread_create(&thread, NULL, run_action, a))
		abort();
	for (bool done = false; !done;) {
		bool events = false;

		for (int i = 0; i < NR_FDS; i++)
			pfds[i] = (struct pollfd){ fds[i], POLLIN };
		pfds[NR_FDS] = (struct pollfd){ a->done_fd, POLLIN };
		if (!poll(pfds, NR_FDS + 1, ACTION_SECONDS * 1000)) {
			printf(" does not return\n");
			exit(EXIT_FAILURE);
		}
		for (int i = 0; i < NR_FDS; i++)
			if (pfds[i].revents & POLLIN) {
				one_event(i, count++);
				events = true;
			}
		done = !events && pfds[NR_FDS].revents;
	}
	pthread_join(thread, NULL);
	close(a->done_fd);
}

static void step_register(struct slot *s)
{
	bool all = rnd(4);
	char *p = all ? s->mem.area : random_unit(s);

	try_register(s, p, all ? s->mem.len : random_len(s));
}

static void touch(struct slot *s, char *p)
{
	struct action a = {
		.what = TOUCH,
		.slot = s,
		.p = p,
		.write = rnd(2),
		.value = 1 + rnd(100),
	};

	printf("%s at %#lx", a.write ? "write" : "read", offset_of(s, a.p));
	act(&a);
	if (a.trap.sig)
		printf(" = signal %d code %d", a.trap.sig, a.trap.code);
	else
		printf(" = %d", a.value);
}

static void step_touch(struct slot *s)
{
	touch(s, random_unit(s) + rnd(2) * TOUCH_AT);
}

static void step_op(struct slot *s)
{
	static const enum uffd_op ops[] = {
		OP_COPY, OP_COPY, OP_COPY, OP_ZEROPAGE, OP_ZEROPAGE, OP_CONTINUE,
		OP_CONTINUE, OP_POISON, OP_WP, OP_WP, OP_RWP, OP_MOVE, OP_MOVE, OP_WAKE,
		OP_UNREGISTER,
	};
	struct slot *from = &slots[rnd(NR_SLOTS)];
	int nr = rnd(4) ? s->fd : (int)rnd(NR_FDS);
	struct uffd_call call = {
		.op = ops[rnd(ARRAY_SIZE(ops))],
		.dst = random_unit(s),
		.src = source,
		.len = random_len(s),
		.mode = rnd(rnd(4) ? 2 : 4),
	};
	long long done = 0;
	int err;

	if (call.op == OP_RWP && !diff_rwp)
		call.op = OP_WP;
	if (call.op == OP_UNREGISTER && rnd(3)) {
		call.dst = s->mem.area;
		call.len = s->mem.len;
	}
	if (call.op == OP_MOVE) {
		from = from->made && rnd(2) ? from : s;
		call.src = random_unit(from);
	} else if (call.len > 4 * huge_size()) {
		call.len = s->mem.unit;
	}
	err = uffd_do(fds[nr], &call, &done);
	printf("%s fd %d at %#lx len %#zx mode %#llx", op_names[call.op], nr,
	       offset_of(s, call.dst), call.len, (unsigned long long)call.mode);
	if (call.op == OP_MOVE)
		printf(" from %ld+%#lx", (long)(from - slots), offset_of(from, call.src));
	printf(" = %s %lld", err_name(err), done);
	if (!err && (call.op == OP_WP || call.op == OP_RWP)) {
		printf(", ");
		touch(s, call.dst);
	}
}

static void step_advise(struct slot *s)
{
	static const struct { int advice; const char *name; } advices[] = {
		{ MADV_DONTNEED, "DONTNEED" }, { MADV_DONTNEED, "DONTNEED" },
		{ MADV_REMOVE, "REMOVE" }, { MADV_FREE, "FREE" },
		{ MADV_GUARD_ON, "GUARD_INSTALL" }, { MADV_GUARD_OFF, "GUARD_REMOVE" },
		{ MADV_COLLAPSE_NOW, "COLLAPSE" },
	};
	unsigned int nr = rnd(ARRAY_SIZE(advices));
	struct action a = {
		.what = ADVISE,
		.slot = s,
		.p = random_unit(s),
		.len = random_len(s),
		.arg = advices[nr].advice,
	};

	printf("madvise %s at %#lx len %#zx", advices[nr].name, offset_of(s, a.p), a.len);
	act(&a);
	printf(" = %s", err_name(a.ret));
}

static void step_protect(struct slot *s)
{
	/* The whole of it, so that it can be read or not as a whole. */
	s->prot = rnd(3) ? PROT_READ | PROT_WRITE : PROT_READ;
	printf("mprotect %d", s->prot);
	if (mprotect(s->mem.area, s->mem.len, s->prot))
		printf(" = %s", err_name(errno));
}

static void step_remap(struct slot *s)
{
	struct action a = { .what = REMAP, .slot = s };

	printf("mremap");
	act(&a);
	printf(" = %s", err_name(a.ret));
}

static void step_fork(struct slot *s)
{
	struct action a = { .what = FORK, .slot = s };

	*child_says = '\0';
	printf("fork");
	act(&a);
	printf(" = %ld, the child read%s", a.ret, child_says);
}

static void step_file(struct slot *s)
{
	bool punch = rnd(2);
	struct action a = {
		.what = punch ? PUNCH : TRUNCATE,
		.slot = s,
		.arg = rnd(slot_units(s) + 1),
		.len = s->mem.unit,
	};

	printf("%s unit %d", punch ? "punch" : "truncate", a.arg);
	if (!mem_is(&s->mem, MEM_SIZE)) {
		printf(" no file");
		return;
	}
	act(&a);
	printf(" = %s", err_name(a.ret));
}

static void step_replace(struct slot *s)
{
	struct action a = { .what = UNMAP, .slot = s, .p = s->mem.area, .len = s->mem.len };

	printf("replace");
	act(&a);
	/* What is left of it are its files. */
	s->mem.area = NULL;
	mem_free(&s->mem);
	s->made = false;
	make_slot(s);
}

static void step_reopen(struct slot *s)
{
	int nr = rnd(NR_FDS);

	printf("reopen fd %d", nr);
	close(fds[nr]);
	fds[nr] = uffd_open(fd_features[nr] & uffd_features());
}

static const struct {
	void (*run)(struct slot *s);
	unsigned int weight;
} kinds[] = {
	{ step_register, 8 },
	{ step_op, 16 },
	{ step_touch, 12 },
	{ step_advise, 4 },
	{ step_protect, 2 },
	{ step_remap, 1 },
	{ step_fork, 2 },
	{ step_file, 3 },
	{ step_replace, 2 },
	{ step_reopen, 1 },
};

void diff_step(__u64 seed, unsigned int step)
{
	unsigned int total = 0, pick, k;
	struct slot *s;

	rnd_start(seed, step);
	for (k = 0; k < ARRAY_SIZE(kinds); k++)
		total += kinds[k].weight;
	pick = rnd(total);
	for (k = 0; pick >= kinds[k].weight; k++)
		pick -= kinds[k].weight;
	s = &slots[rnd(NR_SLOTS)];
	printf("%u: slot %ld ", step, (long)(s - slots));
	if (!s->made) {
		make_slot(s);
		printf("\n");
		return;
	}
	printf("%s: ", s->mem.type->name);
	/* Most of what is above ends a registration. */
	if (rnd(2)) {
		try_register(s, s->mem.area, s->mem.len);
		printf(", ");
	}
	kinds[k].run(s);
	printf("\n");
	if (s->made)
		print_slot(s);
}

void diff_start(__u64 seed)
{
	source = malloc(4 * huge_size());
	for (size_t i = 0; i < 4 * huge_size(); i++)
		source[i] = i / page_size() + 1;
	child_says = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < NR_FDS; i++) {
		fds[i] = uffd_open(fd_features[i] & uffd_features());
		if (fds[i] < 0) {
			fprintf(stderr, "userfaultfd: %s\n", strerror(-fds[i]));
			exit(KSFT_FAIL);
		}
	}
	for (int i = 0; i < NR_SLOTS; i++) {
		rnd_start(seed, ~0ULL - i);
		make_slot(&slots[i]);
		printf("\n");
	}
}
