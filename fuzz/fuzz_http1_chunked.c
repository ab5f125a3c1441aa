// rooms: proto
/* A chunked body. Invariants: the cuts do not matter; the data written as one chunk a run decodes
 * to itself; a refused body stays refused; nothing is used after the end. */
#include "proto/http1.h"

#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct decoded {
	char *data; /* malloc'd */
	size_t n, used;
	bool done, bad;
};

static struct decoded decode(const char *p, size_t n, size_t step)
{
	struct fl_http1_head head = {.framing = FL_BODY_CHUNKED};
	struct fl_http1_body body;
	struct decoded out = {.data = malloc(n + 1)};
	fl_http1_body_init(&body, &head);
	while (out.used < n && !body.done && !out.bad) {
		size_t piece = step < n - out.used ? step : n - out.used;
		char *exact = malloc(piece);
		struct fl_slice data;
		memcpy(exact, p + out.used, piece);
		long used = fl_http1_body_feed(&body, exact, piece, &data);
		out.bad = used < 0;
		FL_ASSERT(out.bad || (used > 0 && (size_t)used <= piece));
		if (!out.bad) {
			FL_ASSERT(data.n == 0 ||
				  (data.p >= exact && data.p + data.n <= exact + used));
			memcpy(out.data + out.n, data.p, data.n);
			out.n += data.n;
			out.used += (size_t)used;
		} else {
			FL_ASSERT(fl_http1_body_feed(&body, exact, piece, &data) == -1);
		}
		free(exact);
	}
	out.done = body.done;
	if (out.bad)
		out.used = 0; /* where in the piece it was refused is not reported */
	return out;
}

static void rewrite(const struct decoded *whole)
{
	char *wire = malloc(whole->n + 64);
	int n = whole->n > 0 ? snprintf(wire, 32, "%zx\r\n", whole->n) : 0;
	size_t at = (size_t)n;
	memcpy(wire + at, whole->data, whole->n);
	at += whole->n;
	at += (size_t)snprintf(wire + at, 16, "%s0\r\n\r\n", whole->n > 0 ? "\r\n" : "");
	struct decoded again = decode(wire, at, at);
	FL_ASSERT(again.done && again.used == at && again.n == whole->n);
	FL_ASSERT(memcmp(again.data, whole->data, whole->n) == 0);
	free(again.data);
	free(wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct decoded whole = decode(p, size, size + 1);
	for (size_t step = 1; step <= 7; step += 2) {
		struct decoded cut = decode(p, size, step);
		FL_ASSERT(cut.done == whole.done && cut.bad == whole.bad);
		FL_ASSERT(cut.n == whole.n && cut.used == whole.used);
		FL_ASSERT(memcmp(cut.data, whole.data, whole.n) == 0);
		free(cut.data);
	}
	rewrite(&whole);
	free(whole.data);
	return 0;
}
