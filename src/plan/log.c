/* The log reader: from bytes to lines to keys.
 *
 * Lines are read where they are; only one that is cut by the end of a piece is put together in
 * `cut`. In front stands, for the first two bytes, the question whether this is gzip, and for the
 * first lines the question of their format: those lines wait in `cut` as well, and are read once
 * it is known. */
#include "plan/log.h"

#include "plan/gunzip.h"
#include "plan/log_priv.h"

#include <stdlib.h>

#define TRY_LINES 16 /* that are not empty decide the format */

enum packing {
	UNKNOWN, /* less than two bytes were seen */
	PLAIN,
	GZIP,
};

struct fl_log {
	void (*key)(void *cookie, struct fl_slice key, uint64_t weight);
	void *cookie;
	bool has_field;
	struct fl_log_plan *plan;
	struct fl_log_format format;
	bool known; /* the format is */
	struct fl_log_values values;
	struct fl_text text; /* the key of a line */
	struct fl_log_stats stats;

	uint64_t input, line; /* where we are, from 1 */
	enum packing packing;
	char magic; /* the first byte, when it came alone */
	bool has_magic;
	struct fl_gunzip *gunzip;

	char *cut; /* the beginning of a line, or the first lines of all */
	size_t cut_n;
	size_t waiting; /* lines in `cut`, empty ones not counted */
};

/* A line too long is told from one that is not by a byte more, behind which may be a CR. */
#define LINE_KEPT ((size_t)FL_LOG_LINE + 2)
#define CUT_ROOM  ((size_t)2 * FL_LOG_LINE)

static const struct fl_log_kind *const tried[] = {&fl_log_json, &fl_log_haproxy,
	&fl_log_combined, &fl_log_vhost, &fl_log_common, &fl_log_keys};

#define TRIED (sizeof(tried) / sizeof(tried[0]))

/* ---- lines ---- */

static void count_bad(struct fl_log *log, const char *why)
{
	if (log->stats.bad < FL_LOG_BAD_KEPT)
		log->stats.first[log->stats.bad] =
			(struct fl_log_bad){log->input, log->line, why};
	log->stats.bad++;
}

static void give(struct fl_log *log, struct fl_slice key, uint64_t weight)
{
	log->stats.keys++;
	log->key(log->cookie, key, weight);
}

static void read_values(struct fl_log *log, struct fl_slice line)
{
	const struct fl_log_kind *kind = log->format.kind;
	const char *why;
	uint64_t weight;

	memset(log->values.v, 0, log->format.wants->count * sizeof(log->values.v[0]));
	why = kind->scan(&log->format, line, &log->values);
	if (why) {
		count_bad(log, why);
		return;
	}
	switch (fl_log_plan_key(log->plan, &log->values, &log->text, &weight)) {
	case FL_LOG_KEY:
		give(log, (struct fl_slice){log->text.p, log->text.n}, weight);
		break;
	case FL_LOG_NO_VALUE:
		log->stats.no_value++;
		break;
	case FL_LOG_BAD_ESCAPE:
		count_bad(log, "a bad escape in a value");
		break;
	}
}

