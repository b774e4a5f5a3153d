// A TCP proxy on the loopback that delays every octet by a fixed time each way, as a distant server would.
//
//   delay PORT MILLISECONDS   passes connections on to PORT of this machine, delayed by so much in each direction
//
// Prints the port on which it listens. The upstream connection is made one and a half round trips after the client's, in
// place of the handshake that the loopback does at once. There is no limit of bandwidth and no slow start.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 64, CHUNK = 1 << 16 };

typedef struct Piece {
    struct Piece *next;
    double due;
    size_t length, sent;  // a length of 0 is the end of the stream
    char octets[];
} Piece;

// One direction: what was read from `from` is written to `to` when it is due.
typedef struct {
    int from, to, has_ended, is_over;
    Piece *first, *last;
} Way;

typedef struct {
    int client, server;
    double connects_at;
    Way up, down;
} Pair;

static Pair pairs[MOST];
static double delay;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void keep(Way *way, const char *octets, size_t length) {
    Piece *piece = malloc(sizeof *piece + length);
    if (!piece) abort();
    *piece = (Piece){.due = now() + delay, .length = length};
    memcpy(piece->octets, octets, length);
    if (way->last) way->last->next = piece;
    else way->first = piece;
    way->last = piece;
}

static void fetch(Way *way) {
    static char octets[CHUNK];
    while (!way->has_ended) {
        ssize_t n = read(way->from, octets, CHUNK);
        if (n < 0 && errno == EAGAIN) return;
        way->has_ended = n <= 0;
        keep(way, octets, n > 0 ? n : 0);
    }
}

// Writes what is due; a full socket is tried again at the next turn, a millisecond later at most.
static void pass_on(Way *way) {
    while (way->first && way->first->due <= now()) {
        Piece *piece = way->first;
        if (!piece->length) {
            shutdown(way->to, SHUT_WR);
            way->is_over = 1;
        } else {
            ssize_t n = send(way->to, piece->octets + piece->sent, piece->length - piece->sent, MSG_NOSIGNAL);
            if (n < 0 && errno == EAGAIN) return;
            if (n < 0) way->is_over = way->has_ended = 1;
            else if ((piece->sent += n) < piece->length) continue;
        }
        way->first = piece->next;
        if (!way->first) way->last = NULL;
        free(piece);
    }
}

static void tune(int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fd, F_SETFL, O_NONBLOCK);
}

static void welcome(int listener) {
    int fd = accept(listener, NULL, NULL);
    for (Pair *pair = pairs; fd >= 0 && pair < pairs + MOST; pair++) {
        if (pair->client) continue;
        tune(fd);
        *pair = (Pair){.client = fd, .connects_at = now() + 3 * delay};
        return;
    }
    if (fd >= 0) close(fd);
}

static void join_up(Pair *pair, struct sockaddr_in *server) {
    pair->server = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(pair->server, (void *)server, sizeof *server)) {
        perror("delay");
        exit(1);
    }
    tune(pair->server);
    pair->up = (Way){.from = pair->client, .to = pair->server};
    pair->down = (Way){.from = pair->server, .to = pair->client};
}

static void end(Pair *pair) {
    Way *ways[] = {&pair->up, &pair->down};
    for (int n = 0; n < 2; n++) {
        for (Piece *piece = ways[n]->first, *next; piece; piece = next) {
            next = piece->next;
            free(piece);
        }
    }
    close(pair->client);
    close(pair->server);
    *pair = (Pair){0};
}

static int listening(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(fd, (void *)&address, length) || listen(fd, MOST) || getsockname(fd, (void *)&address, &length)) {
        perror("delay");
        exit(1);
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

// Sleeps until something can be read or the next piece is due.
static void wait_for(int listener) {
    struct pollfd fds[2 * MOST + 1] = {{.fd = listener, .events = POLLIN}};
    int count = 1;
    double wake = now() + 1000;
    for (Pair *pair = pairs; pair < pairs + MOST; pair++) {
        if (!pair->client) continue;
        if (!pair->server && pair->connects_at < wake) wake = pair->connects_at;
        Way *ways[] = {&pair->up, &pair->down};
        for (int n = 0; n < 2 && pair->server; n++) {
            if (!ways[n]->has_ended) fds[count++] = (struct pollfd){.fd = ways[n]->from, .events = POLLIN};
            if (ways[n]->first && ways[n]->first->due < wake) wake = ways[n]->first->due;
        }
    }
    double left = wake - now();
    if (left < 0.02) left = left > -1 ? 0.02 : 1;  // what is overdue waits for room in a socket
    struct timespec time = {.tv_sec = left / 1e3, .tv_nsec = (long)(left * 1e6) % 1000000000L};
    ppoll(fds, count, &time, NULL);
}

int main(int count, char **words) {
    if (count != 3) {
        fputs("usage: delay PORT MILLISECONDS\n", stderr);
        return 2;
    }
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    server.sin_port = htons(atoi(words[1]));
    delay = atof(words[2]);
    signal(SIGPIPE, SIG_IGN);
    for (int listener = listening();;) {
        wait_for(listener);
        welcome(listener);
        for (Pair *pair = pairs; pair < pairs + MOST; pair++) {
            if (!pair->client) continue;
            if (!pair->server && pair->connects_at <= now()) join_up(pair, &server);
            if (!pair->server) continue;
            fetch(&pair->up), fetch(&pair->down);
            pass_on(&pair->up), pass_on(&pair->down);
            if (pair->up.is_over && pair->down.is_over) end(pair);
        }
    }
}
