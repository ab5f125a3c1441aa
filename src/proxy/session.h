/* A client's connection: reads request heads one after another, has each answered, and closes
 * in a way that lets the client read the last answer. Private to proxy/. */
#ifndef FL_PROXY_SESSION_H
#define FL_PROXY_SESSION_H

#include "proxy/inq.h"
#include "proxy/worker.h"

struct fl_exchange;

enum fl_session_state {
	FL_SESSION_HEAD,     /* waits for a request, or for the rest of one's head */
	FL_SESSION_EXCHANGE, /* a request is being answered by a node */
	FL_SESSION_REPLY,    /* an answer of our own is being sent */
	FL_SESSION_LINGER,   /* all was sent; reads on, and drops it, until the client closes */
	FL_SESSION_CLOSED,   /* waits for the loop to let go */
};

enum {
	FL_SESSION_CLIENT = 48 /* an IPv6 address has at most 45 */
};

struct fl_session {
	struct fl_link link;
	struct fl_worker *worker;
	struct fl_stream *stream; /* NULL once the loop let go of it */
	enum fl_session_state state;
	struct fl_wlistener *listener; /* by which it came; referenced */
	struct fl_inq in;
	struct fl_timer timer;
	struct fl_exchange *exchange;
	struct fl_text reply;
	uint64_t lingered;
	uint32_t head_bytes; /* of the request being begun */
	struct fl_addr peer;
	uint8_t client_n;
	char client[FL_SESSION_CLIENT]; /* the peer's address without port; may be empty */
	bool paused;
	bool running;
	bool peer_eof;
	bool close_after_reply;
	bool used;          /* has had a request before */
	bool head_clock;    /* the clock runs for a head that has begun */
	bool client_closes; /* nothing more will come: its last request, and all of it was read */
};

/* Takes the descriptor. */
void fl_session_open(struct fl_worker *w, struct fl_wlistener *listener, int fd,
	const struct sockaddr *peer, socklen_t len);

static inline struct fl_slice fl_session_client(const struct fl_session *s)
{
	return (struct fl_slice){s->client, s->client_n};
}

/* Ends the session: at once, with `reset` so that the client cannot take what it has for all. */
void fl_session_close(struct fl_session *s, bool reset);

/* Closes when idle; else after the request under way. */
void fl_session_drain(struct fl_session *s);

/* ---- for the exchange ---- */

/* The exchange is over and detached; `keep`: the connection can take another request. */
void fl_session_next(struct fl_session *s, bool keep);

/* Answers the request with an error of our own, then goes on or closes. The exchange, if there
 * was one, is detached and nothing of its answer was sent. */
void fl_session_reply(
	struct fl_session *s, int status, const char *why, bool head_only, bool close);

/* The exchange has room for more of the request's body. */
void fl_session_want(struct fl_session *s);

/* (Re)starts, or stops, the clock that runs while we wait for the client. */
void fl_session_clock(struct fl_session *s, uint64_t ms);
void fl_session_clock_stop(struct fl_session *s);

/* The loop let go of the client's stream, or of a node's: frees what nobody needs any more. */
void fl_session_release(struct fl_session *s);

#endif
