/* Start lines, and what a head means as a whole.
 *
 * The order of checks is the order of the bytes, then version, then method, then the fields
 * together: so a request of another HTTP version hears 505 and not a complaint about its target.
 * Framing (RFC 9112 6.3) has exactly one answer or is refused. A gateway is not a "proxy" in the
 * sense of RFC 9112 9.3, so it may keep an HTTP/1.0 client's connection when asked to.
 *
 * *out is filled in place (it is 6 KiB; a copy would cost more than the parsing), so after a
 * refusal its content means nothing. */
#include "proto/http1_priv.h"

enum {
	METHOD_MAX = 32
};

/* "HTTP/" DIGIT "." DIGIT at p[0..n): 0, or the status to refuse with. */
static int version(const char *p, size_t n, int *minor)
{
	if (n != 8 || memcmp(p, "HTTP/", 5) != 0 || p[6] != '.')
		return 400;
	if (!fl_http1_is(p[5], FL_CH_DIGIT) || !fl_http1_is(p[7], FL_CH_DIGIT))
		return 400;
	if (p[5] != '1' || p[7] > '1')
		return 505;
	*minor = p[7] - '0';
	return 0;
}

/* Length of the line at p without its CR LF, or -1. */
static long line_length(
	const char *p, const char *end, size_t limit, struct fl_http1_error *err, int status)
{
	size_t n = fl_http1_text(p, (size_t)(end - p));
	if (n > limit)
		return fl_http1_refuse(err, status, "first line too long");
	if (end - p < (long)n + 2 || p[n] != '\r' || p[n + 1] != '\n')
		return fl_http1_refuse(err, 400, "control byte in the first line");
	return (long)n;
}

static int request_line(
	const char *p, size_t n, struct fl_http1_head *out, struct fl_http1_error *err)
{
	size_t method = fl_http1_span(p, n, FL_CH_TOKEN);
	if (method == 0 || method == n || p[method] != ' ')
		return fl_http1_refuse(err, 400, "malformed method");
	if (method > METHOD_MAX)
		return fl_http1_refuse(err, 501, "method too long");
	const char *target = p + method + 1;
	size_t left = n - method - 1;
	size_t length = fl_http1_target_span(target, left);
	if (length == 0 || length == left || target[length] != ' ')
		return fl_http1_refuse(err, 400, "malformed request target");
	int status = version(target + length + 1, left - length - 1, &out->minor);
	if (status)
		return fl_http1_refuse(err, status, "HTTP version");
	out->method_text = (struct fl_slice){p, method};
	out->method = fl_http1_method_of(out->method_text);
	out->target = (struct fl_slice){target, length};
	if (out->method == FL_METHOD_CONNECT)
		return fl_http1_refuse(err, 501, "CONNECT");
	return fl_http1_target(out, err);
}

/* RFC 9112 3.2: exactly one valid Host in HTTP/1.1, at most one in 1.0. An absolute target's
 * authority takes its place, so that everything behind us routes by what we routed by. */
static int conclude_host(struct fl_http1_head *out, const struct fl_http1_facts *facts,
	struct fl_http1_error *err)
{
	struct fl_slice host;
	if (facts->hosts > 1)
		return fl_http1_refuse(err, 400, "more than one Host");
	if (facts->hosts == 0)
		return out->minor == 0 ? 0 : fl_http1_refuse(err, 400, "no Host");
	if (fl_http1_authority(facts->host, &host) < 0)
		return fl_http1_refuse(err, 400, "bad Host");
	if (!out->authority.p) {
		out->authority = facts->host;
		out->host = host;
	}
	return 0;
}

/* Content-Length or "chunked", never both, never anything else (RFC 9112 6.1, 6.3). */
static int conclude_framing(struct fl_http1_head *out, const struct fl_http1_facts *facts,
	enum fl_http1_framing otherwise, struct fl_http1_error *err)
{
	out->framing = otherwise;
	if (facts->lengths) {
		out->framing = FL_BODY_LENGTH;
		out->length = facts->length;
	}
	if (!facts->encodings)
		return 0;
	if (out->minor == 0)
		return fl_http1_refuse(err, 400, "Transfer-Encoding in HTTP/1.0");
	if (facts->lengths)
		return fl_http1_refuse(err, 400, "Transfer-Encoding with Content-Length");
	if (facts->chunked > 1 || (facts->chunked && !facts->chunked_last))
		return fl_http1_refuse(err, 400, "chunked is not the last coding");
	if (!facts->chunked || facts->codings > 1)
		return fl_http1_refuse(err, 501, "transfer coding");
	out->framing = FL_BODY_CHUNKED;
	return 0;
}

static bool keeps_alive(const struct fl_http1_head *head, const struct fl_http1_facts *facts)
{
	if (facts->close || head->framing == FL_BODY_CLOSE)
		return false;
	return head->minor == 1 || facts->keep_alive;
}

static int conclude_request(struct fl_http1_head *out, const struct fl_http1_facts *facts,
	struct fl_http1_error *err)
{
	if (conclude_host(out, facts, err) < 0 ||
		conclude_framing(out, facts, FL_BODY_NONE, err) < 0)
		return -1;
	bool body = out->framing == FL_BODY_CHUNKED || out->length > 0;
	if (out->method == FL_METHOD_TRACE && body)
		return fl_http1_refuse(err, 400, "TRACE with content");
	if (facts->expect_unknown)
		return fl_http1_refuse(err, 417, "unknown expectation");
	/* HTTP/1.0 knows neither; and nobody waits for a 100 before sending nothing. */
	out->expect_continue = facts->expects && out->minor == 1 && body;
	out->upgrade = facts->upgrade && facts->upgrade_named && out->minor == 1;
	out->keep_alive = keeps_alive(out, facts);
	return 0;
}

