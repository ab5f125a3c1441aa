/* The server: its listener, its bounds, and its end. conn.c does the talking.
 *
 * A server is freed by the last connection that the loop lets go of, or, when there is none, by
 * a task: so on_closed always comes on a later turn than fl_httpd_close. */
#include "httpd/priv.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static void or_default(size_t *value, size_t fallback)
{
	if (!*value)
		*value = fallback;
}

static void or_default_ms(uint64_t *value, uint64_t fallback)
{
	if (!*value)
		*value = fallback;
}

static void set_limits(struct fl_httpd_limits *l, const struct fl_httpd_limits *given)
{
	*l = given ? *given : (struct fl_httpd_limits){0};
	or_default(&l->connections, 256);
	or_default(&l->body, 64 * 1024);
	or_default(&l->discard, l->body);
	or_default(&l->reply, 64u << 20);
	or_default_ms(&l->head_ms, 10000);
	or_default_ms(&l->body_ms, 60000);
	or_default_ms(&l->idle_ms, 60000);
	or_default(&l->http.line, 8 * 1024);
	or_default(&l->http.head, 16 * 1024);
	or_default(&l->http.headers, 64);
	if (l->http.headers > FL_HTTP1_MAX_HEADERS)
		l->http.headers = FL_HTTP1_MAX_HEADERS;
}

/* Cuts the connection that was idle for longest; false when none is idle. */
static bool make_room(struct fl_httpd *server)
{
	fl_list_each (it, &server->conns) {
		struct fl_httpd_conn *conn = fl_container_of(it, struct fl_httpd_conn, link);
		if (conn->state == FL_HTTPD_HEAD && conn->in.n == 0) {
			fl_httpd_conn_close(conn, false);
			return true;
		}
	}
	return false;
}

static void turn_away(int fd)
{
	static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\n"
				   "Content-Length: 0\r\nConnection: close\r\n\r\n";

	/* Best effort: a new socket has room for this, and nobody waits when it has not. */
	(void)!send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)close(fd);
}

static void on_accept(void *cookie, int fd, const struct sockaddr *peer, socklen_t len)
{
	struct fl_httpd *server = cookie;

	if (fd < 0)
		return; /* the listener has paused itself */
	if (server->open >= server->limits.connections && !make_room(server))
		turn_away(fd);
	else
		fl_httpd_conn_new(server, fd, peer, len);
}

int fl_httpd_new(struct fl_httpd **out, struct fl_loop *loop, int fd, fl_httpd_handler *handle,
	void *cookie, const struct fl_httpd_limits *limits)
{
	struct fl_httpd *server = calloc(1, sizeof(*server));

	if (!server) {
		(void)close(fd);
		return -ENOMEM;
	}
	server->loop = loop;
	server->handle = handle;
	server->cookie = cookie;
	fl_list_init(&server->conns);
	set_limits(&server->limits, limits);
	int rc = fl_listener_new(&server->listener, loop, fd, on_accept, server);
	if (rc < 0) {
		free(server);
		return rc;
	}
	*out = server;
	return 0;
}

static void finish(struct fl_httpd *server)
{
	void (*on_closed)(void *) = server->on_closed;
	void *cookie = server->closed_cookie;

	free(server);
	if (on_closed)
		on_closed(cookie);
}

static void run_gone(struct fl_task *task)
{
	finish(fl_container_of(task, struct fl_httpd, gone));
}

void fl_httpd_conn_gone(struct fl_httpd *server)
{
	server->count--;
	if (server->closing && server->count == 0)
		finish(server);
}

void fl_httpd_close(struct fl_httpd *server, void (*on_closed)(void *cookie), void *cookie)
{
	if (!server || server->closing)
		return;
	server->closing = true;
	server->on_closed = on_closed;
	server->closed_cookie = cookie;
	fl_listener_close(server->listener);
	server->listener = NULL;
	fl_list_each_safe (it, &server->conns) {
		fl_httpd_conn_close(fl_container_of(it, struct fl_httpd_conn, link), false);
	}
	if (server->count == 0) {
		server->gone.run = run_gone;
		fl_loop_post(server->loop, &server->gone);
	}
}

size_t fl_httpd_connections(const struct fl_httpd *server)
{
	return server->count;
}

struct fl_slice fl_httpd_header(const struct fl_httpd_request *req, const char *name)
{
	struct fl_slice wanted = fl_slice_of(name);

	for (size_t i = 0; i < req->head->header_count; i++) {
		if (fl_slice_eq_nocase(req->head->headers[i].name, wanted))
			return req->head->headers[i].value;
	}
	return (struct fl_slice){NULL, 0};
}
