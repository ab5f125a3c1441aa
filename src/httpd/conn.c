/* A connection: head, body, handler, reply, and again.
 *
 * `step` does one thing that the bytes at hand allow and says whether more may be possible;
 * `advance` repeats it, so that a thousand pipelined requests cost no stack. Nothing is received
 * while a reply is under way, so the input holds at most one head, what came in the same
 * buffer, and one buffer that was on its way already. Any function may find the connection
 * CLOSED after it called the handler; its memory stays until the loop lets go. */
#include "httpd/priv.h"

#include <stdlib.h>
#include <unistd.h>

static void on_recv(void *cookie, struct fl_rbuf *buf, int result);
static void advance(struct fl_httpd_conn *conn);

/* ---- states ---- */

static void arm(struct fl_httpd_conn *conn, uint64_t ms)
{
	fl_timer_set(conn->server->loop, &conn->timer, ms);
}

/* The only writer of `state`; each state's deadline begins here. */
static void set_state(struct fl_httpd_conn *conn, enum fl_httpd_state state)
{
	const struct fl_httpd_limits *limits = &conn->server->limits;

	conn->state = state;
	conn->timing_head = false;
	switch (state) {
	case FL_HTTPD_HEAD:
		arm(conn, limits->idle_ms);
		break;
	case FL_HTTPD_BODY:
		arm(conn, limits->body_ms);
		break;
	case FL_HTTPD_DELAY:
		arm(conn, conn->reply.delay_ms);
		break;
	case FL_HTTPD_SEND:
		arm(conn, limits->idle_ms);
		break;
	case FL_HTTPD_LINGER:
		arm(conn, FL_HTTPD_LINGER_MS);
		break;
	case FL_HTTPD_CLOSED:
		fl_timer_cancel(&conn->timer);
		break;
	}
}

static void on_closed(void *cookie)
{
	struct fl_httpd_conn *conn = cookie;
	struct fl_httpd *server = conn->server;

	fl_list_remove(&conn->link);
	fl_text_fini(&conn->in);
	fl_text_fini(&conn->body);
	fl_text_fini(&conn->out);
	fl_httpd_reply_fini(&conn->reply);
	free(conn);
	fl_httpd_conn_gone(server);
}

void fl_httpd_conn_close(struct fl_httpd_conn *conn, bool reset)
{
	if (conn->state == FL_HTTPD_CLOSED)
		return;
	set_state(conn, FL_HTTPD_CLOSED);
	conn->server->open--;
	fl_stream_close(conn->stream, reset, on_closed);
}

/* Asks for more bytes; there are none to come after an end. */
static void want_bytes(struct fl_httpd_conn *conn)
{
	if (conn->eof)
		fl_httpd_conn_close(conn, false);
	else if (fl_stream_recv(conn->stream, on_recv) < 0)
		fl_httpd_conn_close(conn, true);
}

/* Says FIN and reads on for a while: a close with unread bytes would be an RST, and that can
 * overtake the answer. */
static void linger(struct fl_httpd_conn *conn)
{
	set_state(conn, FL_HTTPD_LINGER);
	fl_stream_shutdown(conn->stream);
	want_bytes(conn);
}

/* ---- sending ---- */

static size_t reply_size(const struct fl_httpd_conn *conn)
{
	return conn->out.n + (conn->head_only ? 0 : conn->reply.body.n);
}

/* The next piece of head and body, from `sent` on. Gives the number of its parts. */
static int next_piece(struct fl_httpd_conn *conn, struct iovec *iov)
{
	size_t head = conn->out.n, end = reply_size(conn), at = conn->sent;
	int count = 0;

	if (end - at > FL_HTTPD_PIECE)
		end = at + FL_HTTPD_PIECE;
	if (at < head) {
		size_t n = (end < head ? end : head) - at;
		iov[count++] = (struct iovec){conn->out.p + at, n};
		at += n;
	}
	if (at < end)
		iov[count++] = (struct iovec){conn->reply.body.p + (at - head), end - at};
	conn->sent = end;
	return count;
}

static void on_sent(void *cookie, int result)
{
	struct fl_httpd_conn *conn = cookie;

	if (result < 0)
		fl_httpd_conn_close(conn, true);
	else
		advance(conn);
}

/* True when all has gone and the connection can go on to the next request. */
static bool send_on(struct fl_httpd_conn *conn)
{
	struct iovec iov[2];

	while (conn->sent < reply_size(conn)) {
		int count = next_piece(conn, iov);
		int rc = fl_stream_send(conn->stream, iov, count, on_sent);
		if (rc < 0)
			fl_httpd_conn_close(conn, true);
		if (rc <= 0)
			return false;
		arm(conn, conn->server->limits.idle_ms);
	}
	fl_httpd_reply_clear(&conn->reply);
	if (conn->last) {
		linger(conn);
		return false;
	}
	set_state(conn, FL_HTTPD_HEAD);
	fl_list_remove(&conn->link);
	fl_list_push_back(&conn->server->conns, &conn->link);
	return true;
}

