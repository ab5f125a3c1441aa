/* Requests are gathered, so that both placements look keys up 256 at a time; then each is counted:
 * by node and by pair of nodes (exact), in the table of keys (exact or a sample, keytable.c) and
 * for the hottest (sketch/space_saving.h). */
#include "plan/traffic.h"

#include "base/text.h"
#include "hash/salt.h"
#include "hash/xxh3.h"
#include "lib/flows.h"
#include "lib/interval.h"
#include "plan/keytable.h"
#include "sketch/space_saving.h"

#include <stdlib.h>

#define BATCH 256
#define BATCH_BYTES                                                                            \
	((size_t)256 << 10) /* of keys; a batch ends behind the one that passes it */
#define HOT_MOST 65536

/* Where slots of one side are in the list of nodes. */
struct side {
	struct fl_traffic_side conf;
	uint32_t *node_of[FL_TIERS]; /* by slot */
};

struct request {
	size_t at, len;
	uint64_t weight;
};

struct fl_traffic {
	struct side before, after;
	struct fl_keytable *table;
	struct fl_space_saving *hot;
	size_t hot_most;
	struct fl_flows moved;

	struct fl_text bytes;
	struct request requests[BATCH];
	size_t count;
	struct fl_key keys[BATCH];
	uint64_t hashes[BATCH]; /* of the table and the sketch */
	uint32_t from[BATCH], to[BATCH];

	struct fl_traffic_report report;
	struct fl_traffic_node *nodes;
	struct fl_traffic_flow *flows;
	struct fl_traffic_hot *hots;
	struct fl_space_saving_item *items;
};

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

struct fl_traffic_side fl_traffic_view(const struct fl_view *view)
{
	struct fl_traffic_side side = {{NULL}, {NULL}};

	for (unsigned t = 0; t < FL_TIERS; t++) {
		side.placement[t] = view->tier[t].placement;
		if (view->tier[t].masked)
			side.mask[t] = &view->tier[t].mask;
	}
	return side;
}

/* ---- the nodes of both sides, by name ---- */

static uint32_t slots_of(const struct fl_traffic_side *side, unsigned tier)
{
	return side->placement[tier] ? fl_placement_slots(side->placement[tier]) : 0;
}

static void list_names(struct fl_traffic *t, const struct fl_traffic_side *side)
{
	for (unsigned tier = 0; tier < FL_TIERS; tier++)
		for (uint32_t s = 0; s < slots_of(side, tier); s++) {
			const struct fl_node *node =
				fl_placement_node(side->placement[tier], s);
			if (node)
				t->nodes[t->report.node_count++].name = node->name;
		}
}

