// SPDX-License-Identifier: GPL-2.0
/*
 * client: asks a server on this machine the same things over and over, on connections that stay.
 *	client PORT CONNECTIONS REQUEST...
 *
 * A request may contain \r and \n.  How long its answer is, the first one shows: it is over when nothing comes for a
 * while.  Runs until it is ended or the server closes; each connection has one request under way.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CONNECTIONS	64
#define MAX_REQUESTS	64
#define QUIET_MS	300
#define FIRST_MS	10000

struct request {
	char *text;
	size_t len, answer_len;
};

static struct request requests[MAX_REQUESTS];
static int request_cnt;

static void fail(const char *what)
{
	fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void read_request(char *from)
{
	struct request *request = &requests[request_cnt++];
	char *to = from;

	request->text = from;
	for (; *from; from++) {
		if (*from == '\\' && (from[1] == 'r' || from[1] == 'n'))
			*to++ = *++from == 'r' ? '\r' : '\n';
		else
			*to++ = *from;
	}
	request->len = to - request->text;
}

static int open_connection(int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		fail("cannot connect");
	return fd;
}

static void ask(int fd, const struct request *request)
{
	if (send(fd, request->text, request->len, MSG_NOSIGNAL) != (ssize_t)request->len)
		fail("cannot send");
}

static size_t take(int fd, size_t len)
{
	static char buf[1 << 16];
	ssize_t got = recv(fd, buf, len < sizeof(buf) ? len : sizeof(buf), 0);

	if (got <= 0)
		fail("the server has closed");
	return got;
}

static void learn(int fd, struct request *request)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	ask(fd, request);
	while (poll(&wait, 1, request->answer_len ? QUIET_MS : FIRST_MS) > 0)
		request->answer_len += take(fd, 1 << 16);
}

int main(int argc, char **argv)
{
	struct pollfd waits[MAX_CONNECTIONS];
	size_t left[MAX_CONNECTIONS];
	unsigned int next[MAX_CONNECTIONS];
	int i, cnt;

	if (argc < 4 || argc - 3 > MAX_REQUESTS || (cnt = atoi(argv[2])) < 1 || cnt > MAX_CONNECTIONS) {
		fprintf(stderr, "usage: client PORT CONNECTIONS REQUEST...\n");
		return 2;
	}
	for (i = 3; i < argc; i++)
		read_request(argv[i]);
	for (i = 0; i < cnt; i++) {
		waits[i] = (struct pollfd){ .fd = open_connection(atoi(argv[1])), .events = POLLIN };
		left[i] = 0;
		next[i] = i;
	}
	for (i = 0; i < request_cnt; i++)
		learn(waits[0].fd, &requests[i]);
	for (i = 0; i < cnt; i++) {
		left[i] = requests[next[i] % request_cnt].answer_len;
		ask(waits[i].fd, &requests[next[i]++ % request_cnt]);
	}
	while (poll(waits, cnt, -1) > 0) {
		for (i = 0; i < cnt; i++) {
			if (!waits[i].revents)
				continue;
			left[i] -= take(waits[i].fd, left[i]);
			if (left[i])
				continue;
			left[i] = requests[next[i] % request_cnt].answer_len;
			ask(waits[i].fd, &requests[next[i]++ % request_cnt]);
		}
	}
	return 0;
}
