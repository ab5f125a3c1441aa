/* nginx.conf: `http` and `stream`, or a piece of them as files in conf.d have it. First all groups
 * of servers, then the server blocks that lead to them. */
#include "import/nginx.h"

#include "import/systems.h"

#include <ctype.h>

/* What changes the client's address, and so the key of who hashes it. */
static bool changes_client(const struct fl_nginx_item *item)
{
	return fl_nginx_is(item, "set_real_ip_from") || fl_nginx_is(item, "real_ip_header");
}

void fl_nginx_left(struct fl_import *m, const struct fl_nginx_item *item)
{
	bool client = changes_client(item) && fl_import_has_key(m, "client_ip", NULL);

	fl_import_note(m, FL_IMPORT_NOT_CARRIED, client, item->at,
		fl_import_brief(m, item->words, item->count), "%s",
		client ? "the client's address is that of the connection here, and keys are "
			 "made "
			 "of it"
		       : "has no counterpart, or needs none");
}

/* A piece without `stream` around it: servers that pass on without "http://" are of that kind. */
static bool is_stream_server(const struct fl_nginx_item *item)
{
	if (!fl_nginx_is(item, "server") || !item->block)
		return false;
	for (const struct fl_nginx_item *i = item->children; i; i = i->next)
		if (fl_nginx_is(i, "proxy_pass"))
			return true;
	return false;
}

static bool has_stream_server(const struct fl_nginx_item *items)
{
	for (; items; items = items->next)
		if (is_stream_server(items))
			return true;
	return false;
}

static void add_upstreams(struct fl_import *m, const struct fl_nginx_item *items, bool stream)
{
	for (const struct fl_nginx_item *i = items; i; i = i->next)
		if (fl_nginx_is(i, "upstream") && i->block)
			fl_nginx_upstream(m, i, stream);
}

static void add_servers(
	struct fl_import *m, const struct fl_nginx_item *items, bool stream, bool top)
{
	for (const struct fl_nginx_item *i = items; i; i = i->next) {
		if (stream && fl_nginx_is(i, "server") && i->block)
			fl_nginx_stream_server(m, i);
		else if (!i->block ||
			 (!fl_nginx_is(i, "upstream") && !fl_nginx_is(i, "server") &&
				 !(top &&
					 (fl_nginx_is(i, "http") || fl_nginx_is(i, "stream")))))
			fl_nginx_left(m, i);
	}
	if (!stream)
		fl_nginx_servers(m, items);
}

int fl_import_nginx(struct fl_import *m, const struct fl_import_input *in, struct fl_error *err)
{
	struct fl_nginx_item *top;
	int rc = fl_nginx_parse(m, in, &top, err);
	bool stream;

	if (rc != FL_OK)
		return rc;
	stream = has_stream_server(top);
	add_upstreams(m, top, stream);
	for (const struct fl_nginx_item *i = top; i; i = i->next)
		if (i->block && (fl_nginx_is(i, "http") || fl_nginx_is(i, "stream")))
			add_upstreams(m, i->children, fl_nginx_is(i, "stream"));
	add_servers(m, top, stream, true);
	for (const struct fl_nginx_item *i = top; i; i = i->next)
		if (i->block && (fl_nginx_is(i, "http") || fl_nginx_is(i, "stream")))
			add_servers(m, i->children, fl_nginx_is(i, "stream"), false);
	return FL_OK;
}

/* The first line that says anything begins with a word and has a ";" or a "{". */
bool fl_import_is_nginx(struct fl_slice bytes)
{
	struct fl_slice line = fl_import_first_line(bytes);
	size_t n = 0;

	while (n < line.n && (isalnum((unsigned char)line.p[n]) || line.p[n] == '_'))
		n++;
	return n > 0 && n < line.n && line.p[n] != ':' &&
	       (memchr(line.p, ';', line.n) || memchr(line.p, '{', line.n));
}
