/* A small, strict, bounded HTTP/1.1 server on one loop: for the admin socket, the demo's
 * backends and tests. It is not on the path of proxied requests.
 *
 * A handler gets a whole request and fills a whole reply, at once, on the loop's thread. Framing
 * is as strict as proto/http1.h. A connection handles one request after another (pipelined ones
 * wait in its input, which is bounded); an answer is sent in pieces, each with a deadline, so
 * neither a slow nor a silent peer holds more than its share. Memory: connections * (head +
 * body + one receive buffer), and the replies being sent. */
#ifndef FL_HTTPD_HTTPD_H
#define FL_HTTPD_HTTPD_H

#include "loop/loop.h"
#include "proto/http1.h"

struct fl_httpd;
struct fl_httpd_reply;

struct fl_httpd_limits {    /* in each: 0 is the default */
	size_t connections; /* open at a time; default 256. The one idle for longest makes room
			     * for a new one; when none is idle, the new one gets a 503 */
	size_t body;        /* bytes of a request body that are kept; default 64 KiB */
	size_t discard;     /* bytes of a request body that are read at all; default `body`.
			     * Over it: 413 */
	size_t reply;       /* bytes of a reply body; default 64 MiB. Over it: 500 */
	uint64_t head_ms;   /* to receive a head, from its first byte; default 10 s; then 408 */
	uint64_t body_ms;   /* to receive a body; default 60 s; then 408 */
	uint64_t idle_ms;   /* between requests, and for each 256 KiB sent; default 60 s */
	struct fl_http1_limits http; /* default 8 KiB, 16 KiB, 64 headers */
};

/* Everything is borrowed for the time of the call. */
struct fl_httpd_request {
	const struct fl_http1_head *head;
	enum fl_http1_method method;
	struct fl_slice method_text, path, query; /* as received, not decoded */
	struct fl_slice body;                     /* at most limits.body bytes */
	uint64_t body_length;                     /* of the whole body: more when it was cut */
	const char *peer; /* "127.0.0.1:5312", "[::1]:80", "unix:": for logs */
};

/* The value of the first header with this name, case aside; p is NULL when there is none. */
struct fl_slice fl_httpd_header(const struct fl_httpd_request *req, const char *name);

/* Fills `reply`; what it leaves out is 200 with an empty body. For HEAD it answers as for GET,
 * and the server leaves the body out. May close the server. */
typedef void fl_httpd_handler(
	void *cookie, const struct fl_httpd_request *req, struct fl_httpd_reply *reply);

/* Serves on `fd`, a listening, non-blocking socket that the server owns from now on, also when
 * this fails. `limits` may be NULL. 0 or a negative errno. */
int fl_httpd_new(struct fl_httpd **out, struct fl_loop *loop, int fd, fl_httpd_handler *handle,
	void *cookie, const struct fl_httpd_limits *limits);

/* Stops listening and cuts every connection; no handler runs after this call. On a later turn,
 * when the loop uses nothing of it any more, the server is freed and on_closed (may be NULL)
 * called with `cookie`. NULL is fine, but then on_closed is not called. */
void fl_httpd_close(struct fl_httpd *server, void (*on_closed)(void *cookie), void *cookie);

/* Open connections now, those in their last throes included. */
size_t fl_httpd_connections(const struct fl_httpd *server);

/* ---- filling a reply: in any order, inside the handler ---- */

void fl_httpd_status(struct fl_httpd_reply *reply, int status); /* 200..599 */

/* Default "text/plain; charset=utf-8". `type` must outlive the handler. */
void fl_httpd_type(struct fl_httpd_reply *reply, const char *type);

/* Adds a header field. A name or value that would break the framing, or more than 4 KiB of
 * them, makes the reply a 500. Not for Content-Length, Content-Type, Connection, Date. */
void fl_httpd_field(struct fl_httpd_reply *reply, const char *name, const char *value);

/* Appends to the body. What goes over the limit, or finds no memory, makes the reply a 500. */
void fl_httpd_append(struct fl_httpd_reply *reply, const char *p, size_t n);
__attribute__((format(printf, 2, 3))) void fl_httpd_printf(
	struct fl_httpd_reply *reply, const char *format, ...);

/* Makes the reply a 500: the handler ran out of memory, or what it has is not fit to send. */
void fl_httpd_fail(struct fl_httpd_reply *reply);

/* True once something did not fit: a long answer can stop early. */
bool fl_httpd_failed(const struct fl_httpd_reply *reply);

/* Sends the reply no earlier than `ms` from now: backends that are slow on purpose. */
void fl_httpd_delay(struct fl_httpd_reply *reply, uint64_t ms);

/* Ends the connection after this reply; with `reset`, instead of it, by RST. */
void fl_httpd_hang_up(struct fl_httpd_reply *reply, bool reset);

#endif
