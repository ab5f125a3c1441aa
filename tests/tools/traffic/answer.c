/* The answer reader: gathers a head, then compares the body as it comes, without keeping it. */
#include "traffic/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

__attribute__((format(printf, 2, 3))) static enum answer_event wrong(
	struct answer *a, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it was started above */
	vsnprintf(a->wrong, sizeof(a->wrong), format, args);
	va_end(args);
	return ANSWER_WRONG;
}

void answer_start(struct answer *a, const struct ask *ask)
{
	memset(a, 0, offsetof(struct answer, line));
	a->ask = ask;
	a->expected = payload_of(ask->seed);
	if (ask->echo)
		a->echo_len = (size_t)snprintf(a->echo, sizeof(a->echo), "%llu-%016llx\n",
			(unsigned long long)ask->body_len, (unsigned long long)ask_digest(ask));
}

static uint64_t expected_len(const struct answer *a)
{
	return a->echo_len + a->ask->size;
}

static bool has_no_body(const struct answer *a)
{
	return strcmp(a->ask->method, "HEAD") == 0;
}

static void take_identity(struct answer *a, const char *name, const char *value)
{
	char expect[96];

	if (strcasecmp(name, "x-request-id") == 0) {
		snprintf(expect, sizeof(expect), "r%lu", a->ask->n);
		a->id_good = strcmp(value, expect) == 0;
		a->has_id = true;
		if (!a->id_good)
			wrong(a, "answer to %.40s", value);
	} else if (strcasecmp(name, "x-method") == 0) {
		a->method_good = strcmp(value, a->ask->method) == 0;
	} else if (strcasecmp(name, "x-body") == 0) {
		snprintf(expect, sizeof(expect), "%llu-%016llx",
			(unsigned long long)a->ask->body_len,
			(unsigned long long)ask_digest(a->ask));
		a->digest_good = strcmp(value, expect) == 0;
		if (!a->digest_good)
			wrong(a, "the node got another body: %.40s, sent %.40s", value, expect);
	} else if (strcasecmp(name, "x-node") == 0) {
		snprintf(a->node, sizeof(a->node), "%s", value);
	}
}

static enum answer_event take_framing(struct answer *a, const char *name, const char *value)
{
	if (strcasecmp(name, "content-length") == 0) {
		size_t digits = strspn(value, "0123456789");

		if (a->has_length || digits == 0 || digits > 15 || value[digits])
			return wrong(a, "bad or second Content-Length %.40s", value);
		a->has_length = true;
		a->left = strtoull(value, NULL, 10);
	} else if (strcasecmp(name, "transfer-encoding") == 0) {
		if (a->chunked || strcasecmp(value, "chunked") != 0)
			return wrong(a, "bad Transfer-Encoding %.40s", value);
		a->chunked = true;
	} else if (strcasecmp(name, "connection") == 0) {
		if (strcasestr(value, "close"))
			a->close = true;
	}
	return ANSWER_MORE;
}

static enum answer_event take_line(struct answer *a, char *line)
{
	char *colon = strchr(line, ':'), *end;

	if (!colon || colon == line || strcspn(line, " \t") < (size_t)(colon - line))
		return wrong(a, "bad field %.60s", line);
	*colon++ = '\0';
	colon += strspn(colon, " \t");
	end = colon + strlen(colon);
	while (end > colon && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	take_identity(a, line, colon);
	return take_framing(a, line, colon);
}

static enum answer_event take_status(struct answer *a, const char *line)
{
	if (strncmp(line, "HTTP/1.", 7) != 0 || (line[7] != '0' && line[7] != '1') ||
		line[8] != ' ' || strspn(line + 9, "0123456789") != 3)
		return wrong(a, "bad status line %.60s", line);
	a->status = (int)strtol(line + 9, NULL, 10);
	if (line[7] == '0')
		a->close = true;
	return ANSWER_MORE;
}

static enum answer_event take_lines(struct answer *a)
{
	char *line = a->head, *end = a->head + a->head_len - 2;
	enum answer_event event = ANSWER_MORE;

	for (bool first = true; line < end && event == ANSWER_MORE; first = false) {
		char *lf = memchr(line, '\n', (size_t)(end - line));

		if (!lf || lf == line || lf[-1] != '\r')
			return wrong(a, "a line of the head does not end in CRLF");
		lf[-1] = '\0';
		event = first ? take_status(a, line) : take_line(a, line);
		line = lf + 1;
	}
	return event;
}

/* The final head is complete: does it answer what was asked, and what comes now? */
static enum answer_event judge_head(struct answer *a)
{
	if (a->status != 200)
		return wrong(a, "status %d", a->status);
	if (a->chunked && (a->has_length || a->ask->http10))
		return wrong(a, "a coding beside a length, or to HTTP/1.0");
	if (!a->has_id || !a->id_good)
		return a->has_id ? ANSWER_WRONG : wrong(a, "no X-Request-Id");
	if (!a->method_good || !a->digest_good || !a->node[0])
		return a->wrong[0] ? ANSWER_WRONG
		                   : wrong(a, "not what the node says of a request");
	if (has_no_body(a)) {
		if (a->has_length && a->left != expected_len(a))
			return wrong(a, "length %llu for HEAD, not %llu",
				(unsigned long long)a->left,
				(unsigned long long)expected_len(a));
		return ANSWER_DONE;
	}
	if (a->has_length && a->left != expected_len(a))
		return wrong(a, "length %llu, not %llu", (unsigned long long)a->left,
			(unsigned long long)expected_len(a));
	a->to_eof = !a->chunked && !a->has_length;
	a->state = a->chunked ? ANSWER_IN_SIZE : ANSWER_IN_BODY;
	return a->has_length && a->left == 0 ? ANSWER_DONE : ANSWER_MORE;
}

static enum answer_event feed_head(struct answer *a, const char *p, size_t n, size_t *used)
{
	size_t room = ANSWER_HEAD_MAX - a->head_len, take = n < room ? n : room;
	size_t from = a->head_len > 3 ? a->head_len - 3 : 0;
	enum answer_event event;
	const char *end;

