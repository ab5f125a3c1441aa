#include "plan/compare.h"

#include <math.h>
#include <stdlib.h>

/* One comparison under way. Owners are indices of nodes: those of the case, `count` for the one that
 * is added, count + 1 for nobody. */
struct run {
	const struct fl_compare_case *c;
	struct fl_compare_result *out;
	size_t keys;
	uint32_t *before, *after; /* by key */
	uint64_t *tally;          /* by owner: count + 2 */
	uint64_t *was;            /* the same, of `before` */
};

const char *fl_compare_change_name(enum fl_compare_change change)
{
	static const char *const names[] = {"add", "remove", "remove-two", "reweight"};
	return names[change];
}

/* ---- lookups ---- */

/* By slot of `p`: the index of its node. */
static uint32_t *index_slots(const struct run *r, const fl_placement *p)
{
	uint32_t slots = fl_placement_slots(p);
	uint32_t *index = malloc((slots + 1) * sizeof(*index));

	if (!index)
		return NULL;
	for (size_t i = 0; i < r->c->count; i++) {
		uint32_t slot = fl_placement_find(p, r->c->nodes[i].name);

		if (slot != FL_NONE)
			index[slot] = (uint32_t)i;
	}
	uint32_t added = fl_placement_find(p, r->c->added);
	if (added != FL_NONE)
		index[added] = (uint32_t)r->c->count;
	return index;
}

/* The owner of every key. */
static int look_up(const struct run *r, const fl_placement *p, uint32_t *owners)
{
	uint32_t *index = index_slots(r, p), nobody = (uint32_t)r->c->count + 1;

	if (!index)
		return FL_ENOMEM;
	int rc = fl_lookup_batch(p, fl_keyset_keys(r->c->keys), r->keys, NULL, owners);
	for (size_t i = 0; rc == FL_OK && i < r->keys; i++)
		owners[i] = owners[i] == FL_NONE ? nobody : index[owners[i]];
	free(index);
	return rc;
}

/* Counts by owner; weights NULL: each key is one. */
static void count(
	const struct run *r, const uint32_t *owners, const uint64_t *weights, uint64_t *tally)
{
	memset(tally, 0, (r->c->count + 2) * sizeof(*tally));
	for (size_t i = 0; i < r->keys; i++)
		tally[owners[i]] += weights ? weights[i] : 1;
}

/* ---- figures ---- */

/* Of `tally` by index, for the nodes of these weights; `all` is what there is to share. */
static struct fl_evenness evenness(
	const uint64_t *tally, const int32_t *weights, size_t n, uint64_t all)
{
	struct fl_evenness e = {0, INFINITY, 0, 0};
	double sum = 0, squares = 0, ratios = 0;
	size_t have = 0;

	for (size_t i = 0; i < n; i++)
		sum += weights[i];
	for (size_t i = 0; i < n; i++) {
		double fair = (double)all * weights[i] / sum;

		if (weights[i] <= 0)
			continue;
		double ratio = (double)tally[i] / fair;
		e.peak = fmax(e.peak, ratio);
		e.least = fmin(e.least, ratio);
		squares += ((double)tally[i] - fair) * ((double)tally[i] - fair);
		ratios += (ratio - 1) * (ratio - 1);
		have++;
	}
	if (have == 0)
		return (struct fl_evenness){0, 0, 0, 0};
	e.deviation = sqrt(squares / (double)have);
	e.variation = sqrt(ratios / (double)have);
	return e;
}

static uint64_t least_to_move(const uint64_t *before, const uint64_t *after, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += before[i] > after[i] ? before[i] - after[i] : after[i] - before[i];
	return sum / 2;
}

/* Who got the keys that the `gone` nodes had before; `weights` are those after. */
static struct fl_compare_heirs find_heirs(
	const struct run *r, const int32_t *weights, uint64_t *got)
{
	size_t n = r->c->count + 1;
	struct fl_compare_heirs h = {0, 0, 0, 0};
	double sum = 0, most = 0;

	memset(got, 0, (n + 1) * sizeof(*got));
	for (size_t i = 0; i < r->keys; i++) {
		uint32_t from = r->before[i];

		if (from < r->c->count && weights[from] == 0 && r->c->nodes[from].weight > 0) {
			got[r->after[i]]++;
			h.keys++;
		}
	}
	for (size_t i = 0; i < n; i++) {
		h.heirs += got[i] > 0;
		h.largest = got[i] > h.largest ? got[i] : h.largest;
		sum += weights[i];
		most = fmax(most, weights[i]);
	}
	h.fair = sum > 0 ? (double)h.keys * most / sum : 0;
	return h;
}

/* ---- changes ---- */

/* The nodes that go, as the algorithm lets them: those that are wanted, or the last ones. */
static int remove_nodes(const struct run *r, size_t n, struct fl_compare_move *move,
	size_t gone[2], fl_placement **out, struct fl_error *err)
{
	struct fl_change changes[2];
	int rc = FL_ENOTSUP;

	if (r->c->count <= n)
		return FL_ENOTSUP;
	for (int last = 0; last < 2 && rc == FL_ENOTSUP; last++) {
		for (size_t i = 0; i < n; i++) {
			gone[i] = last ? r->c->count - 1 - i : r->c->gone[i];
			changes[i] = (struct fl_change){FL_REMOVE, r->c->nodes[gone[i]]};
		}
		move->last = last;
		rc = fl_placement_derive(out, r->out->placement, changes, n, err);
	}
	return rc;
}

