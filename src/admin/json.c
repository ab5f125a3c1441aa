/* JSON through jansson, one small value at a time: a pool of a million nodes never stands in memory
 * as a tree. */
#include "admin/priv.h"

#include <stdio.h>
#include <string.h>

/* RFC 3986's unreserved characters: what never needs to be encoded. */
static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static json_t *percent_encoded(const char *p, size_t n)
{
	struct fl_text text;
	json_t *value = NULL;

	fl_text_init(&text, 3 * n + 1);
	for (size_t i = 0; i < n; i++) {
		if (is_unreserved((unsigned char)p[i]))
			fl_text_add(&text, p + i, 1);
		else
			fl_text_format(&text, "%%%02X", (unsigned char)p[i]);
	}
	if (!text.failed)
		value = json_stringn(text.p, text.n);
	fl_text_fini(&text);
	return value;
}

json_t *fl_json_bytes(const char *p, size_t n, const char **form)
{
	/* Many readers of JSON refuse a NUL, so it counts as what is not text. */
	json_t *value = n && memchr(p, 0, n) ? NULL : json_stringn(n ? p : "", n);

	if (form)
		*form = value ? "utf-8" : "percent";
	return value || n == 0 ? value : percent_encoded(p, n);
}

json_t *fl_json_text(const char *s)
{
	return s ? fl_json_bytes(s, strlen(s), NULL) : json_null();
}

json_t *fl_json_hex(uint64_t value)
{
	char hex[17];

	(void)snprintf(hex, sizeof(hex), "%016llx", (unsigned long long)value);
	return json_string(hex);
}

static int append(const char *p, size_t n, void *cookie)
{
	struct fl_httpd_reply *reply = cookie;

	fl_httpd_append(reply, p, n);
	return fl_httpd_failed(reply) ? -1 : 0;
}

void fl_json_put(struct fl_httpd_reply *reply, json_t *value, bool bare)
{
	size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9) |
	               (bare ? JSON_EMBED : 0);

	if (!value || json_dump_callback(value, append, reply, flags) < 0)
		fl_httpd_fail(reply);
	json_decref(value);
}
