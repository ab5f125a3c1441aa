/* The report of `why`. */
#include "cli/why.h"

#include <inttypes.h>

/* As much of a structure as is drawn. */
#define DRAWN_MOST (1u << 20)

static const char *sentence(const struct fl_told_node *n)
{
	switch ((enum fl_verdict)n->verdict) {
	case FL_VERDICT_TAKEN:
		return "has the key";
	case FL_VERDICT_BEHIND:
		return "would have it, were those before it gone";
	case FL_VERDICT_WARMING:
		return "warms up: this key is still kept from it";
	case FL_VERDICT_DOWN:
		return "is down: keys go past it";
	case FL_VERDICT_EJECTED:
		return "was ejected after failures: keys go past it";
	case FL_VERDICT_DRAIN:
		return "drains: takes no new keys";
	case FL_VERDICT_STANDBY:
		return "is a backup: ordinary nodes come first";
	case FL_VERDICT_PASSED:
		return "is passed: with nodes masked, the order is another";
	case FL_VERDICT_WEIGHTLESS:
		return "has weight 0: owns no key";
	case FL_VERDICT_STARVED:
		return "has no row or point: owns no key";
	case FL_VERDICT_DISABLED:
		return "is disabled: not built";
	}
	return "";
}

static enum fl_report_verdict mark(const struct fl_told_node *n)
{
	switch ((enum fl_verdict)n->verdict) {
	case FL_VERDICT_TAKEN:
		return FL_REPORT_OK;
	case FL_VERDICT_DOWN:
	case FL_VERDICT_EJECTED:
	case FL_VERDICT_STARVED:
		return FL_REPORT_BAD;
	default:
		return FL_REPORT_REMARK;
	}
}

static void put_hex(struct fl_report *r, const char *name, const char *title, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%016" PRIx64, value);
	fl_report_fact(r, name, title, fl_slice_of(text));
}

static void put_position(struct fl_report *r, const struct fl_position *at)
{
	char text[160];

	(void)snprintf(text, sizeof(text),
		"%s %" PRIu64 " of %" PRIu64 ", hashes %016" PRIx64 " to %016" PRIx64 "%s",
		at->part, at->index, at->count, at->first, at->last,
		at->first > at->last ? ", going round" : "");
	fl_report_fact(r, "position", "Position", fl_slice_of(text));
}

static void put_facts(struct fl_report *r, const struct fl_told *t)
{
	fl_report_fact(r, "key", "Key", t->key);
	if (t->source)
		fl_report_fact(r, "source", "Comes from", fl_slice_of(t->source));
	if (*t->pool)
		fl_report_fact(r, "pool", "Pool", fl_slice_of(t->pool));
	fl_report_fact(r, "algorithm", "Algorithm", fl_slice_of(t->algorithm));
	if (t->hashed)
		put_hex(r, "hash", "Hash", t->hash);
	if (t->located)
		put_position(r, &t->position);
	put_hex(r, "digest", "Digest", t->digest);
	put_hex(r, "mask_digest", "Mask digest", t->mask_digest);
	if (t->live)
		fl_report_fact_number(r, "epoch", "Epoch", t->epoch);
	fl_report_fact(r, "told_by", "Told by",
		t->live ? FL_SLICE("the running balancer") : FL_SLICE("the configuration"));
}

static void put_node(struct fl_report_table *table, const struct fl_told_node *n)
{
	if (n->rank)
		fl_report_number_cell(table, (int64_t)n->rank);
	else
		fl_report_no_cell(table);
	fl_report_text_cell(table, fl_slice_of(n->name));
	fl_report_verdict_cell(table, mark(n), sentence(n));
	fl_report_number_cell(table, n->weight);
	if (n->zone)
		fl_report_text_cell(table, fl_slice_of(n->zone));
	else
		fl_report_no_cell(table);
	fl_report_text_cell(table, fl_slice_of(n->admin));
	fl_report_text_cell(table, fl_slice_of(n->health));
	fl_report_real_cell(table, n->ramp);
}

