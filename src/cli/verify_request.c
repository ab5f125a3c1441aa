/* A key is never bent to fit: where a place cannot hold its bytes without another meaning (a line
 * end in a header, a blank in a target), the request is not sent, since its answer would be about
 * another key. */
#include "cli/verify_request.h"

#include "proto/http1.h"

#include <stdio.h>
#include <string.h>

#define KEY "{key}"
#define RAW "{raw}"

/* ---- taking the options ---- */

static bool is_scheme(const char *url, const char *scheme)
{
	return strncasecmp(url, scheme, strlen(scheme)) == 0;
}

/* Where the key's place and the URL's other bytes are fine: visible ASCII without "#". */
static bool target_fits(struct fl_slice target)
{
	for (size_t i = 0; i < target.n; i++) {
		unsigned char c = (unsigned char)target.p[i];

		if (c <= ' ' || c >= 0x7f || c == '#')
			return false;
	}
	return true;
}

/* The port after the host, or 80. */
static bool take_port(struct fl_verify_request *r, struct fl_slice text)
{
	unsigned port = 0;

	if (text.n == 0) {
		(void)snprintf(r->port, sizeof(r->port), "80");
		return true;
	}
	if (text.n < 2 || text.n > 6 || text.p[0] != ':')
		return false;
	for (size_t i = 1; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		port = 10 * port + (unsigned)(text.p[i] - '0');
	}
	if (port == 0 || port > 65535)
		return false;
	(void)snprintf(r->port, sizeof(r->port), "%u", port);
	return true;
}

static int take_authority(struct fl_verify_request *r, struct fl_error *err)
{
	struct fl_slice host, whole = r->authority;

	if (fl_http1_authority(whole, &host) != 0 || host.n >= sizeof(r->host) || host.n == 0 ||
		!take_port(r, (struct fl_slice){whole.p + host.n, whole.n - host.n}))
		return fl_error_set(err, FL_EINVAL,
			"an URL is http://HOST[:PORT][/PATH], and \"%.*s\" is no HOST[:PORT]",
			whole.n > 60 ? 60 : (int)whole.n, whole.p);
	if (host.p[0] == '[') {
		host.p++;
		host.n -= 2;
	}
	(void)snprintf(r->host, sizeof(r->host), "%.*s", (int)host.n, host.p);
	return FL_OK;
}

int fl_verify_request_url(struct fl_verify_request *r, const char *url, struct fl_error *err)
{
	if (is_scheme(url, "https://"))
		return fl_error_set(err, FL_EINVAL,
			"https is not spoken: give a plain http address of the balancer");
	if (!is_scheme(url, "http://"))
		return fl_error_set(err, FL_EINVAL,
			"an URL is http://HOST[:PORT][/PATH], not \"%.60s\"", url);
	url += strlen("http://");
	r->authority = (struct fl_slice){url, strcspn(url, "/?#{")};
	r->target = fl_slice_of(url + r->authority.n);
	if (r->target.p[0] == '{' && strncmp(r->target.p, RAW, strlen(RAW)) != 0)
		return fl_error_set(err, FL_EINVAL,
			"only " RAW " can stand right behind HOST[:PORT]; a path begins with a "
			"slash: \"%.60s\"",
			r->target.p);
	if (!target_fits(r->target))
		return fl_error_set(err, FL_EINVAL,
			"an URL has neither blanks nor \"#\": \"%.60s\"", r->target.p);
	return take_authority(r, err);
}

static bool is_token(struct fl_slice name)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			    (c >= 'A' && c <= 'Z') || (c && strchr(marks, c))))
			return false;
	}
	return name.n > 0;
}

/* What a field's value may hold; the same is asked of keys. */
static bool value_fits(struct fl_slice value)
{
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static struct fl_slice field_name(const char *field)
{
	return (struct fl_slice){field, strcspn(field, ":")};
}

int fl_verify_request_header(
	struct fl_verify_request *r, const char *header, struct fl_error *err)
{
	static const char *const ours[] = {
		"Connection", "Content-Length", "Transfer-Encoding", "Cookie"};
	struct fl_slice name = field_name(header);

	if (r->field_count == FL_VERIFY_FIELDS)
		return fl_error_set(err, FL_EINVAL, "more than %d headers", FL_VERIFY_FIELDS);
	if (header[name.n] != ':' || !is_token(name) || !value_fits(fl_slice_of(header)))
		return fl_error_set(err, FL_EINVAL,
			"a header is \"Name: value\", such as \"X-Key: " KEY
			"\", not \"%.60s\"",
			header);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (fl_slice_eq_nocase(name, fl_slice_of(ours[i])))
			return fl_error_set(err, FL_EINVAL,
				strcmp(ours[i], "Cookie") == 0
					? "cookies are given by --cookie NAME=VALUE"
					: "%s is set by the program itself",
				ours[i]);
	r->fields[r->field_count++] = header;
	return FL_OK;
}

/* RFC 6265: what stands between the marks of a Cookie header. */
static bool cookie_fits(struct fl_slice value)
{
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (c <= ' ' || c == 0x7f || strchr("\",;\\", c))
			return false;
	}
	return true;
}