/* Begins to send what stands in `reply`. */
static void begin_reply(struct fl_httpd_conn *conn)
{
	struct fl_httpd_reply *reply = &conn->reply;

	if (reply->reset) {
		fl_httpd_conn_close(conn, true);
		return;
	}
	conn->last = conn->last || reply->close;
	conn->head_only = conn->head_only || reply->status == 204 || reply->status == 304;
	fl_httpd_reply_head(reply, &conn->out, conn->last);
	if (conn->out.failed) {
		fl_httpd_conn_close(conn, true);
		return;
	}
	conn->sent = 0;
	fl_stream_recv_pause(conn->stream);
	set_state(conn, reply->delay_ms ? FL_HTTPD_DELAY : FL_HTTPD_SEND);
}

/* Answers what cannot be served, and ends the connection. */
static bool refuse(struct fl_httpd_conn *conn, int status, const char *why)
{
	fl_httpd_reply_clear(&conn->reply);
	fl_httpd_status(&conn->reply, status);
	fl_httpd_printf(&conn->reply, "%s\n", why);
	conn->last = true;
	conn->head_only = false;
	begin_reply(conn);
	return true;
}

/* ---- requests ---- */

static void drop_input(struct fl_httpd_conn *conn, size_t from, size_t n)
{
	if (n == 0)
		return;
	memmove(conn->in.p + from, conn->in.p + from + n, conn->in.n - from - n);
	conn->in.n -= n;
}

static void call_handler(struct fl_httpd_conn *conn, const struct fl_http1_head *head)
{
	struct fl_httpd_request req = {
		.head = head,
		.method = head->method,
		.method_text = head->method_text,
		.path = head->path,
		.query = head->query,
		.body = {conn->body.p, conn->body.n},
		.body_length = conn->body_length,
		.peer = conn->peer,
	};
	fl_httpd_reply_clear(&conn->reply);
	conn->server->handle(conn->server->cookie, &req, &conn->reply);
}

/* Has the whole request. Its head is parsed anew, because the bytes may have moved. */
static bool answer(struct fl_httpd_conn *conn)
{
	struct fl_http1_head head;
	struct fl_http1_error err;

	if (fl_http1_request(
		    conn->in.p, conn->head_length, &conn->server->limits.http, &head, &err) < 0)
		return refuse(conn, err.status, err.why);
	conn->last = !head.keep_alive;
	conn->head_only = head.method == FL_METHOD_HEAD;
	call_handler(conn, &head);
	if (conn->state == FL_HTTPD_CLOSED)
		return false;
	drop_input(conn, 0, conn->head_length);
	fl_text_clear(&conn->body);
	conn->head_length = conn->scanned = 0;
	begin_reply(conn);
	return true;
}

/* "Expect: 100-continue" from a peer that has sent nothing of the body yet. */
static void on_continue(void *cookie, int result)
{
	struct fl_httpd_conn *conn = cookie;

	conn->continuing = false;
	if (result < 0)
		fl_httpd_conn_close(conn, true);
	else
		advance(conn);
}

static void invite(struct fl_httpd_conn *conn)
{
	static char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct iovec iov = {go_on, sizeof(go_on) - 1};

	int rc = fl_stream_send(conn->stream, &iov, 1, on_continue);
	if (rc < 0)
		fl_httpd_conn_close(conn, true);
	conn->continuing = rc == 0;
}

static bool begin_body(struct fl_httpd_conn *conn, const struct fl_http1_head *head)
{
	const struct fl_httpd_limits *limits = &conn->server->limits;

	fl_http1_body_init(&conn->framing, head);
	conn->body_length = 0;
	if (head->framing == FL_BODY_NONE)
		return answer(conn);
	if (head->framing == FL_BODY_LENGTH && head->length > limits->discard)
		return refuse(conn, 413, "the body is too large");
	set_state(conn, FL_HTTPD_BODY);
	if (head->expect_continue && conn->in.n == conn->head_length)
		invite(conn);
	return conn->state == FL_HTTPD_BODY;
}

static bool step_head(struct fl_httpd_conn *conn)
{
	const struct fl_http1_limits *limits = &conn->server->limits.http;
	struct fl_http1_head head;
	struct fl_http1_error err = {400, "malformed"};
	long n = conn->in.n == 0 ? 0
	                         : fl_http1_head_end(conn->in.p, conn->in.n, &conn->scanned,
					   limits, &err);

	if (n == 0) {
		if (conn->in.n && !conn->timing_head) {
			arm(conn, conn->server->limits.head_ms);
			conn->timing_head = true;
		}
		want_bytes(conn);
		return false;
	}
	if (n < 0 || fl_http1_request(conn->in.p, (size_t)n, limits, &head, &err) < 0)
		return refuse(conn, err.status, err.why);
	conn->head_length = (size_t)n;
	return begin_body(conn, &head);
}

