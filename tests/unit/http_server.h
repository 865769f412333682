/* A small HTTP/1.1 server in a thread, for tests of what sends requests. The handler runs in that thread, one request
 * at a time, and may answer, stay silent or hang up. Not for more than some dozen connections. */
#ifndef MUSTER_TESTS_HTTP_SERVER_H
#define MUSTER_TESTS_HTTP_SERVER_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

#define SERVER_CONNECTIONS 300

struct server_request {
	char method[16];
	char target[4096];
	const char *headers; /* from the second line on */
	const char *body;
	size_t body_len;
	int connection; /* number of the connection, from 1 */
	int nth;        /* number of the request on it, from 1 */
};

struct server_reply {
	int status;         /* 200 when left 0 */
	const char *raw;    /* sent instead of everything else */
	struct buf headers; /* whole lines with CRLF; Content-Length is added */
	struct buf body;
	bool hang_up;     /* close without a byte */
	bool close_after; /* close after the answer, without saying so in a header */
	int delay_ms;
};

typedef void server_handler(void *payload, const struct server_request *request, struct server_reply *reply);

struct server_connection {
	int fd, number, count;
	struct buf in;
};

struct server {
	int listen_fd, wake[2], port;
	pthread_t thread;
	server_handler *handler;
	void *payload;
	struct server_connection connections[SERVER_CONNECTIONS];
	int accepted;
	atomic_int requests, open_now, open_most;
	char url[64];
};

static inline bool server_header(const struct server_request *request, const char *name, struct buf *out)
{
	size_t len = strlen(name);

	buf_clear(out);
	for (const char *line = request->headers; line != NULL && *line != '\0';) {
		const char *end = strstr(line, "\r\n");

		if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
			line += len + 1;
			line += strspn(line, " ");
			buf_add(out, line, (size_t)(end - line));
			return true;
		}
		line = end == NULL ? NULL : end + 2;
	}
	return false;
}

static inline void server_close(struct server *s, struct server_connection *c)
{
	close(c->fd);
	c->fd = -1;
	buf_free(&c->in);
	atomic_fetch_sub(&s->open_now, 1);
}

static inline void server_send(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

static inline void server_answer(struct server *s, struct server_connection *c, struct server_request *request)
{
	struct server_reply reply = {.headers = BUF_INIT, .body = BUF_INIT};
	struct buf out = BUF_INIT;

	s->handler(s->payload, request, &reply);
	if (reply.delay_ms > 0)
		usleep((useconds_t)reply.delay_ms * 1000);
	if (reply.raw != NULL) {
		server_send(c->fd, reply.raw, strlen(reply.raw));
	} else if (!reply.hang_up) {
		buf_addf(&out, "HTTP/1.1 %d X\r\n", reply.status ? reply.status : 200);
		buf_add(&out, buf_str(&reply.headers), reply.headers.len);
		buf_addf(&out, "Content-Length: %zu\r\n\r\n", reply.body.len);
		if (strcmp(request->method, "HEAD") != 0)
			buf_add(&out, buf_str(&reply.body), reply.body.len);
		server_send(c->fd, buf_str(&out), out.len);
	}
	if (reply.hang_up || reply.close_after)
		server_close(s, c);
	buf_free(&reply.headers);
	buf_free(&reply.body);
	buf_free(&out);
}

/* Answers every whole request that has arrived on the connection. */
static inline void server_serve(struct server *s, struct server_connection *c)
{
	char *end;

	while (c->fd >= 0 && c->in.len > 0 && (end = strstr(c->in.data, "\r\n\r\n")) != NULL) {
		struct server_request request = {.connection = c->number, .nth = c->count + 1};
		size_t head = (size_t)(end - c->in.data) + 4, body = 0;
		struct buf length = BUF_INIT, whole = BUF_INIT;
		char *line_end = strstr(c->in.data, "\r\n");

		request.headers = line_end + 2;
		if (server_header(&request, "Content-Length", &length))
			body = strtoul(buf_str(&length), NULL, 10);
		buf_free(&length);
		if (c->in.len < head + body)
			return;
		buf_add(&whole, c->in.data, head + body);
		memmove(c->in.data, c->in.data + head + body, c->in.len - head - body + 1);
		c->in.len -= head + body;
		sscanf(whole.data, "%15s %4095s", request.method, request.target);
		request.headers = strstr(whole.data, "\r\n") + 2;
		whole.data[head - 2] = '\0';
		request.body = whole.data + head;
		request.body_len = body;
		c->count++;
		atomic_fetch_add(&s->requests, 1);
		server_answer(s, c, &request);
		buf_free(&whole);
	}
}

static inline void server_accept(struct server *s)
{
	int fd = accept(s->listen_fd, NULL, NULL), open_now;

	for (int i = 0; i < SERVER_CONNECTIONS; i++) {
		if (s->connections[i].fd >= 0)
			continue;
		s->connections[i] = (struct server_connection){.fd = fd, .number = ++s->accepted, .in = BUF_INIT};
		open_now = atomic_fetch_add(&s->open_now, 1) + 1;
		if (open_now > atomic_load(&s->open_most))
			atomic_store(&s->open_most, open_now);
		return;
	}
	close(fd);
}

static inline void server_read(struct server *s, struct server_connection *c)
{
	static _Thread_local char bytes[65536];
	ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);

	if (n <= 0) {
		server_close(s, c);
		return;
	}
	buf_add(&c->in, bytes, (size_t)n);
	server_serve(s, c);
}

static inline void *server_main(void *payload)
{
	struct server *s = payload;
	struct pollfd fds[SERVER_CONNECTIONS + 2];
	struct server_connection *of[SERVER_CONNECTIONS + 2];

	for (;;) {
		nfds_t count = 2;

		fds[0] = (struct pollfd){.fd = s->wake[0], .events = POLLIN};
		fds[1] = (struct pollfd){.fd = s->listen_fd, .events = POLLIN};
		for (int i = 0; i < SERVER_CONNECTIONS; i++) {
			if (s->connections[i].fd < 0)
				continue;
			of[count] = &s->connections[i];
			fds[count++] = (struct pollfd){.fd = s->connections[i].fd, .events = POLLIN};
		}
		poll(fds, count, -1);
		if (fds[0].revents)
			return NULL;
		for (nfds_t i = 2; i < count; i++) {
			if (fds[i].revents)
				server_read(s, of[i]);
		}
		if (fds[1].revents)
			server_accept(s);
	}
}

static inline void server_start(struct server *s, server_handler *handler, void *payload)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;

	memset(s, 0, sizeof *s);
	s->handler = handler;
	s->payload = payload;
	for (int i = 0; i < SERVER_CONNECTIONS; i++)
		s->connections[i].fd = -1;
	s->listen_fd = socket(AF_INET, SOCK_STREAM, 0);
	if (s->listen_fd < 0 || bind(s->listen_fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(s->listen_fd, 512) < 0 || getsockname(s->listen_fd, (struct sockaddr *)&address, &len) < 0 ||
	    pipe(s->wake) < 0)
		abort();
	s->port = ntohs(address.sin_port);
	snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", s->port);
	if (pthread_create(&s->thread, NULL, server_main, s) != 0)
		abort();
}

static inline void server_stop(struct server *s)
{
	if (write(s->wake[1], "x", 1) != 1)
		abort();
	pthread_join(s->thread, NULL);
	for (int i = 0; i < SERVER_CONNECTIONS; i++) {
		if (s->connections[i].fd >= 0)
			server_close(s, &s->connections[i]);
	}
	close(s->listen_fd);
	close(s->wake[0]);
	close(s->wake[1]);
}

#endif
