#include "cli/traffic_args.h"

#include "cli/keys.h"
#include "conf/conf.h"
#include "report/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BLOCK     ((size_t)1 << 17) /* bytes read at a time: they stay in a near cache */
#define KEYS_MOST 100000000

void fl_traffic_args_init(
	struct fl_traffic_args *args, const struct fl_verb *verb, int64_t keys)
{
	*args = (struct fl_traffic_args){.verb = verb, .keys = keys};
}

void fl_traffic_args_fini(struct fl_traffic_args *args)
{
	fl_conf_free(args->key_conf);
	args->key_conf = NULL;
}

/* ---- the options ---- */

static int take_once(const struct fl_traffic_args *args, const char **field, const char *what,
	const char *value)
{
	if (*field)
		return fl_usage_error(args->verb, "--%s is given twice", what);
	*field = value;
	return FL_EXIT_DONE;
}

static int take_shape(struct fl_traffic_args *args, const char *value)
{
	const char *near;

	for (int i = 0; i < FL_KEYGEN_SHAPES; i++)
		if (strcmp(fl_keygen_names[i], value) == 0) {
			args->shape = i;
			return FL_EXIT_DONE;
		}
	near = fl_conf_nearest(value, fl_keygen_names);
	if (near)
		return fl_usage_error(args->verb,
			"there are no keys of the shape \"%s\"; did you mean \"%s\"?", value,
			near);
	return fl_usage_error(args->verb,
		"--shape wants sequential, uuid, ipv4, url or random, not \"%s\"", value);
}

static int take_zipf(struct fl_traffic_args *args, const char *value)
{
	char *end;
	double s = strtod(value, &end);

	if (end == value || *end || !(s >= 0 && s <= 4))
		return fl_usage_error(
			args->verb, "--zipf wants a number from 0 to 4, not \"%s\"", value);
	args->zipf_milli = (uint32_t)(s * 1000 + 0.5);
	return FL_EXIT_DONE;
}

static int take_seed(struct fl_traffic_args *args, const char *value)
{
	char *end;

	errno = 0;
	args->seed = strtoull(value, &end, 0);
	if (end == value || *end || errno || *value == '-')
		return fl_usage_error(args->verb,
			"--seed wants a number of up to 64 bits, not \"%s\"", value);
	return FL_EXIT_DONE;
}

static int take_log(struct fl_traffic_args *args, const char *value)
{
	if (args->log_count == FL_TRAFFIC_LOGS)
		return fl_usage_error(args->verb, "more than %d logs", FL_TRAFFIC_LOGS);
	args->logs[args->log_count++] = value;
	return FL_EXIT_DONE;
}

int fl_traffic_args_take(struct fl_traffic_args *args, int id, const char *value)
{
	switch (id) {
	case FL_TRAFFIC_ARG_LOG:
		return take_log(args, value);
	case FL_TRAFFIC_ARG_FORMAT:
		return take_once(args, &args->format, "log-format", value);
	case FL_TRAFFIC_ARG_KEY:
		return take_once(args, &args->key, "key", value);
	case FL_TRAFFIC_ARG_FIELD:
		return take_once(args, &args->field, "field", value);
	case FL_TRAFFIC_ARG_BYTES:
		args->bytes = true;
		return FL_EXIT_DONE;
	case FL_TRAFFIC_ARG_KEYS_FILE:
		return take_once(args, &args->keys_file, "keys-file", value);
	case FL_TRAFFIC_ARG_SHAPE:
		return take_shape(args, value);
	case FL_TRAFFIC_ARG_ZIPF:
		return take_zipf(args, value);
	case FL_TRAFFIC_ARG_SEED:
		return take_seed(args, value);
	default:
		args->keys_given = true;
		if (fl_conf_parse_int(value, 1, KEYS_MOST, &args->keys) == 0)
			return FL_EXIT_DONE;
		return fl_usage_error(args->verb,
			"--keys wants a whole number from 1 to %d, not \"%s\"", KEYS_MOST,
			value);
	}
}

bool fl_traffic_args_given(const struct fl_traffic_args *args)
{
	return args->log_count > 0 || args->keys_file || args->keys > 0;
}

