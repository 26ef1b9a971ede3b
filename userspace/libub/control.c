// SPDX-License-Identifier: GPL-2.0
/*
 * control: the talk with ubd, one JSON object per message.
 *
 * The socket keeps message borders, so there is no framing of our own.  Only root may talk: by the socket's mode and,
 * should somebody have widened it, by the peer's credentials.
 */
#define _GNU_SOURCE	/* accept4(), struct ucred */
#include <json-c/json.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ub.h"

static int fill_address(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un) { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	strcpy(address->sun_path, path);
	return 0;
}

int ub_control_connect(const char *path)
{
	struct sockaddr_un address;
	int fd, err;

	err = fill_address(path, &address);
	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* Makes way at @path: its directory there, no dead socket in it. */
static int make_way(const char *path)
{
	char directory[108];
	const char *end = strrchr(path, '/');
	int fd;

	if (end && end != path) {
		snprintf(directory, sizeof(directory), "%.*s", (int)(end - path), path);
		if (mkdir(directory, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	fd = ub_control_connect(path);
	if (fd >= 0) {
		close(fd);
		return -EADDRINUSE;
	}
	if (fd == -ECONNREFUSED && unlink(path) < 0)
		return -errno;
	return 0;
}

int ub_control_listen(const char *path)
{
	struct sockaddr_un address;
	mode_t mask;
	int fd, err;

	err = fill_address(path, &address);
	if (!err)
		err = make_way(path);
	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	mask = umask(0177);
	err = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(mask);
	if (!err && listen(fd, 8) < 0)
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int ub_control_accept(int listen_fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.uid != 0) {
		close(fd);
		return -EACCES;
	}
	return fd;
}

int ub_control_send(int fd, struct json_object *message)
{
	size_t len;
	const char *text = json_object_to_json_string_length(message, JSON_C_TO_STRING_PLAIN, &len);

	if (!text)
		return -ENOMEM;
	if (len > UB_CONTROL_MAX)
		return -E2BIG;
	return send(fd, text, len, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int ub_control_receive(int fd, struct json_object **ret)
{
	struct json_object *message = NULL;
	char *text = malloc(UB_CONTROL_MAX + 1);
	ssize_t len;
	int err = 0;

	if (!text)
		return -ENOMEM;
	len = recv(fd, text, UB_CONTROL_MAX, MSG_TRUNC);
	if (len < 0) {
		err = -errno;
	} else if (len == 0) {
		err = -EPIPE;
	} else if (len > UB_CONTROL_MAX) {
		err = -EPROTO;
	} else {
		text[len] = 0;
		message = json_tokener_parse(text);
		if (!json_object_is_type(message, json_type_object))
			err = -EPROTO;
	}
	free(text);
	if (err)
		json_object_put(message);
	else
		*ret = message;
	return err;
}

int ub_control_call(const char *path, const char *verb, pid_t pid, int timeout_ms, struct json_object **ret_answer)
{
	struct json_object *request;
	struct pollfd ready = { .events = POLLIN };
	int err;

	ready.fd = ub_control_connect(path);
	if (ready.fd < 0)
		return ready.fd;
	request = json_object_new_object();
	json_object_object_add(request, "verb", json_object_new_string(verb));
	if (pid)
		json_object_object_add(request, "pid", json_object_new_int(pid));
	err = ub_control_send(ready.fd, request);
	json_object_put(request);
	if (!err) {
		switch (poll(&ready, 1, timeout_ms)) {
		case -1:
			err = -errno;
			break;
		case 0:
			err = -ETIMEDOUT;
			break;
		default:
			err = ub_control_receive(ready.fd, ret_answer);
		}
	}
	close(ready.fd);
	return err;
}
