#include "proxy/head.h"

static void field(struct fl_text *out, struct fl_slice name, struct fl_slice value)
{
	fl_text_slice(out, name);
	FL_TEXT_LITERAL(out, ": ");
	fl_text_slice(out, value);
	FL_TEXT_LITERAL(out, "\r\n");
}

/* ---- runs: lines that pass as they are, next to each other in the message that came ---- */

struct run {
	struct fl_text *out;
	const char *from, *to; /* not yet written; NULL: nothing */
};

static void flush(struct run *run)
{
	if (run->from)
		fl_text_add(run->out, run->from, (size_t)(run->to - run->from));
	run->from = NULL;
}

static void pass(struct run *run, const char *from, const char *to)
{
	if (run->from && run->to == from) {
		run->to = to;
		return;
	}
	flush(run);
	run->from = from;
	run->to = to;
}

/* Written as we would write it: "Name: value", and nothing behind the value. */
static bool is_plain(const struct fl_http1_header *h)
{
	const char *colon = h->name.p + h->name.n;

	return h->value.p == colon + 2 && colon[1] == ' ' && h->value.p[h->value.n] == '\r';
}

static void pass_field(struct run *run, const struct fl_http1_header *h)
{
	if (is_plain(h)) {
		pass(run, h->name.p, h->value.p + h->value.n + 2);
	} else {
		flush(run);
		field(run->out, h->name, h->value);
	}
}

/* ---- requests ---- */

static bool absolute(const struct fl_http1_head *head)
{
	return head->target.n && head->target.p[0] != '/' && head->target.p[0] != '*';
}

static void request_line(struct run *run, const struct fl_http1_head *head)
{
	struct fl_text *out = run->out;

	if (!absolute(head) && head->minor) {
		/* One blank stands between the parts of a line that was accepted. */
		pass(run, head->method_text.p,
			head->target.p + head->target.n + sizeof(" HTTP/1.1\r\n") - 1);
		return;
	}
	fl_text_slice(out, head->method_text);
	FL_TEXT_LITERAL(out, " ");
	if (absolute(head)) {
		fl_text_slice(out, head->path);
		if (head->query.p) {
			FL_TEXT_LITERAL(out, "?");
			fl_text_slice(out, head->query);
		}
	} else {
		fl_text_slice(out, head->target);
	}
	FL_TEXT_LITERAL(out, " HTTP/1.1\r\n");
}

/* Host goes first. */
static void host(struct run *run, const struct fl_http1_head *head, struct fl_slice fallback)
{
	const struct fl_http1_header *first = head->header_count ? &head->headers[0] : NULL;

	if (first && first->id == FL_HDR_HOST && first->value.p == head->authority.p) {
		pass_field(run, first);
		return;
	}
	flush(run);
	field(run->out, FL_SLICE("Host"), head->authority.n ? head->authority : fallback);
}

/* Fields of the request that pass unchanged. Every X-Forwarded-For is joined into one. */
static void request_fields(struct run *run, const struct fl_http1_head *head)
{
	for (size_t i = 0; i < head->header_count; i++) {
		const struct fl_http1_header *h = &head->headers[i];
		if (h->hop)
			continue;
		switch (h->id) {
		case FL_HDR_HOST:
		case FL_HDR_CONTENT_LENGTH:
		case FL_HDR_FORWARDED_FOR:
		case FL_HDR_FORWARDED_PROTO:
			break;
		case FL_HDR_EXPECT: /* HTTP/1.0 does not wait for a 100 (RFC 9110 10.1.1) */
			if (head->minor)
				pass_field(run, h);
			break;
		default:
			pass_field(run, h);
		}
	}
}

static void forwarded_for(
	struct fl_text *out, const struct fl_http1_head *head, struct fl_slice client)
{
	FL_TEXT_LITERAL(out, "X-Forwarded-For: ");
	for (size_t i = 0; i < head->header_count; i++) {
		const struct fl_http1_header *h = &head->headers[i];
		if (h->id == FL_HDR_FORWARDED_FOR && !h->hop && h->value.n) {
			fl_text_slice(out, h->value);
			FL_TEXT_LITERAL(out, ", ");
		}
	}
	fl_text_slice(out, client);
	FL_TEXT_LITERAL(out, "\r\nX-Forwarded-Proto: http\r\n");
}

