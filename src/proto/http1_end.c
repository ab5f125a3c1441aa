/* Where does a head end?
 *
 * The answer must not depend on how the bytes were cut into reads. So every refusal is tied to
 * the one byte that makes it certain, and the refusal whose byte comes first wins: the bytes up
 * to the request line's limit are examined before that limit is applied, and those up to the
 * head's limit before that one. *scanned never stands between a CR and its LF, so a resumed
 * search needs no memory but that number. Each byte is looked at once; those of the request line
 * a second time, at the moment when its limit is crossed. */
#include "proto/http1_priv.h"

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Goes over p[*scanned..to): the head's length, 0 when it does not end there, -1 for a control
 * byte that is not part of a CR LF. */
static long lines(const char *p, size_t to, size_t *scanned)
{
	size_t at = *scanned;
	while (at < to) { /* a resumed search may be past the first line's limit */
		at += fl_http1_text(p + at, to - at);
		*scanned = at;
		if (at == to || (at + 1 == to && p[at] == '\r'))
			return 0;
		if (p[at] != '\r' || p[at + 1] != '\n')
			return -1;
		at += 2;
		if (p[at - 3] == '\n') /* the caller saw to it that a line came first */
			return (long)at;
	}
	*scanned = at;
	return 0;
}

/* Bytes of the one empty line that may come first: 0 or 2, or -1 when that is not known yet. */
static int empty_line(const char *p, size_t n)
{
	if (n == 0 || (n == 1 && p[0] == '\r'))
		return -1;
	return p[0] == '\r' && p[1] == '\n' ? 2 : 0;
}

long fl_http1_head_end(const char *p, size_t n, size_t *scanned,
	const struct fl_http1_limits *limits, struct fl_http1_error *err)
{
	int empty = empty_line(p, n);
	size_t skip = empty > 0 ? 2 : 0;
	if (empty < 0 || n == skip)
		return 0;
	if (!fl_http1_is(p[skip], FL_CH_TOKEN))
		return fl_http1_refuse(err, 400, "not the beginning of a request");
	if (*scanned < skip)
		*scanned = skip;

	size_t first = skip + limits->line + 2; /* the first line's LF stands before this */
	bool crossing = *scanned < first;
	long end = lines(p, least(least(n, first), limits->head), scanned);
	if (end == 0 && crossing && n >= first && first <= limits->head &&
		!memchr(p + skip, '\n', first - skip))
		return fl_http1_refuse(err, 414, "request line too long");
	if (end == 0)
		end = lines(p, least(n, limits->head), scanned);
	if (end < 0)
		return fl_http1_refuse(
			err, 400, "bare CR, bare LF or control byte in the head");
	if (end == 0 && n >= limits->head)
		return fl_http1_refuse(err, 431, "head too large");
	return end;
}
