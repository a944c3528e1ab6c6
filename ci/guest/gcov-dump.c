// SPDX-License-Identifier: GPL-2.0
/*
 * In the guest: print what /sys/kernel/debug/gcov has counted, for
 * scripts/coverage.  Each file is a line "gcda PATH" and its bytes in base64:
 * the report leaves the guest by a terminal, which is no place for bytes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROOT "/sys/kernel/debug/gcov"
#define LINE 57		/* bytes, 76 characters */

static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int files;

static void print_line(const unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i += 3) {
		unsigned int v = p[i] << 16;

		v |= i + 1 < len ? p[i + 1] << 8 : 0;
		v |= i + 2 < len ? p[i + 2] : 0;
		putchar(digits[v >> 18]);
		putchar(digits[v >> 12 & 63]);
		putchar(i + 1 < len ? digits[v >> 6 & 63] : '=');
		putchar(i + 2 < len ? digits[v & 63] : '=');
	}
	putchar('\n');
}

/* The links beside the data name files of the host. */
static int dump(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *end = strrchr(path, '.');
	unsigned char buf[LINE];
	size_t len;
	FILE *f;

	(void)st;
	(void)ftw;
	if (type != FTW_F || !end || strcmp(end, ".gcda"))
		return 0;
	f = fopen(path, "re");
	if (!f) {
		fprintf(stderr, "# %s: %s\n", path, strerror(errno));
		return 1;
	}
	printf("gcda %s\n", path + strlen(ROOT));
	while ((len = fread(buf, 1, LINE, f)) > 0)
		print_line(buf, len);
	fclose(f);
	files++;
	return 0;
}

int main(void)
{
	if (nftw(ROOT, dump, 8, FTW_PHYS)) {
		fprintf(stderr, "# %s: not all of it could be read\n", ROOT);
		return 1;
	}
	printf("gcda-files %d\n", files);
	return files ? 0 : 1;
}
