/* The strict request reader. A head is gathered whole, then taken apart line by line; bodies
 * are not kept, only counted and digested. */
#include "backend/request.h"

#include "payload.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

void request_reset(struct request *rq)
{
	memset(rq, 0, offsetof(struct request, head));
	rq->body_digest = DIGEST_START;
}

static bool is_token(const char *p, size_t n)
{
	if (n == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)p[i]) && !strchr("!#$%&'*+-.^_`|~", p[i]))
			return false;
	return memchr(p, 0, n) == NULL;
}

static bool is_value(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static enum request_event bad(struct request *rq, const char *why)
{
	rq->wrong = why;
	return REQUEST_BAD;
}

static bool is_target(const char *p)
{
	if (strcmp(p, "*") == 0)
		return true;
	if (*p != '/' && strncmp(p, "http://", 7) != 0)
		return false;
	for (; *p; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
			return false;
	return true;
}

/* Cuts `line` into its three parts. NULL or what is wrong. */
static const char *take_request_line(struct request *rq, char *line)
{
	char *first = strchr(line, ' '), *second = first ? strchr(first + 1, ' ') : NULL;

	if (!second || strchr(second + 1, ' '))
		return "request line has not three parts";
	*first = *second = '\0';
	rq->method = line;
	rq->target = first + 1;
	if (!is_token(line, strlen(line)) || strcmp(line, "CONNECT") == 0)
		return "bad method";
	if (!is_target(rq->target))
		return "bad target";
	rq->http10 = strcmp(second + 1, "HTTP/1.0") == 0;
	rq->keep_alive = !rq->http10;
	if (!rq->http10 && strcmp(second + 1, "HTTP/1.1") != 0)
		return "bad version";
	return NULL;
}

static const char *take_length(struct request *rq, const char *value)
{
	size_t digits = strspn(value, "0123456789");

	if (rq->has_length)
		return "second Content-Length";
	if (digits == 0 || value[digits] || digits > 15)
		return "bad Content-Length";
	rq->has_length = true;
	rq->left = strtoull(value, NULL, 10);
	return NULL;
}

static const char *take_connection(struct request *rq, char *value)
{
	char *save = NULL;

	for (char *t = strtok_r(value, ", \t", &save); t; t = strtok_r(NULL, ", \t", &save)) {
		if (strcasecmp(t, "close") == 0)
			rq->keep_alive = false;
		else if (strcasecmp(t, "keep-alive") == 0 && rq->http10)
			rq->keep_alive = true;
	}
	return NULL;
}

static const char *take_known(struct request *rq, const char *name, char *value)
{
	if (strcasecmp(name, "content-length") == 0)
		return take_length(rq, value);
	if (strcasecmp(name, "connection") == 0)
		return take_connection(rq, value);
	if (strcasecmp(name, "transfer-encoding") == 0) {
		if (rq->has_coding || strcasecmp(value, "chunked") != 0)
			return "bad Transfer-Encoding";
		rq->has_coding = rq->chunked = true;
	} else if (strcasecmp(name, "host") == 0) {
		if (rq->has_host)
			return "second Host";
		rq->has_host = true;
	} else if (strcasecmp(name, "expect") == 0) {
		if (strcasecmp(value, "100-continue") != 0)
			return "unknown expectation";
		rq->expects = true;
	} else if (strcasecmp(name, "x-request-id") == 0) {
		if (rq->id)
			return "second X-Request-Id";
		rq->id = value;
	}
	return NULL;
}

/* One header or trailer line, without its CRLF. */
static const char *take_field(struct request *rq, char *line, size_t n, bool trailer)
{
	char *colon = memchr(line, ':', n), *value, *end = line + n;

	if (!colon || !is_token(line, (size_t)(colon - line)))
		return "bad field name";
	if (!is_value(colon + 1, (size_t)(end - colon - 1)))
		return "bad byte in a field value";
	*colon = '\0';
	value = colon + 1;
	while (*value == ' ' || *value == '\t')
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	return trailer ? NULL : take_known(rq, line, value);
}

static const char *head_makes_sense(const struct request *rq)
{
	if (rq->has_length && rq->has_coding)
		return "both a length and a coding";
	if (rq->http10 && rq->has_coding)
		return "a coding in HTTP/1.0";
	if (!rq->http10 && !rq->has_host)
		return "no Host";
	return NULL;
}

/* The head is in `head`, its empty line included. NULL or what is wrong. */
static const char *take_head(struct request *rq)
{
	char *line = rq->head, *end = rq->head + rq->head_len - 2;
	const char *wrong = NULL;

	if (memchr(rq->head, 0, rq->head_len))
		return "NUL in the head";
	for (bool first = true; line < end && !wrong; first = false) {
		char *lf = memchr(line, '\n', (size_t)(end - line));

		if (!lf || lf == line || lf[-1] != '\r')
			return "a line does not end in CRLF";
		lf[-1] = '\0';
		wrong = first ? take_request_line(rq, line)
		              : take_field(rq, line, (size_t)(lf - 1 - line), false);
		line = lf + 1;
	}
	return wrong ? wrong : head_makes_sense(rq);
}

/* What comes after the head. */
static enum request_event start_body(struct request *rq)
{
	rq->state = rq->chunked ? IN_CHUNK_SIZE : IN_BODY;
	if (!rq->chunked && rq->left == 0)
		return REQUEST_DONE;
	return rq->expects ? REQUEST_EXPECTS : REQUEST_MORE;
}

static enum request_event feed_head(struct request *rq, const char *p, size_t n, size_t *used)
{
	size_t room = REQUEST_HEAD_MAX - rq->head_len, take = n < room ? n : room;
	size_t from = rq->head_len > 3 ? rq->head_len - 3 : 0;
	const char *end, *wrong;

	memcpy(rq->head + rq->head_len, p, take);
	end = memmem(rq->head + from, rq->head_len + take - from, "\r\n\r\n", 4);
	if (!end && take < n)
		return bad(rq, "head too long");
	if (end)
		take = (size_t)(end + 4 - rq->head) - rq->head_len;
	*used += take;
	rq->head_len += take;
	if (!end)
		return REQUEST_MORE;
	rq->head[rq->head_len] = '\0';
	wrong = take_head(rq);
	return wrong ? bad(rq, wrong) : start_body(rq);
}

static enum request_event feed_bytes(struct request *rq, const char *p, size_t n, size_t *used)
{
	size_t take = n < rq->left ? n : (size_t)rq->left;

	rq->body_digest = digest_add(rq->body_digest, p, take);
	rq->body_len += take;
	rq->left -= take;
	*used += take;
	if (rq->left > 0)
		return REQUEST_MORE;
	if (rq->state == IN_BODY)
		return REQUEST_DONE;
	rq->state = IN_CHUNK_END;
	return REQUEST_MORE;
}

static enum request_event take_chunk_size(struct request *rq)
{
	size_t digits = strspn(rq->line, "0123456789abcdefABCDEF");

	if (digits == 0 || digits > 12 || (rq->line[digits] && rq->line[digits] != ';'))
		return bad(rq, "bad chunk size");
	rq->left = strtoull(rq->line, NULL, 16);
	rq->state = rq->left ? IN_CHUNK : IN_TRAILER;
	return REQUEST_MORE;
}

/* A whole line, without its CRLF, in `line`. */
static enum request_event take_line(struct request *rq)
{
	const char *wrong;

	if (rq->state == IN_CHUNK_SIZE)
		return take_chunk_size(rq);
	if (rq->state == IN_CHUNK_END) {
		if (rq->line[0])
			return bad(rq, "a chunk is longer than its size");
		rq->state = IN_CHUNK_SIZE;
		return REQUEST_MORE;
	}
	if (!rq->line[0])
		return REQUEST_DONE;
	wrong = take_field(rq, rq->line, strlen(rq->line), true);
	return wrong ? bad(rq, wrong) : REQUEST_MORE;
}

static enum request_event feed_line(struct request *rq, const char *p, size_t n, size_t *used)
{
	const char *lf = memchr(p, '\n', n);
	size_t take = lf ? (size_t)(lf + 1 - p) : n;

	if (rq->line_len + take > REQUEST_LINE_MAX)
		return bad(rq, "line too long");
	memcpy(rq->line + rq->line_len, p, take);
	rq->line_len += take;
	*used += take;
	if (!lf)
		return REQUEST_MORE;
	if (rq->line_len < 2 || rq->line[rq->line_len - 2] != '\r')
		return bad(rq, "a line does not end in CRLF");
	rq->line[rq->line_len - 2] = '\0';
	if (strlen(rq->line) != rq->line_len - 2)
		return bad(rq, "NUL in a line");
	rq->line_len = 0;
	return take_line(rq);
}

enum request_event request_feed(struct request *rq, const char *p, size_t n, size_t *used)
{
	enum request_event event = REQUEST_MORE;

	*used = 0;
	while (*used < n && event == REQUEST_MORE) {
		const char *at = p + *used;
		size_t left = n - *used;

		if (rq->state == IN_HEAD)
			event = feed_head(rq, at, left, used);
		else if (rq->state == IN_BODY || rq->state == IN_CHUNK)
			event = feed_bytes(rq, at, left, used);
		else
			event = feed_line(rq, at, left, used);
	}
	return event;
}
