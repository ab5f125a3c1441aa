/* Making requests. Sizes are mostly small, because that is where framing goes wrong, with a
 * tail up to 1 MiB and the edges of buffers among them. */
#include "traffic/ask.h"

#include <stdio.h>

static uint64_t some_size(struct rng *r)
{
	static const uint64_t edges[] = {1, 2, 1023, 1024, 4095, 4096, 4097, 16383, 16384,
		16385, 32768, 65535, 65536, 65537, 131072};
	uint64_t kind = rng_below(r, 100);

	if (kind < 20)
		return 0;
	if (kind < 70)
		return rng_below(r, 2048);
	if (kind < 85)
		return edges[rng_below(r, sizeof(edges) / sizeof(edges[0]))];
	if (kind < 97)
		return rng_below(r, 65536);
	return rng_below(r, (1 << 20) + 1);
}

static const char *some_method(const struct ask_options *o, struct rng *r)
{
	static const char *const methods[] = {"GET", "GET", "GET", "HEAD", "PUT", "DELETE",
		"OPTIONS", "POST", "POST", "PATCH"};

	return methods[rng_below(r, o->no_post ? 7 : 10)];
}

static bool is(const struct ask *ask, const char *method)
{
	return strcmp(ask->method, method) == 0;
}

static bool may_repeat(const struct ask *ask)
{
	return !is(ask, "POST") && !is(ask, "PATCH");
}

struct ask ask_make(const struct ask_options *o, unsigned long n)
{
	struct rng r = {o->seed * 0x9e3779b97f4a7c15ULL + n};
	struct ask ask = {.n = n, .method = "GET"};

	rng_next(&r);
	ask.key = rng_below(&r, o->keys);
	ask.seed = rng_below(&r, 1u << 30);
	if (o->mix == MIX_GET) {
		ask.size = rng_below(&r, 256);
		return ask;
	}
	ask.method = some_method(o, &r);
	ask.size = some_size(&r);
	ask.echo = rng_below(&r, 2);
	ask.chunked_answer = rng_below(&r, 3) == 0;
	if (is(&ask, "PUT") || !may_repeat(&ask) ||
		(is(&ask, "DELETE") && rng_below(&r, 4) == 0))
		ask.body_len = some_size(&r);
	ask.body_seed = rng_below(&r, 1u << 30);
	ask.body_chunked = ask.body_len > 0 && rng_below(&r, 3) == 0;
	ask.expects = ask.body_len > 0 && rng_below(&r, 6) == 0;
	ask.idempotency_key = o->idempotency_key && !may_repeat(&ask);
	return ask;
}

bool ask_pipelines(const struct ask *ask)
{
	return may_repeat(ask) && !ask->expects && ask->body_len <= 65536;
}

void ask_write_head(const struct ask *ask, const struct ask_options *o, struct buf *out)
{
	bool has_body =
		ask->body_len > 0 || is(ask, "POST") || is(ask, "PUT") || is(ask, "PATCH");
	char *p = buf_room(out, 1024);
	int n = snprintf(p, 1024,
		"%s /p%llu/q?size=%llu&seed=%llu%s%s HTTP/1.%d\r\nHost: %s\r\nX-User: u%llu\r\n"
		"X-Request-Id: r%lu\r\n",
		ask->method, (unsigned long long)(ask->seed % 97),
		(unsigned long long)ask->size, (unsigned long long)ask->seed,
		ask->echo ? "&echo=1" : "", ask->chunked_answer ? "&chunked=1" : "",
		ask->http10 ? 0 : 1, o->host, (unsigned long long)ask->key, ask->n);

	out->n += (size_t)n < 1024 ? (size_t)n : 1023;
	if (ask->body_chunked && !ask->http10) {
		buf_text(out, "Transfer-Encoding: chunked\r\n");
	} else if (has_body) {
		char length[64];

		snprintf(length, sizeof(length), "Content-Length: %llu\r\n",
			(unsigned long long)ask->body_len);
		buf_text(out, length);
	}
	if (ask->expects && !ask->http10)
		buf_text(out, "Expect: 100-continue\r\n");
	if (ask->close && !ask->http10)
		buf_text(out, "Connection: close\r\n");
	if (ask->idempotency_key) {
		char key[64];

		snprintf(key, sizeof(key), "Idempotency-Key: \"k%lu\"\r\n", ask->n);
		buf_text(out, key);
	}
	buf_text(out, "\r\n");
}

static void write_chunks(const struct ask *ask, struct buf *out)
{
	struct payload bytes = payload_of(ask->body_seed);
	struct rng sizes = {ask->body_seed ^ 0x61736bULL};
	uint64_t left = ask->body_len;
	char line[48];

	while (left > 0) {
		uint64_t n = 1 + rng_below(&sizes, rng_below(&sizes, 2) ? 20 : 20000);

		if (n > left)
			n = left;
		snprintf(line, sizeof(line),
			rng_below(&sizes, 8) ? "%llx\r\n" : "%llX;x=\"y\"\r\n",
			(unsigned long long)n);
		buf_text(out, line);
		payload_fill(&bytes, buf_room(out, n), n);
		out->n += n;
		buf_text(out, "\r\n");
		left -= n;
	}
	buf_text(out, rng_below(&sizes, 8) ? "0\r\n\r\n" : "0\r\nX-Trailer: t\r\n\r\n");
}

void ask_write_body(const struct ask *ask, struct buf *out)
{
	struct payload bytes = payload_of(ask->body_seed);

	if (ask->body_chunked && !ask->http10) {
		write_chunks(ask, out);
		return;
	}
	payload_fill(&bytes, buf_room(out, ask->body_len), ask->body_len);
	out->n += ask->body_len;
}

uint64_t ask_digest(const struct ask *ask)
{
	struct payload bytes = payload_of(ask->body_seed);
	uint64_t digest = DIGEST_START, left = ask->body_len;
	char piece[4096];

	while (left > 0) {
		size_t n = left < sizeof(piece) ? (size_t)left : sizeof(piece);

		payload_fill(&bytes, piece, n);
		digest = digest_add(digest, piece, n);
		left -= n;
	}
	return digest;
}
