/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory types that the tests run over.
 *
 * A type says how to make a mapping; what userfaultfd must answer for it is
 * said by its class, a column of the table in uffd-spec.c.
 */
#ifndef UFFD_MEM_H
#define UFFD_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "kselftest.h"

enum mem_class {
	CLASS_ANON,
	CLASS_SHMEM,
	CLASS_SHMEM_PRIVATE,
	CLASS_HUGETLB,
	CLASS_HUGETLB_PRIVATE,
	CLASS_DEV_ZERO,
	CLASS_GMEM,
	CLASS_OTHER,
	CLASS_REFUSED,
	NR_CLASSES
};

extern const char *const class_names[NR_CLASSES];
extern const char *const class_texts[NR_CLASSES];

#define MEM_TOUCH	0x01	/* user space may read and write it */
#define MEM_SIZE	0x02	/* has a file whose size can be changed */
#define MEM_GUARD	0x04	/* takes MADV_GUARD_INSTALL */
#define MEM_HUGETLB	0x08
#define MEM_GIGANTIC	0x10	/* 1 GiB pages: too slow to fill */
#define MEM_BLOCKS	0x20	/* st_blocks counts what is in the file */

struct mem;

struct mem_type {
	const char *name;
	enum mem_class class;
	unsigned int caps;
	int map_flags;		/* MAP_SHARED or MAP_PRIVATE */
	off_t first;		/* units of the file before the mapping */
	int (*make)(struct mem *m);
};

/* A mapping: @units units of @unit bytes (a page, or a huge page) at @area. */
struct mem {
	const struct mem_type *type;
	char *area;
	size_t unit;
	size_t units;
	size_t len;
	off_t offset;		/* of the file, in bytes */
	int fd;
	int kvm[2];
	bool shm;		/* shmdt() and not munmap() */
	const char *why;	/* why it could not be made */
};

extern const struct mem_type mem_types[];
extern const unsigned int nr_mem_types;

const struct mem_type *mem_type_find(const char *name);

/* 0, or -1 with the reason, for a person, in m->why. */
int mem_make(struct mem *m, const struct mem_type *type, size_t units);
void mem_free(struct mem *m);
/* A second mapping of what @m maps; at @at if it is not NULL. */
int mem_make_at(struct mem *m, const struct mem_type *type, size_t units,
		void *at);

static inline bool mem_is(const struct mem *m, unsigned int cap)
{
	return m->type->caps & cap;
}

/* What a guest itself writes to guest_memfd may go through no mapping of it. */
static inline bool mem_has_protect(const struct mem *m)
{
	return m->type->class != CLASS_GMEM;
}

bool mem_is_shared(const struct mem *m);
char *mem_unit(const struct mem *m, size_t nr);
/* Another MAP_SHARED mapping of the same file, or MAP_FAILED. */
char *mem_alias(const struct mem *m);
/* 512-byte blocks of the file, -1 where this says nothing. */
long mem_blocks(const struct mem *m);
/* The page cache gets a page of @byte for unit @nr, this mapping does not. */
int mem_fill_cache(struct mem *m, size_t nr, int byte);
/* The file ends after @units units of the mapping. */
int mem_truncate(struct mem *m, size_t units);

size_t page_size(void);
size_t huge_size(void);
/* The upper half of user space begins here, and nothing is put here by itself. */
unsigned long half_of_space(void);
/* Address space for @n huge pages, aligned, that anything can be put into. */
char *huge_room(unsigned int n);

/* As root, see to it that @n huge pages are free; put back at exit. */
void need_huge_pages(unsigned int n);
unsigned long free_huge_pages(void);
unsigned long reserved_huge_pages(void);

/*
 * Write @value to @path.  What was there is put back when the program ends, also
 * if it is one of its tests, a child, that calls this.  0, or -1.
 */
int set_until_exit(const char *path, const char *value);

/* Anything that moves pages by itself is switched off until exit. */
void pin_background(void);

#endif
