// Writes down, in the order in which it happens, what a program does to the files of a ledger, and what it sends.
//
//   LD_PRELOAD=recorder.so RECORDED=/folder/ledger.db RECORD=FILE COMMAND
//
// For each step FILE gets one line more, `what whose where count`, and behind it that many octets:
//   make NAME      a file of the ledger was made             send DESCRIPTOR    octets are about to be sent (IPv4)
//   write NAME     octets were written at `where`            unsend DESCRIPTOR  the last `where` of them were not
//   size NAME      the file was cut, or filled, to `where`
//   delete NAME    its name was taken away
//   sync NAME      all of this before is on the disk; `.` is the folder, with the names in it
//
// A send is written down before it happens, as the relay may have it from then on, and waits for no step of the ledger.
// Everything else is written down once it is done.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

_Static_assert(sizeof(off_t) == 8 && sizeof(long) == 8, "open64 is open, and pwrite64 is pwrite");

static const char *ledger;
static size_t folder;  // octets of its path before the last slash
static int file;       // gets the record
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;  // of whoever does something to the ledger's files

__attribute__((constructor)) static void begin(void) {
    file = syscall(SYS_openat, AT_FDCWD, getenv("RECORD"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ledger = getenv("RECORDED");
    folder = strrchr(ledger, '/') - ledger;
}

static void record(const char *what, const char *whose, long where, const void *octets, size_t count) {
    char line[PATH_MAX + 64];
    int error = errno, length = snprintf(line, sizeof line, "%s %s %ld %zu\n", what, whose, where, count);
    struct iovec parts[] = {{line, length}, {(void *)octets, count}};
    if (writev(file, parts, 2) != (ssize_t)(length + count)) abort();
    errno = error;
}

// What a file of the ledger, or its folder, is called, and the turn; NULL, and no turn, for everything else.
static const char *ours(const char *path) {
    if (!ledger || strncmp(path, ledger, folder)) return NULL;
    int is_folder = !path[folder];
    // Linux calls what is open but deleted "NAME (deleted)": nobody finds that any more.
    if (!is_folder && (strncmp(path, ledger, strlen(ledger)) || strchr(path + folder, ' '))) return NULL;
    pthread_mutex_lock(&turn);
    return is_folder ? "." : path + folder + 1;
}

static const char *ours_at(int fd) {
    static __thread char path[PATH_MAX];
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    return ours(path);
}

// Records what went well, and ends the turn.
static long done(long result, const char *what, const char *whose, long where, const void *octets) {
    if (!whose) return result;
    if (what && result >= 0) record(what, whose, where, octets, octets ? result : 0);
    pthread_mutex_unlock(&turn);
    return result;
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    const char *whose = flags & O_CREAT ? ours(path) : NULL;
    const char *what = whose && access(path, F_OK) ? "make" : NULL;
    return done(syscall(SYS_openat, AT_FDCWD, path, flags, mode), what, whose, 0, NULL);
}

int unlink(const char *path) {
    const char *whose = ours(path);
    return done(syscall(SYS_unlinkat, AT_FDCWD, path, 0), "delete", whose, 0, NULL);
}

ssize_t write(int fd, const void *octets, size_t count) {
    const char *whose = ours_at(fd);
    off_t where = whose ? lseek(fd, 0, SEEK_CUR) : 0;
    return done(syscall(SYS_write, fd, octets, count), "write", whose, where, octets);
}

ssize_t pwrite(int fd, const void *octets, size_t count, off_t where) {
    const char *whose = ours_at(fd);
    return done(syscall(SYS_pwrite64, fd, octets, count, where), "write", whose, where, octets);
}

int ftruncate(int fd, off_t size) {
    const char *whose = ours_at(fd);
    return done(syscall(SYS_ftruncate, fd, size), "size", whose, size, NULL);
}

int fsync(int fd) {
    const char *whose = ours_at(fd);
    return done(syscall(SYS_fsync, fd), "sync", whose, 0, NULL);
}

ssize_t send(int fd, const void *octets, size_t count, int flags) {
    struct sockaddr_storage peer;
    char whose[16];
    socklen_t length = sizeof peer;
    int leaves = ledger && !getpeername(fd, (void *)&peer, &length) && peer.ss_family == AF_INET;
    snprintf(whose, sizeof whose, "%d", fd);
    if (leaves) record("send", whose, 0, octets, count);
    ssize_t sent = syscall(SYS_sendto, fd, octets, count, flags, NULL, 0);
    if (leaves && sent < (ssize_t)count) record("unsend", whose, count - (sent < 0 ? 0 : sent), NULL, 0);
    return sent;
}

int fdatasync(int) __attribute__((alias("fsync")));
#ifdef __GLIBC__
int open64(const char *, int, ...) __attribute__((alias("open")));
ssize_t pwrite64(int, const void *, size_t, off_t) __attribute__((alias("pwrite")));
int ftruncate64(int, off_t) __attribute__((alias("ftruncate")));
#endif