static int check(const struct fl_traffic_args *args)
{
	if ((args->log_count > 0) + (args->keys_file != NULL) + args->keys_given > 1)
		return fl_usage_error(args->verb, "keys come from --log, from --keys-file or "
						  "from --keys, only one of them");
	if (args->log_count == 0 && (args->format || args->key || args->field || args->bytes))
		return fl_usage_error(args->verb,
			"--log-format, --key, --field and --bytes are about a --log");
	if (args->key && args->field)
		return fl_usage_error(args->verb, "--key or --field, not both");
	if (args->zipf_milli && args->keys > FL_ZIPF_MOST)
		return fl_usage_error(
			args->verb, "--zipf goes with at most %u keys", FL_ZIPF_MOST);
	return FL_EXIT_DONE;
}

/* ---- progress ---- */

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void begin(struct fl_progress *p, const char *what, uint64_t total)
{
	struct fl_progress_options options;

	fl_progress_wanted(stderr, &options);
	fl_progress_begin(p, stderr, &options, what, total, seconds());
}

static int cannot(const struct fl_traffic_args *args, int rc)
{
	return fl_usage_error(args->verb, "%s",
		rc == FL_ELIMIT ? "there are more different keys than can be kept in memory"
				: fl_strerror(rc));
}

/* ---- logs ---- */

struct reading {
	struct fl_traffic_args *args;
	struct fl_log *log;
	fl_traffic_taker *take;
	void *cookie;
	int rc; /* of `take` */
	struct fl_progress progress;
	uint64_t done;
};

static void logged_key(void *cookie, struct fl_slice key, uint64_t weight)
{
	struct reading *r = cookie;

	if (r->rc == FL_OK)
		r->rc = r->take(r->cookie, key, weight);
}

static int read_blocks(struct reading *r, int fd, const char *path, char *block)
{
	struct fl_error err = {0};

	for (;;) {
		ssize_t n = read(fd, block, BLOCK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fl_usage_error(
				r->args->verb, "cannot read \"%s\": %s", path, strerror(errno));
		if ((n > 0 ? fl_log_feed(r->log, block, (size_t)n, &err)
			   : fl_log_end(r->log, &err)) != FL_OK)
			return fl_usage_error(r->args->verb, "\"%s\": %s", path, err.text);
		if (r->rc != FL_OK)
			return cannot(r->args, r->rc);
		if (n == 0)
			return FL_EXIT_DONE;
		r->done += (uint64_t)n;
		fl_progress_at(&r->progress, r->done, seconds());
	}
}

static int read_log(struct reading *r, const char *path, char *block)
{
	bool input = strcmp(path, "-") == 0;
	int fd = input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fl_usage_error(
			r->args->verb, "cannot read \"%s\": %s", path, strerror(errno));
	int rc = read_blocks(r, fd, path, block);
	if (!input)
		(void)close(fd);
	return rc;
}

/* Bytes of all logs; 0 when some are no plain files. */
static uint64_t log_bytes(const struct fl_traffic_args *args)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < args->log_count; i++) {
		struct stat st;

		if (stat(args->logs[i], &st) != 0 || !S_ISREG(st.st_mode))
			return 0;
		sum += (uint64_t)st.st_size;
	}
	return sum;
}

/* What was wrong with lines that were passed over. */
static void warn_bad(const struct fl_traffic_args *args)
{
	const struct fl_log_stats *s = &args->stats;

	if (s->bad == 0)
		return;
	(void)fprintf(stderr,
		"fairlead %s: warning: %" PRIu64 " of %" PRIu64
		" lines are not of the format %s "
		"and do not count\n",
		args->verb->name, s->bad, s->lines, s->format);
	for (size_t i = 0; i < FL_LOG_BAD_KEPT && s->first[i].line; i++)
		(void)fprintf(stderr, "  %s:%" PRIu64 ": %s\n",
			s->first[i].input <= args->log_count ? args->logs[s->first[i].input - 1]
							     : "?",
			s->first[i].line, s->first[i].why);
}

static int feed_logs(struct reading *r, const struct fl_key_sources *sources)
{
	struct fl_traffic_args *args = r->args;
	struct fl_key_sources own = {NULL, 0};
	struct fl_error err = {0};
	char *block;
	int rc = FL_EXIT_DONE;

	if (args->key && fl_key_sources_text(&args->key_conf, args->key, &own, &err) != FL_OK)
		return fl_usage_error(args->verb, "--key: %s", err.text);
	struct fl_log_options options = {.format = args->format,
		.sources = args->key ? &own : sources,
		.field = args->field,
		.bytes = args->bytes,
		.key = logged_key,
		.cookie = r};
	if (fl_log_new(&r->log, &options, &err) != FL_OK)
		return fl_usage_error(args->verb, "%s", err.text);
	block = malloc(BLOCK);
	if (!block)
		rc = cannot(args, FL_ENOMEM);
	begin(&r->progress, "reading the log", log_bytes(args));
	for (size_t i = 0; rc == FL_EXIT_DONE && i < args->log_count; i++)
		rc = read_log(r, args->logs[i], block);
	fl_progress_end(&r->progress);
	args->stats = *fl_log_stats(r->log);
	if (rc == FL_EXIT_DONE)
		warn_bad(args);
	free(block);
	fl_log_free(r->log);
	return rc;
}

