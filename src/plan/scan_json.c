/* One JSON object a line (RFC 8259), read strictly and in one pass: nothing is built, values that
 * nobody wants are only passed over.
 *
 * A wanted value has a path of names and, into arrays, of numbers: "headers.X-User.0". While an
 * object is read, a set of bits says which paths have led here so far; a name or number keeps those
 * whose next part it is. A name that holds escapes is nobody's. Of equal names the last counts, as
 * in other readers. */
#include "plan/log_priv.h"

#include "hash/mix.h"
#include "plan/hex.h"

#include <stdio.h>

#define DEPTH_MOST 64

/* ---- compiling ---- */

static int add_path(
	struct fl_log_format *format, struct fl_slice path, size_t want, struct fl_error *err)
{
	struct fl_log_path *p = &format->paths[want];

	if (path.n == 0 || path.n >= sizeof(p->text))
		return fl_error_set(err, FL_EINVAL,
			"json: wants VARIABLE=PATH, such as json:remote_addr=client.ip");
	memcpy(p->text, path.p, path.n);
	p->n = path.n;
	p->text[path.n] = '\0';
	return FL_OK;
}

/* "VAR=PATH,VAR=PATH" over a path for each variable that is its own name. */
static int compile(struct fl_log_format *format, const char *text, struct fl_error *err)
{
	const struct fl_log_wants *wants = format->wants;
	int rc = FL_OK;

	format->has = wants->count < 64 ? (UINT64_C(1) << wants->count) - 1 : UINT64_MAX;
	for (size_t i = 0; i < wants->count && rc == FL_OK; i++)
		rc = add_path(format, fl_slice_of(wants->name[i]), i, err);
	while (*text && rc == FL_OK) {
		size_t n = strcspn(text, ","), name = strcspn(text, "=");
		size_t want = FL_LOG_WANTS;
		struct fl_slice path = {NULL, 0};
		if (name < n) {
			path = (struct fl_slice){text + name + 1, n - name - 1};
			want = fl_log_find_want(wants, (struct fl_slice){text, name});
		}
		/* A variable that nobody asks for may be there; it must only be well written. */
		rc = path.n ? FL_OK : add_path(format, path, 0, err);
		if (rc == FL_OK && want < FL_LOG_WANTS)
			rc = add_path(format, path, want, err);
		text += n + (text[n] == ',');
	}
	return rc;
}

/* ---- scanning: words ---- */

struct reader {
	const struct fl_log_format *format;
	struct fl_log_values *values;
	const char *p, *end;
	const char *why;
	unsigned depth;
};

static bool fail(struct reader *r, const char *why)
{
	r->why = why;
	return false;
}

static void skip_blanks(struct reader *r)
{
	while (r->p < r->end &&
		(*r->p == ' ' || *r->p == '\t' || *r->p == '\r' || *r->p == '\n'))
		r->p++;
}

/* Takes `c` behind blanks, if it is there. */
static bool take(struct reader *r, char c)
{
	skip_blanks(r);
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

/* Bytes before the first that ends a run of plain text ('"', '\' or a control character), eight at
 * a time: in each of the differences, the lowest byte with its high bit set is such a byte (higher
 * ones may only have lent to it). */
static size_t plain(const char *p, const char *end)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	const char *at = p;

	for (; end - at >= 8; at += 8) {
		uint64_t x = fl_load64_le((const unsigned char *)at);
		uint64_t quote = x ^ (ones * '"'), slash = x ^ (ones * '\\');
		uint64_t found = (((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
					 ((x - ones * 0x20) & ~x)) &
		                 high;
		if (found)
			return (size_t)(at - p) + (size_t)__builtin_ctzll(found) / 8;
	}
	while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
		at++;
	return (size_t)(at - p);
}

/* Bytes of the escape at p, or 0. Surrogates are looked at when the text is wanted. */
static size_t escape(const char *p, const char *end)
{
	static const char letters[] = {'"', '\\', '/', 'b', 'f', 'n', 'r', 't'};

	if (end - p >= 2 && memchr(letters, p[1], sizeof(letters)))
		return 2;
	if (end - p < 6 || p[1] != 'u')
		return 0;
	for (int i = 2; i < 6; i++)
		if (fl_hex_digit(p[i]) < 0)
			return 0;
	return 6;
}

/* The text of the string that begins at r->p, still escaped. */
static bool take_string(struct reader *r, struct fl_slice *text)
{
	const char *p = r->p + 1, *end = r->end;

	if (r->p == end || *r->p != '"')
		return fail(r, "a string is missing");
	for (;;) {
		p += plain(p, end);
		if (p == end)
			return fail(r, "a string has no end");
		if (*p == '"')
			break;
		size_t n = *p == '\\' ? escape(p, end) : 0;
		if (!n)
			return fail(r, "a bad escape or a control character in a string");
		p += n;
	}
	*text = (struct fl_slice){r->p + 1, (size_t)(p - r->p) - 1};
	r->p = p + 1;
	return true;
}

static size_t digits(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && p[n] >= '0' && p[n] <= '9')
		n++;
	return n;
}

static bool take_number(struct reader *r, struct fl_slice *text)
{
	const char *p = r->p, *end = r->end;
	size_t n;

	p += *p == '-';
	n = digits(p, end);
	if (n == 0 || (n > 1 && *p == '0'))
		return fail(r, "a bad number or word");
	p += n;
	if (p < end && *p == '.') {
		n = digits(p + 1, end);
		if (n == 0)
			return fail(r, "a bad number");
		p += n + 1;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p += p < end && (*p == '+' || *p == '-');
		n = digits(p, end);
		if (n == 0)
			return fail(r, "a bad number");
		p += n;
	}
	*text = (struct fl_slice){r->p, (size_t)(p - r->p)};
	r->p = p;
	return true;
}

/* A number, true, false or null; null is no value. */
static bool take_word(struct reader *r, struct fl_slice *text)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < 3; i++) {
		size_t n = strlen(words[i]);
		if ((size_t)(r->end - r->p) < n || memcmp(r->p, words[i], n) != 0)
			continue;
		*text = (struct fl_slice){i < 2 ? r->p : NULL, i < 2 ? n : 0};
		r->p += n;
		return true;
	}
	return take_number(r, text);
}

