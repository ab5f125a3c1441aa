/* The report of `verify`. Its tables are there even when they are empty, so that a script can ask
 * for one of them by its name. */
#include "cli/verify.h"

#include <inttypes.h>
#include <stdio.h>

bool fl_verify_holds(const struct fl_verify *v)
{
	const struct fl_verify_tally *t = &v->tally;

	return (double)t->mismatches <= v->max_mismatch * (double)(t->matches + t->mismatches);
}

static void conclude(struct fl_report *r, const struct fl_verify *v)
{
	const struct fl_verify_tally *t = &v->tally;
	uint64_t answered = t->matches + t->mismatches;

	if (answered && t->mismatches == 0)
		fl_report_conclude(r, FL_REPORT_OK,
			"All %" PRIu64 " keys that were answered reach the node that Fairlead "
			"names.",
			answered);
	else if (answered)
		fl_report_conclude(r, fl_verify_holds(v) ? FL_REPORT_REMARK : FL_REPORT_BAD,
			"%" PRIu64 " of %" PRIu64 " keys (%.2f %%) reach another node than "
			"Fairlead names.",
			t->mismatches, answered,
			100.0 * (double)t->mismatches / (double)answered);
	if (t->failed)
		fl_report_conclude(r, FL_REPORT_BAD,
			"%" PRIu64 " keys have no answer that names a node%s.", t->failed,
			v->given_up ? ", the last ones in a row, so the rest was not asked"
				    : "");
	if (t->unsent)
		fl_report_conclude(r, FL_REPORT_REMARK,
			"%" PRIu64 " keys cannot be sent in such a request.", t->unsent);
	if (t->strangers)
		fl_report_conclude(r, FL_REPORT_REMARK,
			"%" PRIu64 " answers name no node of the pool; --map ANSWER=NODE says "
			"who is meant.",
			t->strangers);
}

static void facts(struct fl_report *r, const struct fl_verify *v)
{
	const struct fl_verify_tally *t = &v->tally;

	fl_report_fact(r, "url", "Asked", fl_slice_of(v->url));
	fl_report_fact(r, "algorithm", "Compared with", fl_slice_of(v->spec));
	fl_traffic_args_facts(v->traffic, r);
	fl_report_fact_number(r, "keys", "Different keys", v->keys);
	if (v->more_keys)
		fl_report_fact(r, "limit", "More keys", FL_SLICE("left out by --limit"));
	fl_report_fact_number(r, "rate", "Requests a second at most", v->rate);
	fl_report_fact_number(r, "matches", "Matches", t->matches);
	fl_report_fact_number(r, "mismatches", "Mismatches", t->mismatches);
	fl_report_fact_number(r, "failed", "Without an answer", t->failed);
	fl_report_fact_number(r, "unsent", "Not sendable", t->unsent);
}

static void pairs(struct fl_report *r, struct fl_verify *v)
{
	static const struct fl_report_column columns[] = {
		{.name = "expected", .title = "Fairlead names", .type = FL_REPORT_TEXT},
		{.name = "got", .title = "the balancer answers", .type = FL_REPORT_TEXT},
		{.name = "keys", .title = "Keys", .type = FL_REPORT_NUMBER},
		{.name = "share",
			.title = "of all answered",
			.type = FL_REPORT_SHARE,
			.decimals = 2,
			.bar = true},
	};
	struct fl_verify_tally *t = &v->tally;
	double answered = (double)(t->matches + t->mismatches);
	size_t n = fl_verify_tally_pairs(t);
	struct fl_report_table *table = fl_report_table(r, "pairs", NULL, columns, 4);

	for (size_t i = 0; i < n; i++) {
		fl_report_text_cell(table, fl_slice_of(t->pairs[i].expected));
		fl_report_text_cell(table, fl_slice_of(t->pairs[i].got));
		fl_report_number_cell(table, (int64_t)t->pairs[i].keys);
		fl_report_real_cell(table, (double)t->pairs[i].keys / answered);
	}
	if (t->unpaired == 0)
		return;
	fl_report_text_cell(table, FL_SLICE("(others)"));
	fl_report_text_cell(table, FL_SLICE("(others)"));
	fl_report_number_cell(table, (int64_t)t->unpaired);
	fl_report_real_cell(table, (double)t->unpaired / answered);
}

static void examples(struct fl_report *r, const struct fl_verify_tally *t)
{
	static const struct fl_report_column columns[] = {
		{.name = "key", .title = "Key", .type = FL_REPORT_TEXT},
		{.name = "expected", .title = "Fairlead names", .type = FL_REPORT_TEXT},
		{.name = "got", .title = "the balancer answers", .type = FL_REPORT_TEXT},
	};
	struct fl_report_table *table =
		fl_report_table(r, "examples", "The first such keys", columns, 3);

	for (size_t i = 0; i < t->example_count; i++) {
		fl_report_text_cell(table, t->examples[i].key);
		fl_report_text_cell(table, fl_slice_of(t->examples[i].expected));
		fl_report_text_cell(table, fl_slice_of(t->examples[i].got));
	}
}

static void failures(struct fl_report *r, const struct fl_verify_tally *t)
{
	static const struct fl_report_column columns[] = {
		{.name = "why", .title = "Why", .type = FL_REPORT_TEXT},
		{.name = "keys", .title = "Keys", .type = FL_REPORT_NUMBER},
		{.name = "key", .title = "First of them", .type = FL_REPORT_TEXT},
	};
	struct fl_report_table *table = fl_report_table(r, "reasons", NULL, columns, 3);

	for (size_t i = 0; i < t->reason_count; i++) {
		char why[192];

		(void)snprintf(why, sizeof(why), "%s%s", t->reasons[i].unsent ? "the key " : "",
			t->reasons[i].why);
		fl_report_text_cell(table, fl_slice_of(why));
		fl_report_number_cell(table, (int64_t)t->reasons[i].keys);
		fl_report_text_cell(table, t->reasons[i].key);
	}
}

struct fl_report *fl_verify_report(struct fl_verify *v)
{
	struct fl_report *r = fl_report_new("verify");

	fl_report_titled(r, "The running balancer and Fairlead");
	conclude(r, v);
	facts(r, v);
	fl_report_section(r, "mismatches", "Keys that reach another node", NULL);
	pairs(r, v);
	examples(r, &v->tally);
	fl_report_section(r, "failures", "Keys without an answer", NULL);
	failures(r, &v->tally);
	return r;
}
