/* Reports with every kind of table and chart: nice ones to look at, and hostile ones. */
#ifndef FL_TESTS_REPORT_SAMPLE_H
#define FL_TESTS_REPORT_SAMPLE_H

#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct fl_slice sample_hostile[] = {
	{"\"quotes\" & 'more'", 17},
	{"<script>alert(1)</script>", 25},
	{"]]>", 3},
	{"-->", 3},
	{"line\nbreak\r\ttab", 15},
	{"\x1b[31mred\x1b]0;title\x07", 18},
	{"\xff\xfe\x80", 3},
	{"nul\0inside", 10},
	{"\xe2\x80\xaegnp.exe", 10}, /* turned around */
	{"a\xe2\x80\x8b"
	 "b\xef\xbb\xbf",
		8},                                  /* blanks of no width */
	{"\xef\xbf\xbe\xef\xb7\x90", 6},             /* no characters */
	{"\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", 9}, /* two columns each */
	{"e\xcc\x81\xcc\x81\xcc\x81", 7},            /* combining */
	{"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", 8},     /* from right to left */
	{"=1+2,\"x\"", 8},
	{"</style></svg></html>", 21},
	{"", 0},
	{"%s%n%d", 6},
	{"back\\slash", 10},
};
#define SAMPLE_HOSTILE (sizeof(sample_hostile) / sizeof(sample_hostile[0]))

struct sample {
	const char *name;
	size_t nodes; /* of ring, rows, bars */
	bool hostile;
};

static uint64_t sample_seed;

