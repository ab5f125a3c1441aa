/* Bodies: by length, chunked, or until the connection ends.
 *
 * The chunked grammar (RFC 9112 7.1) is a byte machine whose whole memory is in the caller's
 * struct, so any cut of the input gives the same run of events. Data bytes are never looked at:
 * a chunk's run is handed out in one piece. Everything else costs one step a byte and is counted;
 * more than 8 KiB of it between two data bytes is refused.
 *
 * `state` holds the step in its low byte and, in a size, the number of digits above it. In a
 * trailer's name `left` holds the position (low 32 bits) and the set of forbidden names that
 * still match (above): a name that is cut in two is recognised exactly, without a copy. */
#include "proto/http1_priv.h"

#include "base/assert.h"

enum {
	OVERHEAD_MAX = 8192,
	DIGITS_MAX = 16,
};

enum step {
	SIZE_FIRST,   /* the first digit of a size */
	SIZE,         /* further digits, or what may follow them */
	BEFORE_SEMI,  /* blanks that must be followed by ';' */
	EXT_NAME0,    /* blanks, then the first character of an extension's name */
	EXT_NAME,     /* the name */
	EXT_NAME_END, /* blanks after the name, then '=' or ';' */
	EXT_VALUE0,   /* blanks, then a value or '"' */
	EXT_VALUE,    /* a token */
	EXT_QUOTED,   /* inside quotes */
	EXT_ESCAPED,  /* after a backslash inside quotes */
	EXT_UNQUOTED, /* after the closing quote */
	SIZE_LF,      /* LF of the size line */
	DATA,         /* `left` bytes of data */
	DATA_CR,      /* CR and LF after the data */
	DATA_LF,
	TRAILER_START, /* a field, or the blank line */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	END_LF, /* LF of the blank line: the body is complete */
	END,
	BAD,
};

static unsigned step_of(const struct fl_http1_body *body)
{
	return body->state & 0xff;
}

