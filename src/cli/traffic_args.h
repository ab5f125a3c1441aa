/* Keys to plan and compare with: from access logs, from a file of keys, or made up. */
#ifndef FL_CLI_TRAFFIC_ARGS_H
#define FL_CLI_TRAFFIC_ARGS_H

#include "cli/verb.h"
#include "key/source.h"
#include "plan/keys.h"
#include "plan/log.h"
#include "report/report.h"

#include <stdint.h>

enum {
	FL_TRAFFIC_ARG_LOG,
	FL_TRAFFIC_ARG_FORMAT,
	FL_TRAFFIC_ARG_KEY,
	FL_TRAFFIC_ARG_FIELD,
	FL_TRAFFIC_ARG_BYTES,
	FL_TRAFFIC_ARG_KEYS_FILE,
	FL_TRAFFIC_ARG_KEYS,
	FL_TRAFFIC_ARG_SHAPE,
	FL_TRAFFIC_ARG_ZIPF,
	FL_TRAFFIC_ARG_SEED,
	FL_TRAFFIC_ARGS_COUNT,
};

/* clang-format off */
#define FL_TRAFFIC_ARGS                                                                        \
	{"log", 'L', "FILE", "take the keys from this access log (\"-\": standard input; .gz too)"}, \
	{"log-format", 0, "FORMAT", "combined, common, haproxy, json, keys or a log_format of nginx"}, \
	{"key", 'k', "SOURCE", "what of a logged request is its key: client_ip, path, header:x ..."}, \
	{"field", 0, "NAME", "instead of --key: the log's field that is the key as it is"},     \
	{"bytes", 0, NULL, "weigh logged requests by the bytes of their answers"},             \
	{"keys-file", 0, "FILE", "take the keys from this file, one a line (\"-\": standard input)"}, \
	{"keys", 0, "N", "make up so many keys"},                                               \
	{"shape", 0, "SHAPE", "of made-up keys: sequential, uuid, ipv4, url, random"},          \
	{"zipf", 0, "S", "made-up key r has the popularity 1/r^S, such as 0.9 (default: all alike)"}, \
	{"seed", 0, "N", "of made-up keys"}
/* clang-format on */

#define FL_TRAFFIC_LOGS 256

struct fl_traffic_args {
	const struct fl_verb *verb;
	const char *logs[FL_TRAFFIC_LOGS], *format, *key, *field, *keys_file;
	size_t log_count;
	bool bytes;
	int64_t keys; /* to be made up; the verb's default, or 0 for none */
	bool keys_given;
	int shape;
	uint32_t zipf_milli;
	uint64_t seed;
	struct fl_conf *key_conf;  /* owned: what --key was parsed to */
	struct fl_log_stats stats; /* of the logs, once they were read */
};

/* `keys`: how many are made up when nothing else is said; 0: nothing is. */
void fl_traffic_args_init(
	struct fl_traffic_args *args, const struct fl_verb *verb, int64_t keys);
void fl_traffic_args_fini(struct fl_traffic_args *args);

/* Takes option `id`, counted from the first of FL_TRAFFIC_ARGS. FL_EXIT_DONE, or FL_EXIT_USAGE,
 * reported. */
int fl_traffic_args_take(struct fl_traffic_args *args, int id, const char *value);

/* Whether there will be keys. */
bool fl_traffic_args_given(const struct fl_traffic_args *args);

/* Takes one key; FL_OK, or what ends the run: FL_ENOMEM, FL_ELIMIT. */
typedef int fl_traffic_taker(void *cookie, struct fl_slice key, uint64_t weight);

/* Feeds every key to `take`, with a progress bar where standard error is a terminal. `sources` are
 * those of the pool, for logs without --key; NULL: client_ip. FL_EXIT_DONE, or FL_EXIT_USAGE,
 * reported. */
int fl_traffic_args_feed(struct fl_traffic_args *args, const struct fl_key_sources *sources,
	fl_traffic_taker *take, void *cookie);

/* Says in the report where the keys came from. After feeding. */
void fl_traffic_args_facts(const struct fl_traffic_args *args, struct fl_report *report);

#endif
