// Runs a command and writes down what it alone took.
//
//   measured FACTS COMMAND [ARGUMENT ...]
//
// FACTS gets one JSON object: `began` and `ended` (seconds by CLOCK_MONOTONIC), `cpu` (user and system seconds), `peak`
// (octets of memory). A child's peak begins with that of the process it was forked from, so a large interpreter cannot
// measure a small one; this program is small. Signals to end are left to the command.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static double seconds(struct timeval time) {
    return time.tv_sec + time.tv_usec / 1e6;
}

int main(int count, char **words) {
    if (count < 3) {
        fputs("usage: measured FACTS COMMAND [ARGUMENT ...]\n", stderr);
        return 2;
    }
    double began = now();
    pid_t child = fork();
    if (child == 0) {
        execvp(words[2], words + 2);
        perror(words[2]);
        _exit(127);
    }
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    int status;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) < 0) {
        perror("measured");
        return 1;
    }
    FILE *facts = fopen(words[1], "w");
    if (!facts) {
        perror(words[1]);
        return 1;
    }
    fprintf(facts, "{\"began\": %.6f, \"ended\": %.6f, \"cpu\": %.6f, \"peak\": %ld}\n", began, now(),
            seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss * 1024);
    fclose(facts);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
