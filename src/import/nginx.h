/* nginx's configuration as a tree, and what the files that read it share. */
#ifndef FL_IMPORT_NGINX_H
#define FL_IMPORT_NGINX_H

#include "import/import.h"

/* A directive; one with a block has its directives as children, of included files too. */
struct fl_nginx_item {
	const char **words; /* the name and its arguments, without quotes; at least one */
	size_t count;
	struct fl_import_place at;
	bool block;
	struct fl_nginx_item *children;
	struct fl_nginx_item *next;
};

/* The file with all that it includes. *out is NULL for an empty one. As fl_import_read. */
int fl_nginx_parse(struct fl_import *m, const struct fl_import_input *in,
	struct fl_nginx_item **out, struct fl_error *err);

static inline bool fl_nginx_is(const struct fl_nginx_item *item, const char *name)
{
	return strcmp(item->words[0], name) == 0;
}

/* The words with blanks between them, for a note; lives in the model. */
struct fl_slice fl_nginx_text(struct fl_import *m, const struct fl_nginx_item *item);

/* Notes a directive that nothing here carries. */
void fl_nginx_left(struct fl_import *m, const struct fl_nginx_item *item);

/* The upstream block `item` as a pool. */
void fl_nginx_upstream(struct fl_import *m, const struct fl_nginx_item *item, bool stream);

/* The key of `hash` as sources of `pool`. */
void fl_nginx_key(
	struct fl_import *m, struct fl_import_pool *pool, const struct fl_nginx_item *item);

/* All server blocks among `items` (and of further lists, one call each), as listeners and routes.
 * All pools are there already. */
void fl_nginx_servers(struct fl_import *m, const struct fl_nginx_item *items);
void fl_nginx_stream_server(struct fl_import *m, const struct fl_nginx_item *item);

#endif
