/* A header names the node whatever the status is: a 404 of a node is that node's. A body is only
 * looked into when the status is a 2xx, as an error page may be the balancer's own. */
#include "cli/verify_answer.h"

#include "base/assert.h"

#include <stdio.h>
#include <string.h>

#define PIECE                                                                                  \
	((size_t)4096) /* bytes taken at a time, so what stands behind a head is no more */

static const struct fl_http1_limits limits = {
	FL_VERIFY_HEAD_MOST, FL_VERIFY_HEAD_MOST, FL_HTTP1_MAX_HEADERS};

int fl_verify_finder_pattern(
	struct fl_verify_finder *f, const char *pattern, struct fl_error *err)
{
	char why[128];
	int rc = regcomp(&f->pattern, pattern, REG_EXTENDED);

	if (rc != 0) {
		(void)regerror(rc, &f->pattern, why, sizeof(why));
		return fl_error_set(err, FL_EINVAL, "\"%.60s\": %s", pattern, why);
	}
	f->has_pattern = true;
	if (f->pattern.re_nsub > 0)
		return FL_OK;
	return fl_error_set(err, FL_EINVAL,
		"\"%.60s\" has no group in parentheses for the node's name", pattern);
}

void fl_verify_finder_fini(struct fl_verify_finder *f)
{
	if (f->has_pattern)
		regfree(&f->pattern);
	f->has_pattern = false;
}

void fl_verify_answer_init(struct fl_verify_answer *a, const struct fl_verify_finder *finder)
{
	*a = (struct fl_verify_answer){.finder = finder};
	fl_text_init(&a->bytes, FL_VERIFY_HEAD_MOST + FL_VERIFY_BODY_KEPT + 1);
}

void fl_verify_answer_fini(struct fl_verify_answer *a)
{
	fl_text_fini(&a->bytes);
}

void fl_verify_answer_start(struct fl_verify_answer *a)
{
	fl_text_clear(&a->bytes);
	a->scanned = 0;
	a->begun = a->has_head = a->cut = a->keep_alive = false;
	a->node[0] = a->why[0] = '\0';
}

__attribute__((format(printf, 2, 3))) static int wrong(
	struct fl_verify_answer *a, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(a->why, sizeof(a->why), format, args);
	va_end(args);
	return -1;
}

/* ---- the node ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int take_node(struct fl_verify_answer *a, struct fl_slice name)
{
	while (name.n && is_blank(name.p[name.n - 1]))
		name.n--;
	while (name.n && is_blank(name.p[0])) {
		name.p++;
		name.n--;
	}
	if (name.n == 0)
		return wrong(a, "status %d, and the name of the node is empty", a->status);
	if (name.n > FL_VERIFY_NODE_MOST || memchr(name.p, '\0', name.n))
		return wrong(
			a, "status %d, and what should name the node is no name", a->status);
	memcpy(a->node, name.p, name.n);
	a->node[name.n] = '\0';
	return 0;
}

/* `text` has a NUL behind it. */
static int find_node(struct fl_verify_answer *a, struct fl_slice text)
{
	regmatch_t groups[2];

	if (!a->finder->has_pattern)
		return take_node(a, text);
	if (regexec(&a->finder->pattern, text.p, 2, groups, 0) != 0 || groups[1].rm_so < 0)
		return wrong(a, "status %d, and --node-pattern does not match", a->status);
	return take_node(a, (struct fl_slice){text.p + groups[1].rm_so,
				    (size_t)(groups[1].rm_eo - groups[1].rm_so)});
}

static int find_in_header(struct fl_verify_answer *a, const struct fl_http1_head *head)
{
	struct fl_slice name = fl_slice_of(a->finder->header);
	char value[1024];

	for (size_t i = 0; i < head->header_count; i++) {
		struct fl_slice v = head->headers[i].value;

		if (!fl_slice_eq_nocase(head->headers[i].name, name))
			continue;
		if (v.n >= sizeof(value))
			return wrong(a, "status %d, and %.40s is longer than a name", a->status,
				a->finder->header);
		memcpy(value, v.p, v.n);
		value[v.n] = '\0';
		return find_node(a, (struct fl_slice){value, v.n});
	}
	return wrong(a, "status %d, without %.60s", a->status, a->finder->header);
}