static struct fl_slice trim(struct fl_slice line)
{
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* A whole line without its newline. */
static void read_line(struct fl_log *log, const char *p, size_t n)
{
	struct fl_slice line = trim((struct fl_slice){p, n});

	log->line++;
	log->stats.lines++;
	if (line.n == 0)
		log->stats.empty++;
	else if (line.n > FL_LOG_LINE)
		count_bad(log, "longer than 64 KiB");
	else if (log->format.kind == &fl_log_keys)
		give(log, line, 1);
	else
		read_values(log, line);
}

/* All whole lines of p[0..n); the bytes they take. */
static size_t read_lines(struct fl_log *log, const char *p, size_t n)
{
	const char *at = p, *end = p + n, *stop;

	while (at < end && (stop = memchr(at, '\n', (size_t)(end - at)))) {
		read_line(log, at, (size_t)(stop - at));
		at = stop + 1;
	}
	return (size_t)(at - p);
}

/* ---- which format ---- */

/* How many of the waiting lines are of this kind. *why: what is wrong with the first that is not.
 */
static size_t try_kind(
	const struct fl_log *log, const struct fl_log_kind *kind, const char **why)
{
	static const struct fl_log_wants wants = {.name = {"remote_addr"}, .count = 1};
	const char *p = log->cut, *end = p + log->cut_n;
	struct fl_log_format format;
	struct fl_log_values values;
	size_t good = 0;

	*why = NULL;
	if (fl_log_format_init(&format, kind, "", &wants, NULL) != FL_OK) {
		fl_log_format_fini(&format);
		return 0;
	}
	while (p < end) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		struct fl_slice line =
			trim((struct fl_slice){p, (size_t)((stop ? stop : end) - p)});
		const char *wrong = NULL;
		struct fl_addr addr;

		p = stop ? stop + 1 : end;
		if (line.n == 0)
			continue;
		values.v[0] = (struct fl_slice){NULL, 0};
		wrong = kind->scan(&format, line, &values);
		if (!wrong && format.step_count &&
			!fl_addr_parse_ip(&addr, values.v[0].p, values.v[0].n))
			wrong = "no address where the client's should be";
		if (!wrong && kind == &fl_log_keys && memchr(line.p, ' ', line.n))
			wrong = "there is a blank in it";
		good += !wrong;
		if (wrong && !*why)
			*why = wrong;
	}
	fl_log_format_fini(&format);
	return good;
}

static int unknown_format(const char *const why[TRIED], struct fl_error *err)
{
	struct fl_text text;
	int rc;

	fl_text_init(&text, 4096);
	for (size_t i = 0; i < TRIED; i++)
		fl_text_format(&text, "%s%s: %s", i ? "; " : "", tried[i]->name, why[i]);
	rc = fl_error_set(err, FL_EINVAL, "unknown format of log; tried %.*s", (int)text.n,
		text.p ? text.p : "");
	fl_text_fini(&text);
	return rc;
}

static int set_format(struct fl_log *log, const struct fl_log_kind *kind, const char *text,
	struct fl_error *err)
{
	int rc;

	if (kind == &fl_log_keys && log->has_field)
		return fl_error_set(
			err, FL_EINVAL, "lines that are keys have no fields to choose from");
	rc = fl_log_format_init(&log->format, kind, text, fl_log_plan_wants(log->plan), err);
	if (rc == FL_OK && kind != &fl_log_keys)
		rc = fl_log_plan_fit(log->plan, &log->format, err);
	if (rc != FL_OK)
		return rc;
	log->known = true;
	log->stats.format = kind->name;
	return FL_OK;
}

/* The kind that most of the waiting lines are of; keys have to be all of them. */
static const struct fl_log_kind *find_kind(const struct fl_log *log, const char *why[TRIED])
{
	const struct fl_log_kind *best = NULL;
	size_t most = log->waiting / 2;

	for (size_t i = 0; i < TRIED; i++) {
		size_t good = try_kind(log, tried[i], &why[i]);
		if (tried[i] == &fl_log_keys && (good < log->waiting || best))
			continue;
		if (good > most) {
			best = tried[i];
			most = good;
		}
	}
	return best;
}

/* Decides by the lines that wait, and reads them. With none but empty ones, that can wait. */
static int decide(struct fl_log *log, struct fl_error *err)
{
	const char *why[TRIED];
	const struct fl_log_kind *kind = find_kind(log, why);
	int rc = FL_OK;

	if (!kind && log->waiting)
		return unknown_format(why, err);
	if (kind)
		rc = set_format(log, kind, "", err);
	if (rc != FL_OK)
		return rc;
	size_t used = read_lines(log, log->cut, log->cut_n);
	log->cut_n -= used;
	memmove(log->cut, log->cut + used, log->cut_n);
	return FL_OK;
}

