// rooms: proto
/* One response; the first byte of the input chooses the request's method. Invariants: the search
 * gives one answer however the bytes arrive; a refusal is a 502; slices lie within the head;
 * framing agrees with status and method. */
#include "proto/http1.h"

#include "base/assert.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct fl_http1_limits limits = {256, 1024, 16};

static void within(struct fl_slice s, const char *p, size_t n)
{
	FL_ASSERT(s.n == 0 || (s.p >= p && s.p + s.n <= p + n));
}

static long search(const char *p, size_t n, size_t step, int *status)
{
	size_t scanned = 0;
	struct fl_http1_error err = {0, NULL};
	long end = 0;
	for (size_t have = step < n ? step : n; end == 0; have += step) {
		have = have < n ? have : n;
		char *exact = malloc(have);
		memcpy(exact, p, have);
		end = fl_http1_head_end(exact, have, &scanned, &limits, &err);
		free(exact);
		FL_ASSERT(scanned <= have);
		if (have == n)
			break;
	}
	*status = err.status;
	return end;
}

static void accepted(
	const struct fl_http1_head *head, const char *p, size_t n, enum fl_http1_method method)
{
	within(head->reason, p, n);
	for (size_t i = 0; i < head->header_count; i++) {
		within(head->headers[i].name, p, n);
		within(head->headers[i].value, p, n);
	}
	FL_ASSERT(head->status >= 100 && head->status <= 999);
	bool none = head->status < 200 || head->status == 204 || head->status == 304 ||
	            method == FL_METHOD_HEAD;
	FL_ASSERT(none == (head->framing == FL_BODY_NONE));
	FL_ASSERT(head->upgrade == (head->status == 101));
	FL_ASSERT(!(head->framing == FL_BODY_CLOSE && head->keep_alive));
	FL_ASSERT(head->framing == FL_BODY_LENGTH || head->length == 0);
	FL_ASSERT(head->length <= INT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fl_http1_head head;
	struct fl_http1_error err = {0, NULL};
	if (size < 2)
		return 0;
	enum fl_http1_method method = data[0] & 1 ? FL_METHOD_HEAD : FL_METHOD_GET;
	const char *p = (const char *)data + 1;
	size_t n = size - 1;
	int status, other;
	long end = search(p, n, n, &status);
	for (size_t step = 1; step <= 7; step += 3)
		FL_ASSERT(search(p, n, step, &other) == end && other == status);
	static struct fl_http1_head front;
	long quick = fl_http1_response_front(p, n, method, &limits, &front);
	if (end > 0)
		n = (size_t)end;
	int rc = fl_http1_response(p, n, method, &limits, &head, &err);
	if (rc == 0)
		accepted(&head, p, n, method);
	else
		FL_ASSERT(err.status == 502 && err.why);
	/* The quick way says the same or nothing. */
	FL_ASSERT(quick == (end > 0 && rc == 0 ? end : 0));
	if (quick > 0)
		FL_ASSERT(front.status == head.status && front.framing == head.framing &&
			  front.length == head.length && front.keep_alive == head.keep_alive &&
			  front.header_count == head.header_count);
	return 0;
}
