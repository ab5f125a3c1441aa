/* The report of `compare`: a section a question, a row an algorithm and size. */
#include "cli/compare.h"

#include <math.h>
#include <stdio.h>

#define SHOWN_NODES                                                                            \
	20 /* up to so many, every node's counts are shown without being asked for */

static double part(uint64_t n, uint64_t of)
{
	return of ? (double)n / (double)of : 0;
}

static uint64_t key_count(const struct fl_comparison *c)
{
	return fl_keyset_count(c->keys);
}

static void begin_row(struct fl_report_table *t, const struct fl_compared *item)
{
	fl_report_text_cell(t, fl_slice_of(item->label));
	fl_report_number_cell(t, (int64_t)item->c.count);
}

/* ---- balance ---- */

static void put_evenness(struct fl_report *r, const struct fl_comparison *c, bool traffic)
{
	const struct fl_report_column columns[] = {
		{"algorithm", "Algorithm", FL_REPORT_TEXT, 0, NULL, false},
		{"nodes", "Nodes", FL_REPORT_NUMBER, 0, NULL, false},
		{"peak", "Peak", FL_REPORT_REAL, 3, NULL, true},
		{"lowest", "Lowest", FL_REPORT_REAL, 3, NULL, false},
		{"deviation", "Std. dev.", FL_REPORT_REAL, 1, traffic ? NULL : "keys", false},
		{"variation", "Coeff. of var.", FL_REPORT_REAL, 4, NULL, false},
	};
	struct fl_report_table *t = fl_report_table(r, traffic ? "traffic" : "keys",
		traffic ? "By traffic: each key with its weight" : NULL, columns,
		sizeof(columns) / sizeof(columns[0]));

	for (size_t i = 0; i < c->count; i++) {
		const struct fl_compared *item = &c->items[i];
		const struct fl_evenness *e =
			traffic ? &item->result.traffic : &item->result.keys;

		if (item->status != FL_OK)
			continue;
		begin_row(t, item);
		fl_report_real_cell(t, e->peak);
		fl_report_real_cell(t, e->least);
		fl_report_real_cell(t, e->deviation);
		fl_report_real_cell(t, e->variation);
	}
}

static void draw_peaks(struct fl_report *r, const struct fl_comparison *c)
{
	const struct fl_report_spec spec = {.name = "peaks",
		.title = "Peak over average, by the number of nodes",
		.note = "1 is perfect: no node has more keys than its share.",
		.x = {.title = "nodes", .type = FL_REPORT_NUMBER, .log = true},
		.y = {.title = "peak / average",
			.type = FL_REPORT_REAL,
			.decimals = 2,
			.tight = true}};
	struct fl_report_chart *chart;

	if (c->size_count < 2)
		return;
	chart = fl_report_lines(r, &spec);
	for (size_t i = 0; i < c->count; i++) {
		const struct fl_compared *item = &c->items[i];

		if (item->status == FL_OK)
			fl_report_point(chart,
				fl_report_series(chart, fl_slice_of(item->label)),
				(double)item->c.count, item->result.keys.peak);
	}
	fl_report_reference(chart, 1, "even");
}

/* How many keys each node has, an algorithm a series. */
static void draw_distribution(
	struct fl_report *r, const struct fl_comparison *c, const struct fl_membership *m)
{
	char name[32];
	const struct fl_report_spec spec = {.name = name,
		.title = "Keys of each node",
		.note = "The tick is the node's fair share.",
		.y = {.title = "keys", .type = FL_REPORT_NUMBER}};
	struct fl_report_chart *chart;
	double sum = 0;

	(void)snprintf(name, sizeof(name), "nodes-%zu", m->count);
	chart = fl_report_bars(r, &spec);
	for (size_t n = 0; n < m->count; n++)
		sum += m->nodes[n].weight;
	for (size_t n = 0; n < m->count; n++) {
		fl_report_label(chart, fl_slice_of(m->nodes[n].name));
		fl_report_target(chart, (double)key_count(c) * m->nodes[n].weight / sum);
		for (size_t i = 0; i < c->count; i++) {
			const struct fl_compared *item = &c->items[i];

			if (item->status == FL_OK && item->c.nodes == m->nodes)
				fl_report_value(chart,
					fl_report_series(chart, fl_slice_of(item->label)),
					(double)item->result.counts[n]);
		}
	}
}