void fl_http1_body_init(struct fl_http1_body *body, const struct fl_http1_head *head)
{
	memset(body, 0, sizeof(*body));
	body->framing = head->framing;
	body->state = SIZE_FIRST;
	if (head->framing == FL_BODY_LENGTH)
		body->left = head->length;
	body->done = head->framing == FL_BODY_NONE ||
	             (head->framing == FL_BODY_LENGTH && head->length == 0);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = fl_http1_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ---- sizes and extensions ---- */

static unsigned size_digit(struct fl_http1_body *body, char c)
{
	unsigned digits = (body->state >> 8) + 1;
	if (digits > DIGITS_MAX || body->left > (INT64_MAX >> 4))
		return BAD;
	body->left = body->left << 4 | (unsigned)hex_value(c);
	return SIZE | digits << 8;
}

static unsigned after_item(char c, unsigned blank)
{
	if (c == ';')
		return EXT_NAME0;
	if (c == '\r')
		return SIZE_LF;
	return fl_http1_is(c, FL_CH_BLANK) ? blank : (unsigned)BAD;
}

static unsigned extension_name(unsigned step, char c)
{
	switch (step) {
	case EXT_NAME0:
		if (fl_http1_is(c, FL_CH_BLANK))
			return EXT_NAME0;
		return fl_http1_is(c, FL_CH_TOKEN) ? EXT_NAME : BAD;
	case EXT_NAME:
		if (fl_http1_is(c, FL_CH_TOKEN))
			return EXT_NAME;
		return c == '=' ? EXT_VALUE0 : after_item(c, EXT_NAME_END);
	default: /* EXT_NAME_END */
		if (c == '\r')
			return BAD;
		return c == '=' ? EXT_VALUE0 : after_item(c, EXT_NAME_END);
	}
}

static unsigned extension_value(unsigned step, char c)
{
	switch (step) {
	case EXT_VALUE0:
		if (fl_http1_is(c, FL_CH_BLANK))
			return EXT_VALUE0;
		if (c == '"')
			return EXT_QUOTED;
		return fl_http1_is(c, FL_CH_TOKEN) ? EXT_VALUE : BAD;
	case EXT_VALUE:
		return fl_http1_is(c, FL_CH_TOKEN) ? EXT_VALUE : after_item(c, BEFORE_SEMI);
	case EXT_QUOTED:
		if (c == '"')
			return EXT_UNQUOTED;
		if (c == '\\')
			return EXT_ESCAPED;
		return fl_http1_is(c, FL_CH_TEXT) ? EXT_QUOTED : BAD;
	case EXT_ESCAPED:
		return fl_http1_is(c, FL_CH_TEXT) ? EXT_QUOTED : BAD;
	default: /* EXT_UNQUOTED */
		return after_item(c, BEFORE_SEMI);
	}
}

/* ---- trailers: read, checked, dropped ---- */

/* Fields that would change framing or routing after the fact (RFC 9110 6.5.1). */
static const struct fl_slice forbidden[] = {
	{"transfer-encoding", 17},
	{"content-length", 14},
	{"host", 4},
	{"connection", 10},
	{"trailer", 7},
};
enum {
	FORBIDDEN = sizeof(forbidden) / sizeof(forbidden[0])
};

static unsigned trailer_name(struct fl_http1_body *body, char c)
{
	uint32_t at = (uint32_t)body->left;
	uint32_t alive = (uint32_t)(body->left >> 32);
	for (unsigned i = 0; i < FORBIDDEN; i++) {
		char want = at < forbidden[i].n ? forbidden[i].p[at] : ':';
		if (fl_http1_lower(c) != want)
			alive &= ~(1U << i);
	}
	if (c == ':')
		return alive ? BAD : TRAILER_VALUE;
	body->left = (uint64_t)alive << 32 | (at + 1);
	return fl_http1_is(c, FL_CH_TOKEN) ? TRAILER_NAME : BAD;
}

static unsigned trailer_start(struct fl_http1_body *body, char c)
{
	if (c == '\r')
		return END_LF;
	body->left = (uint64_t)((1U << FORBIDDEN) - 1) << 32;
	return c == ':' ? (unsigned)BAD : trailer_name(body, c);
}

/* ---- the machine ---- */

static unsigned next_step(struct fl_http1_body *body, char c)
{
	unsigned step = step_of(body);
	switch (step) {
	case SIZE_FIRST:
		body->left = 0;
		return hex_value(c) >= 0 ? size_digit(body, c) : BAD;
	case SIZE:
		return hex_value(c) >= 0 ? size_digit(body, c) : after_item(c, BEFORE_SEMI);
	case BEFORE_SEMI:
		return c == '\r' ? (unsigned)BAD : after_item(c, BEFORE_SEMI);
	case EXT_NAME0:
	case EXT_NAME:
	case EXT_NAME_END:
		return extension_name(step, c);
	case EXT_VALUE0:
	case EXT_VALUE:
	case EXT_QUOTED:
	case EXT_ESCAPED:
	case EXT_UNQUOTED:
		return extension_value(step, c);
	case SIZE_LF:
		if (c != '\n')
			return BAD;
		return body->left > 0 ? DATA : TRAILER_START;
	case DATA_CR:
		return c == '\r' ? DATA_LF : BAD;
	case DATA_LF:
		return c == '\n' ? SIZE_FIRST : BAD;
	case TRAILER_START:
		return trailer_start(body, c);
	case TRAILER_NAME:
		return trailer_name(body, c);
	case TRAILER_VALUE:
		if (c == '\r')
			return TRAILER_LF;
		return fl_http1_is(c, FL_CH_TEXT) ? TRAILER_VALUE : BAD;
	case TRAILER_LF:
		return c == '\n' ? TRAILER_START : BAD;
	case END_LF:
		return c == '\n' ? END : BAD;
	default:
		return BAD;
	}
}

static size_t take_data(
	struct fl_http1_body *body, const char *p, size_t n, struct fl_slice *data)
{
	size_t run = body->left < n ? (size_t)body->left : n;
	*data = (struct fl_slice){p, run};
	body->left -= run;
	return run;
}

static long chunked_feed(
	struct fl_http1_body *body, const char *p, size_t n, struct fl_slice *data)
{
	for (size_t i = 0; i < n; i++) {
		if (step_of(body) == DATA) {
			i += take_data(body, p + i, n - i, data);
			body->overhead = 0;
			if (body->left == 0)
				body->state = DATA_CR;
			return (long)i;
		}
		body->state =
			++body->overhead > OVERHEAD_MAX ? (unsigned)BAD : next_step(body, p[i]);
		if (step_of(body) == BAD)
			return -1;
		if (step_of(body) == END) {
			body->done = true;
			return (long)i + 1;
		}
	}
	return (long)n;
}

long fl_http1_body_feed(
	struct fl_http1_body *body, const char *p, size_t n, struct fl_slice *data)
{
	*data = (struct fl_slice){p, 0};
	if (body->done || n == 0)
		return 0;
	switch (body->framing) {
	case FL_BODY_LENGTH:
		n = take_data(body, p, n, data);
		body->done = body->left == 0;
		return (long)n;
	case FL_BODY_CHUNKED:
		return chunked_feed(body, p, n, data);
	case FL_BODY_CLOSE:
		*data = (struct fl_slice){p, n};
		return (long)n;
	default:
		FL_ASSERT(!"a body without framing is done");
		return -1;
	}
}
