/* Reads a stream of HTTP/1 requests as a server would, from pieces cut anywhere: shared by the
 * unit tests, the fuzzers and tests/tools/http1_verdict.
 *
 * The outcome holds a fingerprint of everything that was reported, so "the cuts do not matter"
 * is one comparison. Heads of short streams are parsed from a block of exactly their size, so
 * that a sanitizer sees a read past what has arrived. */
#ifndef FL_TESTS_HTTP1_RUN_H
#define FL_TESTS_HTTP1_RUN_H

#include "base/assert.h"
#include "proto/http1.h"

#include <stdlib.h>

enum http1_end {
	HTTP1_IDLE,   /* all bytes belong to complete requests */
	HTTP1_WAIT,   /* a request is incomplete */
	HTTP1_CLOSED, /* a complete request ends the connection; what follows is not read */
	HTTP1_HEAD,   /* a head was refused */
	HTTP1_BODY,   /* a body was refused */
};

struct http1_outcome {
	enum http1_end end;
	int status;        /* HTTP1_HEAD */
	unsigned requests; /* complete ones */
	size_t used;       /* bytes of complete requests */
	uint64_t print;    /* of everything reported */
};

struct http1_hooks {
	void *cookie;
	void (*head)(void *cookie, const struct fl_http1_head *head, const char *p, size_t n);
	void (*data)(void *cookie, struct fl_slice data);
	void (*complete)(void *cookie);
};

/* How many of n bytes arrive next (1..n). */
typedef size_t http1_cut(void *cookie, size_t n);

struct http1_run {
	const struct fl_http1_limits *limits;
	const struct http1_hooks *hooks;
	struct http1_outcome out;
	struct fl_http1_body body;
	bool in_body, keep_alive;
	size_t scanned, at;
};

static inline void http1_print(struct http1_run *run, const void *p, size_t n)
{
	const unsigned char *bytes = p;
	for (size_t i = 0; i < n; i++)
		run->out.print = (run->out.print ^ bytes[i]) * 0x100000001b3U;
}

static inline void http1_print_slice(struct http1_run *run, struct fl_slice s)
{
	http1_print(run, &s.n, sizeof(s.n));
	http1_print(run, s.p, s.n);
}

static inline void http1_print_head(struct http1_run *run, const struct fl_http1_head *head)
{
	int facts[] = {(int)head->method, head->minor, (int)head->framing, head->keep_alive,
		head->upgrade, head->expect_continue, head->query.p != NULL};
	http1_print(run, facts, sizeof(facts));
	http1_print(run, &head->length, sizeof(head->length));
	http1_print_slice(run, head->method_text);
	http1_print_slice(run, head->target);
	http1_print_slice(run, head->path);
	http1_print_slice(run, head->query);
	http1_print_slice(run, head->host);
	http1_print_slice(run, head->authority);
	for (size_t i = 0; i < head->header_count; i++) {
		int marks[] = {(int)head->headers[i].id, head->headers[i].hop};
		http1_print(run, marks, sizeof(marks));
		http1_print_slice(run, head->headers[i].name);
		http1_print_slice(run, head->headers[i].value);
	}
}

static inline void http1_complete(struct http1_run *run)
{
	run->out.requests++;
	run->out.used = run->at;
	run->in_body = false;
	run->scanned = 0;
	run->out.end = run->keep_alive ? HTTP1_IDLE : HTTP1_CLOSED;
	if (run->hooks && run->hooks->complete)
		run->hooks->complete(run->hooks->cookie);
}

/* The quick way says what the long way says, or nothing: `end` is the long way's head, 0 without one
 * or when it was refused. */
static inline void http1_front_agrees(const struct http1_run *run, const char *p, size_t n,
	const struct fl_http1_head *head, size_t end)
{
	static struct fl_http1_head front;
	struct http1_run slow = {.out.print = 1}, quick = {.out.print = 1};
	long length = fl_http1_request_front(p, n, run->limits, &front);
	if (end == 0 || p[0] == '\r') {
		FL_ASSERT(length == 0);
		return;
	}
	FL_ASSERT(length == (long)end);
	http1_print_head(&slow, head);
	http1_print_head(&quick, &front);
	FL_ASSERT(slow.out.print == quick.out.print);
}