static void put_distribution(struct fl_report *r, const struct fl_comparison *c)
{
	static const struct fl_report_column columns[] = {
		{"algorithm", "Algorithm", FL_REPORT_TEXT, 0, NULL, false},
		{"nodes", "Nodes", FL_REPORT_NUMBER, 0, NULL, false},
		{"node", "Node", FL_REPORT_TEXT, 0, NULL, false},
		{"weight", "Weight", FL_REPORT_NUMBER, 0, NULL, false},
		{"keys", "Keys", FL_REPORT_NUMBER, 0, NULL, true},
		{"share", "Of all", FL_REPORT_SHARE, 3, NULL, false},
		{"traffic", "Traffic", FL_REPORT_SHARE, 3, NULL, false},
	};
	struct fl_report_table *t = NULL;

	for (size_t i = 0; i < c->count; i++) {
		const struct fl_compared *item = &c->items[i];

		if (item->status != FL_OK || (item->c.count > SHOWN_NODES && !c->distribution))
			continue;
		if (!t)
			t = fl_report_table(r, "distribution", "Every node's keys", columns,
				sizeof(columns) / sizeof(columns[0]));
		for (size_t n = 0; n < item->c.count; n++) {
			begin_row(t, item);
			fl_report_text_cell(t, fl_slice_of(item->c.nodes[n].name));
			fl_report_number_cell(t, item->c.nodes[n].weight);
			fl_report_number_cell(t, (int64_t)item->result.counts[n]);
			fl_report_real_cell(t, part(item->result.counts[n], key_count(c)));
			fl_report_real_cell(
				t, part(item->result.weights[n], fl_keyset_total(c->keys)));
		}
	}
}

static void put_balance(struct fl_report *r, const struct fl_comparison *c)
{
	fl_report_section(r, "balance", "Balance",
		"Peak and lowest: the fullest and the emptiest node, over its fair share by "
		"weight.");
	put_evenness(r, c, false);
	if (fl_keyset_total(c->keys) != key_count(c))
		put_evenness(r, c, true);
	draw_peaks(r, c);
	for (size_t i = 0; i < c->size_count; i++)
		if (c->sizes[i].count <= SHOWN_NODES || c->distribution)
			draw_distribution(r, c, &c->sizes[i]);
	put_distribution(r, c);
}

/* ---- disruption ---- */

static const char *const change_titles[] = {
	[FL_COMPARE_ADD] = "One node comes",
	[FL_COMPARE_REMOVE] = "One node goes",
	[FL_COMPARE_REMOVE_TWO] = "Two nodes go",
	[FL_COMPARE_REWEIGHT] = "One node gets twice its weight",
};

static double excess(const struct fl_compare_move *m)
{
	return m->moved > m->least ? (double)(m->moved - m->least) : 0;
}

static void put_move_cells(
	struct fl_report_table *t, const struct fl_compare_move *m, uint64_t keys)
{
	if (m->status != FL_OK) {
		for (int i = 0; i < 4; i++)
			fl_report_no_cell(t);
		fl_report_verdict_cell(t, FL_REPORT_REMARK,
			m->status == FL_ENOTSUP ? "not supported" : fl_strerror(m->status));
		return;
	}
	fl_report_real_cell(t, part(m->least, keys));
	fl_report_real_cell(t, part(m->moved, keys));
	fl_report_real_cell(t, excess(m) / (double)keys);
	fl_report_real_cell(t, m->after.peak);
	if (m->last)
		fl_report_verdict_cell(t, FL_REPORT_REMARK, "only the last can go");
	else if (m->moved <= m->least)
		fl_report_verdict_cell(t, FL_REPORT_OK, "minimal");
	else
		fl_report_verdict_cell(t, FL_REPORT_BAD, "moves more");
}

