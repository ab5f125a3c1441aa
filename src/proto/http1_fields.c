/* Field lines: their syntax, and what each known field says.
 *
 * One pass in message order. This file only collects facts; what they mean together (framing,
 * persistence) depends on the start line and is concluded in http1_head.c. Quadratic work is
 * bounded: at most 64 connection options are compared with at most 128 fields. */
#include "proto/http1_priv.h"

enum {
	OPTIONS_MAX = 64
};

static const char *line_fault(const char *line, const char *at, const char *end)
{
	if (at < end && at == line && fl_http1_is(*at, FL_CH_BLANK))
		return "folded header line";
	if (at < end && at == line && *at == ':')
		return "empty header name";
	if (at < end && fl_http1_is(*at, FL_CH_BLANK))
		return "blank in or after a header name";
	return "header line without a valid name";
}

/* One line at *at into *h; *at goes behind its CR LF. */
static int field_line(
	const char **at, const char *end, struct fl_http1_header *h, struct fl_http1_error *err)
{
	const char *line = *at;
	const char *colon = line + fl_http1_name_span(line, (size_t)(end - line));
	if (colon == line || colon == end || *colon != ':')
		return fl_http1_refuse(err, 400, line_fault(line, colon, end));
	const char *value = colon + 1;
	const char *stop = value + fl_http1_text(value, (size_t)(end - value));
	if (end - stop < 2 || stop[0] != '\r' || stop[1] != '\n')
		return fl_http1_refuse(err, 400, "control byte in a header value");
	h->name = (struct fl_slice){line, (size_t)(colon - line)};
	h->value = fl_http1_trim((struct fl_slice){value, (size_t)(stop - value)});
	*at = stop + 2;
	return 0;
}

/* Fields that end here whatever Connection says (RFC 9110 7.6.1). Trailer is among them because
 * trailers are dropped. */
static bool hop_by_hop(enum fl_http1_header_id id)
{
	switch (id) {
	case FL_HDR_CONNECTION:
	case FL_HDR_TRANSFER_ENCODING:
	case FL_HDR_TE:
	case FL_HDR_TRAILER:
	case FL_HDR_UPGRADE:
	case FL_HDR_KEEP_ALIVE:
	case FL_HDR_PROXY_CONNECTION:
		return true;
	default:
		return false;
	}
}

/* A connection option may name a field that ends here. RFC 9110 7.6.1 forbids naming one that is
 * meant for all recipients; of those, the ones this proxy frames, routes or answers by are
 * refused, since removing them would let a client undo what an earlier hop relied on. */
static int connection_option(
	struct fl_slice option, struct fl_http1_facts *facts, struct fl_http1_error *err)
{
	bool lookalike;
	enum fl_http1_header_id id = fl_http1_header_of(option, &lookalike);
	if (++facts->options > OPTIONS_MAX)
		return fl_http1_refuse(err, 400, "too many connection options");
	if (!fl_http1_is_token(option))
		return fl_http1_refuse(err, 400, "malformed Connection");
	if (id == FL_HDR_TRANSFER_ENCODING || (id != FL_HDR_OTHER && !hop_by_hop(id)))
		return fl_http1_refuse(err, 400, "Connection names an end-to-end field");
	if (fl_slice_eq_nocase(option, FL_SLICE("close")))
		facts->close = true;
	else if (fl_slice_eq_nocase(option, FL_SLICE("keep-alive")))
		facts->keep_alive = true;
	else if (id == FL_HDR_UPGRADE)
		facts->upgrade_named = true;
	else if (id == FL_HDR_OTHER)
		facts->other_named = true;
	return 0;
}

static int connection(
	struct fl_slice value, struct fl_http1_facts *facts, struct fl_http1_error *err)
{
	struct fl_slice option;
	while (fl_http1_piece(&value, &option))
		if (option.n > 0 && connection_option(option, facts, err) < 0)
			return -1;
	return 0;
}