/* Whether the last line in `cut`, its newline included or not, has anything in it. */
static bool last_says_something(const struct fl_log *log)
{
	size_t end = log->cut_n, begin;

	if (end > 0 && log->cut[end - 1] == '\n')
		end--;
	begin = end;
	while (begin > 0 && log->cut[begin - 1] != '\n')
		begin--;
	return trim((struct fl_slice){log->cut + begin, end - begin}).n > 0;
}

/* Gathers first lines; *used bytes of p are taken. */
static int wait_for_lines(
	struct fl_log *log, const char *p, size_t n, size_t *used, struct fl_error *err)
{
	size_t at = 0;

	while (at < n && log->waiting < TRY_LINES && log->cut_n < CUT_ROOM) {
		const char *stop = memchr(p + at, '\n', n - at);
		size_t line = stop ? (size_t)(stop - p) + 1 - at : n - at;
		size_t room = CUT_ROOM - log->cut_n, take = line < room ? line : room;
		memcpy(log->cut + log->cut_n, p + at, take);
		log->cut_n += take;
		at += take;
		if (stop && take == line)
			log->waiting += last_says_something(log);
	}
	*used = at;
	if (log->waiting < TRY_LINES && log->cut_n < CUT_ROOM)
		return FL_OK;
	log->waiting += log->cut[log->cut_n - 1] != '\n' && last_says_something(log);
	return decide(log, err);
}

/* ---- pieces of text ---- */

/* Adds to the line that was cut; bytes of p that belong to it, its newline included. */
static size_t mend(struct fl_log *log, const char *p, size_t n)
{
	const char *stop = memchr(p, '\n', n);
	size_t take = stop ? (size_t)(stop - p) : n;
	size_t room = log->cut_n < LINE_KEPT ? LINE_KEPT - log->cut_n : 0;
	size_t kept = take < room ? take : room;

	memcpy(log->cut + log->cut_n, p, kept);
	log->cut_n += kept;
	if (!stop)
		return n;
	read_line(log, log->cut, log->cut_n);
	log->cut_n = 0;
	return take + 1;
}

static int feed_text(struct fl_log *log, const char *p, size_t n, struct fl_error *err)
{
	size_t used = 0;

	log->stats.bytes += n;
	while (!log->known && used < n) {
		size_t more;
		int rc = wait_for_lines(log, p + used, n - used, &more, err);
		if (rc != FL_OK)
			return rc;
		used += more;
	}
	if (log->cut_n > 0 && used < n)
		used += mend(log, p + used, n - used);
	if (used < n)
		used += read_lines(log, p + used, n - used);
	if (used < n)
		(void)mend(log, p + used, n - used);
	return FL_OK;
}

struct unpacked {
	struct fl_log *log;
	struct fl_error *err;
};

static int feed_unpacked(void *cookie, const char *p, size_t n)
{
	struct unpacked *u = cookie;

	return feed_text(u->log, p, n, u->err);
}

static int feed_packed(struct fl_log *log, const char *p, size_t n, struct fl_error *err)
{
	struct fl_error text = {FL_OK, ""};
	struct unpacked u = {log, &text};
	int rc = fl_gunzip_feed(log->gunzip, p, n, feed_unpacked, &u);

	if (rc != FL_OK && text.code == FL_OK)
		(void)fl_error_set(&text, rc, "%s",
			rc == FL_ENOMEM ? "out of memory" : "the gzip data are broken");
	if (rc != FL_OK)
		return fl_error_set(err, rc, "%s", text.text);
	return FL_OK;
}

static int feed(struct fl_log *log, const char *p, size_t n, struct fl_error *err)
{
	return log->packing == GZIP ? feed_packed(log, p, n, err) : feed_text(log, p, n, err);
}

/* ---- the public part ---- */