static inline uint64_t sample_random(void)
{
	uint64_t z = sample_seed += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* The i-th node's name; `buf` is of 256 bytes. */
static inline struct fl_slice sample_name(const struct sample *s, size_t i, char *buf)
{
	if (s->hostile && i < SAMPLE_HOSTILE)
		return sample_hostile[i];
	if (s->hostile && i == SAMPLE_HOSTILE) {
		memset(buf, 'W', 255);
		return (struct fl_slice){buf, 255};
	}
	snprintf(buf, 256, "cache-%c", (char)('a' + i % 26));
	if (s->nodes > 8)
		snprintf(buf, 256, "cache-%03zu.eu", i);
	return fl_slice_of(buf);
}

static inline void sample_balance(struct fl_report *r, const struct sample *s)
{
	static const struct fl_report_column columns[] = {
		{"algorithm", "Algorithm", FL_REPORT_TEXT, 0, NULL, false},
		{"nodes", "Nodes", FL_REPORT_NUMBER, 0, NULL, false},
		{"peak", "Peak over average", FL_REPORT_SHARE, 2, NULL, true},
		{"spread", "Standard deviation", FL_REPORT_SHARE, 2, NULL, false},
		{"lookup_ns", "Lookup", FL_REPORT_NS, 0, NULL, true},
		{"build_ns", "Build", FL_REPORT_NS, 0, NULL, false},
		{"memory_bytes", "Memory", FL_REPORT_BYTES, 0, NULL, false},
		{"minimal", "Minimal", FL_REPORT_VERDICT, 0, NULL, false},
	};
	static const char *const names[] = {
		"table", "ring", "rendezvous", "maglev", "jump", "modulo"};

	fl_report_section(r, "balance", "Balance",
		"How far the fullest node is over what its weight promises it: a machine must "
		"be bought for the peak, not for the average.");
	struct fl_report_table *t =
		fl_report_table(r, "algorithms", "At 100 nodes", columns, 8);
	for (size_t i = 0; i < 6; i++) {
		fl_report_text_cell(t, s->hostile ? sample_hostile[i] : fl_slice_of(names[i]));
		fl_report_number_cell(t, 100);
		fl_report_real_cell(t, 0.012 * (double)(i * i + 1));
		fl_report_real_cell(t, 0.004 * (double)(i * i + 1));
		fl_report_real_cell(t, 3.2 * (double)(i + 1) * (double)(i + 1));
		fl_report_number_cell(t, (int64_t)pow(10, 3 + (double)i));
		if (i == 4)
			fl_report_no_cell(t);
		else
			fl_report_number_cell(t, (int64_t)(1000 << (2 * i)));
		if (i == 5)
			fl_report_verdict_cell(t, FL_REPORT_BAD, "moves 98.9 %");
		else
			fl_report_verdict_cell(t, i == 3 ? FL_REPORT_REMARK : FL_REPORT_OK,
				i == 3 ? "3.2 % excess" : "");
	}
	struct fl_report_chart *c = fl_report_lines(
		r, &(struct fl_report_spec){.name = "peak",
			   .title = "Peak over average, by the number of nodes",
			   .note = "Lower is better; 100,000 keys a node.",
			   .x = {.title = "nodes", .type = FL_REPORT_NUMBER, .log = true},
			   .y = {.title = "peak over average",
				   .type = FL_REPORT_SHARE,
				   .decimals = 2}});
	for (size_t i = 0; i < 6; i++) {
		uint32_t k = fl_report_series(
			c, s->hostile ? sample_hostile[i] : fl_slice_of(names[i]));
		for (double n = 3; n <= 3000; n *= 3.1622)
			fl_report_point(
				c, k, floor(n), 0.01 * (double)(i + 1) * (1 + 0.6 * log10(n)));
	}
	fl_report_reference(c, 0.05, "a bounded table's bound");
}

static inline void sample_loads(struct fl_report *r, const struct sample *s)
{
	char buf[256];
	struct fl_report_chart *c = fl_report_bars(
		r, &(struct fl_report_spec){.name = "loads",
			   .title = "Keys before and after",
			   .note = "The tick is the share that a node's weight gives it.",
			   .y = {.title = "share of the keys",
				   .type = FL_REPORT_SHARE,
				   .decimals = s->nodes > 100 ? 4 : 1}});
	uint32_t before = fl_report_series(c, FL_SLICE("before"));
	uint32_t after = fl_report_series(c, FL_SLICE("after"));
	double fair = 1 / (double)(s->nodes ? s->nodes : 1);
	for (size_t i = 0; i < s->nodes; i++) {
		double noise = (double)(sample_random() % 1000) / 1000 - 0.5;
		fl_report_label(c, sample_name(s, i, buf));
		if (i != 2)
			fl_report_value(c, after, fair * (1 + 0.3 * noise));
		fl_report_value(c, before, fair * (0.9 + 0.2 * noise));
		fl_report_target(c, fair);
	}
	c = fl_report_bars(r,
		&(struct fl_report_spec){.name = "disruption",
			.title = "Keys that move when one of 100 nodes goes",
			.y = {.title = "of all keys", .type = FL_REPORT_SHARE, .decimals = 2},
			.stacked = true});
	uint32_t needed = fl_report_series(c, FL_SLICE("necessary"));
	uint32_t excess = fl_report_series(c, FL_SLICE("excess"));
	static const char *const names[] = {
		"table", "ring", "rendezvous", "maglev", "jump", "multiprobe"};
	for (size_t i = 0; i < 6; i++) {
		fl_report_label(c, fl_slice_of(names[i]));
		fl_report_value(c, needed, 0.01);
		fl_report_value(c, excess, i == 3 ? 0.0031 : i == 4 ? 0.0162 : 0);
	}
	fl_report_reference(c, 0.01, "what must move");
}

static inline void sample_flows(struct fl_report *r, const struct sample *s)
{
	char from[256], to[256];
	struct fl_report_chart *c =
		fl_report_flows(r, &(struct fl_report_spec){.name = "flows",
					   .title = "From whom to whom",
					   .y = {.type = FL_REPORT_NUMBER, .unit = "keys"}});
	for (size_t i = 0; i < s->nodes; i++)
		for (size_t k = 0; k < s->nodes && k < 60; k++)
			if (i != k && (s->nodes > 8 || i < 3))
				fl_report_flow(c, sample_name(s, i, from),
					sample_name(s, k, to),
					(double)(sample_random() % 1000));
}

static inline void sample_turns(struct fl_report *r, const struct sample *s)
{
	char buf[256];
	struct fl_report_chart *c = fl_report_ring(
		r, &(struct fl_report_spec){.name = "ring",
			   .title = "The ring",
			   .note = "A key goes to the first point clockwise from it."});
	for (size_t i = 0; i < s->nodes; i++) {
		uint32_t node = fl_report_series(c, sample_name(s, i, buf));
		for (size_t k = 0; k < (s->nodes > 8 ? 40 : 8); k++)
			fl_report_ring_point(c, sample_random(), node);
	}
	if (s->nodes) {
		fl_report_mark(c, UINT64_C(0x2100000000000000), FL_SLICE("alice"));
		fl_report_mark(c, UINT64_C(0x2400000000000000), FL_SLICE("bob"));
		fl_report_mark(
			c, UINT64_C(0xa000000000000000), sample_name(s, s->nodes - 1, buf));
	}
	c = fl_report_rows(
		r, &(struct fl_report_spec){.name = "rows",
			   .title = "The table",
			   .note = "A key's hash picks a row; the row names its owner."});
	for (size_t i = 0; i < s->nodes; i++)
		(void)fl_report_series(c, sample_name(s, i, buf));
	for (size_t i = 0; s->nodes && i < (s->nodes > 8 ? 65536 : 256); i++)
		fl_report_row(
			c, i % 97 == 96 ? FL_NONE : (uint32_t)(sample_random() % s->nodes));
	if (s->nodes)
		fl_report_mark(c, 77, FL_SLICE("alice"));
}

static inline struct fl_report *sample_report(const char *name)
{
	static const struct sample samples[] = {{"nice", 5, false}, {"many", 1000, false},
		{"hostile", SAMPLE_HOSTILE + 1, true}, {"one", 1, false}, {"none", 0, false}};
	const struct sample *s = NULL;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if (strcmp(samples[i].name, name) == 0)
			s = &samples[i];
	struct fl_report *r = fl_report_new("compare");
	if (!s)
		return r; /* an empty one */
	sample_seed = 1;
	fl_report_titled(r, "Six algorithms over 3 to 3,000 nodes");
	fl_report_conclude(r, FL_REPORT_OK,
		"table is the most even: its fullest node has %.1f %% more than the average.",
		1.2);
	fl_report_conclude(r, FL_REPORT_BAD,
		"modulo moves 98.9 %% of the keys when one of 100 nodes goes; 1 %% would do.");
	fl_report_say(r, "A lookup takes between 3 ns and 115 ns.");
	if (s->hostile)
		for (size_t i = 0; i < SAMPLE_HOSTILE; i++)
			fl_report_say(r, "The node %.*s was seen.", (int)sample_hostile[i].n,
				sample_hostile[i].p);
	fl_report_fact_number(r, "seed", "Seed", 0);
	fl_report_fact_number(r, "keys", "Keys a node", 100000);
	fl_report_fact(r, "version", "Fairlead", FL_SLICE("0.1.0"));
	fl_report_fact(r, "command", "Command",
		s->hostile ? sample_hostile[1]
			   : FL_SLICE("fairlead compare --algorithm table --algorithm "
				      "ring,points=160 --nodes 3..3000"));
	sample_balance(r, s);
	fl_report_section(r, "change", "When a node goes",
		"What moves, from whom to whom, and what it does to the loads.");
	sample_loads(r, s);
	sample_flows(r, s);
	fl_report_section(r, "why", "Where a key goes", NULL);
	sample_turns(r, s);
	return r;
}

#endif
