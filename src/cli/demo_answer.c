/* The parser of proto/ reads the head; the body is a line that the request foretells. An answer
 * with bytes behind it is wrong too: one request is under way at a time. */
#include "cli/demo_answer.h"

#include "cli/demo_nodes.h"
#include "proto/http1.h"

#include <stdio.h>
#include <string.h>

static struct fl_slice header(const struct fl_http1_head *head, const char *name)
{
	for (size_t i = 0; i < head->header_count; i++)
		if (fl_slice_eq_nocase(head->headers[i].name, fl_slice_of(name)))
			return head->headers[i].value;
	return (struct fl_slice){NULL, 0};
}

static uint8_t node_called(struct fl_slice name)
{
	for (uint8_t i = 0; i < FL_DEMO_NODES; i++)
		if (fl_slice_eq(name, fl_slice_of(fl_demo_node_name(i))))
			return i;
	return FL_DEMO_NOBODY;
}

/* "NODE KEY\n", of this request's key. */
static bool body_fits(const struct fl_demo_answer *a, struct fl_slice body)
{
	char wanted[64];
	int n = snprintf(wanted, sizeof(wanted), "%s %s\n", fl_demo_node_name(a->node), a->key);

	return fl_slice_eq(body, (struct fl_slice){wanted, (size_t)n});
}

void fl_demo_answer_start(struct fl_demo_answer *a, const char *key)
{
	a->key = key;
	a->node = FL_DEMO_NOBODY;
	a->keep_alive = false;
	a->why = "";
	a->n = a->scanned = 0;
}

static int wrong(struct fl_demo_answer *a, const char *why)
{
	a->why = why;
	return -1;
}

/* The head is a->bytes[0..length). */
static int read_whole(struct fl_demo_answer *a, const struct fl_http1_head *head, size_t length)
{
	if (head->status != 200)
		return wrong(a, "a status that is not 200");
	if (head->framing != FL_BODY_LENGTH || head->length > sizeof(a->bytes) - length)
		return wrong(a, "an answer of an unexpected length");
	struct fl_slice body = {a->bytes + length, (size_t)head->length};
	if (a->n < length + body.n)
		return 0;
	if (a->n > length + body.n)
		return wrong(a, "more than one answer");
	a->node = node_called(header(head, FL_DEMO_NODE_HEADER));
	if (a->node == FL_DEMO_NOBODY)
		return wrong(a, "an answer by an unknown node");
	a->keep_alive = head->keep_alive;
	return body_fits(a, body) ? 1 : wrong(a, "an answer to another request");
}

int fl_demo_answer_feed(struct fl_demo_answer *a, const char *bytes, size_t n)
{
	static const struct fl_http1_limits limits = {
		FL_DEMO_ANSWER_BYTES, FL_DEMO_ANSWER_BYTES, 64};
	struct fl_http1_error error = {0};
	struct fl_http1_head head;

	if (n > sizeof(a->bytes) - a->n)
		return wrong(a, "an answer of an unexpected length");
	memcpy(a->bytes + a->n, bytes, n);
	a->n += n;
	long length = fl_http1_head_end(a->bytes, a->n, &a->scanned, &limits, &error);
	if (length == 0)
		return 0;
	if (length < 0 || fl_http1_response(a->bytes, (size_t)length, FL_METHOD_GET, &limits,
				  &head, &error) < 0)
		return wrong(a, "not an answer in HTTP");
	return read_whole(a, &head, (size_t)length);
}
