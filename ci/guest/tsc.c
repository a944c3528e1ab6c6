// SPDX-License-Identifier: GPL-2.0
/* Print the rate of the time-stamp counter in kHz.  Under TCG the guest reads the host's. */
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

int main(void)
{
	struct timespec pause = { .tv_nsec = 50000000 };
	unsigned long long cycles = __rdtsc();
	long long ns = now_ns();

	nanosleep(&pause, NULL);
	cycles = __rdtsc() - cycles;
	ns = now_ns() - ns;
	printf("%.0f\n", cycles * 1e6 / ns);
	return 0;
}
