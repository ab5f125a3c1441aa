/* What the files of httpd/ share: the server, a connection and its state. */
#ifndef FL_HTTPD_PRIV_H
#define FL_HTTPD_PRIV_H

#include "base/text.h"
#include "httpd/httpd.h"
#include "net/addr.h"

enum {
	FL_HTTPD_PIECE = 256 * 1024,      /* bytes sent under one deadline */
	FL_HTTPD_KEEP = 64 * 1024,        /* a larger reply buffer is given back after use */
	FL_HTTPD_INPUT = 1 << 20,         /* what two receive buffers may bring, at most */
	FL_HTTPD_FIELDS = 4096,           /* bytes of header fields a handler may add */
	FL_HTTPD_LINGER_MS = 2000,        /* a lingering close takes no longer */
	FL_HTTPD_LINGER_BYTES = 16 << 20, /* nor reads more */
};

struct fl_httpd_reply {
	int status;
	const char *type;
	struct fl_text fields; /* "Name: value\r\n"... */
	struct fl_text body;
	uint64_t delay_ms;
	bool failed, close, reset;
};

/* A connection is in one state; conn.c's set_state is the only writer. */
enum fl_httpd_state {
	FL_HTTPD_HEAD,   /* waits for a head, perhaps with a part of it */
	FL_HTTPD_BODY,   /* has a head, waits for its body */
	FL_HTTPD_DELAY,  /* has a reply, sends it later */
	FL_HTTPD_SEND,   /* sends a reply */
	FL_HTTPD_LINGER, /* has sent the last reply, reads until the peer is done */
	FL_HTTPD_CLOSED, /* waits for the loop to let go */
};

struct fl_httpd_conn {
	struct fl_link link; /* in the server's list, the longest idle first */
	struct fl_httpd *server;
	struct fl_stream *stream;
	struct fl_timer timer;
	enum fl_httpd_state state;
	bool timing_head; /* the head's deadline is running */
	bool continuing;  /* a "100 Continue" is being sent */
	bool eof;         /* the peer sends no more */
	bool last;        /* close after the reply under way */
	bool head_only;   /* the reply under way answers a HEAD */
	char peer[FL_ADDR_TEXT];
	struct fl_text in;           /* BODY: head, then unread bytes; else unread bytes */
	size_t scanned, head_length; /* of `in` */
	struct fl_http1_body framing;
	struct fl_text body;  /* of the request, at most limits.body */
	uint64_t body_length; /* of the request, as read so far */
	struct fl_httpd_reply reply;
	struct fl_text out; /* the head of the reply */
	size_t sent;        /* bytes of head and body */
	size_t lingered;
};

struct fl_httpd {
	struct fl_loop *loop;
	struct fl_listener *listener;
	fl_httpd_handler *handle;
	void *cookie;
	struct fl_httpd_limits limits;
	struct fl_link conns;
	size_t count; /* connections that the loop knows */
	size_t open;  /* those of them that are not CLOSED */
	bool closing;
	struct fl_task gone;
	void (*on_closed)(void *cookie);
	void *closed_cookie;
};

/* ---- conn.c ---- */

/* Takes `fd` in any case. Nothing happens when there is no memory but that it is closed. */
void fl_httpd_conn_new(
	struct fl_httpd *server, int fd, const struct sockaddr *peer, socklen_t len);
void fl_httpd_conn_close(struct fl_httpd_conn *conn, bool reset);

/* ---- reply.c ---- */

void fl_httpd_reply_init(struct fl_httpd_reply *reply, size_t max);
void fl_httpd_reply_fini(struct fl_httpd_reply *reply);
void fl_httpd_reply_clear(struct fl_httpd_reply *reply);

/* Writes the head of `reply` into `out`; a reply that failed becomes a 500 first. */
void fl_httpd_reply_head(struct fl_httpd_reply *reply, struct fl_text *out, bool last);

/* ---- httpd.c ---- */

/* A connection is gone; frees the server when it was the last of a closed one. */
void fl_httpd_conn_gone(struct fl_httpd *server);

#endif
