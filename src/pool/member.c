/* Members: what views, workers and connections share of a node. A member never changes, so that
 * it may be read without a lock; what changes (stats) stands beside it in cells of its own, which
 * outlive a change of address or weight. */
#include "pool/pool_priv.h"

#include <stdlib.h>

struct fl_stats_owner {
	atomic_uint refs;
	unsigned workers;
	struct fl_node_stats cells[];
};

static struct fl_stats_owner *stats_new(unsigned workers)
{
	size_t size = sizeof(struct fl_stats_owner) + workers * sizeof(struct fl_node_stats);
	struct fl_stats_owner *s = aligned_alloc(_Alignof(struct fl_stats_owner), size);

	if (!s)
		return NULL;
	memset(s, 0, size);
	atomic_init(&s->refs, 1);
	s->workers = workers;
	return s;
}

static void stats_unref(struct fl_stats_owner *s)
{
	if (s && atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1)
		free(s);
}

bool fl_text_same(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a, b) == 0;
}

bool fl_member_is(const struct fl_member *m, const struct fl_node_conf *conf)
{
	return fl_text_same(m->name, conf->name) && fl_text_same(m->address, conf->address) &&
	       fl_text_same(m->zone, conf->zone) && m->weight == conf->weight &&
	       m->backup == conf->backup;
}

/* Copies `text` to *at, which moves on; NULL stays NULL. */
static const char *put(char **at, const char *text)
{
	char *start = *at;

	if (!text)
		return NULL;
	*at += strlen(text) + 1;
	return memcpy(start, text, (size_t)(*at - start));
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

struct fl_member *fl_member_new(
	const struct fl_node_conf *conf, const struct fl_member *former, unsigned workers)
{
	static _Atomic uint64_t last_id;
	struct fl_member *m = malloc(sizeof(*m) + text_size(conf->name) +
				     text_size(conf->address) + text_size(conf->zone));
	struct fl_stats_owner *stats = former ? former->stats_owner : stats_new(workers);
	char *at = (char *)(m + 1);

	if (!m || !stats) {
		free(m);
		if (!former)
			stats_unref(stats);
		return NULL;
	}
	if (former)
		atomic_fetch_add_explicit(&stats->refs, 1, memory_order_relaxed);
	atomic_init(&m->refs, 1);
	m->name = put(&at, conf->name);
	m->address = put(&at, conf->address);
	m->zone = put(&at, conf->zone);
	m->weight = (int32_t)conf->weight;
	m->backup = conf->backup;
	m->stats_owner = stats;
	m->stats = stats->cells;
	m->id = former && fl_text_same(former->address, conf->address)
	                ? former->id
	                : atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
	return m;
}

struct fl_member *fl_member_ref(struct fl_member *m)
{
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
	return m;
}

void fl_member_unref(struct fl_member *m)
{
	if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
		return;
	stats_unref(m->stats_owner);
	free(m);
}
