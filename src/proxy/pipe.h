/* One direction of a message: takes body bytes off an input queue, checks their framing, and
 * says what to send next, framed anew. Does no I/O of its own, so that both directions, and the
 * tests, use it alike.
 *
 * A chunk goes out as the chunk that came, also when it came in pieces, unless it is gigantic; so of
 * most senders every byte is what we would write, and a buffer full of chunks is one run to send.
 *
 * Bytes are not copied: what fl_pipe_gather gives points into received buffers, which the pipe
 * holds until fl_pipe_sent. */
#ifndef FL_PROXY_PIPE_H
#define FL_PROXY_PIPE_H

#include "proxy/inq.h"

enum fl_pipe_status {
	FL_PIPE_SEND,      /* iov has something to send; call fl_pipe_sent when it was */
	FL_PIPE_STARVED,   /* more input is needed */
	FL_PIPE_DONE,      /* the whole message was sent */
	FL_PIPE_MALFORMED, /* the input breaks its framing */
	FL_PIPE_TRUNCATED, /* the input ended too early */
};

enum {
	FL_PIPE_CHUNKS = 4,           /* in one go whose size lines are our own */
	FL_PIPE_CHUNK_MAX = 16 << 20, /* one that lacks more is passed on in pieces */
};

struct fl_pipe {
	struct fl_inq *in;
	struct fl_http1_body body;
	struct fl_slice prefix; /* goes first: a head, or what is sent again */
	bool chunked;           /* write chunks */
	size_t promised;        /* bytes that the chunk being written still lacks */
	bool terminated;        /* the last chunk was written, where one is due */
	bool eof;               /* no more input will come */
	bool broken;            /* and its end is no end of the message: a reset */
	unsigned held_count;
	struct fl_rbuf *held[FL_INQ_BUFFERS];
	struct fl_text *copy; /* also gets every body byte; or NULL */
	uint64_t bytes;       /* of body so far */
	char size_line[FL_PIPE_CHUNKS][12];
};

/* A message whose head is `head`; `prefix` must stay until it was sent. */
void fl_pipe_init(struct fl_pipe *pipe, struct fl_inq *in, const struct fl_http1_head *head,
	struct fl_slice prefix, bool chunked);

/* The prefix stands in the first buffer of the queue: it is held until the prefix was sent. Between
 * fl_pipe_init and the first gather. */
void fl_pipe_hold_prefix(struct fl_pipe *pipe);

/* Fills iov (room for FL_SEND_IOV) with what comes next. Not while a send is under way. */
enum fl_pipe_status fl_pipe_gather(struct fl_pipe *pipe, struct iovec *iov, int *count);

/* What the last gather gave was sent, or never will be: gives buffers back. */
void fl_pipe_sent(struct fl_pipe *pipe);

/* Starts over towards another receiver: `prefix` holds the head and all the body so far. */
void fl_pipe_again(struct fl_pipe *pipe, struct fl_slice prefix);

#endif