/* The placement after a change, and by index of node the weights that hold then. */
static int change(struct run *r, enum fl_compare_change kind, int32_t *weights,
	fl_placement **out, struct fl_error *err)
{
	struct fl_compare_move *move = &r->out->moves[kind];
	struct fl_change one = {FL_ADD, {r->c->added, 1, FL_NONE, NULL}};
	size_t n = kind == FL_COMPARE_REMOVE_TWO ? 2 : 1, at = r->c->gone[0], gone[2];
	int rc;

	if (kind == FL_COMPARE_REMOVE || kind == FL_COMPARE_REMOVE_TWO) {
		rc = remove_nodes(r, n, move, gone, out, err);
		for (size_t i = 0; rc == FL_OK && i < n; i++) {
			weights[gone[i]] = 0;
			r->out->two[i] = gone[i];
		}
		return rc;
	}
	if (kind == FL_COMPARE_REWEIGHT) {
		if (!(fl_placement_capabilities(r->out->placement) & FL_WEIGHTS))
			return FL_ENOTSUP;
		one = (struct fl_change){FL_REWEIGHT, r->c->nodes[at]};
		one.node.weight = weights[at] = 2 * r->c->nodes[at].weight;
	} else {
		weights[r->c->count] = 1;
	}
	return fl_placement_derive(out, r->out->placement, &one, 1, err);
}

static int measure(struct run *r, enum fl_compare_change kind, const int32_t *weights)
{
	struct fl_compare_move *move = &r->out->moves[kind];
	size_t n = r->c->count + 1;

	count(r, r->after, NULL, r->tally);
	move->least = least_to_move(r->was, r->tally, n + 1);
	for (size_t i = 0; i < r->keys; i++)
		move->moved += r->before[i] != r->after[i];
	move->after = evenness(r->tally, weights, n, r->keys);
	if (kind == FL_COMPARE_REMOVE_TWO) {
		r->out->two_counts = calloc(n + 1, sizeof(uint64_t));
		if (!r->out->two_counts)
			return FL_ENOMEM;
		memcpy(r->out->two_counts, r->tally, n * sizeof(uint64_t));
		r->out->two_heirs = find_heirs(r, weights, r->tally);
	} else if (kind == FL_COMPARE_REMOVE) {
		r->out->one_heirs = find_heirs(r, weights, r->tally);
	}
	return FL_OK;
}

static int try_change(struct run *r, enum fl_compare_change kind, int32_t *weights)
{
	fl_placement *p = NULL;
	int rc;

	for (size_t i = 0; i < r->c->count; i++)
		weights[i] = r->c->nodes[i].weight;
	weights[r->c->count] = 0;
	rc = change(r, kind, weights, &p, NULL);
	r->out->moves[kind].status = rc;
	if (rc != FL_OK)
		return rc == FL_ENOMEM ? rc : FL_OK;
	rc = look_up(r, p, r->after);
	if (rc == FL_OK)
		rc = measure(r, kind, weights);
	fl_placement_unref(p);
	return rc;
}

/* ---- all of it ---- */

static int balance(struct run *r, int32_t *weights)
{
	size_t n = r->c->count;
	struct fl_compare_result *out = r->out;

	for (size_t i = 0; i < n; i++)
		weights[i] = r->c->nodes[i].weight;
	count(r, r->before, NULL, r->was);
	memcpy(out->counts, r->was, n * sizeof(uint64_t));
	out->keys = evenness(out->counts, weights, n, r->keys);
	count(r, r->before, fl_keyset_weights(r->c->keys), r->tally);
	memcpy(out->weights, r->tally, n * sizeof(uint64_t));
	out->traffic = evenness(out->weights, weights, n, fl_keyset_total(r->c->keys));
	return FL_OK;
}

static int run_all(struct run *r, int32_t *weights)
{
	int rc = look_up(r, r->out->placement, r->before);

	if (rc == FL_OK)
		rc = balance(r, weights);
	for (int kind = 0; rc == FL_OK && kind < FL_COMPARE_CHANGES; kind++)
		rc = try_change(r, (enum fl_compare_change)kind, weights);
	return rc;
}

int fl_compare_run(
	struct fl_compare_result *out, const struct fl_compare_case *c, struct fl_error *err)
{
	struct run r = {.c = c, .out = out, .keys = fl_keyset_count(c->keys)};
	size_t n = c->count;
	int32_t *weights = calloc(n + 1, sizeof(*weights));
	int rc = FL_ENOMEM;

	*out = (struct fl_compare_result){.counts = calloc(n + 1, sizeof(uint64_t)),
		.weights = calloc(n + 1, sizeof(uint64_t))};
	r.before = malloc(r.keys * sizeof(*r.before));
	r.after = malloc(r.keys * sizeof(*r.after));
	r.tally = calloc(n + 2, sizeof(*r.tally));
	r.was = calloc(n + 2, sizeof(*r.was));
	if (weights && out->counts && out->weights && r.before && r.after && r.tally && r.was)
		rc = fl_placement_new(&out->placement, c->spec, c->nodes, n, err);
	if (rc == FL_OK)
		rc = run_all(&r, weights);
	free(weights);
	free(r.before);
	free(r.after);
	free(r.tally);
	free(r.was);
	return rc;
}

void fl_compare_fini(struct fl_compare_result *result)
{
	fl_placement_unref(result->placement);
	free(result->counts);
	free(result->weights);
	free(result->two_counts);
}
