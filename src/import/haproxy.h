/* HAProxy's configuration as sections of lines, and what the files that read it share. */
#ifndef FL_IMPORT_HAPROXY_H
#define FL_IMPORT_HAPROXY_H

#include "import/import.h"

struct fl_haproxy_line {
	const char **words; /* at least one; quotes and escapes are gone, variables filled in */
	size_t count;
	struct fl_import_place at;
	struct fl_haproxy_line *next;
};

enum fl_haproxy_kind {
	FL_HAPROXY_GLOBAL,
	FL_HAPROXY_DEFAULTS,
	FL_HAPROXY_FRONTEND,
	FL_HAPROXY_BACKEND,
	FL_HAPROXY_LISTEN, /* both of them */
	FL_HAPROXY_OTHER,  /* its lines are not kept: they may be passwords */
};

struct fl_haproxy_section {
	enum fl_haproxy_kind kind;
	const char *name;                          /* "" without one */
	const struct fl_haproxy_section *defaults; /* that it inherits from; NULL: none */
	struct fl_haproxy_line *lines, **end;
	struct fl_import_place at;
	struct fl_haproxy_section *next;
};

/* The file as sections. As fl_import_read. */
int fl_haproxy_parse(struct fl_import *m, const struct fl_import_input *in,
	struct fl_haproxy_section **out, struct fl_error *err);

static inline bool fl_haproxy_is(const struct fl_haproxy_line *line, const char *word)
{
	return strcmp(line->words[0], word) == 0;
}

/* Word i, "" when there is none. */
static inline const char *fl_haproxy_word(const struct fl_haproxy_line *line, size_t i)
{
	return i < line->count ? line->words[i] : "";
}

/* The words with blanks between them, for a note; lives in the model. */
struct fl_slice fl_haproxy_text(struct fl_import *m, const struct fl_haproxy_line *line);

/* ---- settings that sections inherit ---- */

struct fl_haproxy_server {
	const char *name, *address; /* as written */
	uint64_t weight;
	int64_t id; /* 0: not written */
	const char *hash_key, *guid;
	uint64_t inter_ms;
	unsigned rise, fall;
	bool backup, disabled, check, tls, proxy; /* proxy: the PROXY protocol */
	const struct fl_haproxy_line *line;
	struct fl_haproxy_server *next;
};

struct fl_haproxy_settings {
	bool http; /* mode */
	bool all_backups;
	const struct fl_haproxy_line *balance, *hash_type; /* NULL: not said */
	const struct fl_haproxy_line *check;               /* option httpchk */
	const char *check_path;
	const struct fl_haproxy_line *default_backend;
	struct fl_haproxy_server server; /* default-server */
};

/* What `section` says with all that it inherits. */
struct fl_haproxy_settings fl_haproxy_settings(
	struct fl_import *m, const struct fl_haproxy_section *section);

/* Whether the line is one that fl_haproxy_settings reads. */
bool fl_haproxy_is_setting(const struct fl_haproxy_line *line);

/* The parameters of a server, from word `at` on. Notes what is not carried if `notes`. */
void fl_haproxy_params(struct fl_import *m, struct fl_haproxy_server *server,
	const struct fl_haproxy_line *line, size_t at, bool notes);

/* ---- the rest ---- */

/* Which numbers `hash-key id` hashes, by version. */
enum fl_haproxy_numbers {
	FL_HAPROXY_IDS,     /* before 3.0, and since October 2025 */
	FL_HAPROXY_IDS_3_0, /* in between */
	FL_HAPROXY_UNTOLD,  /* the version is needed */
};

/* FL_EINVAL: it is no version. NULL: not told. */
int fl_haproxy_numbers(
	const char *version, enum fl_haproxy_numbers *numbers, struct fl_error *err);

/* The mapping and the keys of `pool`. */
void fl_haproxy_balance(struct fl_import *m, struct fl_import_pool *pool,
	const struct fl_haproxy_settings *settings);

/* The servers of a backend (or listen) as a pool. */
void fl_haproxy_backend(struct fl_import *m, const struct fl_haproxy_section *section,
	enum fl_haproxy_numbers numbers);

/* The binds and rules of a frontend (or listen) as listeners and routes; all pools are there. */
void fl_haproxy_frontend(struct fl_import *m, const struct fl_haproxy_section *section);

/* Notes a line that nothing here carries. */
void fl_haproxy_left(struct fl_import *m, const struct fl_haproxy_line *line);

#endif