/* Counts codings; which combination is acceptable is decided when all fields were seen. */
static int transfer_encoding(
	struct fl_slice value, struct fl_http1_facts *facts, struct fl_http1_error *err)
{
	struct fl_slice coding;
	facts->encodings++;
	while (fl_http1_piece(&value, &coding)) {
		struct fl_slice name = {
			coding.p, fl_http1_span(coding.p, coding.n, FL_CH_TOKEN)};
		struct fl_slice rest =
			fl_http1_trim((struct fl_slice){name.p + name.n, coding.n - name.n});
		bool chunked = fl_slice_eq_nocase(name, FL_SLICE("chunked"));
		if (name.n == 0 || (rest.n > 0 && (chunked || rest.p[0] != ';')))
			return fl_http1_refuse(err, 400, "malformed Transfer-Encoding");
		facts->codings++;
		facts->chunked += chunked;
		facts->chunked_last = chunked;
	}
	return 0;
}

static int content_length(
	struct fl_slice value, struct fl_http1_facts *facts, struct fl_http1_error *err)
{
	if (++facts->lengths > 1)
		return fl_http1_refuse(err, 400, "more than one Content-Length");
	if (fl_http1_number(value, &facts->length) < 0)
		return fl_http1_refuse(err, 400, "bad Content-Length");
	return 0;
}

static int note(const struct fl_http1_header *h, struct fl_http1_facts *facts,
	struct fl_http1_error *err)
{
	switch (h->id) {
	case FL_HDR_HOST:
		facts->hosts++;
		facts->host = h->value;
		return 0;
	case FL_HDR_CONNECTION:
		return connection(h->value, facts, err);
	case FL_HDR_CONTENT_LENGTH:
		return content_length(h->value, facts, err);
	case FL_HDR_TRANSFER_ENCODING:
		return transfer_encoding(h->value, facts, err);
	case FL_HDR_UPGRADE:
		facts->upgrade |= h->value.n > 0;
		return 0;
	case FL_HDR_EXPECT:
		facts->expects++;
		facts->expect_unknown |=
			!fl_slice_eq_nocase(h->value, FL_SLICE("100-continue"));
		return 0;
	default:
		return 0;
	}
}

/* Gives a field its identity. A name that becomes a known one where '-' and '_' are the same (CGI
 * and its children) never passes: the framing fields are refused, the others stop here. */
static int identify(struct fl_http1_header *h, struct fl_http1_error *err)
{
	bool lookalike;
	h->id = fl_http1_header_of(h->name, &lookalike);
	if (lookalike && (h->id == FL_HDR_CONTENT_LENGTH || h->id == FL_HDR_TRANSFER_ENCODING))
		return fl_http1_refuse(err, 400, "look-alike of a framing field");
	h->hop = lookalike || hop_by_hop(h->id);
	if (lookalike)
		h->id = FL_HDR_OTHER;
	return 0;
}

static void mark_named(struct fl_http1_head *out)
{
	for (size_t i = 0; i < out->header_count; i++) {
		struct fl_slice rest = out->headers[i].value, option;
		if (out->headers[i].id != FL_HDR_CONNECTION)
			continue;
		while (fl_http1_piece(&rest, &option))
			for (size_t k = 0; option.n > 0 && k < out->header_count; k++)
				out->headers[k].hop |=
					fl_slice_eq_nocase(option, out->headers[k].name);
	}
}

int fl_http1_fields(const char **at, const char *end, const struct fl_http1_limits *limits,
	struct fl_http1_head *out, struct fl_http1_facts *facts, struct fl_http1_error *err)
{
	const char *p = *at;
	size_t most =
		limits->headers < FL_HTTP1_MAX_HEADERS ? limits->headers : FL_HTTP1_MAX_HEADERS;
	memset(facts, 0, sizeof(*facts));
	while (end - p >= 2 && !(p[0] == '\r' && p[1] == '\n')) {
		struct fl_http1_header *h = &out->headers[out->header_count];
		if (out->header_count == most)
			return fl_http1_refuse(err, 431, "too many header fields");
		if (field_line(&p, end, h, err) < 0 || identify(h, err) < 0 ||
			note(h, facts, err) < 0)
			return -1;
		out->header_count++;
	}
	if (end - p < 2)
		return fl_http1_refuse(err, 400, "head does not end where it should");
	*at = p + 2;
	if (facts->other_named)
		mark_named(out);
	return 0;
}
