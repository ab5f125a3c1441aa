/* Query strings: "a=1&b=%20". Strict: a parameter that is unknown, there twice or malformed is
 * an error, because an answer to another question than the one asked would look right. */
#include "admin/priv.h"

#include <stdlib.h>

enum {
	VALUE_MAX = 64 * 1024, /* longer than a request line can be */
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool fl_percent_decode(struct fl_slice in, struct fl_text *out)
{
	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];
		if (c == '%') {
			int high = i + 2 < in.n ? hex_digit(in.p[i + 1]) : -1;
			int low = high >= 0 ? hex_digit(in.p[i + 2]) : -1;
			if (low < 0)
				return false;
			c = (char)(high * 16 + low);
			i += 2;
		}
		fl_text_add(out, &c, 1);
	}
	fl_text_add(out, "", 1);
	if (out->failed)
		return false;
	out->n--;
	return true;
}

static struct fl_slice cut(struct fl_slice *from, char at)
{
	const char *end = from->n ? memchr(from->p, at, from->n) : NULL;
	struct fl_slice part = {from->p, end ? (size_t)(end - from->p) : from->n};
	size_t used = part.n + (end ? 1 : 0);

	*from = (struct fl_slice){from->p + used, from->n - used};
	return part;
}

static bool read_one(struct fl_slice part, struct fl_param *params, size_t count,
	struct fl_httpd_reply *reply)
{
	struct fl_slice name = cut(&part, '=');

	for (size_t i = 0; i < count; i++) {
		struct fl_param *p = &params[i];
		if (!fl_slice_eq(name, fl_slice_of(p->name)))
			continue;
		if (p->given) {
			fl_admin_error(reply, 400, "\"%s\" is there twice", p->name);
			return false;
		}
		fl_text_init(&p->value, VALUE_MAX);
		p->given = true;
		if (fl_percent_decode(part, &p->value))
			return true;
		fl_admin_error(reply, 400,
			"\"%s\" is not well-formed: %%XX is meant to be "
			"two hexadecimal digits",
			p->name);
		return false;
	}
	fl_admin_error(reply, 400, "unknown parameter \"%.*s\"",
		(int)(name.n < 100 ? name.n : 100), name.p);
	return false;
}

bool fl_query_read(struct fl_slice query, struct fl_param *params, size_t count,
	struct fl_httpd_reply *reply)
{
	while (query.n > 0) {
		struct fl_slice part = cut(&query, '&');
		if (part.n > 0 && !read_one(part, params, count, reply))
			return false;
	}
	return true;
}

void fl_query_fini(struct fl_param *params, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (params[i].given)
			fl_text_fini(&params[i].value);
	}
}