static void put_moves(
	struct fl_report *r, const struct fl_comparison *c, enum fl_compare_change change)
{
	static const struct fl_report_column columns[] = {
		{"algorithm", "Algorithm", FL_REPORT_TEXT, 0, NULL, false},
		{"nodes", "Nodes", FL_REPORT_NUMBER, 0, NULL, false},
		{"necessary", "Necessary", FL_REPORT_SHARE, 3, NULL, false},
		{"moved", "Moved", FL_REPORT_SHARE, 3, NULL, false},
		{"excess", "Excess", FL_REPORT_SHARE, 3, NULL, true},
		{"peak_after", "Peak then", FL_REPORT_REAL, 3, NULL, false},
		{"verdict", "Verdict", FL_REPORT_VERDICT, 0, NULL, false},
	};
	struct fl_report_table *t = fl_report_table(r, fl_compare_change_name(change),
		change_titles[change], columns, sizeof(columns) / sizeof(columns[0]));

	for (size_t i = 0; i < c->count; i++) {
		if (c->items[i].status != FL_OK)
			continue;
		begin_row(t, &c->items[i]);
		put_move_cells(t, &c->items[i].result.moves[change], key_count(c));
	}
}

static void draw_moves(
	struct fl_report *r, const struct fl_comparison *c, enum fl_compare_change change)
{
	char name[32];
	const struct fl_report_spec spec = {.name = name,
		.title = change_titles[change],
		.note = "Keys that move: those that must, and those beyond.",
		.y = {.title = "of all keys", .type = FL_REPORT_SHARE, .decimals = 1},
		.stacked = true};
	struct fl_report_chart *chart;
	size_t size = c->size_count / 2; /* one in the middle stands for all */

	(void)snprintf(name, sizeof(name), "%s-moves", fl_compare_change_name(change));
	chart = fl_report_bars(r, &spec);
	for (size_t i = 0; i < c->count; i++) {
		const struct fl_compared *item = &c->items[i];
		const struct fl_compare_move *m = &item->result.moves[change];

		if (item->status != FL_OK || m->status != FL_OK ||
			item->c.nodes != c->sizes[size].nodes)
			continue;
		fl_report_label(chart, fl_slice_of(item->label));
		fl_report_value(chart, fl_report_series(chart, FL_SLICE("necessary")),
			part(m->least, key_count(c)));
		fl_report_value(chart, fl_report_series(chart, FL_SLICE("excess")),
			excess(m) / (double)key_count(c));
	}
}

static void put_disruption(struct fl_report *r, const struct fl_comparison *c)
{
	fl_report_section(r, "disruption", "Disruption",
		"Necessary: half the sum of what every node gains or loses; no scheme with "
		"these "
		"shares moves less.");
	for (int change = 0; change < FL_COMPARE_CHANGES; change++) {
		put_moves(r, c, (enum fl_compare_change)change);
		draw_moves(r, c, (enum fl_compare_change)change);
	}
}

/* ---- failover ---- */

static void put_heirs(struct fl_report *r, const struct fl_comparison *c, bool two)
{
	static const struct fl_report_column columns[] = {
		{"algorithm", "Algorithm", FL_REPORT_TEXT, 0, NULL, false},
		{"nodes", "Nodes", FL_REPORT_NUMBER, 0, NULL, false},
		{"lost_keys", "Keys of the dead", FL_REPORT_NUMBER, 0, NULL, false},
		{"heirs", "Heirs", FL_REPORT_NUMBER, 0, NULL, false},
		{"largest", "Largest takes", FL_REPORT_SHARE, 1, NULL, true},
		{"fair", "If even", FL_REPORT_SHARE, 1, NULL, false},
	};
	struct fl_report_table *t = fl_report_table(r, two ? "two" : "one",
		two ? "Two nodes dead" : "One node dead", columns,
		sizeof(columns) / sizeof(columns[0]));

	for (size_t i = 0; i < c->count; i++) {
		const struct fl_compare_result *result = &c->items[i].result;
		const struct fl_compare_heirs *h =
			two ? &result->two_heirs : &result->one_heirs;
		enum fl_compare_change change = two ? FL_COMPARE_REMOVE_TWO : FL_COMPARE_REMOVE;

		if (c->items[i].status != FL_OK || result->moves[change].status != FL_OK ||
			h->keys == 0)
			continue;
		begin_row(t, &c->items[i]);
		fl_report_number_cell(t, (int64_t)h->keys);
		fl_report_number_cell(t, (int64_t)h->heirs);
		fl_report_real_cell(t, part(h->largest, h->keys));
		fl_report_real_cell(t, h->fair / (double)h->keys);
	}
}

