/* The report of `plan`, and the bounds. */
#include "cli/plan.h"

#include "base/assert.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define FLOWS_LISTED 1000

static double part(uint64_t n, uint64_t of)
{
	return of ? (double)n / (double)of : 0;
}

/* ---- nodes ---- */

/* Weights that count, by name: of the tier that takes the keys. */
static int32_t weight_in(const struct fl_view *view, const char *name)
{
	for (unsigned t = 0; t < FL_TIERS; t++) {
		const struct fl_tier *tier = &view->tier[t];
		uint32_t slot =
			tier->placement ? fl_placement_find(tier->placement, name) : FL_NONE;

		if (slot != FL_NONE)
			return tier->members[slot]->weight;
	}
	return -1;
}

static double weight_sum(const struct fl_view *view)
{
	const struct fl_tier *tier = &view->tier[0];
	double sum = 0;

	for (uint32_t s = 0; s < tier->slots; s++)
		if (tier->members[s] &&
			fl_state_effective(tier->admin[s], tier->health[s]).owner)
			sum += tier->members[s]->weight;
	return sum;
}

/* ---- bounds ---- */

/* What a factor is of: the load before, or for a node that had none its share by weight. */
static double base_of(const struct fl_plan *p, const struct fl_traffic_node *n)
{
	double sum = weight_sum(p->after);
	int32_t weight = weight_in(p->after, n->name);

	if (n->before > 0)
		return part(n->before, p->report->weight);
	return weight > 0 && sum > 0 ? weight / sum : 0;
}

struct verdict {
	bool holds;
	const char *node;  /* the one that is nearest to the bound, or over it most */
	double have, most; /* shares of the traffic */
};

static struct verdict judge_nodes(const struct fl_plan *p, const struct fl_plan_bound *b)
{
	struct verdict v = {true, NULL, 0, b->most};
	double worst = -INFINITY;

	for (size_t i = 0; i < p->report->node_count; i++) {
		const struct fl_traffic_node *n = &p->report->nodes[i];
		double most = b->factor ? b->most * base_of(p, n) : b->most;
		double have = part(n->after, p->report->weight);

		FL_ASSERT(b->node && n->name);
		if (strcmp(b->node, "*") != 0 && strcmp(b->node, n->name) != 0)
			continue;
		if (have - most <= worst)
			continue;
		worst = have - most;
		v = (struct verdict){have <= most, n->name, have, most};
	}
	return v;
}

static struct verdict judge(const struct fl_plan *p, const struct fl_plan_bound *b)
{
	double moved = part(p->report->moved_weight, p->report->weight);

	if (b->node)
		return judge_nodes(p, b);
	return (struct verdict){moved <= b->most, NULL, moved, b->most};
}

bool fl_plan_holds(const struct fl_plan *plan)
{
	for (size_t i = 0; i < plan->bound_count; i++)
		if (!judge(plan, &plan->bounds[i]).holds)
			return false;
	return true;
}

static void tell_bounds(struct fl_report *r, const struct fl_plan *p)
{
	for (size_t i = 0; i < p->bound_count; i++) {
		const struct fl_plan_bound *b = &p->bounds[i];
		struct verdict v = judge(p, b);
		enum fl_report_verdict verdict = v.holds ? FL_REPORT_OK : FL_REPORT_BAD;

		if (!b->node)
			fl_report_conclude(r, verdict,
				"Bound %s: %.3f %% of the traffic moves, at most %.3f %% may.",
				b->text, 100 * v.have, 100 * v.most);
		else if (v.node)
			fl_report_conclude(r, verdict,
				"Bound %s: %s has %.3f %% of the traffic then, at most %.3f %% "
				"are "
				"allowed.",
				b->text, v.node, 100 * v.have, 100 * v.most);
		else
			fl_report_conclude(r, FL_REPORT_REMARK,
				"Bound %s: there is no such node.", b->text);
	}
}

/* ---- the head ---- */

