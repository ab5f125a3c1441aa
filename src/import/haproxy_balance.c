/* `balance` and `hash-type` as a mapping and its keys. HAProxy's default for hashes is map-based;
 * which hash function and avalanche an unwritten one means is left to the mapping's own defaults,
 * which are HAProxy's. */
#include "import/haproxy.h"

#include <ctype.h>

struct balance {
	struct fl_import *m;
	struct fl_import_pool *pool;
	const struct fl_haproxy_line *line;
};

static void note(
	const struct balance *b, enum fl_import_kind kind, bool placement, const char *why)
{
	fl_import_note(
		b->m, kind, placement, b->line->at, fl_haproxy_text(b->m, b->line), "%s", why);
}

static void no_source(const struct balance *b)
{
	note(b, FL_IMPORT_LOOKUP, true,
		"no source of Fairlead's gives these bytes: serve takes client_ip; lookup and "
		"plan "
		"are right when they are given the key");
}

/* ---- samples ---- */

static const struct {
	const char *sample, *source;
	bool named;
} samples[] = {
	{"req.hdr", "header", true},
	{"hdr", "header", true},
	{"req.fhdr", "header", true},
	{"fhdr", "header", true},
	{"req.cook", "cookie", true},
	{"cook", "cookie", true},
	{"url_param", "query", true},
	{"urlp", "query", true},
	{"path", "path", false},
	{"pathq", "uri", false},
	{"url", "uri", false},
};

/* "name(argument)" or "name": the argument, empty without one; *n is the length of the name.
 * False: something else stands behind, such as a converter. */
static bool take_apart(const char *text, size_t *n, struct fl_slice *argument)
{
	const char *open = strchr(text, '('), *close = open ? strchr(open, ')') : NULL;

	*n = open ? (size_t)(open - text) : strlen(text);
	*argument = (struct fl_slice){open ? open + 1 : "", 0};
	if (!open)
		return !strchr(text, ',');
	if (!close || close[1])
		return false;
	argument->n = (size_t)(close - open - 1);
	return true;
}

static void set_header(const struct balance *b, struct fl_slice name)
{
	if (!fl_import_is_key_name(name)) {
		no_source(b);
		return;
	}
	(void)fl_import_add_key(b->m, b->pool, "header", fl_import_copy(b->m, name));
	note(b, FL_IMPORT_CARRIED, false,
		"of a value with commas HAProxy hashes one piece, Fairlead the whole; a "
		"request "
		"without the header goes to a random node, in HAProxy it is round robin's");
}

static void set_sample(const struct balance *b, const char *text)
{
	struct fl_slice argument;
	size_t n;
	bool whole = take_apart(text, &n, &argument);

	for (size_t i = 0; whole && i < sizeof(samples) / sizeof(samples[0]); i++) {
		if (strlen(samples[i].sample) != n || memcmp(samples[i].sample, text, n) != 0)
			continue;
		if (strcmp(samples[i].source, "header") == 0) {
			set_header(b, argument);
			return;
		}
		if (samples[i].named ? !fl_import_is_key_name(argument) : argument.n > 0)
			break;
		(void)fl_import_add_key(b->m, b->pool, samples[i].source,
			samples[i].named ? fl_import_copy(b->m, argument) : NULL);
		note(b, FL_IMPORT_CARRIED, false,
			"a request without the key goes to a random node, in HAProxy it is "
			"round "
			"robin's");
		return;
	}
	if (strcmp(text, "src") == 0)
		note(b, FL_IMPORT_NOT_CARRIED, true,
			"HAProxy hashes the bytes of the address, Fairlead its text; `balance "
			"source` could be carried");
	else
		no_source(b);
}

/* ---- methods ---- */

static void set_uri(const struct balance *b)
{
	bool whole = false, cut = false;

	for (size_t i = 2; i < b->line->count; i++) {
		const char *word = b->line->words[i];
		whole |= strcmp(word, "whole") == 0;
		if (strcmp(word, "len") == 0 || strcmp(word, "depth") == 0) {
			cut = true;
			i++;
		}
	}
	(void)fl_import_add_key(b->m, b->pool, whole ? "uri" : "path", NULL);
	if (cut)
		note(b, FL_IMPORT_NOT_CARRIED, true,
			"`len` and `depth` cut the key, which Fairlead's sources do not; "
			"lookup and "
			"plan are right when they are given the piece");
	else
		note(b, FL_IMPORT_CARRIED, false,
			"HAProxy hashes the target with the host when a client sends it so "
			"(HTTP/2, absolute form)");
}