static void put_nodes(struct fl_report *r, const struct fl_told *t, size_t owners)
{
	static const struct fl_report_column columns[] = {
		{"rank", "#", FL_REPORT_NUMBER, 0, NULL, false},
		{"node", "Node", FL_REPORT_TEXT, 0, NULL, false},
		{"verdict", "What became of it", FL_REPORT_VERDICT, 0, NULL, false},
		{"weight", "Weight", FL_REPORT_NUMBER, 0, NULL, false},
		{"zone", "Zone", FL_REPORT_TEXT, 0, NULL, false},
		{"admin", "Admin", FL_REPORT_TEXT, 0, NULL, false},
		{"health", "Health", FL_REPORT_TEXT, 0, NULL, false},
		{"ramp", "Warm", FL_REPORT_SHARE, 0, NULL, false},
	};
	size_t left_out = 0;

	fl_report_section(r, "owners", "Owners in the key's own order",
		"When a node cannot have the key, the next one gets it.");
	struct fl_report_table *table = fl_report_table(
		r, "nodes", NULL, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < t->count; i++) {
		bool wanted =
			t->nodes[i].rank <= owners || t->nodes[i].verdict == FL_VERDICT_TAKEN;

		if (wanted)
			put_node(table, &t->nodes[i]);
		left_out += !wanted;
	}
	if (left_out)
		fl_report_say(
			r, "%zu nodes further behind are not listed (--owners).", left_out);
}

/* ---- drawings ---- */

static uint32_t owner_at(const struct fl_told *t, struct fl_report_chart *c, uint64_t hash)
{
	uint32_t slot = fl_lookup_hash(t->placement, hash);

	if (slot == FL_NONE)
		return FL_NONE;
	return fl_report_series(c, fl_slice_of(fl_placement_node(t->placement, slot)->name));
}

static void draw_rows(struct fl_report *r, const struct fl_told *t)
{
	struct fl_report_chart *c = fl_report_rows(
		r, &(struct fl_report_spec){.name = "rows",
			   .title = "The table's rows by owner, and the key's row"});
	struct fl_key key = fl_key_hash(0);
	struct fl_position at;

	for (uint64_t i = 0; i < t->position.count; i++) {
		if (fl_locate(t->placement, &key, &at) != FL_OK)
			return;
		fl_report_row(c, owner_at(t, c, at.first));
		key.hash = at.last + 1;
	}
	fl_report_mark(c, t->position.index, t->key);
}

static void draw_ring(struct fl_report *r, const struct fl_told *t)
{
	struct fl_report_chart *c = fl_report_ring(
		r, &(struct fl_report_spec){.name = "ring",
			   .title = "The ring's points by node, and the key's place"});
	struct fl_key key = fl_key_hash(t->position.hash);
	struct fl_position at;

	for (uint64_t i = 0; i < t->position.count; i++) {
		if (fl_locate(t->placement, &key, &at) != FL_OK)
			return;
		fl_report_ring_point(c, at.last, owner_at(t, c, at.last));
		key.hash = at.last + 1;
	}
	fl_report_mark(c, t->position.hash, t->key);
}

static void draw(struct fl_report *r, const struct fl_told *t)
{
	/* Other systems' rings hash the key's bytes in their own way, so arcs cannot be walked. */
	if (!t->placement || !t->located || !t->hashed || t->position.count > DRAWN_MOST)
		return;
	fl_report_section(r, "structure", "Where the key stands", NULL);
	if (strcmp(t->position.part, "row") == 0)
		draw_rows(r, t);
	else
		draw_ring(r, t);
}

struct fl_report *fl_told_report(const struct fl_told *t, size_t owners, bool drawn)
{
	struct fl_report *r = fl_report_new("why");

	fl_report_titled(r, "Why this key is where it is");
	if (t->owner)
		fl_report_conclude(r, FL_REPORT_OK, "%s has the key.", t->owner);
	else
		fl_report_conclude(r, FL_REPORT_BAD, "Nobody can have the key.");
	put_facts(r, t);
	put_nodes(r, t, owners);
	if (drawn)
		draw(r, t);
	return r;
}
