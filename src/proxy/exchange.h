/* One request and its answer: picks the node, connects, sends, retries on the key's next owner,
 * and passes the answer on. Private to proxy/.
 *
 *             +--------- next owner, after a failure that may be retried ----------+
 *             v                                                                    |
 *   PICK -> CONNECT -> REQUEST (head and body go out) -> [INTERIM (a 1xx passes)] -+-> ANSWER -> OVER
 *
 * A request may be retried until the first byte of the answer, if its method is idempotent (or
 * it carries an Idempotency-Key) or nothing of it was sent; its head and the first part
 * of its body (`replay` of the pool, 64 KiB) are kept for that. An answer that has begun can
 * only end as a visible truncation. */
#ifndef FL_PROXY_EXCHANGE_H
#define FL_PROXY_EXCHANGE_H

#include "proxy/pipe.h"
#include "proxy/session.h"

enum {
	FL_ATTEMPTS_MAX = 16
};

enum fl_exchange_state {
	FL_EX_PICK,
	FL_EX_CONNECT,
	FL_EX_REQUEST,
	FL_EX_INTERIM,
	FL_EX_ANSWER,
	FL_EX_OVER,
};

struct fl_exchange {
	/* what lives on when the exchange is used again */
	struct fl_link link; /* in the worker's spare list */
	struct fl_worker *worker;
	struct fl_timer timer;
	struct fl_text facts;       /* bytes of the slices below */
	struct fl_text head;        /* of the request, as the node gets it */
	struct fl_text answer_head; /* as the client gets it, unless that is as it came */
	struct fl_text replay; /* body bytes passed so far; `failed` when they are too many */
	struct fl_text again;  /* head and replay, framed, for a retry */
	struct fl_inq in;      /* the answer */
	struct fl_pipe request, answer;
	uint64_t tried[FL_ATTEMPTS_MAX]; /* member ids, `attempts` of them */

	/* zero in a blank one, from here on */
	struct fl_session *session; /* NULL once detached */
	struct fl_wpool *pool;
	enum fl_exchange_state state;

	/* the request */
	enum fl_http1_method method;
	int minor;
	bool keep_alive;
	bool may_repeat; /* idempotent, or declared so */
	bool upgrade;
	bool request_sending;
	bool request_sent;
	bool request_lost;   /* the node takes no more of it */
	bool begun;          /* something may have been sent, to this node or an earlier one */
	uint32_t head_bytes; /* as received */
	struct fl_slice key, key_label;
	struct fl_slice method_text, target, host; /* when there is an access log */
	uint64_t began_us;                         /* on the loop's clock */

	/* the attempt */
	struct fl_wnode *node;
	struct fl_conn *conn;
	const char *failure; /* why the last attempt failed */
	uint64_t asked_us;
	unsigned attempts;
	bool fresh;    /* take no idle connection: one was stale */
	bool answered; /* a byte of the answer came */
	bool upstream_paused;
	bool upstream_eof;
	bool upstream_reset; /* then by a reset */
	bool closing;        /* a connection was closed, and the loop has not let go of it */

	/* the answer */
	bool answer_sending;
	bool answer_sent;  /* all of it; only a tunnel lives on then */
	bool answer_begun; /* something of it was sent to the client */
	bool answer_keeps; /* the node's connection may live on */
	bool client_close; /* the client's may not */
	bool tunnel;
	bool truncated;
	int status;
	unsigned interims; /* 1xx answers passed on */
	uint64_t answer_head_bytes;

	/* of the send that a clock watches */
	uint64_t progress;
	unsigned looks; /* in a row that have found it there; 0: it was not looked at yet */
};

/* Begins the request whose head was parsed into worker->head; its bytes are still at the front
 * of the session's queue and are taken off here. May answer at once through the session. */
void fl_exchange_begin(struct fl_session *s);

/* More of the request's body may be at hand, or the client's end. */
void fl_exchange_input(struct fl_exchange *ex);

/* The client is gone: ends the exchange, sends nothing. The exchange stays with
 * the session until the loop let go of both streams. */
void fl_exchange_abort(struct fl_exchange *ex, const char *why);

/* The client's clock ran out: an answer of our own when that can still be sent. */
void fl_exchange_stalled(struct fl_exchange *ex);

/* True when nothing of the exchange is with the loop any more. */
bool fl_exchange_idle(const struct fl_exchange *ex);

void fl_exchange_free(struct fl_exchange *ex);    /* to the worker's spare list */
void fl_exchange_free_spare(struct fl_worker *w); /* and keeps none from now on */

#endif
