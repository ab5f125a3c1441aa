/* What the files of the HTTP/1 parser share; nobody else includes this. */
#ifndef FL_PROTO_HTTP1_PRIV_H
#define FL_PROTO_HTTP1_PRIV_H

#include "proto/http1.h"

/* ---- characters: one table, one bit for each question that is asked ---- */

enum {
	FL_CH_TOKEN = 1,  /* tchar, RFC 9110 5.6.2 */
	FL_CH_TARGET = 2, /* visible ASCII but '#' */
	FL_CH_HOST = 4,   /* unreserved and sub-delims, but no comma */
	FL_CH_TEXT = 8,   /* HTAB, SP, visible ASCII, bytes from 0x80 */
	FL_CH_DIGIT = 16,
	FL_CH_BLANK = 32, /* SP, HTAB */
};

extern const uint8_t fl_http1_class[256];

static inline bool fl_http1_is(char c, unsigned classes)
{
	return (fl_http1_class[(unsigned char)c] & classes) != 0;
}

static inline char fl_http1_lower(char c)
{
	return (c >= 'A' && c <= 'Z') ? (char)(c | 0x20) : c;
}

/* How many bytes at p, at most n, are of `classes`. */
static inline size_t fl_http1_span(const char *p, size_t n, unsigned classes)
{
	size_t i = 0;
	while (i < n && fl_http1_is(p[i], classes))
		i++;
	return i;
}

/* How many bytes at p, at most n, are FL_CH_TEXT (FL_CH_TARGET, FL_CH_TOKEN); 16 at a time where the
 * machine can. */
size_t fl_http1_text(const char *p, size_t n);
size_t fl_http1_target_span(const char *p, size_t n);
size_t fl_http1_name_span(const char *p, size_t n);

struct fl_slice fl_http1_trim(struct fl_slice s);

/* Takes the next comma-separated piece off *rest, blanks around it removed (it may be empty).
 * False when nothing is left; a list of n commas has n + 1 pieces. Start with *rest non-NULL. */
bool fl_http1_piece(struct fl_slice *rest, struct fl_slice *piece);

bool fl_http1_is_token(struct fl_slice s);

/* 1*DIGIT of at most 19 digits and at most INT64_MAX. 0, or -1 and *value untouched. */
int fl_http1_number(struct fl_slice s, uint64_t *value);

enum fl_http1_method fl_http1_method_of(struct fl_slice text);

/* *lookalike: not that name, but it would be if '_' were '-', as CGI makes it. */
enum fl_http1_header_id fl_http1_header_of(struct fl_slice name, bool *lookalike);

static inline int fl_http1_refuse(struct fl_http1_error *err, int status, const char *why)
{
	err->status = status;
	err->why = why;
	return -1;
}

/* ---- the fields ---- */

/* What the fields said, before anyone concludes. */
struct fl_http1_facts {
	struct fl_slice host;
	unsigned hosts, lengths, encodings, expects; /* fields of that name */
	uint64_t length;
	unsigned codings, chunked; /* transfer codings listed, and how many are "chunked" */
	bool chunked_last;
	bool close, keep_alive; /* options in Connection */
	bool upgrade_named, upgrade;
	bool other_named;    /* Connection names a field that is not hop-by-hop by itself */
	bool expect_unknown; /* an expectation that is not 100-continue */
	unsigned options;    /* connection options seen */
};

/* Reads the field lines from *at on, the blank line included, into out->headers and *facts; *at is
 * then behind it, at `end` or before. */
int fl_http1_fields(const char **at, const char *end, const struct fl_http1_limits *limits,
	struct fl_http1_head *out, struct fl_http1_facts *facts, struct fl_http1_error *err);

#endif
