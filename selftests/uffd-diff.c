// SPDX-License-Identifier: GPL-2.0
/*
 * The differential test: a seed makes a sequence of operations over all types
 * of memory, and a transcript of everything that can be seen of them.
 *
 * The transcript holds nothing that differs from run to run (addresses, pids,
 * times), so two kernels that behave alike give the same text.  Each step is
 * drawn from the seed and its own number alone: --only and --skip leave the
 * other steps as they are, and a script can shrink a sequence that differs.
 *
 * Without --seed it proves of itself that the same seed twice gives the same.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest.h"
#include "uffd-diff.h"

#define DEFAULT_STEPS	250
#define DEFAULT_SEEDS	3

static bool in_list(const char *list, unsigned int step)
{
	while (list && *list) {
		char *end;
		unsigned long from = strtoul(list, &end, 10), to = from;

		if (*end == '-')
			to = strtoul(end + 1, &end, 10);
		if (step >= from && step <= to)
			return true;
		list = *end == ',' ? end + 1 : "";
	}
	return false;
}

static void transcript(__u64 seed, unsigned int steps, const char *only, const char *skip)
{
	diff_start(seed);
	for (unsigned int i = 0; i < steps; i++)
		if ((!only || in_list(only, i)) && !in_list(skip, i))
			diff_step(seed, i);
	fflush(stdout);
}

#define CHILD_SECONDS	120	/* a step may wait for what never comes */

/* Why the child of a seed has no transcript; false if it has. */
static bool print_death(__u64 seed, int status)
{
	if (!status)
		return false;
	if (WIFSIGNALED(status))
		ksft_print_msg("seed %llu: expected a transcript, got %s\n",
			       (unsigned long long)seed, WTERMSIG(status) == SIGALRM ?
			       "no end of it in time" : strsignal(WTERMSIG(status)));
	else
		ksft_print_msg("seed %llu: expected a transcript, got exit status %d\n",
			       (unsigned long long)seed, WEXITSTATUS(status));
	return true;
}

/* The hash of the transcript of a process of its own. */
static bool hash_of(__u64 seed, unsigned int steps, __u64 *hash)
{
	unsigned char buf[4096];
	int fd[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe(fd))
		return false;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(fd[1], 1);
		close(fd[0]);
		close(fd[1]);
		alarm(CHILD_SECONDS);
		transcript(seed, steps, NULL, NULL);
		_exit(0);
	}
	close(fd[1]);
	*hash = 0;
	while ((n = read(fd[0], buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			*hash = diff_mix(*hash, buf[i]);
	close(fd[0]);
	return waitpid(pid, &status, 0) == pid && !print_death(seed, status);
}

static void self_test(unsigned int steps)
{
	ksft_print_header();
	if (!uffd_features())
		ksft_exit_skip(NO_UFFD "\n");
	if (!uffd_sees_kernel())
		ksft_exit_skip(NO_KERNEL_FAULTS "\n");
	if (!uffd_sees_fork())
		ksft_exit_skip(NO_FORK_EVENTS "\n");
	ksft_set_plan(DEFAULT_SEEDS);
	for (unsigned int seed = 1; seed <= DEFAULT_SEEDS; seed++) {
		__u64 first, second;
		bool ran = hash_of(seed, steps, &first) && hash_of(seed, steps, &second);

		ksft_print_msg("seed %u, %u steps: %016llx\n", seed, steps,
			       (unsigned long long)first);
		if (ran && first != second)
			ksft_print_msg("expected the same again, got %016llx\n",
				       (unsigned long long)second);
		ksft_test_result(ran && first == second, "seed_%u\n", seed);
	}
	ksft_finished();
}

static void usage(void)
{
	printf("usage: uffd-diff [--steps M] [--seed N [--only LIST] [--skip LIST]]\n"
	       "                 [--without-rwp]\n\n"
	       "  --seed N        print the transcript of seed N\n"
	       "  --steps M       of so many steps (%u)\n"
	       "  --only LIST     only these steps: 3,8-11\n"
	       "  --skip LIST     all but these steps\n"
	       "  --without-rwp   nothing that 6.18 does not have\n", DEFAULT_STEPS);
}

int main(int argc, char **argv)
{
	const char *seed = NULL, *only = NULL, *skip = NULL;
	unsigned int steps = DEFAULT_STEPS;

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (!strcmp(argv[i], "--without-rwp")) {
			diff_rwp = false;
			continue;
		}
		if (value && !strcmp(argv[i], "--seed")) {
			seed = value;
		} else if (value && !strcmp(argv[i], "--steps")) {
			steps = atoi(value);
		} else if (value && !strcmp(argv[i], "--only")) {
			only = value;
		} else if (value && !strcmp(argv[i], "--skip")) {
			skip = value;
		} else {
			usage();
			return strcmp(argv[i], "--help") ? KSFT_FAIL : 0;
		}
		i++;
	}
	pin_background();
	/* The transcript tells what is swapped out. */
	set_until_exit("/proc/sys/vm/swappiness", "0");
	need_huge_pages(2 * DIFF_SLOTS + 2);
	if (!seed)
		self_test(steps);
	/* A kernel that hangs shall have said where. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	transcript(strtoull(seed, NULL, 10), steps, only, skip);
	return 0;
}