	a->begun = true;
	memcpy(a->head + a->head_len, p, take);
	end = memmem(a->head + from, a->head_len + take - from, "\r\n\r\n", 4);
	if (!end && take < n)
		return wrong(a, "the head is too long");
	if (end)
		take = (size_t)(end + 4 - a->head) - a->head_len;
	*used += take;
	a->head_len += take;
	if (!end)
		return ANSWER_MORE;
	a->head[a->head_len] = '\0';
	event = take_lines(a);
	if (event != ANSWER_MORE || a->status != 100)
		return event != ANSWER_MORE ? event : judge_head(a);
	if (!a->ask->expects)
		return wrong(a, "100 Continue, though nobody asked");
	answer_start(a, a->ask);
	return ANSWER_CONTINUE;
}

/* Holds body bytes against the expected ones. */
static enum answer_event compare(struct answer *a, const char *p, size_t n)
{
	char piece[4096];

	while (n > 0) {
		size_t take = n < sizeof(piece) ? n : sizeof(piece);
		bool echo = a->body_len < a->echo_len;

		if (a->body_len + take > expected_len(a) && a->body_len == expected_len(a))
			return wrong(a, "more than %llu bytes of body",
				(unsigned long long)expected_len(a));
		if (echo && take > a->echo_len - a->body_len)
			take = a->echo_len - a->body_len;
		if (take > expected_len(a) - a->body_len)
			take = (size_t)(expected_len(a) - a->body_len);
		if (echo)
			memcpy(piece, a->echo + a->body_len, take);
		else
			payload_fill(&a->expected, piece, take);
		if (memcmp(piece, p, take) != 0)
			return wrong(a, "wrong byte of the body after %llu",
				(unsigned long long)a->body_len);
		a->body_len += take;
		p += take;
		n -= take;
	}
	return ANSWER_MORE;
}

static enum answer_event complete(struct answer *a)
{
	if (a->body_len != expected_len(a))
		return wrong(a, "%llu bytes of body, not %llu", (unsigned long long)a->body_len,
			(unsigned long long)expected_len(a));
	return ANSWER_DONE;
}

static enum answer_event feed_body(struct answer *a, const char *p, size_t n, size_t *used)
{
	size_t take = (!a->to_eof && n > a->left) ? (size_t)a->left : n;
	enum answer_event event = compare(a, p, take);

	*used += take;
	if (event != ANSWER_MORE || a->to_eof)
		return event;
	a->left -= take;
	if (a->left > 0)
		return ANSWER_MORE;
	if (a->state == ANSWER_IN_BODY)
		return complete(a);
	a->state = ANSWER_IN_END;
	return ANSWER_MORE;
}

static enum answer_event take_chunk_line(struct answer *a)
{
	size_t digits = strspn(a->line, "0123456789abcdefABCDEF");

	if (a->state == ANSWER_IN_END) {
		a->state = ANSWER_IN_SIZE;
		return a->line[0] ? wrong(a, "a chunk is longer than its size") : ANSWER_MORE;
	}
	if (a->state == ANSWER_IN_TRAILER)
		return a->line[0] ? ANSWER_MORE : complete(a);
	if (digits == 0 || digits > 12 || (a->line[digits] && a->line[digits] != ';'))
		return wrong(a, "bad chunk size %.40s", a->line);
	a->left = strtoull(a->line, NULL, 16);
	a->state = a->left ? ANSWER_IN_CHUNK : ANSWER_IN_TRAILER;
	return ANSWER_MORE;
}

static enum answer_event feed_line(struct answer *a, const char *p, size_t n, size_t *used)
{
	const char *lf = memchr(p, '\n', n);
	size_t take = lf ? (size_t)(lf + 1 - p) : n;

	if (a->line_len + take >= sizeof(a->line))
		return wrong(a, "a chunk line is too long");
	memcpy(a->line + a->line_len, p, take);
	a->line_len += take;
	*used += take;
	if (!lf)
		return ANSWER_MORE;
	if (a->line_len < 2 || a->line[a->line_len - 2] != '\r')
		return wrong(a, "a chunk line does not end in CRLF");
	a->line[a->line_len - 2] = '\0';
	a->line_len = 0;
	return take_chunk_line(a);
}

enum answer_event answer_feed(struct answer *a, const char *p, size_t n, size_t *used)
{
	enum answer_event event = ANSWER_MORE;

	*used = 0;
	while (*used < n && event == ANSWER_MORE) {
		const char *at = p + *used;
		size_t left = n - *used;

		if (a->state == ANSWER_IN_HEAD)
			event = feed_head(a, at, left, used);
		else if (a->state == ANSWER_IN_BODY || a->state == ANSWER_IN_CHUNK)
			event = feed_body(a, at, left, used);
		else
			event = feed_line(a, at, left, used);
	}
	return event;
}

enum answer_event answer_eof(struct answer *a)
{
	if (a->state == ANSWER_IN_BODY && a->to_eof)
		return complete(a);
	return wrong(a, "cut after %zu bytes of head, %llu of body", a->head_len,
		(unsigned long long)a->body_len);
}
