/* HTTP/1 messages: bytes in, events out, no I/O (RFC 9110, RFC 9112).
 *
 * Strict: anything that two implementations could frame differently is an error. A parsed head
 * borrows the caller's bytes; nothing is copied and nothing is allocated. */
#ifndef FL_PROTO_HTTP1_H
#define FL_PROTO_HTTP1_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FL_HTTP1_MAX_HEADERS 128

struct fl_http1_limits {
	size_t line;    /* bytes of a request line (414) or status line (502) */
	size_t head;    /* bytes of a whole head (431) */
	size_t headers; /* header fields (431), at most FL_HTTP1_MAX_HEADERS */
};

/* The headers a proxy acts on; every other is FL_HDR_OTHER. */
enum fl_http1_header_id {
	FL_HDR_OTHER,
	FL_HDR_HOST,
	FL_HDR_CONNECTION,
	FL_HDR_CONTENT_LENGTH,
	FL_HDR_TRANSFER_ENCODING,
	FL_HDR_TE,
	FL_HDR_TRAILER,
	FL_HDR_UPGRADE,
	FL_HDR_EXPECT,
	FL_HDR_KEEP_ALIVE,
	FL_HDR_PROXY_CONNECTION,
	FL_HDR_COOKIE,
	FL_HDR_FORWARDED_FOR,   /* X-Forwarded-For */
	FL_HDR_FORWARDED_PROTO, /* X-Forwarded-Proto */
	FL_HDR_IDEMPOTENCY_KEY,
	FL_HDR_DATE,
	FL_HDR_SERVER,
	FL_HDR_VIA,
};

struct fl_http1_header {
	struct fl_slice name, value; /* value without surrounding blanks */
	enum fl_http1_header_id id;
	bool hop; /* hop-by-hop: by RFC 9110 7.6.1, or named by Connection; not to be forwarded
		   */
};

enum fl_http1_method {
	FL_METHOD_OTHER,
	FL_METHOD_GET,
	FL_METHOD_HEAD,
	FL_METHOD_POST,
	FL_METHOD_PUT,
	FL_METHOD_DELETE,
	FL_METHOD_OPTIONS,
	FL_METHOD_TRACE,
	FL_METHOD_PATCH,
	FL_METHOD_CONNECT,
};

/* GET, HEAD, PUT, DELETE, OPTIONS, TRACE (RFC 9110 9.2.2). */
bool fl_http1_idempotent(enum fl_http1_method method);

enum fl_http1_framing {
	FL_BODY_NONE,
	FL_BODY_LENGTH,
	FL_BODY_CHUNKED,
	FL_BODY_CLOSE, /* responses only: until the connection ends */
};

struct fl_http1_head {
	/* requests */
	enum fl_http1_method method;
	struct fl_slice method_text;
	struct fl_slice target; /* as received */
	struct fl_slice
		path; /* origin form: target up to '?'; absolute form: its path or "/" */
	struct fl_slice query; /* after '?', without it; empty when there is none */
	struct fl_slice
		host; /* Host without its port, or the authority of an absolute target */
	bool expect_continue;
	/* responses */
	int status;
	struct fl_slice reason;
	/* both */
	int minor; /* HTTP/1.minor: 0 or 1 */
	enum fl_http1_framing framing;
	uint64_t length; /* with FL_BODY_LENGTH */
	bool keep_alive; /* by version, Connection and framing */
	bool upgrade;    /* Connection names Upgrade and there is an Upgrade header */
	size_t header_count;
	struct fl_http1_header headers[FL_HTTP1_MAX_HEADERS];
};

/* Why a message was refused: the status a server answers with, and one line for the log. */
struct fl_http1_error {
	int status; /* 400, 414, 417, 431, 501, 505; 502 for a response */
	const char *why;
};

/* Looks for the end of a head in p[0..n). *scanned (0 at first) remembers how far earlier calls
 * came, so that a head that trickles in costs linear time.
 *   > 0: the head is p[0..that), blank line included;   0: more bytes are needed;
 *   < 0: refused, *err says why (limits; bare CR or LF; a first byte that cannot begin a
 *        request, so that TLS on a plain port is refused at once).
 * One empty line before a request line is skipped (RFC 9112 2.2) and counted in the length. */
long fl_http1_head_end(const char *p, size_t n, size_t *scanned,
	const struct fl_http1_limits *limits, struct fl_http1_error *err);

/* Parses a whole head, as found by fl_http1_head_end. 0, or -1 with *err set. O(n). */
int fl_http1_request(const char *p, size_t n, const struct fl_http1_limits *limits,
	struct fl_http1_head *out, struct fl_http1_error *err);

/* As above for a response to a request with `method` (HEAD has no body; nor have 1xx, 204,
 * 304). A 101 has framing NONE and upgrade set. */
int fl_http1_response(const char *p, size_t n, enum fl_http1_method method,
	const struct fl_http1_limits *limits, struct fl_http1_head *out,
	struct fl_http1_error *err);

/* ---- bodies ---- */

struct fl_http1_body {
	enum fl_http1_framing framing;
	uint64_t left;     /* LENGTH: bytes of the body; CHUNKED: of the chunk */
	uint32_t state;    /* CHUNKED: where in the grammar */
	uint32_t overhead; /* CHUNKED: bytes of size lines and trailers since the last data */
	bool done;
};

void fl_http1_body_init(struct fl_http1_body *body, const struct fl_http1_head *head);

/* Takes bytes from p[0..n): sets *data to the next run of body bytes (perhaps empty) and
 * returns how many bytes of p were used up to and including that run; call again with the rest.
 * body->done is set when the body is complete; bytes after it are not used.
 * -1: malformed (400 for a request; for a response the connection must be cut).
 * Chunk extensions and trailers are checked and dropped; together at most 8 KiB between data.
 * Returns 0 only when n is 0 or the body is done. */
long fl_http1_body_feed(
	struct fl_http1_body *body, const char *p, size_t n, struct fl_slice *data);

#endif
