#include "key/key.h"

static const struct fl_slice none = {NULL, 0};

struct fl_slice fl_key_pair(struct fl_slice text, char separator, struct fl_slice name)
{
	const char *p = text.p, *end = text.n ? text.p + text.n : text.p;

	while (p < end) {
		while (separator == ';' && p < end && *p == ' ')
			p++;
		const char *stop = memchr(p, separator, (size_t)(end - p));
		if (!stop)
			stop = end;
		if ((size_t)(stop - p) > name.n && p[name.n] == '=' &&
			memcmp(p, name.p, name.n) == 0) {
			p += name.n + 1;
			return (struct fl_slice){p, (size_t)(stop - p)};
		}
		p = stop + 1;
	}
	return none;
}

bool fl_key_add_host(struct fl_slice host, struct fl_text *out)
{
	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		fl_text_add(out, &c, 1);
	}
	return host.n > 0;
}

bool fl_key_add_client(
	const struct fl_key_source *source, const struct fl_addr *client, struct fl_text *out)
{
	char text[FL_ADDR_TEXT];
	size_t n = fl_addr_client_text(client, source->v4, source->v6, text, sizeof(text));

	fl_text_add(out, text, n);
	return n > 0;
}

/* ---- the list ---- */

static bool add_all(const struct fl_key_source *source, fl_key_value *value, void *cookie,
	struct fl_text *out)
{
	for (size_t i = 0; i < source->part_count; i++) {
		size_t at = out->n;
		FL_TEXT_LITERAL(out, "\0\0\0\0");
		if (!value(cookie, &source->parts[i], out) || out->failed)
			return false;
		size_t n = out->n - at - 4;
		for (int byte = 0; byte < 4; byte++)
			out->p[at + (size_t)byte] = (char)(n >> (8 * byte));
	}
	return source->part_count > 0;
}

const struct fl_key_source *fl_key_make_from(const struct fl_key_sources *sources,
	fl_key_value *value, void *cookie, struct fl_text *out)
{
	size_t before = out->n;

	for (size_t i = 0; i < sources->count; i++) {
		const struct fl_key_source *source = &sources->items[i];
		bool found = source->kind == FL_KEY_ALL ? add_all(source, value, cookie, out)
		                                        : value(cookie, source, out);
		if (found && !out->failed)
			return source;
		out->n = before;
	}
	return NULL;
}

/* ---- a head's values ---- */

static struct fl_slice header_of(const struct fl_http1_head *head, struct fl_slice name)
{
	for (size_t i = 0; i < head->header_count; i++)
		if (fl_slice_eq_nocase(head->headers[i].name, name))
			return head->headers[i].value;
	return none;
}

static struct fl_slice cookie_of(const struct fl_http1_head *head, struct fl_slice name)
{
	for (size_t i = 0; i < head->header_count; i++) {
		if (head->headers[i].id != FL_HDR_COOKIE)
			continue;
		struct fl_slice value = fl_key_pair(head->headers[i].value, ';', name);
		if (value.p)
			return value;
	}
	return none;
}

static bool add_value(void *cookie, const struct fl_key_source *source, struct fl_text *out)
{
	const struct fl_key_request *request = cookie;
	struct fl_slice value = none;

	switch (source->kind) {
	case FL_KEY_CLIENT_IP:
		return fl_key_add_client(source, request->client, out);
	case FL_KEY_HOST:
		return fl_key_add_host(request->head->host, out);
	case FL_KEY_HEADER:
		value = header_of(request->head, fl_slice_of(source->name));
		break;
	case FL_KEY_COOKIE:
		value = cookie_of(request->head, fl_slice_of(source->name));
		break;
	case FL_KEY_QUERY:
		value = fl_key_pair(request->head->query, '&', fl_slice_of(source->name));
		break;
	case FL_KEY_PATH:
		value = request->head->path;
		break;
	case FL_KEY_URI:
		value = request->head->target;
		break;
	case FL_KEY_ALL: /* is made of its parts */
		return false;
	}
	fl_text_slice(out, value);
	return value.n > 0;
}

const struct fl_key_source *fl_key_make(const struct fl_key_sources *sources,
	const struct fl_key_request *request, struct fl_text *out)
{
	return fl_key_make_from(sources, add_value, (void *)request, out);
}