/* ---- the others ---- */

static int feed_file(struct reading *r)
{
	const char *path = r->args->keys_file;
	struct fl_keys keys;
	struct fl_slice key;
	int rc = FL_OK;

	if (fl_keys_open(&keys, path, '\n') != 0)
		return fl_usage_error(
			r->args->verb, "cannot read \"%s\": %s", path, keys.error);
	while (rc == FL_OK && fl_keys_next(&keys, &key))
		rc = r->take(r->cookie, key, 1);
	const char *error = keys.error;
	fl_keys_close(&keys);
	if (rc != FL_OK)
		return cannot(r->args, rc);
	if (error)
		return fl_usage_error(r->args->verb, "cannot read \"%s\": %s", path, error);
	return FL_EXIT_DONE;
}

static int make_up(struct reading *r)
{
	const struct fl_traffic_args *args = r->args;
	uint64_t n = (uint64_t)args->keys;
	struct fl_zipf *zipf = NULL;
	char key[FL_KEYGEN_MOST];
	int rc = FL_OK;

	if (args->zipf_milli)
		rc = fl_zipf_new(&zipf, (uint32_t)n, args->zipf_milli);
	begin(&r->progress, "making keys", n);
	for (uint64_t i = 0; rc == FL_OK && i < n; i++) {
		size_t len =
			fl_keygen_key((enum fl_keygen_shape)args->shape, args->seed, i, key);
		uint64_t weight = zipf ? fl_zipf_weight(zipf, (uint32_t)i) : 1;

		rc = weight ? r->take(r->cookie, (struct fl_slice){key, len}, weight) : FL_OK;
		if (i % 4096 == 0)
			fl_progress_at(&r->progress, i, seconds());
	}
	fl_progress_end(&r->progress);
	fl_zipf_free(zipf);
	return rc == FL_OK ? FL_EXIT_DONE : cannot(args, rc);
}

int fl_traffic_args_feed(struct fl_traffic_args *args, const struct fl_key_sources *sources,
	fl_traffic_taker *take, void *cookie)
{
	struct reading r = {.args = args, .take = take, .cookie = cookie};
	int rc = check(args);

	if (rc != FL_EXIT_DONE)
		return rc;
	if (args->log_count > 0)
		return feed_logs(&r, sources);
	return args->keys_file ? feed_file(&r) : make_up(&r);
}

/* ---- what it was ---- */

static void log_facts(const struct fl_traffic_args *args, struct fl_report *report)
{
	const struct fl_log_stats *s = &args->stats;

	fl_report_fact(report, "keys_from", "Keys from", fl_slice_of(args->logs[0]));
	if (args->log_count > 1)
		fl_report_fact_number(report, "logs", "Logs", args->log_count);
	fl_report_fact(report, "log_format", "Format", fl_slice_of(s->format));
	fl_report_fact_number(report, "lines", "Lines", s->lines);
	fl_report_fact_number(report, "bad_lines", "Not of the format", s->bad);
	fl_report_fact_number(report, "lines_without_key", "Without a key", s->no_value);
}

void fl_traffic_args_facts(const struct fl_traffic_args *args, struct fl_report *report)
{
	char zipf[16];

	if (args->log_count > 0) {
		log_facts(args, report);
		return;
	}
	if (args->keys_file) {
		fl_report_fact(report, "keys_from", "Keys from", fl_slice_of(args->keys_file));
		return;
	}
	fl_report_fact(report, "keys_from", "Keys", fl_slice_of(fl_keygen_names[args->shape]));
	fl_report_fact_number(report, "key_seed", "Their seed", args->seed);
	if (args->zipf_milli) {
		(void)snprintf(zipf, sizeof(zipf), "%u.%03u", args->zipf_milli / 1000,
			args->zipf_milli % 1000);
		fl_report_fact(report, "zipf", "Popularity 1/r^s, s", fl_slice_of(zipf));
	}
}
