/* What writers of logs do to bytes that would break a line, turned back.
 *
 * nginx writes '"', '\' and everything but visible ASCII as \xHH; Apache the same, but '"' and '\'
 * as \" and \\ and some control characters as C does; HAProxy writes #HH. None of them makes a
 * sequence that another of them reads differently, so one reader serves nginx and Apache. */
#include "plan/log_priv.h"

#include "plan/hex.h"

/* \xHH or #HH; whether it was one. */
static bool hex_pair(const char *p, size_t n, char *out)
{
	int high = n >= 2 ? fl_hex_digit(p[0]) : -1, low = n >= 2 ? fl_hex_digit(p[1]) : -1;

	if (high < 0 || low < 0)
		return false;
	*out = (char)(high * 16 + low);
	return true;
}

/* What a letter behind a backslash stands for in C and in JSON; 0: nothing. */
static char control(char letter)
{
	switch (letter) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return 0;
	}
}

/* ---- backslashes and hashes: what escapes nothing stays ---- */

static size_t backslash(const char *p, size_t n, char *out)
{
	if (n >= 4 && p[1] == 'x' && hex_pair(p + 2, n - 2, out))
		return 4;
	if (n < 2)
		return 0;
	*out = p[1] == 'v' ? '\v' : control(p[1]);
	if (p[1] == '"' || p[1] == '\\')
		*out = p[1];
	return *out ? 2 : 0;
}

static void unescape(char mark, struct fl_slice text, struct fl_text *out)
{
	const char *p = text.p, *end = p + text.n;

	while (p < end) {
		const char *at = memchr(p, mark, (size_t)(end - p));
		char c = mark;
		size_t used;

		fl_text_add(out, p, (size_t)((at ? at : end) - p));
		if (!at)
			return;
		if (mark == '\\')
			used = backslash(at, (size_t)(end - at), &c);
		else
			used = hex_pair(at + 1, (size_t)(end - at) - 1, &c) ? 3 : 0;
		fl_text_add(out, used ? &c : &mark, 1);
		p = at + (used ? used : 1);
	}
}

/* ---- JSON ---- */

static void add_utf8(uint32_t code, struct fl_text *out)
{
	char bytes[4];
	size_t n = 1;

	if (code < 0x80) {
		bytes[0] = (char)code;
	} else if (code < 0x800) {
		bytes[0] = (char)(0xc0 | code >> 6);
		n = 2;
	} else if (code < 0x10000) {
		bytes[0] = (char)(0xe0 | code >> 12);
		n = 3;
	} else {
		bytes[0] = (char)(0xf0 | code >> 18);
		n = 4;
	}
	for (size_t i = 1; i < n; i++)
		bytes[i] = (char)(0x80 | (code >> (6 * (n - 1 - i)) & 0x3f));
	fl_text_add(out, bytes, n);
}

/* The number of a \uHHHH at p, or -1. */
static int32_t unit(const char *p, size_t n)
{
	char high, low;

	if (n < 6 || p[0] != '\\' || p[1] != 'u' || !hex_pair(p + 2, n - 2, &high) ||
		!hex_pair(p + 4, n - 4, &low))
		return -1;
	return (int32_t)((unsigned char)high << 8 | (unsigned char)low);
}

/* Bytes used; 0: half a surrogate pair, or no \u at all. */
static size_t unicode(const char *p, size_t n, struct fl_text *out)
{
	int32_t first = unit(p, n), second;

	if (first < 0 || (first >= 0xdc00 && first < 0xe000))
		return 0;
	if (first < 0xd800 || first >= 0xe000) {
		add_utf8((uint32_t)first, out);
		return 6;
	}
	second = unit(p + 6, n - 6);
	if (second < 0xdc00 || second >= 0xe000)
		return 0;
	add_utf8(0x10000 + ((uint32_t)(first - 0xd800) << 10) + (uint32_t)(second - 0xdc00),
		out);
	return 12;
}

static bool json(struct fl_slice text, struct fl_text *out)
{
	const char *p = text.p, *end = p + text.n;

	while (p < end) {
		const char *at = memchr(p, '\\', (size_t)(end - p));
		size_t used = 2;

		fl_text_add(out, p, (size_t)((at ? at : end) - p));
		if (!at)
			return true;
		if (end - at < 2)
			return false;
		char c = control(at[1]);
		if (at[1] == '"' || at[1] == '\\' || at[1] == '/')
			c = at[1];
		if (c)
			fl_text_add(out, &c, 1);
		else
			used = unicode(at, (size_t)(end - at), out);
		if (!used)
			return false;
		p = at + used;
	}
	return true;
}

bool fl_log_unescape(enum fl_log_escape escape, struct fl_slice text, struct fl_text *out)
{
	switch (escape) {
	case FL_LOG_PLAIN:
		fl_text_slice(out, text);
		return true;
	case FL_LOG_BACKSLASH:
		unescape('\\', text, out);
		return true;
	case FL_LOG_HASH:
		unescape('#', text, out);
		return true;
	case FL_LOG_JSON:
		break;
	}
	return json(text, out);
}