/* Keys of each node with all alive and with two dead: where a dead node's load goes. */
static void put_before_after(struct fl_report *r, const struct fl_compared *item, size_t number)
{
	char name[32], title[160];
	const struct fl_report_spec spec = {
		.name = name, .title = title, .y = {.title = "keys", .type = FL_REPORT_NUMBER}};
	struct fl_report_chart *chart;

	if (item->status != FL_OK || item->result.moves[FL_COMPARE_REMOVE_TWO].status != FL_OK)
		return;
	(void)snprintf(name, sizeof(name), "deaths-%zu", number);
	(void)snprintf(title, sizeof(title), "%.100s: keys of each node", item->label);
	chart = fl_report_bars(r, &spec);
	for (size_t n = 0; n < item->c.count; n++) {
		fl_report_label(chart, fl_slice_of(item->c.nodes[n].name));
		fl_report_value(chart, fl_report_series(chart, FL_SLICE("all alive")),
			(double)item->result.counts[n]);
		fl_report_value(chart, fl_report_series(chart, FL_SLICE("two dead")),
			(double)item->result.two_counts[n]);
	}
}

static void put_failover(struct fl_report *r, const struct fl_comparison *c)
{
	fl_report_section(r, "failover", "Failover",
		"Where a dead node's keys go: all to one neighbour, or to everybody.");
	put_heirs(r, c, false);
	put_heirs(r, c, true);
	for (size_t i = 0; c->scenario && i < c->count; i++)
		put_before_after(r, &c->items[i], i + 1);
}

/* ---- cost ---- */

static void put_cost(struct fl_report *r, const struct fl_comparison *c)
{
	static const struct fl_report_column columns[] = {
		{"algorithm", "Algorithm", FL_REPORT_TEXT, 0, NULL, false},
		{"nodes", "Nodes", FL_REPORT_NUMBER, 0, NULL, false},
		{"memory", "Memory", FL_REPORT_BYTES, 0, NULL, false},
		{"lookup_ns", "Lookup", FL_REPORT_NS, 0, NULL, false},
		{"build_ns", "Build", FL_REPORT_NS, 0, NULL, false},
		{"change_ns", "One node more", FL_REPORT_NS, 0, NULL, false},
	};
	struct fl_report_table *t;

	fl_report_section(r, "cost", "Cost",
		c->timed ? "Times are the fastest of five rounds on this machine; a lookup "
			   "hashes "
			   "the key's bytes."
			 : NULL);
	t = fl_report_table(r, "cost", NULL, columns, c->timed ? 6 : 3);
	for (size_t i = 0; i < c->count; i++) {
		const struct fl_compared *item = &c->items[i];

		if (item->status != FL_OK)
			continue;
		begin_row(t, item);
		fl_report_number_cell(t, (int64_t)fl_placement_memory(item->result.placement));
		if (!c->timed)
			continue;
		fl_report_real_cell(t, item->timing.lookup_ns);
		fl_report_real_cell(t, item->timing.build_ms * 1e6);
		if (item->timing.change_ms < 0)
			fl_report_no_cell(t);
		else
			fl_report_real_cell(t, item->timing.change_ms * 1e6);
	}
}

/* ---- the head ---- */

/* The classic picture, in words. */
static void tell_scenario(struct fl_report *r, const struct fl_comparison *c)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct fl_compared *item = &c->items[i];
		const struct fl_compare_heirs *h = &item->result.two_heirs;
		const struct fl_compare_move *m = &item->result.moves[FL_COMPARE_REMOVE_TWO];

		if (item->status != FL_OK || m->status != FL_OK || h->keys == 0)
			continue;
		fl_report_say(r,
			"%s: the dead nodes' keys go to %u of %zu, the largest takes %.0f %%; "
			"then the fullest node has %.2f times its share; %.1f %% of all keys "
			"moved, "
			"%.1f %% had to.",
			item->label, h->heirs, item->c.count - 2,
			100 * part(h->largest, h->keys), m->after.peak,
			100 * part(m->moved, key_count(c)), 100 * part(m->least, key_count(c)));
	}
}

