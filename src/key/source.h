/* Where the keys of requests come from, as configuration and command line say it. */
#ifndef FL_KEY_SOURCE_H
#define FL_KEY_SOURCE_H

#include "base/error.h"
#include "base/option.h"

enum fl_key_kind {
	FL_KEY_CLIENT_IP,
	FL_KEY_HEADER,
	FL_KEY_COOKIE,
	FL_KEY_QUERY,
	FL_KEY_PATH,
	FL_KEY_URI, /* the whole request target: path and query */
	FL_KEY_HOST,
	FL_KEY_ALL, /* every part must give a value; each is length-prefixed */
};

struct fl_key_source {
	enum fl_key_kind kind;
	const char *name;            /* HEADER, COOKIE, QUERY */
	unsigned v4, v6;             /* CLIENT_IP: prefix lengths */
	const char *label;           /* "header:x-user", for logs; never a value */
	struct fl_key_source *parts; /* ALL */
	size_t part_count;
};

struct fl_key_sources {
	struct fl_key_source *items;
	size_t count;
};

/* Reads sources in any of their forms into a struct fl_key_sources: the `parse` of a custom row.
 * 0, or -1 with errors added; everything lives as long as `conf`. */
int fl_key_sources_parse(struct fl_conf *conf, const struct fl_conf_node *node, void *out);

/* The same from a text of its own, such as an argument of the command line: "client_ip/24",
 * "[header:x-user, client_ip]". `conf` (set also on failure) holds what `out` points to, until it
 * is freed. FL_EINVAL with the first thing that is wrong. */
int fl_key_sources_text(struct fl_conf **conf, const char *text, struct fl_key_sources *out,
	struct fl_error *err);

#endif