static void tell_moved(struct fl_report *r, const struct fl_plan *p)
{
	const struct fl_traffic_report *t = p->report;
	const struct fl_traffic_figure *keys = &t->moved_keys;

	/* Made-up popularity has weights that mean nothing to a reader. */
	char counts[80] = "";
	if (!p->traffic->zipf_milli)
		(void)snprintf(counts, sizeof(counts), " (%" PRIu64 " of %" PRIu64 "%s)",
			t->moved_weight, t->weight, p->traffic->bytes ? " bytes" : "");
	fl_report_say(r,
		"%.3f %% of the traffic moves%s; no scheme with these shares could move less "
		"than "
		"%.3f %%.",
		100 * part(t->moved_weight, t->weight), counts,
		100 * part(t->least_weight, t->weight));
	if (keys->exact)
		fl_report_say(r, "%.3f %% of the %.0f different keys move.", 100 * keys->value,
			t->keys.value);
	else
		fl_report_say(r,
			"About %.3f %% of the different keys move (%.3f to %.3f, 99 times in "
			"100), of "
			"about %.0f (%.0f to %.0f): estimated from every %" PRIu64 "th.",
			100 * keys->value, 100 * keys->low, 100 * keys->high, t->keys.value,
			t->keys.low, t->keys.high, t->sample_rate);
	if (p->movement)
		fl_report_say(r, "Of the whole key space %.3f %% move%s, and %.3f %% must.",
			100 * p->movement->moved, p->movement->exact ? "" : " (sampled)",
			100 * p->movement->least);
	if (t->nobody_after)
		fl_report_conclude(r, FL_REPORT_BAD, "%.3f %% of the traffic has no node then.",
			100 * part(t->nobody_after, t->weight));
}

static void put_hex(struct fl_report *r, const char *name, const char *title, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%016" PRIx64, value);
	fl_report_fact(r, name, title, fl_slice_of(text));
}

static void put_number(struct fl_report *r, const char *name, const char *title, double value)
{
	char text[40];

	(void)snprintf(text, sizeof(text), "%.17g", value);
	fl_report_fact(r, name, title, fl_slice_of(text));
}

static void put_facts(struct fl_report *r, const struct fl_plan *p)
{
	if (*p->pool)
		fl_report_fact(r, "pool", "Pool", fl_slice_of(p->pool));
	fl_report_fact(r, "algorithm", "Algorithm", fl_slice_of(p->spec_before));
	if (strcmp(p->spec_before, p->spec_after) != 0)
		fl_report_fact(r, "algorithm_after", "Becomes", fl_slice_of(p->spec_after));
	put_hex(r, "digest_before", "Digest before", p->before->digest);
	put_hex(r, "digest_after", "Digest after", p->after->digest);
	if (p->movement) {
		put_number(r, "keyspace_moved", "Key space that moves", p->movement->moved);
		put_number(r, "keyspace_least", "Key space that must", p->movement->least);
	}
	fl_report_fact_number(r, "requests", "Requests", p->report->requests);
	fl_traffic_args_facts(p->traffic, r);
	fl_report_fact(r, "version", "Fairlead", fl_slice_of(fl_version()));
}

/* ---- nodes before and after ---- */

static void weight_cell(struct fl_report_table *t, int32_t weight)
{
	if (weight < 0)
		fl_report_no_cell(t);
	else
		fl_report_number_cell(t, weight);
}

static void put_node(
	struct fl_report_table *t, const struct fl_plan *p, const struct fl_traffic_node *n)
{
	const struct fl_traffic_report *report = p->report;

	fl_report_text_cell(t, fl_slice_of(n->name));
	weight_cell(t, weight_in(p->before, n->name));
	weight_cell(t, weight_in(p->after, n->name));
	fl_report_real_cell(t, part(n->before, report->weight));
	fl_report_real_cell(t, part(n->after, report->weight));
	if (n->before > 0)
		fl_report_real_cell(t, (double)n->after / (double)n->before);
	else
		fl_report_no_cell(t);
	fl_report_real_cell(t, part(n->keys_before, report->sampled));
	fl_report_real_cell(t, part(n->keys_after, report->sampled));
}

static void draw_nodes(struct fl_report *r, const struct fl_plan *p)
{
	const struct fl_report_spec spec = {.name = "traffic",
		.title = "Traffic of each node",
		.y = {.title = "of all traffic", .type = FL_REPORT_SHARE, .decimals = 1}};
	struct fl_report_chart *c = fl_report_bars(r, &spec);
	uint32_t before = fl_report_series(c, FL_SLICE("before"));
	uint32_t after = fl_report_series(c, FL_SLICE("after"));

	for (size_t i = 0; i < p->report->node_count; i++) {
		const struct fl_traffic_node *n = &p->report->nodes[i];

		fl_report_label(c, fl_slice_of(n->name));
		fl_report_value(c, before, part(n->before, p->report->weight));
		fl_report_value(c, after, part(n->after, p->report->weight));
	}
}

static void put_nodes(struct fl_report *r, const struct fl_plan *p)
{
	static const struct fl_report_column columns[] = {
		{"node", "Node", FL_REPORT_TEXT, 0, NULL, false},
		{"weight_before", "Weight", FL_REPORT_NUMBER, 0, NULL, false},
		{"weight_after", "then", FL_REPORT_NUMBER, 0, NULL, false},
		{"traffic_before", "Traffic", FL_REPORT_SHARE, 3, NULL, false},
		{"traffic_after", "then", FL_REPORT_SHARE, 3, NULL, false},
		{"factor", "Factor", FL_REPORT_REAL, 3, NULL, false},
		{"keys_before", "Keys", FL_REPORT_SHARE, 3, NULL, false},
		{"keys_after", "then", FL_REPORT_SHARE, 3, NULL, false},
	};
	struct fl_report_table *t;

	fl_report_section(r, "nodes", "Nodes", "Each node's load before the change, and then.");
	t = fl_report_table(r, "loads", NULL, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < p->report->node_count; i++)
		put_node(t, p, &p->report->nodes[i]);
	draw_nodes(r, p);
}

