/* Every put checks the room before it writes, and END_ROOM is kept back, so that the end of the
 * line (cut=true and the newline) always fits. A string is escaped character by character; when
 * the next one does not fit together with the closing quote, the value ends there. */
#include "obs/line.h"

#include "base/assert.h"
#include "base/utf8.h"

#include <stdio.h>

#define END_ROOM 16 /* ,"cut":true} and the newline */

void fl_line_begin(struct fl_line *line, char *buf, size_t size, bool json)
{
	FL_ASSERT(size >= 64);
	*line = (struct fl_line){.p = buf, .max = size - END_ROOM, .json = json};
	if (json)
		line->p[line->n++] = '{';
}

static void put(struct fl_line *line, const char *text, size_t n)
{
	memcpy(line->p + line->n, text, n);
	line->n += n;
}

/* The key with what stands around it, if then `more` bytes still fit. */
static bool put_key(struct fl_line *line, struct fl_slice key, size_t more)
{
	if (line->n + key.n + 4 + more > line->max) {
		line->cut = true;
		return false;
	}
	if (line->begun)
		line->p[line->n++] = line->json ? ',' : ' ';
	line->begun = true;
	if (line->json)
		line->p[line->n++] = '"';
	put(line, key.p, key.n);
	if (line->json)
		put(line, "\":", 2);
	else
		line->p[line->n++] = '=';
	return true;
}

/* Decimal digits by hand: a line has half a dozen numbers, and snprintf would be most of its cost. */

/* Writes `digits` of them, with leading zeros, so that they end before `end`; returns their
 * beginning. */
static char *fixed(char *end, uint64_t value, int digits)
{
	for (; digits > 0; digits--) {
		*--end = (char)('0' + value % 10);
		value /= 10;
	}
	return end;
}

static char *decimal(char *end, uint64_t value)
{
	do {
		*--end = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	return end;
}

/* A value that needs no escaping and is short. */
static void put_plain(struct fl_line *line, struct fl_slice key, const char *value, size_t n)
{
	if (put_key(line, key, n + 2))
		put(line, value, n);
}

void fl_line_number(struct fl_line *line, struct fl_slice key, uint64_t value)
{
	char text[20], *end = text + sizeof(text), *p = decimal(end, value);
	put_plain(line, key, p, (size_t)(end - p));
}

void fl_line_bool(struct fl_line *line, struct fl_slice key, bool value)
{
	put_plain(line, key, value ? "true" : "false", value ? 4 : 5);
}

void fl_line_ms(struct fl_line *line, struct fl_slice key, uint64_t us)
{
	char text[24], *end = text + sizeof(text), *p = fixed(end, us % 1000, 3);
	*--p = '.';
	p = decimal(p, us / 1000);
	put_plain(line, key, p, (size_t)(end - p));
}

/* The civil date of a day since 1970, by 400-year cycles that begin on the first of March, so
 * that the leap day is the last of its year. gmtime_r would do the same under a lock. */
static void civil(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	uint64_t z = days + 719468;
	uint64_t era = z / 146097, of_era = z % 146097;
	uint64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	uint64_t m = (5 * of_year + 2) / 153;

	*day = (unsigned)(of_year - (153 * m + 2) / 5 + 1);
	*month = (unsigned)(m < 10 ? m + 3 : m - 9);
	*year = (unsigned)(era * 400 + y + (*month <= 2));
}

void fl_line_time(struct fl_line *line, struct fl_slice key, uint64_t wall_ms)
{
	/* Beyond the year 9999 the form has no room: stay at its end. */
	const uint64_t last = 253402300799999;
	uint64_t ms = wall_ms < last ? wall_ms : last, s = ms / 1000;
	unsigned year, month, day;
	char text[] = "\"0000-00-00T00:00:00.000Z\"";

	civil(s / 86400, &year, &month, &day);
	fixed(text + 5, year, 4);
	fixed(text + 8, month, 2);
	fixed(text + 11, day, 2);
	fixed(text + 14, s / 3600 % 24, 2);
	fixed(text + 17, s / 60 % 60, 2);
	fixed(text + 20, s % 60, 2);
	fixed(text + 24, ms % 1000, 3);
	if (line->json)
		put_plain(line, key, text, sizeof(text) - 1);
	else
		put_plain(line, key, text + 1, sizeof(text) - 3);
}

/* What may not stand in logfmt without quotes. */
static const uint8_t odd[256] = {
	[0 ... ' '] = 1, ['"'] = 1, ['='] = 1, ['\\'] = 1, [0x7f ... 0xff] = 1};

static bool bare(struct fl_slice value)
{
	unsigned any = value.n == 0;
	for (size_t i = 0; i < value.n; i++)
		any |= odd[(unsigned char)value.p[i]];
	return !any;
}

/* Of it, how many bytes from the front stand for themselves between quotes. */
static size_t plain_run(const char *p, size_t n)
{
	size_t i = 0;
	while (i < n && p[i] >= ' ' && p[i] < 0x7f && p[i] != '"' && p[i] != '\\')
		i++;
	return i;
}

/* The escaped form of the character at `p` in `out`; its length. */
static size_t escape(const char *p, size_t n, uint32_t code, bool json, char out[24])
{
	if (n == 0) /* not UTF-8: one byte of it */
		return (size_t)snprintf(
			out, 24, json ? "\\ufffd" : "\\x%02x", (unsigned char)*p);
	if (code == '"' || code == '\\')
		return (size_t)snprintf(out, 24, "\\%c", (char)code);
	if (!fl_utf8_acts(code)) {
		memcpy(out, p, n);
		return n;
	}
	if (code == '\n' || code == '\r' || code == '\t')
		return (size_t)snprintf(out, 24, "\\%c",
			code == '\n'   ? 'n'
			: code == '\r' ? 'r'
				       : 't');
	if (json)
		return (size_t)snprintf(out, 24, "\\u%04x", (unsigned)code);
	size_t len = 0;
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(out + len, 24 - len, "\\x%02x", (unsigned char)p[i]);
	return len;
}

void fl_line_string(struct fl_line *line, struct fl_slice key, struct fl_slice value)
{
	char form[24];

	if (!line->json && line->n + value.n + key.n + 4 <= line->max && bare(value)) {
		if (put_key(line, key, value.n))
			put(line, value.p, value.n);
		return;
	}
	if (!put_key(line, key, 2))
		return;
	line->p[line->n++] = '"';
	size_t run = plain_run(value.p, value.n);
	if (line->n + run + 1 > line->max)
		run = 0; /* what fits is found character by character */
	put(line, value.p, run);
	for (size_t at = run, n; at < value.n; at += n ? n : 1) {
		uint32_t code = 0;
		n = fl_utf8_decode(value.p + at, value.n - at, &code);
		size_t len = escape(value.p + at, n, code, line->json, form);
		if (line->n + len + 1 > line->max) {
			line->cut = true;
			break;
		}
		put(line, form, len);
	}
	line->p[line->n++] = '"';
}

size_t fl_line_end(struct fl_line *line)
{
	if (line->cut) {
		if (line->begun)
			line->p[line->n++] = line->json ? ',' : ' ';
		if (line->json)
			put(line, "\"cut\":true", 10);
		else
			put(line, "cut=true", 8);
	}
	if (line->json)
		line->p[line->n++] = '}';
	line->p[line->n++] = '\n';
	FL_ASSERT(line->n <= line->max + END_ROOM);
	return line->n;
}
