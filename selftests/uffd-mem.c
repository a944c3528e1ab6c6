// SPDX-License-Identifier: GPL-2.0
/*
 * The memory types: how each mapping is made, filled and taken away.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/kvm.h>
#include <linux/magic.h>
#include <linux/memfd.h>

#include "uffd-mem.h"

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif
#ifndef SYS_map_shadow_stack
#define SYS_map_shadow_stack 453
#endif
#ifndef GUEST_MEMFD_FLAG_MMAP
#define GUEST_MEMFD_FLAG_MMAP		(1ULL << 0)
#endif
#ifndef GUEST_MEMFD_FLAG_INIT_SHARED
#define GUEST_MEMFD_FLAG_INIT_SHARED	(1ULL << 1)
#endif
#ifndef RAMFS_MAGIC
#define RAMFS_MAGIC 0x858458f6
#endif

#define RW (PROT_READ | PROT_WRITE)

const char *const class_names[NR_CLASSES] = {
	[CLASS_ANON]		= "anon",
	[CLASS_SHMEM]		= "shmem",
	[CLASS_SHMEM_PRIVATE]	= "shmem-private",
	[CLASS_HUGETLB]		= "hugetlb",
	[CLASS_HUGETLB_PRIVATE]	= "hugetlb-private",
	[CLASS_DEV_ZERO]	= "dev-zero",
	[CLASS_GMEM]		= "guest_memfd",
	[CLASS_OTHER]		= "other",
	[CLASS_REFUSED]		= "refused",
};

const char *const class_texts[NR_CLASSES] = {
	[CLASS_ANON]		= "anonymous memory, with base pages or THP",
	[CLASS_SHMEM]		= "shared shmem: memfd, tmpfs, MAP_SHARED|MAP_ANONYMOUS",
	[CLASS_SHMEM_PRIVATE]	=
		"MAP_PRIVATE of a shmem file: filled as anonymous memory, looked up in the file",
	[CLASS_HUGETLB]		= "shared hugetlb: memfd, SysV SHM_HUGETLB, any file offset",
	[CLASS_HUGETLB_PRIVATE]	= "MAP_PRIVATE hugetlb",
	[CLASS_DEV_ZERO]	=
		"MAP_PRIVATE of /dev/zero: anonymous, but with a file whose size is 0",
	[CLASS_GMEM]		=
		"guest_memfd that user space may map and touch (MMAP|INIT_SHARED)",
	[CLASS_OTHER]		=
		"any other memory: its writes can be tracked (WP with WP_ASYNC)",
	[CLASS_REFUSED]		= "special, droppable and shadow stack mappings",
};

size_t page_size(void)
{
	static size_t size;

	if (!size)
		size = sysconf(_SC_PAGESIZE);
	return size;
}

size_t huge_size(void)
{
	static size_t size;
	unsigned long v;
	FILE *f;

	if (size)
		return size;
	size = 2UL << 20;
	f = fopen("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "r");
	if (f) {
		if (fscanf(f, "%lu", &v) == 1)
			size = v;
		fclose(f);
	}
	return size;
}

/* 39 bits are all that some kernels have; the stack is near their end. */
unsigned long half_of_space(void)
{
	return 1UL << (63 - __builtin_clzl((unsigned long)__builtin_frame_address(0)));
}

