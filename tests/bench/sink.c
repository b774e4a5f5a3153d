// A fast SMTP sink for measurements: takes every message and writes down for whom it was. Loopback only, one thread.
//
//   sink [-P] LOGFILE         -P: PIPELINING is not offered
//
// Prints the port on which it listens. One line per accepted recipient goes to LOGFILE, "recipient octets microseconds",
// the time by CLOCK_MONOTONIC so that a client on this machine can compare it with its own; the first line is flushed at
// once. SIGTERM ends it and prints the counters as one JSON object. `early` counts what a client sent before it may:
// anything behind EHLO or DATA (RFC 2920 section 3.1), and any command behind another where PIPELINING is not offered.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 1 << 18, ANSWERS = 8192, MOST_RECIPIENTS = 8, PATH = 256, END = 5 };

typedef struct {
    int fd, in_content, is_over, recipients;
    size_t held, used, size, answered;  // octets: in the buffer, done with, of the message, of the answers
    char recipient[MOST_RECIPIENTS][PATH];
    char answers[ANSWERS];
    char octets[BUFFER];
} Client;

static FILE *record;
static volatile sig_atomic_t stopping;
static int no_pipelining;
static long messages, connections, early, first_at, last_at;

static void stop(int number) {
    (void)number;
    stopping = 1;
}

static long microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

static void flush(Client *client) {
    size_t sent = 0;
    while (sent < client->answered) {
        ssize_t n = send(client->fd, client->answers + sent, client->answered - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) continue;
        if (n <= 0) break;
        sent += n;
    }
    client->answered = 0;
}

static void answer(Client *client, const char *text) {
    size_t length = strlen(text);
    if (client->answered + length > ANSWERS) flush(client);
    memcpy(client->answers + client->answered, text, length);
    client->answered += length;
}

static void take(Client *client) {
    last_at = microseconds();
    for (int n = 0; n < client->recipients; n++)
        fprintf(record, "%s %zu %ld\n", client->recipient[n], client->size, last_at);
    if (!messages++) {
        first_at = last_at;
        fflush(record);
    }
    client->recipients = 0;
    answer(client, "250 2.0.0 Ok\r\n");
}

static void add_recipient(Client *client, const char *line) {
    const char *begin = strchr(line, '<'), *end = begin ? strchr(begin, '>') : NULL;
    if (!end || end - begin > PATH || client->recipients == MOST_RECIPIENTS) {
        answer(client, "452 4.5.3 Not that one\r\n");
        return;
    }
    size_t length = end - begin - 1;
    memcpy(client->recipient[client->recipients], begin + 1, length);
    client->recipient[client->recipients++][length] = 0;
    answer(client, "250 2.1.5 Ok\r\n");
}

static int is(const char *line, const char *verb) {
    return !strncasecmp(line, verb, 4);
}

static void obey(Client *client, const char *line, int more_follows) {
    early += more_follows && (no_pipelining || is(line, "DATA") || is(line, "EHLO") || is(line, "HELO"));
    if (is(line, "MAIL")) {
        answer(client, "250 2.1.0 Ok\r\n");
    } else if (is(line, "RCPT")) {
        add_recipient(client, line);
    } else if (is(line, "DATA")) {
        client->in_content = 1;
        client->size = 0;
        answer(client, "354 End data with <CR><LF>.<CR><LF>\r\n");
    } else if (is(line, "EHLO")) {
        answer(client, "250-sink.example.org\r\n");
        if (!no_pipelining) answer(client, "250-PIPELINING\r\n");
        answer(client, "250-SIZE 52428800\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n");
    } else if (is(line, "RSET") || is(line, "NOOP") || is(line, "HELO")) {
        if (!is(line, "NOOP")) client->recipients = 0;
        answer(client, "250 2.0.0 Ok\r\n");
    } else if (is(line, "QUIT")) {
        answer(client, "221 2.0.0 Bye\r\n");
        client->is_over = 1;
    } else {
        answer(client, "502 5.5.2 Not known\r\n");
    }
}

// Goes through what has been received, as far as whole lines, or content, are there.
static void work(Client *client) {
    while (!client->is_over && client->used < client->held) {
        char *here = client->octets + client->used;
        size_t left = client->held - client->used;
        if (client->in_content) {
            char *end = memmem(here, left, "\r\n.\r\n", END);
            size_t done = end ? (size_t)(end - here) + END : left < END ? 0 : left - END + 1;
            client->size += end ? done - 3 : done;
            client->used += done;
            if (!end) return;
            client->in_content = 0;
            early += no_pipelining && client->used < client->held;
            take(client);
        } else {
            char *end = memchr(here, '\n', left);
            if (!end) return;
            *end = 0;
            client->used += end - here + 1;
            obey(client, here, client->used < client->held);
        }
    }
}

static void serve(Client *client) {
    for (int full = 1; full && !client->is_over;) {
        client->held -= client->used;
        memmove(client->octets, client->octets + client->used, client->held);
        client->used = 0;
        ssize_t n = read(client->fd, client->octets + client->held, BUFFER - client->held);
        if (n < 0 && errno == EAGAIN) break;
        if (n <= 0) client->is_over = 1;
        else client->held += n;
        full = client->held == BUFFER;
        work(client);
    }
    flush(client);
    if (client->is_over) {
        close(client->fd);
        free(client);
    }
}

static void watch(int poll, int fd, void *client) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

static void greet(int poll, int listener) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        Client *client = calloc(1, sizeof *client);
        if (!client) abort();
        client->fd = fd;
        connections++;
        watch(poll, fd, client);
        answer(client, "220 sink.example.org ESMTP\r\n");
        flush(client);
    }
}

static int listening(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(fd, (void *)&address, length) || listen(fd, 1024) || getsockname(fd, (void *)&address, &length)) {
        perror("sink");
        exit(1);
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int count, char **words) {
    no_pipelining = count > 2 && !strcmp(words[1], "-P");
    record = count > 1 ? fopen(words[count - 1], "w") : NULL;
    if (!record) {
        fputs("usage: sink [-P] LOGFILE\n", stderr);
        return 2;
    }
    setvbuf(record, NULL, _IOFBF, 1 << 20);
    struct sigaction on_stop = {.sa_handler = stop};  // without SA_RESTART, so that it ends the wait
    sigaction(SIGTERM, &on_stop, NULL);
    sigaction(SIGINT, &on_stop, NULL);
    int listener = listening(), poll = epoll_create1(0);
    watch(poll, listener, NULL);
    struct epoll_event events[64];
    while (!stopping) {
        int n = epoll_wait(poll, events, 64, 1000);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr) serve(events[i].data.ptr);
            else greet(poll, listener);
        }
    }
    fclose(record);
    printf("{\"messages\": %ld, \"connections\": %ld, \"early\": %ld, \"first\": %ld.%06ld, \"last\": %ld.%06ld}\n",
           messages, connections, early, first_at / 1000000, first_at % 1000000, last_at / 1000000, last_at % 1000000);
    return 0;
}
