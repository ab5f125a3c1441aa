/* A strict HTTP/1 request reader: bytes in, one request at a time out. Everything that a proxy
 * must not pass on is an error here: bare LF, spaces around names, two lengths, a length and a
 * coding, folded lines, bytes that no header may hold, a missing or second Host. */
#ifndef FL_TESTS_TOOLS_REQUEST_H
#define FL_TESTS_TOOLS_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_HEAD_MAX 16384
#define REQUEST_LINE_MAX 1024 /* of a chunk's size or a trailer */

enum request_event {
	REQUEST_MORE,    /* all bytes taken, the request is not complete */
	REQUEST_EXPECTS, /* the head is complete and its sender waits for 100 */
	REQUEST_DONE,
	REQUEST_BAD, /* `wrong` says why */
};

enum request_state {
	IN_HEAD,
	IN_BODY,
	IN_CHUNK_SIZE,
	IN_CHUNK,
	IN_CHUNK_END,
	IN_TRAILER,
};

struct request {
	enum request_state state;
	size_t head_len, line_len;
	uint64_t left; /* of the body or chunk */
	const char *wrong;

	/* Complete after the head; the strings point into `head`. */
	const char *method, *target, *id;
	bool http10, keep_alive, expects, chunked;
	bool has_length, has_coding, has_host;
	/* Complete after the body. */
	uint64_t body_len, body_digest;

	char head[REQUEST_HEAD_MAX + 1];
	char line[REQUEST_LINE_MAX + 1];
};

/* Makes it ready for the next request. */
void request_reset(struct request *rq);

/* Reads on; *used gets how many of the `n` bytes belong to this request. */
enum request_event request_feed(struct request *rq, const char *p, size_t n, size_t *used);

#endif
