/* What a report is made of, for the files of this room. */
#ifndef FL_REPORT_PRIV_H
#define FL_REPORT_PRIV_H

#include "base/arena.h"
#include "base/assert.h"
#include "base/text.h"
#include "report/report.h"

#define FL_REPORT_MAX_MARKS 64

/* An array in the report's arena; grows by doubling, so old copies cost as much again. */
struct fl_report_vec {
	void *p;
	size_t n, room;
};

/* Strings by number and number by string. */
struct fl_report_names {
	struct fl_report_vec list; /* struct fl_slice */
	uint32_t *index;           /* open addressing: number + 1, 0 is free */
	size_t room;               /* of the index: a power of two */
};

struct fl_report_line {
	struct fl_slice text;
	bool judged;
	enum fl_report_verdict verdict;
};

struct fl_report_known {
	const char *name, *title;
	struct fl_slice text;
	uint64_t number;
	bool is_number;
};

struct fl_report_item { /* either */
	struct fl_report_table *table;
	struct fl_report_chart *chart;
};

struct fl_report_part { /* a section */
	const char *name, *heading, *note;
	struct fl_report_vec items;
};

enum fl_report_kind {
	FL_REPORT_BARS,
	FL_REPORT_LINES,
	FL_REPORT_FLOWS,
	FL_REPORT_RING,
	FL_REPORT_ROWS,
};

struct fl_report {
	struct fl_arena arena;
	struct fl_error error;
	const char *name;
	struct fl_slice title;
	struct fl_report_vec summary, facts, sections;
	struct fl_report_names colours;           /* every series' name */
	struct fl_report_vec colour;              /* uint32_t, of each of them */
	uint32_t next_colour[FL_REPORT_ROWS + 1]; /* a kind */
};

enum fl_report_cell_kind {
	FL_REPORT_CELL_NONE,
	FL_REPORT_CELL_TEXT,
	FL_REPORT_CELL_NUMBER,
	FL_REPORT_CELL_REAL,
	FL_REPORT_CELL_VERDICT,
};

struct fl_report_cell {
	enum fl_report_cell_kind kind;
	enum fl_report_verdict verdict;
	union {
		struct fl_slice text; /* a verdict's words, too */
		int64_t number;
		double real;
	};
};

struct fl_report_table {
	struct fl_report *r;
	const char *name, *title;
	struct fl_report_column *columns;
	size_t column_count;
	struct fl_report_vec cells;
};

struct fl_report_group { /* of bars */
	struct fl_slice label;
	double target; /* < 0: none */
};

/* One piece of a chart's data. Bars: label a, series b, y. Lines: series b, x, y. Flows: from a,
 * to b, y. Ring: position, node b. Rows: node b. */
struct fl_report_datum {
	uint32_t a, b;
	union {
		double x;
		uint64_t at;
	};
	double y;
};

struct fl_report_pin { /* a mark */
	uint64_t at;
	struct fl_slice label;
};

struct fl_report_chart {
	struct fl_report *r;
	enum fl_report_kind kind;
	struct fl_report_spec spec;
	struct fl_report_names series;
	struct fl_report_vec colour; /* uint32_t a series */
	struct fl_report_vec groups, data, marks;
	struct fl_report_vec last; /* lines: double, the newest x a series */
	double reference;          /* < 0: none */
	const char *reference_words;
};

#define FL_REPORT_AT(vec, type, i) (((type *)(vec).p)[i])

static inline struct fl_slice fl_report_name_at(const struct fl_report_names *names, size_t i)
{
	return FL_REPORT_AT(names->list, struct fl_slice, i);
}

/* ---- report.c ---- */

/* Remembers the first failure. */
__attribute__((format(printf, 3, 4))) void fl_report_fail(
	struct fl_report *r, int code, const char *format, ...);
/* Whether something can still be added. */
bool fl_report_good(const struct fl_report *r);
/* A new, zeroed element at the end, or NULL after a failure. */
void *fl_report_push(struct fl_report *r, struct fl_report_vec *vec, size_t size, size_t most);
/* Copies; of NULL: NULL. */
const char *fl_report_string(struct fl_report *r, const char *text);
struct fl_slice fl_report_copy(struct fl_report *r, struct fl_slice text);
/* Checks that a name is one, and that none of the section's items has it. */
bool fl_report_name_ok(struct fl_report *r, const char *name);
/* Adds to the newest section; false after a failure. */
bool fl_report_add(struct fl_report *r, const char *name, struct fl_report_item item);
/* The string's number; it is added when new. UINT32_MAX after a failure. */
uint32_t fl_report_intern(
	struct fl_report *r, struct fl_report_names *names, struct fl_slice text, size_t most);
/* What a renderer asks first: fl_report_error, and whether every table is whole. */
int fl_report_ready(const struct fl_report *r, struct fl_error *err);
/* What it says at the end: writing went well. */
int fl_report_written(FILE *out, struct fl_error *err);

static inline struct fl_report_scale fl_report_scale_of(const struct fl_report_column *c)
{
	return (struct fl_report_scale){
		.type = c->type, .decimals = c->decimals, .unit = c->unit};
}

#endif