static void keep_body(struct fl_httpd_conn *conn, struct fl_slice data)
{
	size_t room = conn->server->limits.body - conn->body.n;

	conn->body_length += data.n;
	fl_text_add(&conn->body, data.p, data.n < room ? data.n : room);
}

static bool step_body(struct fl_httpd_conn *conn)
{
	size_t at = conn->head_length;

	if (conn->continuing)
		return false; /* one send at a time; what comes in meanwhile waits */
	while (at < conn->in.n && !conn->framing.done) {
		struct fl_slice data;
		long n = fl_http1_body_feed(
			&conn->framing, conn->in.p + at, conn->in.n - at, &data);
		if (n < 0)
			return refuse(conn, 400, "the body is malformed");
		keep_body(conn, data);
		at += (size_t)n;
		if (conn->body_length > conn->server->limits.discard)
			return refuse(conn, 413, "the body is too large");
	}
	drop_input(conn, conn->head_length, at - conn->head_length);
	if (conn->body.failed)
		return refuse(conn, 500, "no memory");
	if (conn->framing.done)
		return answer(conn);
	want_bytes(conn);
	return false;
}

static bool step(struct fl_httpd_conn *conn)
{
	switch (conn->state) {
	case FL_HTTPD_HEAD:
		return step_head(conn);
	case FL_HTTPD_BODY:
		return step_body(conn);
	case FL_HTTPD_SEND:
		return send_on(conn);
	default:
		return false;
	}
}

static void advance(struct fl_httpd_conn *conn)
{
	while (step(conn))
		;
}

/* ---- what the loop tells ---- */

static void take_bytes(struct fl_httpd_conn *conn, const struct fl_rbuf *buf, size_t n)
{
	if (conn->state == FL_HTTPD_LINGER) {
		conn->lingered += n;
		if (conn->lingered > FL_HTTPD_LINGER_BYTES)
			fl_httpd_conn_close(conn, true);
		return;
	}
	fl_text_add(&conn->in, buf->data, n);
	if (conn->in.failed)
		fl_httpd_conn_close(conn, true);
}

static void on_recv(void *cookie, struct fl_rbuf *buf, int result)
{
	struct fl_httpd_conn *conn = cookie;

	if (result < 0) {
		fl_httpd_conn_close(conn, true);
		return;
	}
	if (result > 0)
		take_bytes(conn, buf, (size_t)result);
	else
		conn->eof = true;
	if (conn->state == FL_HTTPD_LINGER && conn->eof)
		fl_httpd_conn_close(conn, false);
	else if (conn->state == FL_HTTPD_HEAD || conn->state == FL_HTTPD_BODY)
		advance(conn);
}

static void on_timer(void *cookie)
{
	struct fl_httpd_conn *conn = cookie;

	switch (conn->state) {
	case FL_HTTPD_HEAD:
		if (!conn->timing_head) {
			fl_httpd_conn_close(conn, false);
			return;
		}
		(void)refuse(conn, 408, "the request took too long");
		break;
	case FL_HTTPD_BODY:
		if (conn->continuing) {
			fl_httpd_conn_close(conn, true);
			return;
		}
		(void)refuse(conn, 408, "the request took too long");
		break;
	case FL_HTTPD_DELAY:
		set_state(conn, FL_HTTPD_SEND);
		break;
	default:
		fl_httpd_conn_close(conn, true);
		return;
	}
	advance(conn);
}

void fl_httpd_conn_new(
	struct fl_httpd *server, int fd, const struct sockaddr *peer, socklen_t len)
{
	struct fl_httpd_conn *conn = calloc(1, sizeof(*conn));
	struct fl_addr addr;

	if (!conn) {
		(void)close(fd);
		return;
	}
	conn->server = server;
	if (fl_stream_new(&conn->stream, server->loop, fd, conn) < 0) {
		free(conn);
		return;
	}
	fl_addr_set(&addr, peer, len);
	(void)fl_addr_format(&addr, conn->peer, sizeof(conn->peer));
	fl_text_init(&conn->in, server->limits.http.head + FL_HTTPD_INPUT);
	fl_text_init(&conn->body, server->limits.body);
	fl_text_init(&conn->out, 2 * FL_HTTPD_FIELDS);
	fl_httpd_reply_init(&conn->reply, server->limits.reply);
	fl_timer_init(&conn->timer, on_timer, conn);
	fl_list_push_back(&server->conns, &conn->link);
	server->count++;
	server->open++;
	set_state(conn, FL_HTTPD_HEAD);
	want_bytes(conn);
}