static int find_in_body(struct fl_verify_answer *a)
{
	if (a->status < 200 || a->status > 299)
		return wrong(a, "status %d", a->status);
	if (a->cut && !a->finder->has_pattern)
		return wrong(a, "a body that is longer than a name");
	fl_text_add(&a->bytes, "", 1);
	if (a->bytes.failed)
		return wrong(a, "no memory");
	return find_node(a, (struct fl_slice){a->bytes.p, a->bytes.n - 1});
}

/* ---- reading ---- */

static int whole(struct fl_verify_answer *a)
{
	if (!a->finder->header && find_in_body(a) < 0)
		return -1;
	return 1;
}

static void keep_body(struct fl_verify_answer *a, struct fl_slice data)
{
	size_t room = FL_VERIFY_BODY_KEPT - a->bytes.n;

	if (a->finder->header)
		return;
	a->cut |= data.n > room;
	fl_text_add(&a->bytes, data.p, data.n > room ? room : data.n);
}

static int feed_body(struct fl_verify_answer *a, const char *p, size_t n)
{
	struct fl_slice data;

	while (n > 0 && !a->body.done) {
		long used = fl_http1_body_feed(&a->body, p, n, &data);

		if (used < 0)
			return wrong(a, "a body that is not HTTP");
		keep_body(a, data);
		p += used;
		n -= (size_t)used;
	}
	if (!a->body.done)
		return 0;
	/* One request is under way at a time, so this belongs to none. */
	a->keep_alive = a->keep_alive && n == 0;
	return whole(a);
}

/* The head is bytes[0..length); takes it off. */
static int take_head(struct fl_verify_answer *a, size_t length)
{
	struct fl_http1_error error = {0};
	struct fl_http1_head head;

	if (fl_http1_response(a->bytes.p, length, FL_METHOD_GET, &limits, &head, &error) < 0)
		return wrong(a, "an answer that is not HTTP: %s", error.why);
	if (head.status == 101)
		return wrong(a, "status 101, which nobody asked for");
	a->has_head = head.status >= 200;
	a->status = head.status;
	a->keep_alive = head.keep_alive;
	fl_http1_body_init(&a->body, &head);
	if (a->has_head && a->finder->header && find_in_header(a, &head) < 0)
		return -1;
	a->bytes.n -= length;
	memmove(a->bytes.p, a->bytes.p + length, a->bytes.n);
	a->scanned = 0;
	return 0;
}

/* What stands behind the head goes to the body from a copy, as the body is kept where it stood. */
static int begin_body(struct fl_verify_answer *a)
{
	char rest[PIECE];
	size_t n = a->bytes.n;

	FL_ASSERT(n <= sizeof(rest));
	memcpy(rest, a->bytes.p, n);
	fl_text_clear(&a->bytes);
	return feed_body(a, rest, n);
}

static int feed_head(struct fl_verify_answer *a, const char *p, size_t n)
{
	struct fl_http1_error error = {0};

	fl_text_add(&a->bytes, p, n);
	if (a->bytes.failed)
		return wrong(a, "no memory");
	for (;;) {
		long length =
			fl_http1_head_end(a->bytes.p, a->bytes.n, &a->scanned, &limits, &error);

		if (length < 0)
			return wrong(a, "an answer that is not HTTP: %s", error.why);
		if (length == 0)
			return 0;
		if (take_head(a, (size_t)length) < 0)
			return -1;
		if (a->has_head)
			return begin_body(a);
	}
}

int fl_verify_answer_feed(struct fl_verify_answer *a, const char *p, size_t n)
{
	int rc = 0;

	a->begun |= n > 0;
	while (rc == 0 && n > 0) {
		size_t piece = n > PIECE ? PIECE : n;

		rc = a->has_head ? feed_body(a, p, piece) : feed_head(a, p, piece);
		p += piece;
		n -= piece;
	}
	if (rc > 0 && n > 0)
		a->keep_alive = false;
	return rc;
}

int fl_verify_answer_end(struct fl_verify_answer *a)
{
	a->keep_alive = false;
	if (!a->has_head || a->body.framing != FL_BODY_CLOSE)
		return wrong(a, a->begun ? "an answer that was cut"
					 : "a connection that was closed without an answer");
	return whole(a);
}
