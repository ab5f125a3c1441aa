/* Configurations of other balancers, read into one model: what listens, where requests go, which
 * pools with which mapping, and notes on everything that was seen. Readers (one file a system)
 * fill the model; the writer turns it into a configuration of Fairlead and the report is read off
 * the notes.
 *
 * Bytes in, model out: nothing here opens a file. Included files come through a callback of the
 * caller. Everything a model holds lives in its arena until fl_import_free. One thread at a time.
 *
 * Without memory, and beyond the arena's bound, the functions that add return NULL and the model
 * is marked as failed; a reader may go on adding (NULL is fine everywhere) or stop, and
 * fl_import_read reports it at the end. */
#ifndef FL_IMPORT_IMPORT_H
#define FL_IMPORT_IMPORT_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "base/text.h"

#include <stdint.h>

#define FL_IMPORT_MAX_BYTES  (16u << 20) /* of one file */
#define FL_IMPORT_MAX_FILES  1024        /* with all that it includes */
#define FL_IMPORT_MAX_DEPTH  32          /* of blocks in blocks, and of includes */
#define FL_IMPORT_MAX_ROUTES 65536       /* as many as a configuration may have */
#define FL_IMPORT_MAX_NOTES  4096        /* further ones are only counted */
#define FL_IMPORT_MAX_TEXT   160         /* of a directive that is quoted in a note */
#define FL_IMPORT_MAX_MEMORY (256u << 20)

/* Where something stands. `file` is borrowed from the model (fl_import_copy); line from 1. */
struct fl_import_place {
	const char *file;
	unsigned line;
};

/* ---- notes ---- */

enum fl_import_kind {
	FL_IMPORT_CARRIED,     /* is in the configuration; `why` tells of limits, if any */
	FL_IMPORT_NOT_CARRIED, /* is not */
	FL_IMPORT_ASK,    /* cannot be known from the file: `why` names the option to give */
	FL_IMPORT_LOOKUP, /* is, for `lookup` and `plan`; `serve` cannot run it (TCP, TLS) */
};

struct fl_import_note {
	enum fl_import_kind kind;
	/* Keys or requests go to other nodes than in the peer because of it: exit status 1. */
	bool placement;
	struct fl_import_place at;
	const char *
		text; /* the directive, at most FL_IMPORT_MAX_TEXT bytes, control bytes as "_" */
	const char *why;
	struct fl_import_note *next;
};

/* ---- what is imported ---- */

struct fl_import_listener {
	const char *name;
	const char *bind; /* as Fairlead's `bind`: ":8080", "10.0.0.1:80", "unix:/path" */
	struct fl_import_place at;
	struct fl_import_listener *next;
};

struct fl_import_route {
	const char *listener; /* NULL: all */
	const char *host;     /* NULL: all; "example.com", "*.example.com" */
	const char *path;     /* NULL: all; a prefix */
	const char *pool;
	struct fl_import_place at;
	struct fl_import_route *next;
};

/* One source of Fairlead's `key`. */
struct fl_import_key {
	const char *source; /* "client_ip", "header", "cookie", "query", "path", ... "all" */
	const char *name;   /* header, cookie, query */
	unsigned v4, v6;    /* client_ip: bits that count */
	struct fl_import_key *parts; /* all */
	struct fl_import_key *next;
};

/* An option of the algorithm: "hash" "crc32". */
struct fl_import_option {
	const char *name, *value;
	struct fl_import_option *next;
};

struct fl_import_node {
	const char *name; /* the literal text that the peer hashes, where it hashes names */
	const char *
		address; /* "10.0.0.1:80", "[::1]:80", "unix:/path", "host:80"; NULL: unknown */
	uint64_t weight; /* 0..65535 */
	int64_t id;      /* slot + 1, where numbers or the order decide; 0: none */
	bool backup;
	bool drain; /* down or disabled in the file: its place stays, keys go past it */
	struct fl_import_place at;
	struct fl_import_node *next;
};

/* Active checks. */
struct fl_import_health {
	bool given;
	const char *http_path; /* NULL: only whether it takes connections */
	uint64_t interval_ms;  /* 0: Fairlead's default */
	unsigned rise, fall;   /* 0: Fairlead's default */
};

struct fl_import_pool {
	const char *name;
	/* The mapping without "compat:": "nginx-consistent"; NULL: the peer places by no key (round
	 * robin, least connections), and Fairlead's own default stands in. */
	const char *compat;
	struct fl_import_option *options;
	struct fl_import_key *keys; /* NULL: Fairlead's default, client_ip */
	const char *no_key;         /* "client_ip", "random", "reject"; NULL: the default */
	struct fl_import_health health;
	bool lookup_only; /* serve cannot run it (TCP, TLS to nodes): no route leads here */
	struct fl_import_node *nodes;
	size_t node_count;
	struct fl_import_place at;
	struct fl_import_pool *next;
	/* The ends of the lists, for adding. */
	struct fl_import_option **options_end;
	struct fl_import_key **keys_end;
	struct fl_import_node **nodes_end;
};

/* By name, what is there already; `owner` tells pools, listeners and the nodes of one pool apart. */
struct fl_import_entry {
	const void *owner;
	const char *name;
	void *item;
};

struct fl_import {
	struct fl_arena arena;
	struct fl_import_entry *index; /* open addressing; index_size is a power of two, or 0 */
	size_t index_size, index_count;
	size_t listener_count, pool_count, route_count;
	bool failed; /* without memory or over the bound */
	struct fl_import_listener *listeners, **listeners_end;
	struct fl_import_route *routes, **routes_end;
	struct fl_import_pool *pools, **pools_end;
	struct fl_import_note *notes, **notes_end;
	size_t note_count, notes_dropped;
	bool misplaced; /* some note, a dropped one too, is about placement: exit status 1 */
};