/* True when a head was taken, false when more bytes are needed or the stream ended. */
static inline bool http1_take_head(struct http1_run *run, const char *p, size_t n)
{
	static struct fl_http1_head head;
	struct fl_http1_error err = {0, NULL};
	long end = fl_http1_head_end(p, n, &run->scanned, run->limits, &err);
	if (end == 0) {
		run->out.end = n > 0 ? HTTP1_WAIT : run->out.end;
		http1_front_agrees(run, p, n, &head, 0);
		return false;
	}
	if (end < 0 || fl_http1_request(p, (size_t)end, run->limits, &head, &err) < 0) {
		run->out.end = HTTP1_HEAD;
		run->out.status = err.status;
		http1_print_slice(run, fl_slice_of(err.why));
		http1_front_agrees(run, p, n, &head, 0);
		return false;
	}
	http1_front_agrees(run, p, n, &head, (size_t)end);
	http1_print_head(run, &head);
	if (run->hooks && run->hooks->head)
		run->hooks->head(run->hooks->cookie, &head, p, (size_t)end);
	run->at += (size_t)end;
	run->in_body = true;
	run->out.end = HTTP1_WAIT;
	run->keep_alive = head.keep_alive;
	fl_http1_body_init(&run->body, &head);
	if (run->body.done)
		http1_complete(run);
	return run->out.end != HTTP1_CLOSED;
}

static inline bool http1_take_body(struct http1_run *run, const char *p, size_t n)
{
	struct fl_slice data;
	long used = fl_http1_body_feed(&run->body, p, n, &data);
	if (used < 0) {
		run->out.end = HTTP1_BODY;
		return false;
	}
	http1_print(run, data.p, data.n);
	if (run->hooks && run->hooks->data && data.n > 0)
		run->hooks->data(run->hooks->cookie, data);
	run->at += (size_t)used;
	if (run->body.done)
		http1_complete(run);
	else
		run->out.end = HTTP1_WAIT;
	return used > 0 && run->out.end != HTTP1_CLOSED;
}

static inline bool http1_step(struct http1_run *run, const char *p, size_t n)
{
	return run->in_body ? http1_take_body(run, p, n) : http1_take_head(run, p, n);
}

static inline bool http1_over(const struct http1_run *run)
{
	return run->out.end == HTTP1_CLOSED || run->out.end == HTTP1_HEAD ||
	       run->out.end == HTTP1_BODY;
}

static inline struct http1_outcome http1_run(const char *p, size_t n,
	const struct fl_http1_limits *limits, http1_cut *cut, void *cookie,
	const struct http1_hooks *hooks)
{
	struct http1_run run = {.limits = limits, .hooks = hooks};
	run.out.print = 0xcbf29ce484222325U;
	for (size_t have = 0; have < n && !http1_over(&run);) {
		have += cut ? cut(cookie, n - have) : n - have;
		char *exact = n <= 4096 ? malloc(have) : NULL;
		if (exact)
			memcpy(exact, p, have);
		const char *base = exact ? exact : p;
		while (have > run.at && !http1_over(&run))
			if (!http1_step(&run, base + run.at, have - run.at))
				break;
		free(exact);
	}
	return run.out;
}

static inline bool http1_same(struct http1_outcome a, struct http1_outcome b)
{
	return a.end == b.end && a.status == b.status && a.requests == b.requests &&
	       a.used == b.used && a.print == b.print;
}

/* ---- cuts ---- */

static inline size_t http1_cut_one(void *cookie, size_t n)
{
	(void)cookie;
	(void)n;
	return 1;
}

static inline uint32_t http1_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(*seed >> 33);
}

/* Mostly short pieces, at times long ones. */
static inline size_t http1_cut_random(void *cookie, size_t n)
{
	uint64_t *seed = cookie;
	size_t most = http1_random(seed) % 4 == 0 ? 4096 : 9;
	size_t piece = 1 + http1_random(seed) % most;
	return piece < n ? piece : n;
}

#endif
