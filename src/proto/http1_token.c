/* The small words of HTTP/1: characters, tokens, numbers, methods, field names.
 *
 * Every question about a byte is one load from a table that the compiler computes from the
 * grammar's own definitions. A field name is recognised by its length and first letter, so one
 * name is compared with at most one known name. Nothing here depends on the locale. */
#include "proto/http1_priv.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* clang-format off */
#define IN(c, a, b)  ((c) >= (a) && (c) <= (b))
#define ALNUM(c)     (IN(c, '0', '9') || IN(c, 'a', 'z') || IN(c, 'A', 'Z'))
#define TOKEN(c)     (ALNUM(c) || (c) == '!' || IN(c, '#', '\'') || (c) == '*' || (c) == '+' || \
		      (c) == '-' || (c) == '.' || IN(c, '^', '`') || (c) == '|' || (c) == '~')
#define TARGET(c)    (IN(c, 0x21, 0x7e) && (c) != '#')
#define HOST(c)      (ALNUM(c) || (c) == '-' || (c) == '.' || (c) == '_' || (c) == '~' || \
		      (c) == '!' || (c) == '$' || IN(c, '&', '+') || (c) == ';' || (c) == '=')
#define TEXT(c)      ((c) == '\t' || IN(c, 0x20, 0x7e) || IN(c, 0x80, 0xff))
#define CLASS(c)     ((TOKEN(c) ? FL_CH_TOKEN : 0) | (TARGET(c) ? FL_CH_TARGET : 0) | \
		      (HOST(c) ? FL_CH_HOST : 0) | (TEXT(c) ? FL_CH_TEXT : 0) | \
		      (IN(c, '0', '9') ? FL_CH_DIGIT : 0) | \
		      ((c) == ' ' || (c) == '\t' ? FL_CH_BLANK : 0))
#define FOUR(c)      CLASS(c), CLASS((c) + 1), CLASS((c) + 2), CLASS((c) + 3)
#define ROW(c)       FOUR(c), FOUR((c) + 4), FOUR((c) + 8), FOUR((c) + 12)
/* clang-format on */

const uint8_t fl_http1_class[256] = {
	ROW(0x00),
	ROW(0x10),
	ROW(0x20),
	ROW(0x30),
	ROW(0x40),
	ROW(0x50),
	ROW(0x60),
	ROW(0x70),
	ROW(0x80),
	ROW(0x90),
	ROW(0xa0),
	ROW(0xb0),
	ROW(0xc0),
	ROW(0xd0),
	ROW(0xe0),
	ROW(0xf0),
};

size_t fl_http1_text(const char *p, size_t n)
{
	size_t i = 0;
#ifdef __SSE2__
	const __m128i low = _mm_set1_epi8(0x1f);
	const __m128i tab = _mm_set1_epi8('\t');
	const __m128i del = _mm_set1_epi8(0x7f);
	for (; n - i >= 16; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, low), v);
		__m128i bad = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(v, tab), control),
			_mm_cmpeq_epi8(v, del));
		unsigned mask = (unsigned)_mm_movemask_epi8(bad);
		if (mask)
			return i + (size_t)__builtin_ctz(mask);
	}
#endif
	return i + fl_http1_span(p + i, n - i, FL_CH_TEXT);
}

size_t fl_http1_target_span(const char *p, size_t n)
{
	size_t i = 0;
#ifdef __SSE2__
	const __m128i blank = _mm_set1_epi8(' ');
	const __m128i del = _mm_set1_epi8(0x7f);
	const __m128i mark = _mm_set1_epi8('#');
	for (; n - i >= 16; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, blank), v);
		__m128i high = _mm_cmpeq_epi8(_mm_max_epu8(v, del), v);
		__m128i bad = _mm_or_si128(_mm_or_si128(low, high), _mm_cmpeq_epi8(v, mark));
		unsigned mask = (unsigned)_mm_movemask_epi8(bad);
		if (mask)
			return i + (size_t)__builtin_ctz(mask);
	}
#endif
	return i + fl_http1_span(p + i, n - i, FL_CH_TARGET);
}

/* Nearly every name is of letters and '-'; what is neither is left to the table. */
size_t fl_http1_name_span(const char *p, size_t n)
{
	size_t i = 0;
#ifdef __SSE2__
	const __m128i fold = _mm_set1_epi8(0x20);
	const __m128i a = _mm_set1_epi8('a');
	const __m128i z = _mm_set1_epi8('z' - 'a');
	const __m128i dash = _mm_set1_epi8('-');
	for (; n - i >= 16; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i letter = _mm_sub_epi8(_mm_or_si128(v, fold), a);
		__m128i good = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(letter, z), letter),
			_mm_cmpeq_epi8(v, dash));
		unsigned mask = (unsigned)_mm_movemask_epi8(good) ^ 0xffffU;
		if (mask) {
			i += (size_t)__builtin_ctz(mask);
			break;
		}
	}
	if (i < n && p[i] == ':')
		return i;
#endif
	return i + fl_http1_span(p + i, n - i, FL_CH_TOKEN);
}

struct fl_slice fl_http1_trim(struct fl_slice s)
{
	while (s.n > 0 && fl_http1_is(s.p[0], FL_CH_BLANK)) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && fl_http1_is(s.p[s.n - 1], FL_CH_BLANK))
		s.n--;
	return s;
}