int fl_log_feed(struct fl_log *log, const char *p, size_t n, struct fl_error *err)
{
	int rc = FL_OK;

	if (n == 0)
		return FL_OK;
	if (log->packing != UNKNOWN)
		return feed(log, p, n, err);
	if (!log->has_magic && n == 1) {
		log->magic = *p;
		log->has_magic = true;
		return FL_OK;
	}
	char first = log->has_magic ? log->magic : p[0], second = log->has_magic ? p[0] : p[1];
	bool gzip = first == '\x1f' && second == '\x8b';
	if (gzip && !log->gunzip && fl_gunzip_new(&log->gunzip) != FL_OK)
		return fl_error_set(err, FL_ENOMEM, "out of memory");
	if (gzip)
		fl_gunzip_reset(log->gunzip);
	log->packing = gzip ? GZIP : PLAIN;
	if (log->has_magic)
		rc = feed(log, &log->magic, 1, err);
	return rc == FL_OK ? feed(log, p, n, err) : rc;
}

/* The last line, which had no newline, and the first lines if they were few. */
static int finish_text(struct fl_log *log, struct fl_error *err)
{
	int rc = FL_OK;

	if (log->packing == UNKNOWN && log->has_magic)
		rc = feed_text(log, &log->magic, 1, err);
	if (rc == FL_OK && !log->known && log->cut_n > 0) {
		log->waiting += log->cut[log->cut_n - 1] != '\n' && last_says_something(log);
		rc = decide(log, err);
	}
	if (rc == FL_OK && log->cut_n > 0)
		read_line(log, log->cut, log->cut_n);
	log->cut_n = log->waiting = 0;
	return rc;
}

int fl_log_end(struct fl_log *log, struct fl_error *err)
{
	const struct fl_log_stats *s = &log->stats;
	int rc = finish_text(log, err);

	if (rc == FL_OK && log->packing == GZIP && !fl_gunzip_complete(log->gunzip))
		rc = fl_error_set(err, FL_EINVAL, "the gzip data end too early");
	log->packing = UNKNOWN;
	log->has_magic = false;
	log->input++;
	log->line = 0;
	if (rc == FL_OK && s->bad > 0 && s->bad + s->empty == s->lines)
		rc = fl_error_set(err, FL_EINVAL,
			"not one of %llu lines is of the format \"%s\"; line %llu: %s",
			(unsigned long long)s->bad, s->format,
			(unsigned long long)s->first[0].line, s->first[0].why);
	return rc;
}

const struct fl_log_stats *fl_log_stats(const struct fl_log *log)
{
	return &log->stats;
}

static int choose(struct fl_log *log, const char *format, struct fl_error *err)
{
	const struct fl_log_kind *kind;
	const char *rest;

	log->stats.format = "auto";
	if (!format || strcmp(format, "auto") == 0)
		return FL_OK;
	kind = fl_log_kind_of(format, &rest);
	if (!kind)
		return fl_error_set(err, FL_EINVAL,
			"unknown format of log \"%.80s\"; there are auto, common, combined, "
			"vhost, haproxy, json, keys, and nginx's own such as "
			"'$remote_addr \"$request\"'",
			format);
	return set_format(log, kind, rest, err);
}

int fl_log_new(struct fl_log **out, const struct fl_log_options *options, struct fl_error *err)
{
	struct fl_log *log = calloc(1, sizeof(*log));
	int rc;

	if (!log)
		return fl_error_set(err, FL_ENOMEM, "out of memory");
	log->key = options->key;
	log->cookie = options->cookie;
	log->has_field = options->field != NULL;
	log->input = 1;
	fl_text_init(&log->text, (size_t)2 * FL_LOG_LINE);
	log->cut = malloc(CUT_ROOM);
	rc = log->cut ? FL_OK : fl_error_set(err, FL_ENOMEM, "out of memory");
	if (rc == FL_OK)
		rc = fl_log_plan_new(
			&log->plan, options->sources, options->field, options->bytes, err);
	if (rc == FL_OK)
		rc = choose(log, options->format, err);
	if (rc != FL_OK) {
		fl_log_free(log);
		return rc;
	}
	*out = log;
	return FL_OK;
}

void fl_log_free(struct fl_log *log)
{
	if (!log)
		return;
	fl_log_plan_free(log->plan);
	fl_log_format_fini(&log->format);
	fl_text_fini(&log->text);
	fl_gunzip_free(log->gunzip);
	free(log->cut);
	free(log);
}
