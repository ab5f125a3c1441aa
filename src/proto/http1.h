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
	bool hop; /* not to be forwarded: hop-by-hop by RFC 9110 7.6.1 (and Trailer), named by
		   * Connection, or a known name spelt with '_' for '-' (id is then OTHER) */
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
	/* Origin form: target up to '?'. Absolute form: its path, or "/" when it has none ("*" for
	 * an OPTIONS without a query). To send an absolute target on in origin form, write path,
	 * and when query.p is not NULL '?' and query. */
	struct fl_slice path;
	struct fl_slice query; /* after '?', without it; p is NULL when there is no '?' */
	/* Of an absolute target, else of Host (RFC 9112 3.2.2: the target wins, and a forwarded
	 * Host must say `authority`). Empty in HTTP/1.0 without either; else never empty. */
	struct fl_slice host;      /* without the port; an IPv6 address keeps its brackets */
	struct fl_slice authority; /* host with its port, as received */
	bool expect_continue; /* the client waits for a 100 (1.1 only, and a body follows) */
	/* responses */
	int status;
	struct fl_slice reason;
	/* both */
	int minor; /* HTTP/1.minor: 0 or 1 */
	enum fl_http1_framing framing;
	uint64_t length; /* with FL_BODY_LENGTH */
	bool keep_alive; /* by version, Connection and framing */
	/* Request (1.1 only): Connection names Upgrade and there is an Upgrade header; to what, the
	 * caller must check. Response: it is a 101, which is refused without those two. */
	bool upgrade;
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
 * One empty line before a request line is skipped (RFC 9112 2.2) and counted in the length.
 * The verdict does not depend on how the bytes were cut. Also for responses: there every refusal
 * means 502. O(new bytes). */
long fl_http1_head_end(const char *p, size_t n, size_t *scanned,
	const struct fl_http1_limits *limits, struct fl_http1_error *err);

/* Parses a whole head, as found by fl_http1_head_end. 0, or -1 with *err set and *out then
 * unspecified. O(n). After a refusal the rest of the connection must not be read as requests.
 *
 * Refused although some servers accept it, because others read it differently: any bare CR or LF,
 * folded lines, blanks around a name, two Content-Length fields even if equal,
 * Transfer-Encoding together with Content-Length or in HTTP/1.0, names that are a framing field
 * once '_' is read as '-', a Connection that names an end-to-end field this proxy acts on, a TRACE
 * with content, percent-encoded or empty hosts. */
int fl_http1_request(const char *p, size_t n, const struct fl_http1_limits *limits,
	struct fl_http1_head *out, struct fl_http1_error *err);

/* As above for a response to a request with `method` (HEAD has no body; nor have 1xx, 204,
 * 304, whatever their Content-Length says). A 101 has framing NONE and upgrade set. A 1xx or 204
 * that announces a body is refused. Any refusal has the status 502. */
int fl_http1_response(const char *p, size_t n, enum fl_http1_method method,
	const struct fl_http1_limits *limits, struct fl_http1_head *out,
	struct fl_http1_error *err);

/* The quick way for bytes that most likely begin with a whole head, and may go on behind it: one pass
 * instead of a search for the end and then the parsing.
 *   > 0: the head's length, *out as fl_http1_request (fl_http1_response) makes it;
 *   0: no whole head is there, or it is refused, or an empty line precedes it: what it is,
 *      fl_http1_head_end and the functions above say; *out is unspecified.
 * O(length of the head). */
long fl_http1_request_front(const char *p, size_t n, const struct fl_http1_limits *limits,
	struct fl_http1_head *out);
long fl_http1_response_front(const char *p, size_t n, enum fl_http1_method method,
	const struct fl_http1_limits *limits, struct fl_http1_head *out);

/* ---- parts of a head, for who has no more than those ---- */

/* host [":" port]; on success *host is the text without the port (brackets stay). 0 or -1. */
int fl_http1_authority(struct fl_slice text, struct fl_slice *host);

/* Fills path and query, and for the absolute form host and authority, from out->target, which must
 * not be empty and whose bytes are not checked, and out->method. What the target has not is left
 * as it was. 0, or -1 with *err set. */
int fl_http1_target(struct fl_http1_head *out, struct fl_http1_error *err);

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

/* The reason phrase that RFC 9110 gives a status that we answer with ourselves ("Bad Gateway" for
 * 502); "Unnamed" for any other. Any thread. */
const char *fl_http1_reason(int status);

#endif
