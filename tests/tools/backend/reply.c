/* Answers: X-Node, the request's id, method and the digest of its body come back in fields,
 * and the body is the payload of a seed, so that the other end can check every byte. */
#include "backend/reply.h"

#include <stdio.h>

#define SIZE_MAX_ASKED ((uint64_t)64 << 20)

struct reply reply_of(const struct request *rq)
{
	struct reply r = {0};
	const char *q = strchr(rq->target, '?');
	size_t path = q ? (size_t)(q - rq->target) : strlen(rq->target);

	r.health = path == 7 && memcmp(rq->target, "/health", 7) == 0;
	while (q) {
		q++;
		if (strncmp(q, "size=", 5) == 0)
			r.size = strtoull(q + 5, NULL, 10);
		else if (strncmp(q, "seed=", 5) == 0)
			r.seed = strtoull(q + 5, NULL, 10);
		else if (strncmp(q, "delay=", 6) == 0)
			r.delay_ms = strtoull(q + 6, NULL, 10);
		else if (strncmp(q, "echo=1", 6) == 0)
			r.echo = true;
		else if (strncmp(q, "chunked=1", 9) == 0)
			r.chunked = true;
		else if (strncmp(q, "close=1", 7) == 0)
			r.close = true;
		q = strchr(q, '&');
	}
	if (r.size > SIZE_MAX_ASKED)
		r.size = SIZE_MAX_ASKED;
	if (r.delay_ms > 60000)
		r.delay_ms = 60000;
	return r;
}

static void make_body(const struct reply *reply, const struct request *rq, struct buf *body)
{
	struct payload bytes = payload_of(reply->seed);
	char line[64];

	if (reply->echo) {
		snprintf(line, sizeof(line), "%llu-%016llx\n", (unsigned long long)rq->body_len,
			(unsigned long long)rq->body_digest);
		buf_text(body, line);
	}
	payload_fill(&bytes, buf_room(body, reply->size), reply->size);
	body->n += reply->size;
}

/* The body in chunks whose sizes follow from the seed. */
static void add_chunks(struct buf *out, const struct buf *body, uint64_t seed)
{
	struct rng sizes = {seed ^ 0x6368756e6b73ULL};
	size_t at = 0;
	char line[32];

	while (at < body->n) {
		size_t n = 1 + rng_below(&sizes, rng_below(&sizes, 2) ? 16 : 9000);

		if (n > body->n - at)
			n = body->n - at;
		snprintf(line, sizeof(line), "%zx\r\n", n);
		buf_text(out, line);
		buf_add(out, body->p + at, n);
		buf_text(out, "\r\n");
		at += n;
	}
	buf_text(out, "0\r\n\r\n");
}

static void add_head(const struct reply *reply, const struct request *rq, const char *node,
	int status, size_t length, bool close, struct buf *out)
{
	bool coded = reply->chunked && !rq->http10;
	char framing[64] = "", *head = buf_room(out, 1024);
	const char *keep = close ? "Connection: close\r\n"
	                         : (rq->http10 ? "Connection: keep-alive\r\n" : "");
	int n;

	if (coded)
		snprintf(framing, sizeof(framing), "Transfer-Encoding: chunked\r\n");
	else if (!reply->chunked)
		snprintf(framing, sizeof(framing), "Content-Length: %zu\r\n", length);
	n = snprintf(head, 1024,
		"HTTP/1.1 %d %s\r\nX-Node: %s\r\nX-Request-Id: %.200s\r\nX-Method: %.40s\r\n"
		"X-Body: %llu-%016llx\r\n%s%s\r\n",
		status, status == 200 ? "OK" : "Not OK", node, rq->id ? rq->id : "", rq->method,
		(unsigned long long)rq->body_len, (unsigned long long)rq->body_digest, framing,
		keep);
	out->n += n < 1024 ? (size_t)n : 1023;
}

bool reply_write(const struct reply *reply, const struct request *rq, const char *node,
	bool healthy, enum fault fault, struct buf *out)
{
	/* An HTTP/1.0 client knows no chunks: a body without a length ends with the connection. */
	bool close = reply->close || !rq->keep_alive || (rq->http10 && reply->chunked);
	bool no_body = strcmp(rq->method, "HEAD") == 0;
	int status = (reply->health && !healthy) ? 503 : 200;
	struct buf body = {0};
	size_t start;

	if (fault == FAULT_SILENT)
		return true;
	buf_room(out, 1); /* what has been sent is dropped now, so `start` stays true */
	start = out->n;
	make_body(reply, rq, &body);
	if (fault == FAULT_BODY && body.n > 0)
		body.p[body.n / 2] ^= 1;
	if (fault == FAULT_LENGTH && body.n > 0)
		body.n--;
	add_head(reply, rq, node, fault == FAULT_STATUS ? 500 : status, body.n, close, out);
	if (no_body)
		;
	else if (reply->chunked && !rq->http10)
		add_chunks(out, &body, reply->seed);
	else
		buf_add(out, body.p, body.n);
	buf_fini(&body);
	if (fault == FAULT_ID) {
		char *id = memmem(out->p + start, out->n - start, "X-Request-Id: ", 14);

		if (id && id[14] != '\r')
			id[14] = id[14] == '0' ? '1' : '0';
	}
	if (fault == FAULT_TRUNCATE)
		out->n -= 1 + (out->n - start) / 3;
	return close || fault == FAULT_TRUNCATE;
}
