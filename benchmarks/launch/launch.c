/*
 * launch PROGRAM [ARGUMENT]...
 *
 * Runs a program with /dev/null for its input and output, waits for it, and
 * prints
 *
 *	WALL_NS USER_US SYSTEM_US PEAK_KB STATUS
 *
 * The clock runs from before the process is made until it has been waited for.
 * That is done here and not in Go for two reasons: no scheduler of goroutines
 * stands between the end of the program and the clock, and the kernel counts
 * the memory of the parent into the peak of a child until that executes its
 * own program, so the parent must be small.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long micro(struct timeval t) { return t.tv_sec * 1000000LL + t.tv_usec; }

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t files;
	struct rusage used;
	pid_t pid;
	int status, err;

	if (argc < 2) {
		fputs("usage: launch PROGRAM [ARGUMENT]...\n", stderr);
		return 64;
	}
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);

	long long began = now();
	if ((err = posix_spawn(&pid, argv[1], &files, NULL, argv + 1, environ)) != 0) {
		fprintf(stderr, "launch: %s: %s\n", argv[1], strerror(err));
		return 71;
	}
	if (wait4(pid, &status, 0, &used) != pid) {
		perror("launch: wait4");
		return 71;
	}
	long long ended = now();

	printf("%lld %lld %lld %ld %d\n", ended - began, micro(used.ru_utime), micro(used.ru_stime),
	       used.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