static void set_param(const struct balance *b)
{
	struct fl_slice name = fl_slice_of(fl_haproxy_word(b->line, 2));

	if (!fl_import_is_key_name(name)) {
		no_source(b);
		return;
	}
	(void)fl_import_add_key(b->m, b->pool, "query", name.p);
	if (b->line->count > 3)
		note(b, FL_IMPORT_NOT_CARRIED, true,
			"keys are not taken from bodies of requests");
	else
		note(b, FL_IMPORT_CARRIED, false,
			"a request without the parameter goes to a random node, in HAProxy it "
			"is "
			"round robin's");
}

/* Of "hdr(name)". */
static void set_header_word(const struct balance *b, const char *text)
{
	struct fl_slice argument;
	size_t n;

	if (!take_apart(text, &n, &argument))
		argument.n = 0;
	set_header(b, argument);
	if (b->line->count > 2)
		note(b, FL_IMPORT_NOT_CARRIED, true,
			"`use_domain_only` cuts the key, which Fairlead's sources do not");
}

/* Whether keys decide; then the sources are there. */
static bool set_keys(const struct balance *b)
{
	const char *method = b->line ? fl_haproxy_word(b->line, 1) : "";

	if (strcmp(method, "source") == 0) {
		(void)fl_import_add_key(b->m, b->pool, "client_ip", NULL);
		fl_import_add_option(b->m, b->pool, "key", "source");
		note(b, FL_IMPORT_CARRIED, false, "by the client's address");
		return true;
	}
	b->pool->no_key = "random";
	if (strcmp(method, "uri") == 0)
		set_uri(b);
	else if (strcmp(method, "url_param") == 0)
		set_param(b);
	else if (strncmp(method, "hdr(", 4) == 0)
		set_header_word(b, method);
	else if (strcmp(method, "hash") == 0)
		set_sample(b, fl_haproxy_word(b->line, 2));
	else if (strncmp(method, "rdp-cookie", 10) == 0)
		no_source(b);
	else
		b->pool->no_key = NULL;
	return b->pool->no_key != NULL;
}

/* "hash-type METHOD [FUNCTION [avalanche]]". */
static void set_hash_type(const struct balance *b, const struct fl_haproxy_line *line)
{
	const char *function = line ? fl_haproxy_word(line, 2) : "";
	bool consistent = line && strcmp(fl_haproxy_word(line, 1), "consistent") == 0;

	b->pool->compat = consistent ? "haproxy-consistent" : "haproxy-map";
	if (*function)
		fl_import_add_option(b->m, b->pool, "hash", function);
	if (line && strcmp(fl_haproxy_word(line, 3), "avalanche") == 0)
		fl_import_add_option(b->m, b->pool, "avalanche", "1");
}

static bool is_function(const char *word)
{
	static const char *const names[] = {"", "sdbm", "djb2", "wt6", "crc32", "none", NULL};

	for (const char *const *name = names; *name; name++)
		if (strcmp(*name, word) == 0)
			return true;
	return false;
}

void fl_haproxy_balance(struct fl_import *m, struct fl_import_pool *pool,
	const struct fl_haproxy_settings *settings)
{
	const struct balance b = {m, pool, settings->balance};
	const struct fl_haproxy_line *type = settings->hash_type;

	if (!set_keys(&b)) {
		fl_import_note(m, FL_IMPORT_NOT_CARRIED, false, b.line ? b.line->at : pool->at,
			b.line ? fl_haproxy_text(m, b.line) : fl_slice_of(pool->name),
			"requests have no node of their own here; Fairlead gives each client "
			"address one");
		return;
	}
	if (type && !is_function(fl_haproxy_word(type, 2))) {
		fl_import_note(m, FL_IMPORT_NOT_CARRIED, true, type->at,
			fl_haproxy_text(m, type), "is no hash function that is known");
		type = NULL;
	}
	set_hash_type(&b, type);
	if (!settings->http && strcmp(fl_haproxy_word(b.line, 1), "source") != 0 &&
		strcmp(fl_haproxy_word(b.line, 1), "hash") != 0 &&
		strncmp(fl_haproxy_word(b.line, 1), "rdp-cookie", 10) != 0)
		note(&b, FL_IMPORT_NOT_CARRIED, true,
			"HAProxy wants `mode http` for it, which is not said, and takes round "
			"robin; it is carried as if it was said");
}