int fl_verify_request_cookie(
	struct fl_verify_request *r, const char *cookie, struct fl_error *err)
{
	struct fl_slice name = {cookie, strcspn(cookie, "=")};

	if (r->cookie_count == FL_VERIFY_FIELDS)
		return fl_error_set(err, FL_EINVAL, "more than %d cookies", FL_VERIFY_FIELDS);
	if (cookie[name.n] != '=' || !is_token(name) || !cookie_fits(fl_slice_of(cookie)))
		return fl_error_set(err, FL_EINVAL,
			"a cookie is NAME=VALUE, such as \"user=" KEY "\", not \"%.60s\"",
			cookie);
	r->cookies[r->cookie_count++] = cookie;
	return FL_OK;
}

bool fl_verify_request_has_key(const struct fl_verify_request *r)
{
	/* The target ends where the URL's text ends. */
	bool found = r->target.n && (strstr(r->target.p, KEY) || strstr(r->target.p, RAW));

	for (size_t i = 0; i < r->field_count; i++)
		found |= strstr(r->fields[i], KEY) != NULL;
	for (size_t i = 0; i < r->cookie_count; i++)
		found |= strstr(r->cookies[i], KEY) != NULL;
	return found;
}

/* ---- writing a request ---- */

static void put_encoded(struct fl_text *out, struct fl_slice key)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < key.n; i++) {
		unsigned char c = (unsigned char)key.p[i];
		char code[3] = {'%', hex[c >> 4], hex[c & 15]};

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			(c >= 'A' && c <= 'Z') || (c && strchr("-._~", c)))
			fl_text_add(out, key.p + i, 1);
		else
			fl_text_add(out, code, sizeof(code));
	}
}

/* Writes `text`, with the key for each `mark`. */
static void put_filled(
	struct fl_text *out, const char *text, const char *mark, struct fl_slice key)
{
	const char *at;

	while ((at = strstr(text, mark)) != NULL) {
		fl_text_add(out, text, (size_t)(at - text));
		fl_text_slice(out, key);
		text = at + strlen(mark);
	}
	fl_text_string(out, text);
}

static const char *put_target(
	const struct fl_verify_request *r, struct fl_slice key, struct fl_text *out)
{
	const char *text = r->target.p;

	if (*text == '{' && (key.n == 0 || key.p[0] != '/'))
		return "does not begin with a slash, as a path must";
	if (*text == '\0' || *text == '?')
		FL_TEXT_LITERAL(out, "/");
	while (*text) {
		if (strncmp(text, KEY, strlen(KEY)) == 0) {
			put_encoded(out, key);
			text += strlen(KEY);
		} else if (strncmp(text, RAW, strlen(RAW)) == 0) {
			if (!target_fits(key))
				return "has bytes that an URL cannot have as they are";
			fl_text_slice(out, key);
			text += strlen(RAW);
		} else {
			fl_text_add(out, text++, 1);
		}
	}
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Blanks around a value are not part of it. */
static bool key_fits_field(struct fl_slice key)
{
	return value_fits(key) &&
	       (key.n == 0 || (!is_blank(key.p[0]) && !is_blank(key.p[key.n - 1])));
}

static const char *put_fields(
	const struct fl_verify_request *r, struct fl_slice key, struct fl_text *out)
{
	bool host = false;

	for (size_t i = 0; i < r->field_count; i++) {
		if (strstr(r->fields[i], KEY) && !key_fits_field(key))
			return "has bytes that a header cannot have";
		host |= fl_slice_eq_nocase(field_name(r->fields[i]), FL_SLICE("Host"));
		put_filled(out, r->fields[i], KEY, key);
		FL_TEXT_LITERAL(out, "\r\n");
	}
	if (!host) {
		FL_TEXT_LITERAL(out, "Host: ");
		fl_text_slice(out, r->authority);
		FL_TEXT_LITERAL(out, "\r\n");
	}
	return NULL;
}

static const char *put_cookies(
	const struct fl_verify_request *r, struct fl_slice key, struct fl_text *out)
{
	for (size_t i = 0; i < r->cookie_count; i++) {
		if (strstr(r->cookies[i], KEY) && !cookie_fits(key))
			return "has bytes that a cookie cannot have";
		fl_text_string(out, i ? "; " : "Cookie: ");
		put_filled(out, r->cookies[i], KEY, key);
	}
	if (r->cookie_count)
		FL_TEXT_LITERAL(out, "\r\n");
	return NULL;
}

const char *fl_verify_request_write(
	const struct fl_verify_request *r, struct fl_slice key, struct fl_text *out)
{
	const char *why;

	fl_text_clear(out);
	FL_TEXT_LITERAL(out, "GET ");
	why = put_target(r, key, out);
	FL_TEXT_LITERAL(out, " HTTP/1.1\r\n");
	if (!why)
		why = put_fields(r, key, out);
	if (!why)
		why = put_cookies(r, key, out);
	FL_TEXT_LITERAL(out, "\r\n");
	return !why && out->failed ? "is too long for a request" : why;
}
