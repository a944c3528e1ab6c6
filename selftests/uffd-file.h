/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much is in the file of a mapping, also where st_blocks says nothing, or
 * nobody has the file open.
 */
#ifndef UFFD_FILE_H
#define UFFD_FILE_H

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "uffd-mem.h"

/* mincore() sees the pages of the mapping, and then what the page cache has. */
static inline long file_pages(const struct mem *m)
{
	char *alias = mem_alias(m), *p = alias == MAP_FAILED ? m->area : alias;
	unsigned char in;
	long n = -1;

	/* One by one: some of them may be unmapped. */
	for (size_t at = 0; p && at < m->len; at += page_size())
		if (!mincore(p + at, page_size(), &in))
			n = (n < 0 ? 0 : n) + (in & 1);
	if (alias != MAP_FAILED)
		munmap(alias, m->len);
	return n;
}

/* Of hugetlb it sees the mapping only.  But root can look at the file of that. */
static inline long mapping_blocks(const struct mem *m)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)m->area,
		 (unsigned long)m->area + m->len);
	return stat(path, &st) ? -1 : st.st_blocks;
}

/*
 * Blocks or pages that are in the file, -1 where that cannot be told.  For memory
 * without a file descriptor it must still be mapped.
 */
static inline long mem_in_file(const struct mem *m)
{
	if (mem_is(m, MEM_BLOCKS))
		return mem_blocks(m);
	if (!mem_is_shared(m))
		return -1;
	return mem_is(m, MEM_HUGETLB) ? mapping_blocks(m) : file_pages(m);
}

#endif