static void tell_best(struct fl_report *r, const struct fl_comparison *c)
{
	const struct fl_membership *last = &c->sizes[c->size_count - 1];
	const struct fl_compared *best = NULL, *worst = NULL;

	for (size_t i = 0; i < c->count; i++) {
		const struct fl_compared *item = &c->items[i];

		if (item->status != FL_OK || item->c.nodes != last->nodes)
			continue;
		if (!best || item->result.keys.peak < best->result.keys.peak)
			best = item;
		if (!worst || item->result.keys.peak > worst->result.keys.peak)
			worst = item;
	}
	if (best && worst != best)
		fl_report_say(r,
			"At %zu nodes %s is the most even (peak %.3f of the average), %s the "
			"least "
			"(%.3f).",
			last->count, best->label, best->result.keys.peak, worst->label,
			worst->result.keys.peak);
}

/* Of n counts around a mean, the highest is about sqrt(2 ln n) standard deviations above it, and
 * with k keys a node one of those is sqrt(k): too few keys show chance, not the algorithm. */
static void tell_chance(struct fl_report *r, const struct fl_comparison *c)
{
	double n = (double)c->sizes[c->size_count - 1].count, each = (double)key_count(c) / n;
	double above = sqrt(2 * log(n) / each);

	if (n > 1 && above > 0.02)
		fl_report_say(r,
			"With %.0f keys a node, chance alone makes a peak of about %.2f: more "
			"keys "
			"(--keys) tell more.",
			each, 1 + above);
}

static void tell_left_out(struct fl_report *r, const struct fl_comparison *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->items[i].status != FL_OK)
			fl_report_conclude(r, FL_REPORT_REMARK,
				"%s at %zu nodes is left out: %s.", c->items[i].label,
				c->items[i].c.count, c->items[i].err.text);
}

static void put_facts(struct fl_report *r, const struct fl_comparison *c)
{
	char sizes[200] = "";
	size_t n = 0;

	for (size_t i = 0; i < c->size_count && n < sizeof(sizes); i++)
		n += (size_t)snprintf(sizes + n, sizeof(sizes) - n, "%s%zu", i ? ", " : "",
			c->sizes[i].count);
	fl_report_fact_number(r, "keys", "Different keys", key_count(c));
	fl_traffic_args_facts(c->traffic, r);
	fl_report_fact(r, "nodes", "Nodes", fl_slice_of(sizes));
	fl_report_fact(r, "weights", "Their weights", fl_slice_of(c->weights));
	for (size_t i = 0; i < c->size_count; i++) {
		const struct fl_membership *m = &c->sizes[i];
		char gone[2 * FL_MAX_NAME + 64], name[40];

		if (m->count < 2)
			continue;
		(void)snprintf(name, sizeof(name), "gone_%zu", m->count);
		(void)snprintf(gone, sizeof(gone), "%s, and with it %s",
			m->nodes[m->gone[0]].name, m->nodes[m->gone[1]].name);
		fl_report_fact(r, name, "Goes", fl_slice_of(gone));
	}
	fl_report_fact(r, "version", "Fairlead", fl_slice_of(fl_version()));
}

struct fl_report *fl_compare_report(const struct fl_comparison *c)
{
	struct fl_report *r = fl_report_new("compare");

	if (c->scenario)
		fl_report_titled(r, "Two of five nodes die");
	else
		fl_report_titled(r, "Placement algorithms compared");
	if (c->scenario) {
		tell_scenario(r, c);
	} else {
		tell_best(r, c);
		tell_chance(r, c);
	}
	tell_left_out(r, c);
	put_facts(r, c);
	put_balance(r, c);
	put_disruption(r, c);
	put_failover(r, c);
	put_cost(r, c);
	return r;
}