static void framing(struct fl_text *out, const struct fl_http1_head *head)
{
	if (head->framing == FL_BODY_LENGTH) {
		FL_TEXT_LITERAL(out, "Content-Length: ");
		fl_text_number(out, head->length);
		FL_TEXT_LITERAL(out, "\r\n");
	} else if (head->framing == FL_BODY_CHUNKED) {
		FL_TEXT_LITERAL(out, "Transfer-Encoding: chunked\r\n");
	}
}

static void upgrade_fields(struct fl_text *out, const struct fl_http1_head *head)
{
	FL_TEXT_LITERAL(out, "Connection: upgrade\r\n");
	for (size_t i = 0; i < head->header_count; i++)
		if (head->headers[i].id == FL_HDR_UPGRADE)
			field(out, head->headers[i].name, head->headers[i].value);
}

void fl_head_request(struct fl_text *out, const struct fl_http1_head *head,
	struct fl_slice client, struct fl_slice fallback_host, bool upgrade)
{
	struct run run = {out, NULL, NULL};

	request_line(&run, head);
	host(&run, head, fallback_host);
	request_fields(&run, head);
	flush(&run);
	forwarded_for(out, head, client);
	if (head->minor == 0)
		FL_TEXT_LITERAL(out, "Via: 1.0 fairlead\r\n");
	else
		FL_TEXT_LITERAL(out, "Via: 1.1 fairlead\r\n");
	framing(out, head);
	if (upgrade)
		upgrade_fields(out, head);
	FL_TEXT_LITERAL(out, "\r\n");
}

/* ---- answers ---- */

static void status_line(struct run *run, const struct fl_http1_head *head, struct fl_slice raw)
{
	struct fl_text *out = run->out;

	/* "HTTP/1.1 200 OK": 13 bytes before the reason; some leave out the last blank. */
	if (head->minor && raw.n && head->reason.p == raw.p + 13) {
		pass(run, raw.p, head->reason.p + head->reason.n + 2);
		return;
	}
	FL_TEXT_LITERAL(out, "HTTP/1.1 ");
	fl_text_number(out, (uint64_t)head->status);
	FL_TEXT_LITERAL(out, " ");
	fl_text_slice(out, head->reason);
	FL_TEXT_LITERAL(out, "\r\n");
}

struct fl_slice fl_head_answer(struct fl_text *out, const struct fl_http1_head *head,
	struct fl_slice raw, const struct fl_head_answer *how)
{
	struct run run = {out, NULL, NULL};

	status_line(&run, head, raw);
	for (size_t i = 0; i < head->header_count; i++)
		if (!head->headers[i].hop)
			pass_field(&run, &head->headers[i]);
	bool more = how->chunked || how->upgrade || how->close || how->keep_alive;
	if (!more && !out->n && run.from == raw.p && run.to + 2 == raw.p + raw.n)
		return raw;
	flush(&run);
	if (how->chunked)
		FL_TEXT_LITERAL(out, "Transfer-Encoding: chunked\r\n");
	if (how->upgrade)
		upgrade_fields(out, head);
	else if (how->close)
		FL_TEXT_LITERAL(out, "Connection: close\r\n");
	else if (how->keep_alive)
		FL_TEXT_LITERAL(out, "Connection: keep-alive\r\n");
	FL_TEXT_LITERAL(out, "\r\n");
	return (struct fl_slice){out->p, out->n};
}

void fl_head_own(struct fl_text *out, int status, const char *why, bool head_only, bool close)
{
	const char *reason = fl_http1_reason(status);
	size_t body = 4 + strlen(reason) + 2 + strlen(why) + 1;

	fl_text_format(out,
		"HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"Cache-Control: no-store\r\nContent-Length: %zu\r\n%s\r\n",
		status, reason, body, close ? "Connection: close\r\n" : "");
	if (!head_only)
		fl_text_format(out, "%d %s: %s\n", status, reason, why);
}
