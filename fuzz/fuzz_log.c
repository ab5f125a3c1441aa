// rooms: plan key conf
/* Any bytes as a log, under one of several formats and sources (the first byte says which), fed in
 * pieces that the input decides and then all at once: the same keys, or the same error, must come
 * out, and every line must be accounted for. */
#include "plan/log.h"

#include "base/assert.h"
#include "base/text.h"
#include "conf/conf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	const char *format, *key, *field;
	bool bytes;
} hows[] = {
	{NULL, NULL, NULL, false},
	{NULL, "[path, client_ip]", NULL, false},
	{"combined", "['query:id', 'header:user-agent', path]", NULL, true},
	{"common", "{all: [client_ip, path]}", NULL, true},
	{"vhost", "path", NULL, false},
	{"haproxy:host,x-user", "['header:x-user', 'cookie:sid', host, 'query:q']", NULL, true},
	{"json:request_uri=r.uri,http_cookie=h.Cookie.0", "['cookie:a', 'query:b', path, host]",
		NULL, true},
	{"json", NULL, "a.b.1", false},
	{"keys", NULL, NULL, false},
	{"$http_host \"$request\" [$http_cookie]$args", "['cookie:a', 'query:b', host]", NULL,
		false},
	{"escape=json {\"a\":\"$http_x\",\"b\":\"$x\"}", "'header:x'", NULL, false},
};

#define HOWS (sizeof(hows) / sizeof(hows[0]))

struct run {
	struct fl_text keys;
	struct fl_log_stats stats;
	struct fl_error err;
	int rc;
};

static void take(void *cookie, struct fl_slice key, uint64_t weight)
{
	struct run *run = cookie;

	FL_ASSERT(key.n > 0);
	fl_text_number(&run->keys, key.n);
	fl_text_number(&run->keys, weight);
	fl_text_slice(&run->keys, key);
	if (run->keys.failed) /* only what is compared is too much */
		fl_text_clear(&run->keys);
}

static void read_all(
	struct run *run, size_t which, const uint8_t *data, size_t size, size_t piece)
{
	static struct fl_key_sources sources[HOWS]; /* made once; they stay */
	static struct fl_conf *conf[HOWS];
	struct fl_log *log = NULL;

	fl_text_init(&run->keys, 1 << 20);
	if (hows[which].key && !conf[which])
		FL_MUST(fl_key_sources_text(
			&conf[which], hows[which].key, &sources[which], NULL));
	struct fl_log_options options = {
		.format = hows[which].format,
		.sources = hows[which].key ? &sources[which] : NULL,
		.field = hows[which].field,
		.bytes = hows[which].bytes,
		.key = take,
		.cookie = run,
	};
	FL_MUST(fl_log_new(&log, &options, NULL));
	for (size_t at = 0; at < size && run->rc == FL_OK; at += piece) {
		size_t left = size - at, n = piece < left ? piece : left;
		run->rc = fl_log_feed(log, (const char *)data + at, n, &run->err);
	}
	if (run->rc == FL_OK)
		run->rc = fl_log_end(log, &run->err);
	run->stats = *fl_log_stats(log);
	fl_log_free(log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole = {.rc = FL_OK}, pieces = {.rc = FL_OK};

	if (size < 2)
		return 0;
	size_t which = data[0] % HOWS, piece = 1 + data[1];
	read_all(&whole, which, data + 2, size - 2, size);
	read_all(&pieces, which, data + 2, size - 2, piece);
	FL_ASSERT(whole.rc == pieces.rc);
	FL_ASSERT(whole.rc == FL_OK || (whole.err.code == whole.rc && whole.err.text[0]));
	if (whole.rc == FL_OK) {
		const struct fl_log_stats *s = &whole.stats;
		FL_ASSERT(s->lines == s->keys + s->empty + s->bad + s->no_value);
		FL_ASSERT(memcmp(&pieces.stats, s, sizeof(*s)) == 0);
		FL_ASSERT(whole.keys.n == pieces.keys.n);
		FL_ASSERT(!whole.keys.n ||
			  memcmp(whole.keys.p, pieces.keys.p, whole.keys.n) == 0);
	}
	fl_text_fini(&whole.keys);
	fl_text_fini(&pieces.keys);
	return 0;
}