/* ---- what moves ---- */

static struct fl_slice name_of(const struct fl_plan *p, uint32_t node)
{
	return node == FL_NONE ? FL_SLICE("(nobody)")
	                       : fl_slice_of(p->report->nodes[node].name);
}

static void put_flows(struct fl_report *r, const struct fl_plan *p)
{
	static const struct fl_report_column columns[] = {
		{"from", "From", FL_REPORT_TEXT, 0, NULL, false},
		{"to", "To", FL_REPORT_TEXT, 0, NULL, false},
		{"weight", "Traffic", FL_REPORT_NUMBER, 0, NULL, false},
		{"share", "Of all", FL_REPORT_SHARE, 3, NULL, true},
	};
	const struct fl_report_spec spec = {.name = "movement",
		.title = "What moves, from whom to whom",
		.y = {.title = "of all traffic", .type = FL_REPORT_SHARE, .decimals = 2}};
	const struct fl_traffic_report *t = p->report;
	struct fl_report_table *table;
	struct fl_report_chart *c;

	fl_report_section(r, "moves", "Moves", NULL);
	if (t->flow_count == 0) {
		fl_report_say(r, "No traffic moves.");
		return;
	}
	table = fl_report_table(r, "flows", NULL, columns, 4);
	c = fl_report_flows(r, &spec);
	for (size_t i = 0; i < t->flow_count; i++) {
		const struct fl_traffic_flow *f = &t->flows[i];

		fl_report_flow(
			c, name_of(p, f->from), name_of(p, f->to), part(f->weight, t->weight));
		if (i >= FLOWS_LISTED)
			continue;
		fl_report_text_cell(table, name_of(p, f->from));
		fl_report_text_cell(table, name_of(p, f->to));
		fl_report_number_cell(table, (int64_t)f->weight);
		fl_report_real_cell(table, part(f->weight, t->weight));
	}
	if (t->flow_count > FLOWS_LISTED)
		fl_report_say(r, "Only the %d largest of %zu moves are listed.", FLOWS_LISTED,
			t->flow_count);
}

static void put_hot_key(
	struct fl_report_table *table, const struct fl_plan *p, const struct fl_traffic_hot *h)
{
	fl_report_text_cell(table, h->key);
	fl_report_number_cell(table, (int64_t)h->weight);
	fl_report_number_cell(table, (int64_t)h->error);
	fl_report_real_cell(table, part(h->weight, p->report->weight));
	fl_report_text_cell(table, name_of(p, h->from));
	fl_report_text_cell(table, name_of(p, h->to));
}

static void put_hot(struct fl_report *r, const struct fl_plan *p)
{
	static const struct fl_report_column columns[] = {
		{"key", "Key", FL_REPORT_TEXT, 0, NULL, false},
		{"weight", "Traffic", FL_REPORT_NUMBER, 0, NULL, false},
		{"error", "At most too much", FL_REPORT_NUMBER, 0, NULL, false},
		{"share", "Of all", FL_REPORT_SHARE, 3, NULL, false},
		{"from", "From", FL_REPORT_TEXT, 0, NULL, false},
		{"to", "To", FL_REPORT_TEXT, 0, NULL, false},
	};
	struct fl_report_table *table;
	size_t listed = 0;

	if (p->report->moved_weight == 0)
		return;
	fl_report_section(r, "hot", "Hottest keys that move",
		p->report->keys.exact
			? "Counted exactly."
			: "Counted by a sketch: the true traffic is at most so much less.");
	table = fl_report_table(r, "keys", NULL, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < p->report->hot_count && listed < p->hot; i++) {
		if (p->report->hot[i].from == p->report->hot[i].to)
			continue;
		put_hot_key(table, p, &p->report->hot[i]);
		listed++;
	}
	if (p->report->hot_rest)
		fl_report_fact_number(r, "hot_rest",
			"No key that is not followed has more than", p->report->hot_rest);
}

struct fl_report *fl_plan_report(const struct fl_plan *p)
{
	struct fl_report *r = fl_report_new("plan");

	fl_report_titled(r, "What this change moves");
	tell_moved(r, p);
	tell_bounds(r, p);
	put_facts(r, p);
	put_nodes(r, p);
	put_flows(r, p);
	put_hot(r, p);
	return r;
}
