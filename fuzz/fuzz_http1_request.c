// rooms: proto
/* Streams of requests. Invariants: the cuts do not matter; every slice lies within the head;
 * a head written anew from its parsed fields parses to the same fields. */
#include "../tests/support/http1_run.h"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct fl_http1_limits limits = {512, 2048, 16};

static void within(struct fl_slice s, const char *p, size_t n)
{
	bool constant =
		s.n == 1 && (s.p < p || s.p >= p + n) && (s.p[0] == '/' || s.p[0] == '*');
	FL_ASSERT(s.n == 0 || constant || (s.p >= p && s.p + s.n <= p + n));
}

static size_t put(char *out, size_t n, struct fl_slice s, const char *after)
{
	if (s.n > 0)
		memcpy(out + n, s.p, s.n);
	n += s.n;
	memcpy(out + n, after, strlen(after));
	return n + strlen(after);
}

static void same_fields(const struct fl_http1_head *a, const struct fl_http1_head *b)
{
	FL_ASSERT(a->method == b->method && a->minor == b->minor && a->framing == b->framing);
	FL_ASSERT(a->length == b->length && a->keep_alive == b->keep_alive);
	FL_ASSERT(a->upgrade == b->upgrade && a->expect_continue == b->expect_continue);
	FL_ASSERT(fl_slice_eq(a->path, b->path) && fl_slice_eq(a->query, b->query));
	FL_ASSERT(fl_slice_eq(a->host, b->host) && fl_slice_eq(a->authority, b->authority));
	FL_ASSERT(a->header_count == b->header_count);
	for (size_t i = 0; i < a->header_count; i++) {
		FL_ASSERT(fl_slice_eq(a->headers[i].name, b->headers[i].name));
		FL_ASSERT(fl_slice_eq(a->headers[i].value, b->headers[i].value));
		FL_ASSERT(a->headers[i].id == b->headers[i].id);
		FL_ASSERT(a->headers[i].hop == b->headers[i].hop);
	}
}

static void on_head(void *cookie, const struct fl_http1_head *head, const char *p, size_t n)
{
	static struct fl_http1_head again;
	static const struct fl_http1_limits wide = {4096, 8192, 16};
	struct fl_http1_error err;
	char text[8192];
	size_t at = 0;
	(void)cookie;
	within(head->method_text, p, n);
	within(head->target, p, n);
	within(head->path, p, n);
	within(head->query, p, n);
	within(head->host, p, n);
	within(head->authority, p, n);
	at = put(text, at, head->method_text, " ");
	at = put(text, at, head->target, head->minor ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
	for (size_t i = 0; i < head->header_count; i++) {
		within(head->headers[i].name, p, n);
		within(head->headers[i].value, p, n);
		at = put(text, at, head->headers[i].name, ": ");
		at = put(text, at, head->headers[i].value, "\r\n");
	}
	at = put(text, at, FL_SLICE(""), "\r\n");
	FL_ASSERT(fl_http1_request(text, at, &wide, &again, &err) == 0);
	same_fields(head, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http1_hooks hooks = {NULL, on_head, NULL, NULL};
	const char *p = (const char *)data;
	uint64_t seed = size;
	struct http1_outcome whole = http1_run(p, size, &limits, NULL, NULL, &hooks);
	FL_ASSERT(http1_same(whole, http1_run(p, size, &limits, http1_cut_one, NULL, NULL)));
	FL_ASSERT(
		http1_same(whole, http1_run(p, size, &limits, http1_cut_random, &seed, NULL)));
	/* the parser holds without the search in front of it, too */
	static struct fl_http1_head head;
	struct fl_http1_error err;
	if (fl_http1_request(p, size, &limits, &head, &err) == 0)
		on_head(NULL, &head, p, size);
	return 0;
}