bool fl_http1_piece(struct fl_slice *rest, struct fl_slice *piece)
{
	if (rest->p == NULL)
		return false;
	const char *comma = rest->n > 0 ? memchr(rest->p, ',', rest->n) : NULL;
	struct fl_slice whole = *rest;
	if (comma) {
		whole.n = (size_t)(comma - rest->p);
		rest->p = comma + 1;
		rest->n -= whole.n + 1;
	} else {
		*rest = (struct fl_slice){NULL, 0};
	}
	*piece = fl_http1_trim(whole);
	return true;
}

bool fl_http1_is_token(struct fl_slice s)
{
	return s.n > 0 && fl_http1_span(s.p, s.n, FL_CH_TOKEN) == s.n;
}

int fl_http1_number(struct fl_slice s, uint64_t *value)
{
	uint64_t sum = 0;
	/* 19 digits cannot overflow 64 bits, so one test at the end is enough. */
	if (s.n == 0 || s.n > 19 || fl_http1_span(s.p, s.n, FL_CH_DIGIT) != s.n)
		return -1;
	for (size_t i = 0; i < s.n; i++)
		sum = sum * 10 + (uint64_t)(s.p[i] - '0');
	if (sum > INT64_MAX)
		return -1;
	*value = sum;
	return 0;
}

enum fl_http1_method fl_http1_method_of(struct fl_slice text)
{
#define IS(known, method)                                                                      \
	if (text.n == sizeof(known) - 1 && memcmp(text.p, known, sizeof(known) - 1) == 0)      \
	return method
	IS("GET", FL_METHOD_GET);
	IS("POST", FL_METHOD_POST);
	IS("HEAD", FL_METHOD_HEAD);
	IS("PUT", FL_METHOD_PUT);
	IS("DELETE", FL_METHOD_DELETE);
	IS("OPTIONS", FL_METHOD_OPTIONS);
	IS("PATCH", FL_METHOD_PATCH);
	IS("TRACE", FL_METHOD_TRACE);
	IS("CONNECT", FL_METHOD_CONNECT);
#undef IS
	return FL_METHOD_OTHER;
}

bool fl_http1_idempotent(enum fl_http1_method method)
{
	switch (method) {
	case FL_METHOD_GET:
	case FL_METHOD_HEAD:
	case FL_METHOD_PUT:
	case FL_METHOD_DELETE:
	case FL_METHOD_OPTIONS:
	case FL_METHOD_TRACE:
		return true;
	default:
		return false;
	}
}

/* Length and first letter together choose at most one known name. */
#define KEY(length, letter) ((unsigned)(length) << 8 | (unsigned char)(letter))

static enum fl_http1_header_id candidate(struct fl_slice name, const char **text)
{
	switch (KEY(name.n, fl_http1_lower(name.p[0]))) {
#define IS(letter, known, id)                                                                  \
	case KEY(sizeof(known) - 1, letter):                                                   \
		*text = (known);                                                               \
		return id
		IS('h', "host", FL_HDR_HOST);
		IS('c', "connection", FL_HDR_CONNECTION);
		IS('c', "content-length", FL_HDR_CONTENT_LENGTH);
		IS('t', "transfer-encoding", FL_HDR_TRANSFER_ENCODING);
		IS('t', "te", FL_HDR_TE);
		IS('t', "trailer", FL_HDR_TRAILER);
		IS('u', "upgrade", FL_HDR_UPGRADE);
		IS('e', "expect", FL_HDR_EXPECT);
		IS('k', "keep-alive", FL_HDR_KEEP_ALIVE);
		IS('p', "proxy-connection", FL_HDR_PROXY_CONNECTION);
		IS('c', "cookie", FL_HDR_COOKIE);
		IS('x', "x-forwarded-for", FL_HDR_FORWARDED_FOR);
		IS('x', "x-forwarded-proto", FL_HDR_FORWARDED_PROTO);
		IS('i', "idempotency-key", FL_HDR_IDEMPOTENCY_KEY);
		IS('d', "date", FL_HDR_DATE);
		IS('s', "server", FL_HDR_SERVER);
		IS('v', "via", FL_HDR_VIA);
#undef IS
	default:
		return FL_HDR_OTHER;
	}
}

static uint64_t load64(const char *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

/* n >= 8 bytes but for case. With 0x20 set letters are folded, '-' stays, and no other byte that a
 * name may have becomes one of those, as names hold no control bytes. */
static bool same_long(const char *p, const char *known, size_t n)
{
	const uint64_t fold = UINT64_C(0x2020202020202020);
	size_t last = n - 8;
	for (size_t i = 0; i < last; i += 8)
		if ((load64(p + i) | fold) != load64(known + i))
			return false;
	return (load64(p + last) | fold) == load64(known + last);
}

enum fl_http1_header_id fl_http1_header_of(struct fl_slice name, bool *lookalike)
{
	const char *text = NULL;
	enum fl_http1_header_id id = name.n > 0 ? candidate(name, &text) : FL_HDR_OTHER;
	bool folded = false;
	*lookalike = false;
	if (!text)
		return FL_HDR_OTHER;
	if (name.n >= 8 && same_long(name.p, text, name.n))
		return id;
	for (size_t i = 0; text && i < name.n; i++) {
		char c = fl_http1_lower(name.p[i]);
		if (c == '_' && text[i] == '-')
			folded = true;
		else if (c != text[i])
			text = NULL;
	}
	*lookalike = text && folded;
	return text ? id : FL_HDR_OTHER;
}