char *huge_room(unsigned int n)
{
	size_t huge = huge_size();
	char *p = mmap(NULL, (n + 1) * huge, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : (char *)(((unsigned long)p + huge - 1) & ~(huge - 1));
}

static int refuse(struct mem *m, const char *why)
{
	m->why = why;
	return -1;
}

static int map_fd(struct mem *m, void *at)
{
	int flags = m->type->map_flags | (at ? MAP_FIXED : 0);

	m->area = mmap(at, m->len, RW, flags, m->fd, m->offset);
	if (m->area == MAP_FAILED) {
		m->area = NULL;
		return refuse(m, mem_is(m, MEM_HUGETLB) ?
			      "no free huge pages, set /proc/sys/vm/nr_hugepages" :
			      "cannot map the file");
	}
	return 0;
}

static int size_and_map(struct mem *m)
{
	void *at = m->area;

	m->area = NULL;
	if (m->fd < 0)
		return refuse(m, "cannot make the file");
	m->offset = m->type->first * m->unit;
	if (ftruncate(m->fd, m->offset + m->len))
		return refuse(m, "cannot set the size of the file");
	return map_fd(m, at);
}

static int make_anon_flags(struct mem *m, int flags)
{
	void *at = m->area;

	m->area = mmap(at, m->len, RW, flags | MAP_ANONYMOUS |
		       (at ? MAP_FIXED : 0), -1, 0);
	if (m->area == MAP_FAILED) {
		m->area = NULL;
		return refuse(m, "cannot map memory of this kind");
	}
	return 0;
}

static int make_anon(struct mem *m)
{
	if (make_anon_flags(m, m->type->map_flags))
		return -1;
	/* Only ever what its name says: base pages. */
	if (m->type->class == CLASS_ANON)
		madvise(m->area, m->len, MADV_NOHUGEPAGE);
	return 0;
}

static int make_thp(struct mem *m)
{
	size_t huge = huge_size();
	char *p, *start;

	if (m->area)
		return make_anon_flags(m, MAP_PRIVATE);
	/* Two huge pages, aligned, whatever the test asked for. */
	m->len = 2 * huge;
	m->units = m->len / m->unit;
	p = mmap(NULL, m->len + huge, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return refuse(m, "cannot map memory of this kind");
	start = (char *)(((unsigned long)p + huge - 1) & ~(huge - 1));
	if (start > p)
		munmap(p, start - p);
	munmap(start + m->len, p + huge - start);
	m->area = start;
	if (madvise(m->area, m->len, MADV_HUGEPAGE))
		return refuse(m, "no transparent huge pages (CONFIG_TRANSPARENT_HUGEPAGE)");
	return 0;
}

static int make_memfd(struct mem *m)
{
	m->fd = memfd_create("uffd-test", MFD_CLOEXEC);
	return size_and_map(m);
}

static int make_tmpfs(struct mem *m)
{
	struct statfs fs;

	m->fd = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (m->fd < 0 || fstatfs(m->fd, &fs) || fs.f_type != TMPFS_MAGIC)
		return refuse(m, "no tmpfs at /dev/shm");
	return size_and_map(m);
}

static int make_sysv_flags(struct mem *m, int flags, const char *why)
{
	void *at = m->area;
	int id = shmget(IPC_PRIVATE, m->len, IPC_CREAT | 0600 | flags);

	m->area = NULL;
	if (id < 0)
		return refuse(m, errno == ENOSYS ? "no SysV IPC (CONFIG_SYSVIPC)" : why);
	m->area = shmat(id, at, at ? SHM_REMAP : 0);
	shmctl(id, IPC_RMID, NULL);
	if (m->area == (void *)-1) {
		m->area = NULL;
		return refuse(m, "shmat() failed");
	}
	m->shm = true;
	return 0;
}

static int make_sysv(struct mem *m)
{
	return make_sysv_flags(m, 0, "shmget() failed");
}

static int make_sysv_huge(struct mem *m)
{
	int size = __builtin_ctzl(m->unit) << HUGETLB_FLAG_ENCODE_SHIFT;

	return make_sysv_flags(m, SHM_HUGETLB | size,
			       "no free huge pages, set /proc/sys/vm/nr_hugepages");
}

static int make_hugetlb(struct mem *m)
{
	m->fd = memfd_create("uffd-test", MFD_CLOEXEC | MFD_HUGETLB |
			     __builtin_ctzl(m->unit) << MFD_HUGE_SHIFT);
	if (m->fd < 0)
		return refuse(m, errno == ENODEV || errno == ENOENT ?
			      "this size of huge pages does not exist here" :
			      "no hugetlb memfd (CONFIG_HUGETLBFS)");
	return size_and_map(m);
}

/* mkdir, mount and a lazy umount: the file keeps the file system. */
static int open_ramfs(void)
{
	char dir[] = "/tmp/uffd-test-XXXXXX";
	int fd = -1;

	if (geteuid() || !mkdtemp(dir))
		return -1;
	if (!mount("uffd-test", dir, "ramfs", 0, NULL)) {
		fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		umount2(dir, MNT_DETACH);
	}
	rmdir(dir);
	return fd;
}

/* One of ours where that can be: it has no read-ahead of its own mind. */
static int make_file(struct mem *m)
{
	struct statfs fs;

	m->fd = open_ramfs();
	if (m->fd < 0)
		m->fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (m->fd < 0 || fstatfs(m->fd, &fs) || fs.f_type == TMPFS_MAGIC)
		return refuse(m, "no file system but tmpfs, run as root or on another one");
	return size_and_map(m);
}

static int make_dev_zero(struct mem *m)
{
	void *at = m->area;

	m->area = NULL;
	m->fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	if (m->fd < 0)
		return refuse(m, "no /dev/zero");
	return map_fd(m, at);
}

static int make_gmem_flags(struct mem *m, unsigned long long flags)
{
	struct kvm_create_guest_memfd args = {
		.size = m->len,
		.flags = flags,
	};
	void *at = m->area;

	m->area = NULL;
	m->kvm[0] = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (m->kvm[0] < 0)
		return refuse(m, "no /dev/kvm");
	m->kvm[1] = ioctl(m->kvm[0], KVM_CREATE_VM, 0);
	if (m->kvm[1] < 0)
		return refuse(m, "/dev/kvm makes no virtual machine");
	m->fd = ioctl(m->kvm[1], KVM_CREATE_GUEST_MEMFD, &args);
	if (m->fd < 0)
		return refuse(m, "no guest_memfd with these flags");
	return map_fd(m, at);
}

static int make_gmem(struct mem *m)
{
	return make_gmem_flags(m, GUEST_MEMFD_FLAG_MMAP |
			       GUEST_MEMFD_FLAG_INIT_SHARED);
}

static int make_gmem_private(struct mem *m)
{
	return make_gmem_flags(m, GUEST_MEMFD_FLAG_MMAP);
}

static int make_secret(struct mem *m)
{
	m->fd = syscall(SYS_memfd_secret, O_CLOEXEC);
	if (m->fd < 0)
		return refuse(m, "no memfd_secret() (CONFIG_SECRETMEM)");
	return size_and_map(m);
}

/* A mapping of the kernel's own: never ours to unmap. */
static int make_vdso(struct mem *m)
{
	m->area = (char *)getauxval(AT_SYSINFO_EHDR);
	if (!m->area)
		return refuse(m, "no vdso");
	m->units = 1;
	m->len = m->unit;
	return 0;
}

static int make_droppable(struct mem *m)
{
	return make_anon_flags(m, MAP_DROPPABLE);
}

static int make_shadow_stack(struct mem *m)
{
	long p = syscall(SYS_map_shadow_stack, 0, m->len, 0);

	if (p == -1)
		return refuse(m, "no shadow stacks: CPU or CONFIG_X86_USER_SHADOW_STACK");
	m->area = (char *)p;
	return 0;
}

#define SHMEM_CAPS	(MEM_TOUCH | MEM_GUARD)
#define FILE_CAPS	(SHMEM_CAPS | MEM_SIZE | MEM_BLOCKS)
#define HUGE_CAPS	(MEM_TOUCH | MEM_HUGETLB)
#define HUGE_FILE_CAPS	(HUGE_CAPS | MEM_SIZE | MEM_BLOCKS)

const struct mem_type mem_types[] = {
	{ "anon", CLASS_ANON, MEM_TOUCH | MEM_GUARD, MAP_PRIVATE, 0, make_anon },
	{ "anon-thp", CLASS_ANON, MEM_TOUCH | MEM_GUARD, MAP_PRIVATE, 0, make_thp },
	{ "shmem", CLASS_SHMEM, FILE_CAPS, MAP_SHARED, 0, make_memfd },
	{ "shmem-offset", CLASS_SHMEM, FILE_CAPS, MAP_SHARED, 3, make_memfd },
	{ "shmem-private", CLASS_SHMEM_PRIVATE, FILE_CAPS, MAP_PRIVATE, 0, make_memfd },
	{ "tmpfs", CLASS_SHMEM, FILE_CAPS, MAP_SHARED, 0, make_tmpfs },
	{ "anon-shared", CLASS_SHMEM, SHMEM_CAPS, MAP_SHARED, 0, make_anon },
	{ "sysv", CLASS_OTHER, MEM_TOUCH, MAP_SHARED, 0, make_sysv },
	{ "hugetlb", CLASS_HUGETLB, HUGE_FILE_CAPS, MAP_SHARED, 0, make_hugetlb },
	{ "hugetlb-offset", CLASS_HUGETLB, HUGE_FILE_CAPS, MAP_SHARED, 1, make_hugetlb },
	{ "hugetlb-private", CLASS_HUGETLB_PRIVATE, HUGE_FILE_CAPS, MAP_PRIVATE, 0, make_hugetlb },
	{ "hugetlb-sysv", CLASS_HUGETLB, HUGE_CAPS, MAP_SHARED, 0, make_sysv_huge },
	{ "hugetlb-1G", CLASS_HUGETLB, MEM_HUGETLB | MEM_GIGANTIC, MAP_SHARED, 0, make_hugetlb },
	{ "gmem", CLASS_GMEM, MEM_TOUCH | MEM_GUARD, MAP_SHARED, 0, make_gmem },
	{ "gmem-private", CLASS_OTHER, 0, MAP_SHARED, 0, make_gmem_private },
	{ "file", CLASS_OTHER, MEM_TOUCH | MEM_SIZE, MAP_SHARED, 0, make_file },
	{ "file-private", CLASS_OTHER, MEM_TOUCH | MEM_SIZE, MAP_PRIVATE, 0, make_file },
	{ "secret", CLASS_OTHER, MEM_TOUCH, MAP_SHARED, 0, make_secret },
	{ "dev-zero", CLASS_DEV_ZERO, MEM_TOUCH | MEM_GUARD, MAP_PRIVATE, 0, make_dev_zero },
	{ "vdso", CLASS_REFUSED, 0, MAP_PRIVATE, 0, make_vdso },
	{ "droppable", CLASS_REFUSED, 0, MAP_PRIVATE, 0, make_droppable },
	{ "shadow-stack", CLASS_REFUSED, 0, MAP_PRIVATE, 0, make_shadow_stack },
};

const unsigned int nr_mem_types = ARRAY_SIZE(mem_types);

const struct mem_type *mem_type_find(const char *name)
{
	for (unsigned int i = 0; i < nr_mem_types; i++)
		if (!strcmp(mem_types[i].name, name))
			return &mem_types[i];
	return NULL;
}

int mem_make_at(struct mem *m, const struct mem_type *type, size_t units,
		void *at)
{
	*m = (struct mem) {
		.type = type,
		.unit = type->caps & MEM_GIGANTIC ? 1UL << 30 :
			type->caps & MEM_HUGETLB ? huge_size() : page_size(),
		.units = type->caps & MEM_GIGANTIC ? 1 : units,
		.area = at,
		.fd = -1,
		.kvm = { -1, -1 },
	};
	m->len = m->unit * m->units;
	if (!type->make(m))
		return 0;
	mem_free(m);
	return -1;
}

int mem_make(struct mem *m, const struct mem_type *type, size_t units)
{
	return mem_make_at(m, type, units, NULL);
}

void mem_free(struct mem *m)
{
	if (m->area && m->shm)
		shmdt(m->area);
	else if (m->area && m->type->make != make_vdso)
		munmap(m->area, m->len);
	m->area = NULL;
	for (int *fd = (int []){ m->fd, m->kvm[1], m->kvm[0], -2 }; *fd != -2; fd++)
		if (*fd >= 0)
			close(*fd);
	m->fd = -1;
	m->kvm[0] = -1;
	m->kvm[1] = -1;
}

bool mem_is_shared(const struct mem *m)
{
	return m->type->map_flags & MAP_SHARED;
}

char *mem_unit(const struct mem *m, size_t nr)
{
	return m->area + nr * m->unit;
}

char *mem_alias(const struct mem *m)
{
	if (m->fd < 0)
		return MAP_FAILED;
	return mmap(NULL, m->len, RW, MAP_SHARED, m->fd, m->offset);
}

long mem_blocks(const struct mem *m)
{
	struct stat st;

	if (!mem_is(m, MEM_BLOCKS) || fstat(m->fd, &st))
		return -1;
	return st.st_blocks;
}

int mem_fill_cache(struct mem *m, size_t nr, int byte)
{
	char *p;

	if (mem_is_shared(m)) {
		p = mem_unit(m, nr);
		memset(p, byte, m->unit);
		return madvise(p, m->unit, MADV_DONTNEED) &&
		       madvise(p, m->unit, MADV_DONTNEED_LOCKED) ? -1 : 0;
	}
	p = mem_alias(m);
	if (p == MAP_FAILED)
		return -1;
	memset(p + nr * m->unit, byte, m->unit);
	return munmap(p, m->len);
}

int mem_truncate(struct mem *m, size_t units)
{
	return ftruncate(m->fd, m->offset + units * m->unit);
}

#define MAX_SETTINGS 32

struct setting {
	char path[112];
	char old[64];
};

/*
 * A test is a process that leaves by _exit(), so what it sets is put back by
 * its parent, which sees it here.
 */
static struct settings {
	pid_t owner;
	unsigned int nr;
	struct setting all[MAX_SETTINGS];
} *settings;

static int read_setting(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);
	char *p;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return -1;
	buf[n] = '\0';
	/* "always [madvise] never" reads back as "madvise". */
	p = strchr(buf, '[');
	if (p && strchr(p, ']')) {
		*strchr(p, ']') = '\0';
		memmove(buf, p + 1, strlen(p));
	}
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

static int write_setting(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, value, strlen(value));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

/* Those that it forked leave them as they are. */
static void restore_settings(void)
{
	if (getpid() != settings->owner)
		return;
	while (settings->nr) {
		struct setting *s = &settings->all[--settings->nr];

		write_setting(s->path, s->old);
	}
}

static void restore_and_die(int sig)
{
	restore_settings();
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Before anything can be set, in the process that all tests are children of. */
static void __attribute__((constructor(101))) settings_start(void)
{
	static const int deadly[] = { SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGBUS, SIGSEGV,
				      SIGPIPE, SIGTERM };

	settings = mmap(NULL, sizeof(*settings), RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (settings == MAP_FAILED)
		abort();
	settings->owner = getpid();
	atexit(restore_settings);
	for (unsigned int i = 0; i < ARRAY_SIZE(deadly); i++)
		signal(deadly[i], restore_and_die);
}

static bool is_set(const char *path)
{
	for (unsigned int i = 0; i < settings->nr; i++)
		if (!strcmp(settings->all[i].path, path))
			return true;
	return false;
}

/* What was there first is what is put back. */
static int record_setting(const char *path)
{
	struct setting *s = &settings->all[settings->nr];

	if (is_set(path))
		return 0;
	if (settings->nr == MAX_SETTINGS || strlen(path) >= sizeof(s->path) ||
	    read_setting(path, s->old, sizeof(s->old)))
		return -1;
	snprintf(s->path, sizeof(s->path), "%s", path);
	settings->nr++;
	return 0;
}

int set_until_exit(const char *path, const char *value)
{
	return record_setting(path) ? -1 : write_setting(path, value);
}

/* Of this size: the default one may be another. */
static const char *pool_setting(const char *which)
{
	static char path[96];

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%zukB/%s_hugepages",
		 huge_size() >> 10, which);
	return path;
}

static unsigned long count_huge_pages(const char *which)
{
	const char *path = pool_setting(which);
	char buf[32];

	if (read_setting(path, buf, sizeof(buf)))
		return 0;
	return strtoul(buf, NULL, 10);
}

unsigned long free_huge_pages(void)
{
	return count_huge_pages("free");
}

unsigned long reserved_huge_pages(void)
{
	return count_huge_pages("resv");
}

void need_huge_pages(unsigned int n)
{
	unsigned long have = free_huge_pages();
	const char *path = pool_setting("nr");
	char buf[32];

	if (have >= n || read_setting(path, buf, sizeof(buf)))
		return;
	snprintf(buf, sizeof(buf), "%lu", strtoul(buf, NULL, 10) + n - have);
	set_until_exit(path, buf);
}

void pin_background(void)
{
	set_until_exit("/sys/kernel/mm/transparent_hugepage/enabled", "madvise");
	set_until_exit("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "never");
	set_until_exit("/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs",
		       "4294967295");
	set_until_exit("/sys/kernel/mm/ksm/run", "0");
	set_until_exit("/proc/sys/vm/compaction_proactiveness", "0");
	set_until_exit("/proc/sys/kernel/numa_balancing", "0");
}