static int by_name(const void *a, const void *b)
{
	const struct fl_traffic_node *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int name_nodes(struct fl_traffic *t)
{
	const struct fl_traffic_side *sides[] = {&t->before.conf, &t->after.conf};
	size_t most = 0, n = 0;

	for (size_t i = 0; i < 2; i++)
		for (unsigned tier = 0; tier < FL_TIERS; tier++)
			most += slots_of(sides[i], tier);
	t->nodes = calloc(most ? most : 1, sizeof(*t->nodes));
	if (!t->nodes)
		return FL_ENOMEM;
	for (size_t i = 0; i < 2; i++)
		list_names(t, sides[i]);
	qsort(t->nodes, t->report.node_count, sizeof(*t->nodes), by_name);
	for (size_t i = 0; i < t->report.node_count; i++)
		if (n == 0 || strcmp(t->nodes[n - 1].name, t->nodes[i].name) != 0)
			t->nodes[n++].name = t->nodes[i].name;
	t->report.node_count = n;
	return FL_OK;
}

static int map_slots(const struct fl_traffic *t, struct side *side)
{
	for (unsigned tier = 0; tier < FL_TIERS; tier++) {
		uint32_t slots = slots_of(&side->conf, tier);
		side->node_of[tier] = malloc((slots ? slots : 1) * sizeof(uint32_t));
		if (!side->node_of[tier])
			return FL_ENOMEM;
		for (uint32_t s = 0; s < slots; s++) {
			const struct fl_node *node =
				fl_placement_node(side->conf.placement[tier], s);
			struct fl_traffic_node want = {.name = node ? node->name : ""};
			const struct fl_traffic_node *at = bsearch(&want, t->nodes,
				t->report.node_count, sizeof(*t->nodes), by_name);
			side->node_of[tier][s] = at ? (uint32_t)(at - t->nodes) : FL_NONE;
		}
	}
	return FL_OK;
}

/* ---- lifecycle ---- */

static int make(struct fl_traffic *t, size_t memory, size_t hot)
{
	int rc = name_nodes(t);

	if (rc == FL_OK)
		rc = map_slots(t, &t->before);
	if (rc == FL_OK)
		rc = map_slots(t, &t->after);
	if (rc == FL_OK)
		rc = fl_keytable_new(&t->table, memory);
	if (rc == FL_OK)
		rc = fl_space_saving_new(&t->hot, hot);
	t->hots = calloc(hot, sizeof(*t->hots));
	t->items = calloc(hot, sizeof(*t->items));
	return rc == FL_OK && (!t->hots || !t->items) ? FL_ENOMEM : rc;
}

int fl_traffic_new(struct fl_traffic **out, const struct fl_traffic_options *options)
{
	size_t memory = options->memory ? options->memory : FL_TRAFFIC_MEMORY;
	size_t hot = options->hot ? options->hot : FL_TRAFFIC_HOT;
	struct fl_traffic *t;
	int rc;

	if (memory < FL_KEYTABLE_LEAST || hot > HOT_MOST)
		return FL_EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return FL_ENOMEM;
	t->before.conf = options->before;
	t->after.conf = options->after;
	t->hot_most = hot;
	fl_text_init(&t->bytes, SIZE_MAX / 4);
	rc = make(t, memory, hot);
	if (rc != FL_OK) {
		fl_traffic_free(t);
		return rc;
	}
	*out = t;
	return FL_OK;
}

void fl_traffic_free(struct fl_traffic *t)
{
	if (!t)
		return;
	for (unsigned tier = 0; tier < FL_TIERS; tier++) {
		free(t->before.node_of[tier]);
		free(t->after.node_of[tier]);
	}
	fl_keytable_free(t->table);
	fl_space_saving_free(t->hot);
	fl_flows_fini(&t->moved);
	fl_text_fini(&t->bytes);
	free(t->nodes);
	free(t->flows);
	free(t->hots);
	free(t->items);
	free(t);
}

/* ---- counting ---- */

/* The nodes, by number in the list, that have the keys of the batch. */
static int look_up(const struct fl_traffic *t, const struct side *side, uint32_t *nodes)
{
	const struct fl_traffic_side *conf = &side->conf;
	uint32_t slots[BATCH];
	int rc = FL_OK;

	for (size_t i = 0; i < t->count; i++)
		slots[i] = FL_NONE;
	if (conf->placement[0])
		rc = fl_lookup_batch(
			conf->placement[0], t->keys, t->count, conf->mask[0], slots);
	for (size_t i = 0; i < t->count && rc == FL_OK; i++) {
		unsigned tier = 0;
		if (slots[i] == FL_NONE && conf->placement[1]) {
			rc = fl_pick(conf->placement[1], &t->keys[i], conf->mask[1], &slots[i]);
			tier = 1;
		}
		nodes[i] = slots[i] == FL_NONE ? FL_NONE : side->node_of[tier][slots[i]];
	}
	return rc;
}

static void count_node(struct fl_traffic *t, uint32_t from, uint32_t to, uint64_t weight)
{
	struct fl_traffic_report *r = &t->report;
	uint64_t *before = from == FL_NONE ? &r->nobody_before : &t->nodes[from].before;
	uint64_t *after = to == FL_NONE ? &r->nobody_after : &t->nodes[to].after;

	*before = sum(*before, weight);
	*after = sum(*after, weight);
	r->weight = sum(r->weight, weight);
	r->requests++;
	if (from != to) {
		r->moved_weight = sum(r->moved_weight, weight);
		r->moved_requests++;
	}
}

static int count_request(struct fl_traffic *t, size_t i)
{
	const struct request *request = &t->requests[i];
	uint32_t from = t->from[i], to = t->to[i];
	struct fl_slice key = {t->keys[i].bytes, request->len};
	uint64_t hash = t->hashes[i];
	struct fl_keys weight = {request->weight, 0};
	int rc = FL_OK;

	count_node(t, from, to, request->weight);
	if (from != to && request->weight)
		rc = fl_flows_add(&t->moved, from, to, weight);
	if (rc == FL_OK)
		rc = fl_keytable_add(t->table, hash, request->weight, from, to);
	fl_space_saving_add(t->hot, key, hash, (uint64_t)from << 32 | to, request->weight);
	return rc;
}

/* The keys of the batch, and their hashes. The table's memory is on its way from here on, while both
 * placements are asked. */
static void hash_keys(struct fl_traffic *t)
{
	const char *bytes = t->bytes.p ? t->bytes.p : "";

	for (size_t i = 0; i < t->count; i++) {
		const struct request *request = &t->requests[i];
		const char *key = bytes + request->at;
		t->keys[i] = fl_key_bytes(key, request->len);
		t->hashes[i] = fl_xxh3(key, request->len, FL_SALT_SAMPLE);
		fl_keytable_prefetch(t->table, t->hashes[i]);
	}
}

static int flush(struct fl_traffic *t)
{
	int rc;

	hash_keys(t);
	rc = look_up(t, &t->before, t->from);
	if (rc == FL_OK)
		rc = look_up(t, &t->after, t->to);
	for (size_t i = 0; i < t->count && rc == FL_OK; i++)
		rc = count_request(t, i);
	t->count = 0;
	fl_text_clear(&t->bytes);
	return rc;
}

int fl_traffic_add(struct fl_traffic *t, struct fl_slice key, uint64_t weight)
{
	t->requests[t->count++] = (struct request){t->bytes.n, key.n, weight};
	fl_text_slice(&t->bytes, key);
	if (t->bytes.failed)
		return FL_ENOMEM;
	return t->count == BATCH || t->bytes.n > BATCH_BYTES ? flush(t) : FL_OK;
}

/* ---- the report ---- */

struct tally {
	struct fl_traffic_node *nodes;
	uint64_t moved;
};

static void tally_key(void *cookie, const struct fl_keytable_entry *entry)
{
	struct tally *tally = cookie;

	if (entry->from != FL_NONE)
		tally->nodes[entry->from].keys_before++;
	if (entry->to != FL_NONE)
		tally->nodes[entry->to].keys_after++;
	tally->moved += entry->from != entry->to;
}

static struct fl_traffic_figure figure(double value, double reach, double least, double most)
{
	struct fl_traffic_figure f = {value, value - reach, value + reach, reach == 0};

	if (f.low < least)
		f.low = least;
	if (f.high > most)
		f.high = most;
	return f;
}

static void report_keys(struct fl_traffic *t)
{
	struct fl_traffic_report *r = &t->report;
	struct tally tally = {t->nodes, 0};
	bool exact;

	for (size_t i = 0; i < r->node_count; i++)
		t->nodes[i].keys_before = t->nodes[i].keys_after = 0;
	fl_keytable_walk(t->table, tally_key, &tally);
	r->sampled = fl_keytable_count(t->table);
	r->sample_rate = fl_keytable_rate(t->table);
	exact = r->sample_rate == 1;
	double n = (double)r->sampled, rate = (double)r->sample_rate;
	double share = r->sampled ? (double)tally.moved / n : 0;
	/* n is binomial: of N keys each is in with 1 / rate. */
	r->keys = figure(n * rate, exact ? 0 : FL_Z99 * rate * fl_root(n * (1 - 1 / rate)), n,
		(double)r->requests);
	r->moved_keys =
		figure(share, exact || !r->sampled ? 0 : fl_wilson_reach(share, n), 0, 1);
	r->keys.exact = r->moved_keys.exact = exact;
}

static const char *name_of(const struct fl_traffic *t, uint32_t node)
{
	return node == FL_NONE ? "" : t->nodes[node].name;
}

static int by_weight(const void *a, const void *b, void *cookie)
{
	const struct fl_traffic_flow *x = a, *y = b;
	int order;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	order = strcmp(name_of(cookie, x->from), name_of(cookie, y->from));
	return order ? order : strcmp(name_of(cookie, x->to), name_of(cookie, y->to));
}

static int report_flows(struct fl_traffic *t)
{
	struct fl_traffic_flow *flows = calloc(t->moved.used + 1, sizeof(*flows));
	size_t n = 0;

	if (!flows)
		return FL_ENOMEM;
	free(t->flows);
	t->flows = flows;
	for (size_t i = 0; i < t->moved.size; i++) {
		const struct fl_flow_count *c = &t->moved.cells[i];
		uint64_t weight = c->keys.high ? UINT64_MAX : c->keys.low;
		if (weight)
			flows[n++] = (struct fl_traffic_flow){c->from, c->to, weight};
	}
	qsort_r(flows, n, sizeof(*flows), by_weight, t);
	t->report.flow_count = n;
	return FL_OK;
}

static int hotter(const void *a, const void *b)
{
	const struct fl_traffic_hot *x = a, *y = b;
	size_t n = x->key.n < y->key.n ? x->key.n : y->key.n;
	int order;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	order = n ? memcmp(x->key.p, y->key.p, n) : 0;
	return order ? order : (x->len > y->len) - (x->len < y->len);
}

static int report_hot(struct fl_traffic *t)
{
	bool exact = fl_keytable_rate(t->table) == 1;
	int n = fl_space_saving_list(t->hot, t->items, t->hot_most);

	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		const struct fl_space_saving_item *item = &t->items[i];
		const struct fl_keytable_entry *entry =
			exact ? fl_keytable_find(t->table, item->hash) : NULL;
		t->hots[i] = (struct fl_traffic_hot){
			.key = item->key,
			.len = item->len,
			.weight = entry ? entry->weight : item->weight,
			.error = entry ? 0 : item->error,
			.from = (uint32_t)(item->tag >> 32),
			.to = (uint32_t)item->tag,
		};
	}
	qsort(t->hots, (size_t)n, sizeof(*t->hots), hotter);
	t->report.hot_count = (size_t)n;
	t->report.hot_rest = fl_space_saving_floor(t->hot);
	return FL_OK;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

int fl_traffic_report(struct fl_traffic *t, const struct fl_traffic_report **out)
{
	struct fl_traffic_report *r = &t->report;
	int rc = flush(t);
	uint64_t apart = distance(r->nobody_before, r->nobody_after) / 2, odd;

	odd = distance(r->nobody_before, r->nobody_after) % 2;
	for (size_t i = 0; i < r->node_count; i++) {
		uint64_t d = distance(t->nodes[i].before, t->nodes[i].after);
		apart = sum(apart, d / 2 + (odd + d % 2) / 2);
		odd = (odd + d) % 2;
	}
	r->least_weight = apart;
	report_keys(t);
	if (rc == FL_OK)
		rc = report_flows(t);
	if (rc == FL_OK)
		rc = report_hot(t);
	if (rc != FL_OK)
		return rc;
	r->nodes = t->nodes;
	r->flows = t->flows;
	r->hot = t->hots;
	*out = r;
	return FL_OK;
}
