/* The key of nginx's `hash`: a text with variables. One variable alone is a source of Fairlead's
 * when both give the same bytes. A text of several pieces is not: Fairlead's `all` puts lengths
 * between its parts. Such a pool is right for `lookup`, which is given the whole key; `serve` takes
 * the nearest there is. */
#include "import/nginx.h"

#include <ctype.h>

#define NAME_MOST 128

static const struct {
	const char *variable; /* with a "_" at its end: a prefix */
	const char *source;
	const char *name;
	bool address;      /* hashed as bytes of an address */
	const char *limit; /* NULL: the same bytes */
} variables[] = {
	{"remote_addr", "client_ip", NULL, false, NULL},
	{"binary_remote_addr", "client_ip", NULL, true, NULL},
	{"request_uri", "uri", NULL, false, NULL},
	{"uri", "path", NULL, false,
		"nginx hashes the path after decoding, normalising and rewriting it, Fairlead "
		"as "
		"it came: paths with %-escapes, // or /../ go elsewhere"},
	{"document_uri", "path", NULL, false,
		"nginx hashes the path after decoding, normalising and rewriting it, Fairlead "
		"as "
		"it came: paths with %-escapes, // or /../ go elsewhere"},
	{"host", "host", NULL, false, NULL},
	{"arg_", "query", NULL, false, NULL},
	{"cookie_", "cookie", NULL, false, NULL},
	{"http_", "header", NULL, false, NULL},
};

#define VARIABLES (sizeof(variables) / sizeof(variables[0]))

/* The row of a variable, with what stands behind its prefix in *rest; VARIABLES: none. */
static size_t find(struct fl_slice v, struct fl_slice *rest)
{
	for (size_t i = 0; i < VARIABLES; i++) {
		size_t n = strlen(variables[i].variable);
		bool prefix = variables[i].variable[n - 1] == '_';
		if (v.n < n || strncasecmp(v.p, variables[i].variable, n) != 0)
			continue;
		*rest = (struct fl_slice){v.p + n, v.n - n};
		if (prefix ? rest->n > 0 && rest->n <= NAME_MOST : rest->n == 0)
			return i;
	}
	return VARIABLES;
}

/* The next variable or piece of text at *p, and whether it is a variable. */
static struct fl_slice next_piece(const char **p, bool *variable)
{
	const char *start = *p, *end;
	bool braced = start[0] == '$' && start[1] == '{';
	struct fl_slice name;

	end = start + (start[0] == '$') + braced;
	name.p = end;
	while (isalnum((unsigned char)*end) || *end == '_')
		end++;
	name.n = (size_t)(end - name.p);
	*variable = start[0] == '$' && name.n > 0 && (!braced || *end == '}');
	if (*variable) {
		*p = end + braced;
		return name;
	}
	end = start + 1;
	while (*end && *end != '$')
		end++;
	*p = end;
	return (struct fl_slice){start, (size_t)(end - start)};
}

struct pieces {
	size_t count;   /* in all */
	size_t known;   /* that are sources */
	bool variables; /* there are any */
	const char *limit;
};

/* "x_forwarded_for" is the header x-forwarded-for. */
static const char *header_name(struct fl_import *m, struct fl_slice rest)
{
	char *name = (char *)fl_import_copy(m, rest);

	for (char *c = name; c && *c; c++)
		*c = (char)(*c == '_' ? '-' : tolower((unsigned char)*c));
	return name;
}

static void add_source(struct fl_import *m, struct fl_import_pool *pool, size_t row,
	struct fl_slice rest, struct pieces *pieces)
{
	const char *source = variables[row].source, *name = NULL;

	if (rest.n > 0)
		name = strcmp(source, "header") == 0 ? header_name(m, rest)
		                                     : fl_import_copy(m, rest);
	(void)fl_import_add_key(m, pool, source, name);
	pieces->known++;
	if (variables[row].limit)
		pieces->limit = variables[row].limit;
}

static struct pieces read_pieces(
	struct fl_import *m, struct fl_import_pool *pool, const char *text, bool *address)
{
	struct pieces pieces = {0};
	struct fl_slice rest = {NULL, 0};
	bool variable;

	while (*text) {
		struct fl_slice piece = next_piece(&text, &variable);
		size_t row = variable ? find(piece, &rest) : VARIABLES;
		pieces.count++;
		pieces.variables |= variable;
		if (row == VARIABLES || pieces.known == 8)
			continue;
		*address |= variables[row].address;
		add_source(m, pool, row, rest, &pieces);
	}
	return pieces;
}

/* Several sources as one that wants them all. */
static void join(struct fl_import *m, struct fl_import_pool *pool)
{
	struct fl_import_key *parts = pool->keys;
	struct fl_import_key *all;

	pool->keys = NULL;
	pool->keys_end = &pool->keys;
	all = fl_import_add_key(m, pool, "all", NULL);
	if (all)
		all->parts = parts;
}

void fl_nginx_key(
	struct fl_import *m, struct fl_import_pool *pool, const struct fl_nginx_item *item)
{
	struct fl_slice text = fl_nginx_text(m, item);
	bool address = false;
	struct pieces pieces = read_pieces(m, pool, item->words[1], &address);

	pool->no_key = "random";
	if (address && pieces.count == 1)
		fl_import_add_option(m, pool, "key", "addr");
	if (pieces.count == 1 && pieces.known == 1) {
		fl_import_note(m, pieces.limit ? FL_IMPORT_NOT_CARRIED : FL_IMPORT_CARRIED,
			pieces.limit != NULL, item->at, text, "%s",
			pieces.limit
				? pieces.limit
				: "a request without a key goes to a random node; in nginx "
				  "it is round robin's");
		return;
	}
	if (pieces.known > 1)
		join(m, pool);
	fl_import_note(m, FL_IMPORT_LOOKUP, true, item->at, text,
		"%s; lookup and plan are right when they are given the whole key",
		!pieces.variables
			? "the key is the same for all requests: serve takes client_ip"
		: pieces.known == 0
			? "no source of Fairlead's gives these bytes: serve takes client_ip"
		: pieces.known == 1 && pieces.count > 1
			? "a key of several pieces has no counterpart: serve takes the one "
			  "that "
			  "it knows"
			: "a key of several pieces has no counterpart: serve takes those that "
			  "it "
			  "knows, with their lengths");
}
