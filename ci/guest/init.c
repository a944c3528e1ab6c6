// SPDX-License-Identifier: GPL-2.0
/*
 * init of the guest: reads /run.list, does what each line says, powers off.
 *
 *	set PATH VALUE		write VALUE to PATH (a sysctl, nr_hugepages, ...)
 *	module FILE		load a kernel module
 *	swap DEVICE SIZE	make a zram device of SIZE a swap device
 *	user ID			what is run from here on has no privilege
 *	run NAME SECONDS CMD	run CMD; its output and its verdict go to ttyS1
 *
 * The kernel log stays alone on ttyS0.  On ttyS1 each run stands between
 * "@start NAME" and "@end NAME exit=N ms=N" (or signal=N, or timeout=1); a log
 * without "@done" is that of a guest that died.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define MAX_ARGS 64
#define GUEST_PAGE 4096

static int report;
static uid_t user;

static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vdprintf(report, fmt, ap);
	va_end(ap);
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0644);
	int ret = -1;

	if (fd >= 0) {
		if (write(fd, value, strlen(value)) == (ssize_t)strlen(value))
			ret = 0;
		close(fd);
	}
	if (ret)
		say("@error set %s: %s\n", path, strerror(errno));
	return ret;
}

static void add_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		say("@error module %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* What mkswap(8) writes: a version 1 header in the first page. */
static int make_swap(const char *dev)
{
	static union {
		struct {
			char boot[1024];
			unsigned int version, last_page, nr_badpages;
		};
		struct {
			char fill[GUEST_PAGE - 10], magic[10];
		};
	} head = { .version = 1 };
	int fd = open(dev, O_RDWR);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	int ret = -1;

	if (size > 10 * GUEST_PAGE) {
		head.last_page = size / GUEST_PAGE - 1;
		memcpy(head.magic, "SWAPSPACE2", 10);
		if (pwrite(fd, &head, GUEST_PAGE, 0) == GUEST_PAGE && !fsync(fd))
			ret = 0;
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

static void add_swap(const char *name, const char *size)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/block/%s/disksize", name);
	if (write_file(path, size))
		return;
	snprintf(path, sizeof(path), "/dev/%s", name);
	if (make_swap(path) || swapon(path, 0))
		say("@error swap %s: %s\n", path, strerror(errno));
}

/* All tasks' stacks and the held locks go to the kernel log. */
static void dump_tasks(void)
{
	/* The kernel prints the stacks at a level that is kept off the console. */
	write_file("/proc/sysrq-trigger", "8");
	write_file("/proc/sysrq-trigger", "w");
	write_file("/proc/sysrq-trigger", "t");
	write_file("/proc/sysrq-trigger", "d");
	write_file("/proc/sysrq-trigger", "5");
}

/* Wait for @pid, @seconds at the most.  False if it had to be killed. */
static int wait_for(pid_t pid, int seconds, int *status)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };
	int in_time = poll(&pfd, 1, seconds * 1000) == 1;

	if (!in_time) {
		dump_tasks();
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		/* A task stuck in the kernel must not take the guest along. */
		poll(&pfd, 1, 5000);
	}
	close(pidfd);
	if (waitpid(pid, status, WNOHANG) != pid)
		*status = SIGKILL;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return in_time;
}

static void run(char *name, int seconds, char **argv)
{
	char line[160];
	long start;
	int status, len;
	pid_t pid;

	/* The name also marks the place in the kernel log. */
	len = snprintf(line, sizeof(line), "<6>@start %s\n", name);
	int kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (kmsg >= 0) {
		if (write(kmsg, line, len) != len)
			say("@error kmsg: %s\n", strerror(errno));
		close(kmsg);
	}
	say("@start %s\n", name);
	start = now_ms();
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		dup2(report, 1);
		dup2(report, 2);
		if (chdir(user ? "/tmp" : "/t"))
			_exit(126);
		if (user && (setgroups(0, NULL) || setgid(user) || setuid(user)))
			_exit(126);
		execvp(argv[0], argv);
		dprintf(2, "# %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	setpgid(pid, pid);
	if (!wait_for(pid, seconds, &status))
		say("\n@end %s timeout=1 ms=%ld\n", name, now_ms() - start);
	else if (WIFSIGNALED(status))
		say("\n@end %s signal=%d ms=%ld\n", name, WTERMSIG(status),
		    now_ms() - start);
	else
		say("\n@end %s exit=%d ms=%ld\n", name, WEXITSTATUS(status),
		    now_ms() - start);
}

static void do_line(char *line)
{
	char *argv[MAX_ARGS + 1], *save;
	int argc = 0;

	for (char *p = strtok_r(line, " \n", &save); p && argc < MAX_ARGS;
	     p = strtok_r(NULL, " \n", &save))
		argv[argc++] = p;
	argv[argc] = NULL;
	if (!argc || argv[0][0] == '#')
		return;
	if (argc >= 4 && !strcmp(argv[0], "run"))
		run(argv[1], atoi(argv[2]), argv + 3);
	else if (argc == 3 && !strcmp(argv[0], "set"))
		write_file(argv[1], argv[2]);
	else if (argc == 2 && !strcmp(argv[0], "module"))
		add_module(argv[1]);
	else if (argc == 2 && !strcmp(argv[0], "user"))
		user = atoi(argv[1]);
	else if (argc == 3 && !strcmp(argv[0], "swap"))
		add_swap(argv[1], argv[2]);
	else
		say("@error unknown line: %s\n", argv[0]);
}

static void mount_at(const char *type, const char *dir)
{
	mkdir(dir, 0755);
	if (mount(type, dir, type, 0, NULL) && errno != EBUSY)
		say("@error mount %s: %s\n", dir, strerror(errno));
}

int main(void)
{
	char line[1024];
	FILE *list;

	report = 1;
	mount_at("devtmpfs", "/dev");
	report = open("/dev/ttyS1", O_WRONLY | O_CLOEXEC);
	if (report < 0)
		report = 1;
	mount_at("proc", "/proc");
	mount_at("sysfs", "/sys");
	mount_at("debugfs", "/sys/kernel/debug");
	mount_at("cgroup2", "/sys/fs/cgroup");
	mount_at("tmpfs", "/tmp");
	chmod("/tmp", 01777);
	mount_at("tmpfs", "/dev/shm");
	signal(SIGTTOU, SIG_IGN);
	setenv("PATH", "/t:/bin", 1);
	setenv("HOME", "/tmp", 1);

	list = fopen("/run.list", "r");
	if (!list)
		say("@error /run.list: %s\n", strerror(errno));
	while (list && fgets(line, sizeof(line), list))
		do_line(line);
	say("@done ms=%ld\n", now_ms());
	tcdrain(report);
	sync();
	reboot(RB_AUTOBOOT);
	return 1;
}