/* The head at p, which may end before `end`: its length, or -1. */
static long request(const char *p, const char *end, const struct fl_http1_limits *limits,
	struct fl_http1_head *out, struct fl_http1_error *err)
{
	struct fl_http1_facts facts;
	const char *at = p;
	memset(out, 0, offsetof(struct fl_http1_head, headers));
	long line = line_length(p, end, limits->line, err, 414);
	if (line < 0 || request_line(p, (size_t)line, out, err) < 0)
		return -1;
	at += line + 2;
	if (fl_http1_fields(&at, end, limits, out, &facts, err) < 0 ||
		conclude_request(out, &facts, err) < 0)
		return -1;
	return at - p;
}

/* The whole head, and nothing behind it. */
static int whole(long length, size_t n, struct fl_http1_error *err)
{
	if (length < 0)
		return -1;
	if ((size_t)length != n)
		return fl_http1_refuse(err, 400, "head does not end where it should");
	return 0;
}

int fl_http1_request(const char *p, size_t n, const struct fl_http1_limits *limits,
	struct fl_http1_head *out, struct fl_http1_error *err)
{
	if (n > limits->head)
		return fl_http1_refuse(err, 431, "head too large");
	size_t empty = n >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
	return whole(request(p + empty, p + n, limits, out, err), n - empty, err);
}

long fl_http1_request_front(const char *p, size_t n, const struct fl_http1_limits *limits,
	struct fl_http1_head *out)
{
	struct fl_http1_error unused;
	long length =
		request(p, p + (n < limits->head ? n : limits->head), limits, out, &unused);
	return length > 0 ? length : 0;
}

/* ---- responses ---- */

/* The blank after the status code may be missing when there is no reason: RFC 9112 wants it, many
 * servers do not send it, and nothing can be misread. */
static int status_line(
	const char *p, size_t n, struct fl_http1_head *out, struct fl_http1_error *err)
{
	if (n < 12 || version(p, 8, &out->minor) != 0 || p[8] != ' ')
		return fl_http1_refuse(err, 502, "malformed status line");
	if (fl_http1_span(p + 9, 3, FL_CH_DIGIT) != 3 || p[9] == '0')
		return fl_http1_refuse(err, 502, "malformed status code");
	if (n > 12 && p[12] != ' ')
		return fl_http1_refuse(err, 502, "malformed status line");
	out->status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
	out->reason = n > 13 ? (struct fl_slice){p + 13, n - 13} : (struct fl_slice){p + n, 0};
	return 0;
}

/* A 1xx or 204 must not announce a body (RFC 9110 8.6, RFC 9112 6.1). "Content-Length: 0" is a
 * common harmless mistake: it passes, but not on. */
static int conclude_bodiless(struct fl_http1_head *out, const struct fl_http1_facts *facts,
	struct fl_http1_error *err)
{
	if (facts->encodings || out->length > 0)
		return fl_http1_refuse(err, 502, "a body where there must be none");
	for (size_t i = 0; i < out->header_count; i++)
		out->headers[i].hop |= out->headers[i].id == FL_HDR_CONTENT_LENGTH;
	return 0;
}

static int conclude_response(struct fl_http1_head *out, const struct fl_http1_facts *facts,
	enum fl_http1_method method, struct fl_http1_error *err)
{
	if (conclude_framing(out, facts, FL_BODY_CLOSE, err) < 0)
		return -1;
	bool bodiless = out->status < 200 || out->status == 204;
	if (bodiless && conclude_bodiless(out, facts, err) < 0)
		return -1;
	if (bodiless || out->status == 304 || method == FL_METHOD_HEAD) {
		out->framing = FL_BODY_NONE;
		out->length = 0;
	}
	if (out->status == 101) {
		if (!facts->upgrade || !facts->upgrade_named || out->minor == 0)
			return fl_http1_refuse(err, 502, "101 without Upgrade");
		out->upgrade = true;
	}
	out->keep_alive = keeps_alive(out, facts);
	return 0;
}

static long response(const char *p, const char *end, enum fl_http1_method method,
	const struct fl_http1_limits *limits, struct fl_http1_head *out,
	struct fl_http1_error *err)
{
	struct fl_http1_facts facts;
	const char *at = p;
	memset(out, 0, offsetof(struct fl_http1_head, headers));
	long line = line_length(p, end, limits->line, err, 502);
	if (line < 0 || status_line(p, (size_t)line, out, err) < 0)
		return -1;
	at += line + 2;
	if (fl_http1_fields(&at, end, limits, out, &facts, err) < 0 ||
		conclude_response(out, &facts, method, err) < 0)
		return -1;
	return at - p;
}

int fl_http1_response(const char *p, size_t n, enum fl_http1_method method,
	const struct fl_http1_limits *limits, struct fl_http1_head *out,
	struct fl_http1_error *err)
{
	int rc = -1;
	if (n <= limits->head)
		rc = whole(response(p, p + n, method, limits, out, err), n, err);
	else
		err->why = "head too large";
	if (rc < 0)
		err->status = 502; /* whatever was wrong, the node said it */
	return rc;
}

long fl_http1_response_front(const char *p, size_t n, enum fl_http1_method method,
	const struct fl_http1_limits *limits, struct fl_http1_head *out)
{
	struct fl_http1_error unused;
	long length = response(
		p, p + (n < limits->head ? n : limits->head), method, limits, out, &unused);
	return length > 0 ? length : 0;
}
