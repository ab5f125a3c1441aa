/* Reading one answer and holding it against what was asked: status, framing, the fields that
 * identify the request, and every byte of the body. */
#ifndef FL_TESTS_TOOLS_ANSWER_H
#define FL_TESTS_TOOLS_ANSWER_H

#include "traffic/ask.h"

#define ANSWER_HEAD_MAX 16384
#define ANSWER_NODE_MAX 64

enum answer_event {
	ANSWER_MORE,
	ANSWER_CONTINUE, /* 100 arrived */
	ANSWER_DONE,
	ANSWER_WRONG, /* `wrong` says what was seen */
};

enum answer_state {
	ANSWER_IN_HEAD,
	ANSWER_IN_BODY,
	ANSWER_IN_SIZE, /* the line of a chunk's size */
	ANSWER_IN_CHUNK,
	ANSWER_IN_END, /* the CRLF after a chunk */
	ANSWER_IN_TRAILER,
};

struct answer {
	const struct ask *ask;
	enum answer_state state;
	size_t head_len, line_len;
	int status;
	bool begun; /* at least one byte of the final answer has been seen */
	bool close, chunked, has_length, to_eof;
	uint64_t left;     /* of the length or chunk */
	uint64_t body_len; /* seen so far */
	struct payload expected;
	char echo[64]; /* what the body begins with */
	size_t echo_len;
	bool id_good, digest_good, method_good, has_id;
	char node[ANSWER_NODE_MAX];
	char wrong[160];
	char line[256];
	char head[ANSWER_HEAD_MAX + 1];
};

void answer_start(struct answer *a, const struct ask *ask);

/* Reads on; *used gets how many of the `n` bytes belong to this answer. */
enum answer_event answer_feed(struct answer *a, const char *p, size_t n, size_t *used);

/* The connection has ended: DONE when that is how this answer ends, WRONG when it is cut. */
enum answer_event answer_eof(struct answer *a);

#endif