/* ---- scanning: values ---- */

/* Where reading has come to: paths that led here, and how much of each has been used. */
struct place {
	uint64_t paths;
	uint8_t at[FL_LOG_WANTS];
};

static bool take_value(struct reader *r, const struct place *place, uint64_t ends);

/* Where `name` leads from `from`: *to, and the paths that end with it. A name may hold dots. */
static uint64_t step(const struct reader *r, const struct place *from, struct fl_slice name,
	struct place *to)
{
	uint64_t ends = 0;

	to->paths = 0;
	for (uint64_t left = from->paths; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctzll(left);
		const struct fl_log_path *path = &r->format->paths[i];
		const char *rest = path->text + from->at[i];
		if (name.n > path->n - from->at[i] || (name.n && *rest != *name.p) ||
			memcmp(rest, name.p, name.n) != 0)
			continue;
		if (rest[name.n] == '\0') {
			ends |= UINT64_C(1) << i;
		} else if (rest[name.n] == '.') {
			to->paths |= UINT64_C(1) << i;
			to->at[i] = (uint8_t)(from->at[i] + name.n + 1);
		}
	}
	return ends;
}

static bool take_member(struct reader *r, const struct place *place)
{
	struct place inner;
	struct fl_slice name;

	skip_blanks(r);
	if (!take_string(r, &name))
		return false;
	if (!take(r, ':'))
		return fail(r, "a \":\" is missing");
	uint64_t ends = step(r, place, name, &inner);
	return take_value(r, &inner, ends);
}

static bool take_item(struct reader *r, const struct place *place, unsigned number)
{
	struct place inner = {.paths = 0};
	uint64_t ends = 0;

	if (place->paths) {
		char name[12];
		int n = snprintf(name, sizeof(name), "%u", number);
		ends = step(r, place, (struct fl_slice){name, (size_t)n}, &inner);
	}
	return take_value(r, &inner, ends);
}

/* What stands between the brackets, the first of which was taken. */
static bool take_group(struct reader *r, const struct place *place, char close)
{
	if (++r->depth > DEPTH_MOST)
		return fail(r, "nested too deep");
	if (!take(r, close)) {
		for (unsigned i = 0;; i++) {
			bool ok = close == '}' ? take_member(r, place) : take_item(r, place, i);
			if (!ok)
				return false;
			if (take(r, ','))
				continue;
			if (take(r, close))
				break;
			return fail(r, "a \",\" or a closing bracket is missing");
		}
	}
	r->depth--;
	return true;
}

static bool take_value(struct reader *r, const struct place *place, uint64_t ends)
{
	struct fl_slice text = {NULL, 0};

	skip_blanks(r);
	if (r->p == r->end)
		return fail(r, "the line ends before its last value");
	if (*r->p == '{' || *r->p == '[') {
		char close = *r->p++ == '{' ? '}' : ']';
		return take_group(r, place, close);
	}
	if (*r->p == '"' ? !take_string(r, &text) : !take_word(r, &text))
		return false;
	for (; ends; ends &= ends - 1)
		r->values->v[__builtin_ctzll(ends)] = text;
	return true;
}

static const char *scan(
	const struct fl_log_format *format, struct fl_slice line, struct fl_log_values *values)
{
	struct reader r = {format, values, line.p, line.p + line.n, NULL, 0};
	struct place place = {.paths = format->has};

	memset(place.at, 0, format->wants->count);
	if (!take(&r, '{'))
		return "not a JSON object";
	if (!take_group(&r, &place, '}'))
		return r.why;
	skip_blanks(&r);
	return r.p == r.end ? NULL : "there is text behind the object";
}

const struct fl_log_kind fl_log_json = {
	.name = "json",
	.compile = compile,
	.scan = scan,
	.escape = FL_LOG_JSON,
	.hint = "",
};
