// SPDX-License-Identifier: GPL-2.0
/* init of the guest: copy to a huge page of 16 GiB from where nothing can be read. */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIZE_SHIFT	34

int main(void)
{
	size_t len = 1UL << SIZE_SHIFT;
	char *dst = mmap(NULL, len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | SIZE_SHIFT << MAP_HUGE_SHIFT,
			 -1, 0);
	char *src = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { (unsigned long)dst, len },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_copy copy = {
		.dst = (unsigned long)dst, .src = (unsigned long)src, .len = len,
	};

	if (dst == MAP_FAILED || src == MAP_FAILED || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &reg)) {
		perror("cannot be tried");
	} else {
		ioctl(fd, UFFDIO_COPY, &copy);
		printf("UFFDIO_COPY says %lld\n", (long long)copy.copy);
	}
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 1;
}