/* ---- reading ---- */

enum fl_import_system {
	FL_IMPORT_ANY, /* recognised from the content */
	FL_IMPORT_NGINX,
	FL_IMPORT_HAPROXY,
	FL_IMPORT_TWEMPROXY,
	FL_IMPORT_ENVOY,
};

/* Calls `each` with the name and the bytes of every file that `pattern` (a path, or a glob in the
 * file's own words) stands for, in the peer's order. The caller of fl_import_read knows folders.
 * Bytes live until `each` returns. 0, what `each` gave when not 0, or FL_ENOENT with `err` set when
 * a file is not there or cannot be read (a glob that matches nothing is fine). */
typedef int fl_import_each(void *cookie, const char *name, const char *bytes, size_t len);
typedef int fl_import_include(void *includer, const char *pattern, fl_import_each *each,
	void *cookie, struct fl_error *err);

struct fl_import_input {
	enum fl_import_system system;
	const char *name; /* of the file, for places */
	const char *bytes;
	size_t len;
	const char *haproxy_version; /* "2.6", "3.2.0"; NULL: not told */
	const char *const
		*variables;         /* "NAME=VALUE" of the peer's environment, NULL at the end;
	                               * NULL: none */
	fl_import_include *include; /* NULL: what includes files is not carried */
	void *includer;
};

/* Fills *out (always set, NULL only without memory; may be half filled on failure). FL_OK;
 * FL_EINVAL: the file is broken, or of no known system; FL_ELIMIT: a bound was passed; FL_ENOMEM.
 * `err` then says where and what was expected: "nginx.conf:12: ...". O(bytes). */
int fl_import_read(
	struct fl_import **out, const struct fl_import_input *in, struct fl_error *err);
void fl_import_free(struct fl_import *m); /* NULL is fine */

/* ---- writing ---- */

/* The configuration as YAML: the same text for the same model, every name quoted, each thing with
 * a comment on where it came from. */
void fl_import_write(const struct fl_import *m, struct fl_text *out);

/* The notes, one a line ("nginx.conf:12: not carried: `keepalive 8`: ..."), or as JSON. */
void fl_import_report(const struct fl_import *m, struct fl_text *out);
void fl_import_report_json(const struct fl_import *m, struct fl_text *out);

/* ---- filling a model: for the readers ---- */

struct fl_import *fl_import_new(void);

/* A copy of text that ends in NUL; NULL without memory. */
const char *fl_import_copy(struct fl_import *m, struct fl_slice text);
__attribute__((format(printf, 2, 3))) const char *fl_import_format(
	struct fl_import *m, const char *format, ...);

/* Names are made unique among listeners, or pools, by a "-2" behind them, and made writable:
 * what a name cannot have (control bytes, what is not UTF-8) becomes "_", and long ones are cut.
 * A listener for a place that is bound already is the one that is there. What cannot be bound, and
 * what is over a bound of Fairlead's, is noted and NULL. So is a route whose host or path Fairlead
 * cannot have, or whose pool is only for lookup. */
struct fl_import_listener *fl_import_add_listener(struct fl_import *m,
	struct fl_import_place at, struct fl_slice name, struct fl_slice bind);
struct fl_import_pool *fl_import_add_pool(
	struct fl_import *m, struct fl_import_place at, struct fl_slice name);
struct fl_import_route *fl_import_add_route(struct fl_import *m, struct fl_import_place at,
	const char *listener, const char *host, const char *path, const char *pool);

/* Whether a route can have this. */
bool fl_import_is_host(const char *host);
bool fl_import_is_path(const char *path);

/* Whether it can be the name of a header, a cookie or a query parameter of a key. */
bool fl_import_is_key_name(struct fl_slice name);

/* The node has weight 1. A name that cannot be written, or that is there already, is not changed
 * (it may be hashed): then a note is added and NULL is given. An address that Fairlead cannot
 * have is noted, and the node has none. `address` may be empty: unknown. */
struct fl_import_node *fl_import_add_node(struct fl_import *m, struct fl_import_pool *pool,
	struct fl_import_place at, struct fl_slice name, struct fl_slice address);
void fl_import_add_option(
	struct fl_import *m, struct fl_import_pool *pool, const char *name, const char *value);

/* `name` NULL for sources without one; a client_ip counts whole addresses (32, 128). */
struct fl_import_key *fl_import_add_key(
	struct fl_import *m, struct fl_import_pool *pool, const char *source, const char *name);

/* What is there by that name (after it was made writable), or NULL. */
struct fl_import_pool *fl_import_find_pool(const struct fl_import *m, struct fl_slice name);
struct fl_import_node *fl_import_find_node(
	const struct fl_import *m, const struct fl_import_pool *pool, struct fl_slice name);

/* Whether some pool takes its keys from `source` (and `name`, unless NULL). */
bool fl_import_has_key(const struct fl_import *m, const char *source, const char *name);

/* The directive of `words` for a note on something that is not carried: its name and first
 * argument, which say what it is; the rest, and what a name like "password" or "auth" makes look
 * like a secret, is left out. */
struct fl_slice fl_import_brief(struct fl_import *m, const char *const *words, size_t count);

/* Adds a note; `text` is cut and cleaned. */
__attribute__((format(printf, 6, 7))) void fl_import_note(struct fl_import *m,
	enum fl_import_kind kind, bool placement, struct fl_import_place at,
	struct fl_slice text, const char *format, ...);

/* The readers: fill `m` from `in`, whose `system` is theirs. As fl_import_read. */
typedef int fl_import_reader(
	struct fl_import *m, const struct fl_import_input *in, struct fl_error *err);
fl_import_reader fl_import_nginx, fl_import_haproxy, fl_import_twemproxy, fl_import_envoy;

#endif
