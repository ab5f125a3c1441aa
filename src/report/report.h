/* A report: what a tool found out, as data, and its renderings: text for a terminal, JSON, CSV,
 * one self-contained HTML file, SVG files.
 *
 * Building is like writing to a stream: calls return nothing that must be checked, the first
 * failure (no memory, over a bound, a number that is not finite, a cell of another type than its
 * column's) is remembered, later calls do nothing, and every renderer and fl_report_error() tell
 * it. A NULL report, table or chart is fine everywhere: it is what a failed call gave.
 *
 *     struct fl_report *r = fl_report_new("compare");
 *     fl_report_titled(r, "Six algorithms over 10 to 1,000 nodes");
 *     fl_report_say(r, "%s is the most even: peak %.1f %% over average.", name, 100 * over);
 *     fl_report_fact_number(r, "seed", "Seed", 0);
 *     fl_report_section(r, "balance", "Balance", "How far the fullest node is over its share.");
 *     struct fl_report_table *t = fl_report_table(r, "peaks", NULL, columns, 3);
 *     fl_report_text_cell(t, fl_slice_of(name));
 *     fl_report_number_cell(t, nodes);
 *     fl_report_real_cell(t, over);             ... three cells are a row
 *     struct fl_report_chart *c = fl_report_lines(r, &(struct fl_report_spec){...});
 *     int status = fl_report_text(r, stdout, &options, &err);
 *     fl_report_free(r);
 *
 * Everything is copied; text from a caller may hold any bytes (names and keys are the outside's)
 * and every renderer escapes it for its medium. What is called a name below is for machines
 * (letters, digits, _ and -; unique among its siblings; JSON keys, CSV headers, file names) and
 * comes from the source; titles, notes and units are UTF-8 for people. A table's or a chart's
 * handle stays valid until fl_report_free; cells and points may be put in any interleaving.
 *
 * One thread at a time; rendering does not change a report. */
#ifndef FL_REPORT_REPORT_H
#define FL_REPORT_REPORT_H

#include "base/error.h"
#include "base/slice.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define FL_REPORT_MAX_BYTES    ((size_t)256 << 20) /* memory of one report, all in all */
#define FL_REPORT_MAX_COLUMNS  32                  /* of a table */
#define FL_REPORT_MAX_TEXT     ((size_t)64 << 10)  /* bytes of one text */
#define FL_REPORT_MAX_ITEMS    1024       /* sections; tables and charts of one section */
#define FL_REPORT_MAX_SERIES   (1u << 16) /* of a chart; also its nodes */
#define FL_REPORT_MAX_POINTS   (1u << 20) /* of a chart: labels, points, flows, rows */
#define FL_REPORT_MAX_DECIMALS 9
#define FL_REPORT_MAX_VALUE    1e300  /* in a chart, so that sums stay finite */
#define FL_REPORT_LEAST_VALUE  1e-300 /* in a chart; less counts as 0 */

struct fl_report;
struct fl_report_table;
struct fl_report_chart;

/* How a quantity is shown to people. Machines get the plain number: shares as fractions (0.25),
 * bytes and nanoseconds as such. */
enum fl_report_type {
	FL_REPORT_TEXT,    /* bytes */
	FL_REPORT_NUMBER,  /* an integer: 12,345 */
	FL_REPORT_REAL,    /* with `decimals` places: 1.250 */
	FL_REPORT_SHARE,   /* of 1, as per cent with `decimals` places: 25.0 % */
	FL_REPORT_BYTES,   /* 12.5 KiB */
	FL_REPORT_NS,      /* nanoseconds: 12.5 ns, 3.40 ms */
	FL_REPORT_VERDICT, /* enum fl_report_verdict, and words */
};

enum fl_report_verdict {
	FL_REPORT_OK,
	FL_REPORT_BAD,
	FL_REPORT_REMARK, /* neither: worth a look */
};

struct fl_report_column {
	const char *name, *title;
	enum fl_report_type type;
	unsigned decimals; /* REAL, SHARE */
	const char *unit;  /* behind REAL and NUMBER, such as "keys"; NULL: none */
	bool bar; /* numbers >= 0: a bar beside each, on one scale from 0 to the largest */
};

/* What a chart is called, and the scales of its values. */
struct fl_report_spec {
	const char *name, *title;
	const char *note; /* a sentence under the title, or NULL */
	struct fl_report_scale {
		const char *title; /* of the axis, or NULL */
		enum fl_report_type type;
		unsigned decimals;
		const char *unit;
		bool log;   /* lines only: 1-2-5 steps a decade; values <= 0 are refused */
		bool tight; /* lines only: need not begin at 0 */
	} x, y;             /* x: lines only */
	bool stacked; /* bars only: a label's values on top of each other, not side by side */
};

/* An empty report of a tool: `name` is the verb. NULL without memory. */
struct fl_report *fl_report_new(const char *name);
void fl_report_free(struct fl_report *r); /* NULL is fine */

/* FL_OK, or the first failure with its text: FL_ENOMEM (also for NULL), FL_ELIMIT, FL_EINVAL. */
int fl_report_error(const struct fl_report *r, struct fl_error *err);

__attribute__((format(printf, 2, 3))) void fl_report_titled(
	struct fl_report *r, const char *format, ...);

/* A sentence of the summary: what a reader must know if he reads nothing else. At most 1 KiB. */
__attribute__((format(printf, 2, 3))) void fl_report_say(
	struct fl_report *r, const char *format, ...);
/* The same, with a verdict: shown as a mark and a colour, JSON: "verdict". */
__attribute__((format(printf, 3, 4))) void fl_report_conclude(
	struct fl_report *r, enum fl_report_verdict verdict, const char *format, ...);

/* What one needs to repeat it: seeds, sizes, versions. */
void fl_report_fact(
	struct fl_report *r, const char *name, const char *title, struct fl_slice value);
void fl_report_fact_number(
	struct fl_report *r, const char *name, const char *title, uint64_t value);

/* Begins a section; what follows belongs to it. `note` explains it in a sentence, or is NULL.
 * Tables and charts made before the first section stand in one without a heading. */
void fl_report_section(
	struct fl_report *r, const char *name, const char *heading, const char *note);

/* ---- tables -------------------------------------------------------------------------- */

/* A table of `count` columns in the newest section. `title` may be NULL. */
struct fl_report_table *fl_report_table(struct fl_report *r, const char *name,
	const char *title, const struct fl_report_column *columns, size_t count);

/* The next cell; a row is full after as many as there are columns. A row that is not full when
 * the report is rendered is an error. */
void fl_report_text_cell(struct fl_report_table *t, struct fl_slice text);
void fl_report_number_cell(struct fl_report_table *t, int64_t value); /* NUMBER BYTES NS */
void fl_report_real_cell(struct fl_report_table *t, double value);    /* REAL SHARE BYTES NS */
/* `words` NULL: "ok", "bad" or "note". */
void fl_report_verdict_cell(
	struct fl_report_table *t, enum fl_report_verdict verdict, const char *words);
/* A value that is not there: a dash, JSON null, an empty CSV field. Any type. */
void fl_report_no_cell(struct fl_report_table *t);

/* ---- charts -------------------------------------------------------------------------- */

/* All in the newest section. A series' colour goes by its name: the same in every chart of the
 * report. HTML gives each chart's data as a table, too. */

/* Bars, lying, one group a label (a node, say), one bar a series. Of many labels the largest are
 * drawn and (not stacked) a few of the smallest; the rest is told ("and 940 more"). */
struct fl_report_chart *fl_report_bars(struct fl_report *r, const struct fl_report_spec *spec);
/* A polyline a series, such as the peak by the number of nodes. */
struct fl_report_chart *fl_report_lines(struct fl_report *r, const struct fl_report_spec *spec);
/* From whom to whom, and how much: ribbons between two columns for a few nodes, a heat map for
 * more, of which the largest rows and columns are shown and the rest is summed up. */
struct fl_report_chart *fl_report_flows(struct fl_report *r, const struct fl_report_spec *spec);
/* Points of a hash ring: a point owns the arc from the point before it up to itself. */
struct fl_report_chart *fl_report_ring(struct fl_report *r, const struct fl_report_spec *spec);
/* The rows of a lookup table, coloured by owner. */
struct fl_report_chart *fl_report_rows(struct fl_report *r, const struct fl_report_spec *spec);

/* A series (bars, lines) or a node (ring, rows); gives its number, from 0. A name that the chart
 * has already gives the number it has. */
uint32_t fl_report_series(struct fl_report_chart *c, struct fl_slice name);

/* Bars: begins the next label. */
void fl_report_label(struct fl_report_chart *c, struct fl_slice label);
/* Bars: the newest label's value in a series, >= 0. What is not given is missing. */
void fl_report_value(struct fl_report_chart *c, uint32_t series, double value);
/* Bars: what the newest label should have, >= 0, such as its fair share; a tick on its bars. */
void fl_report_target(struct fl_report_chart *c, double value);

/* Lines: the next point of a series; x must not fall; y >= 0. */
void fl_report_point(struct fl_report_chart *c, uint32_t series, double x, double y);

/* Bars, lines: a line across at a value, such as a bound, with a few words. */
void fl_report_reference(struct fl_report_chart *c, double value, const char *words);

/* Flows: adds to what goes from one node to another; value >= 0. */
void fl_report_flow(
	struct fl_report_chart *c, struct fl_slice from, struct fl_slice to, double value);

/* Ring: a node's point. Any order. */
void fl_report_ring_point(struct fl_report_chart *c, uint64_t position, uint32_t node);
/* Ring, rows: marks a position or a row, such as a key's, with its name. At most 64. */
void fl_report_mark(struct fl_report_chart *c, uint64_t position, struct fl_slice label);

/* Rows: the next row's owner; FL_NONE: nobody. */
void fl_report_row(struct fl_report_chart *c, uint32_t node);

/* ---- renderings ---------------------------------------------------------------------- */

/* All give FL_OK, the report's failure, FL_ENOMEM, or FL_EINVAL with errno's text when writing
 * failed; what was written then is not whole. None closes or flushes `out` more than fflush. */

struct fl_report_text_options {
	unsigned width; /* columns; 0: 80. Below 20 counts as 20 */
	bool utf8;      /* else ASCII: names are escaped, bars are of # */
	bool colour;    /* a terminal that wants it */
};

/* For reading in a terminal. No line is wider than asked, whatever names hold: tables that do not
 * fit have names cut in the middle, and then stand as one block a row. What a terminal would act
 * on is escaped (\x1b). */
int fl_report_text(const struct fl_report *r, FILE *out,
	const struct fl_report_text_options *options, struct fl_error *err);

/* Fills `options` for a stream: the terminal's width, else $COLUMNS, else 80; UTF-8 by the
 * locale; colour on a terminal, unless NO_COLOR or TERM=dumb. */
void fl_report_text_options_for(FILE *out, struct fl_report_text_options *options);

/* One object, indented. Text that is not UTF-8, or holds a NUL, is {"hex": "ff00"}. */
int fl_report_json(const struct fl_report *r, FILE *out, struct fl_error *err);

/* RFC 4180 with CRLF. `table` is SECTION.TABLE: its header and rows; FL_ENOENT names those there
 * are. NULL: all tables, a value a line: section,table,row,column,value. A verdict column NAME
 * gives two, NAME (ok, bad, note) and NAME_words. Bytes are written as they are. */
int fl_report_csv(
	const struct fl_report *r, FILE *out, const char *table, struct fl_error *err);

/* One file that needs nothing else: style, drawings and data are in it, no script, no request.
 * Light and dark, narrow and wide, on paper too. */
int fl_report_html(const struct fl_report *r, FILE *out, struct fl_error *err);

/* SECTION-CHART.svg for each chart, and SECTION-TABLE.csv for each table, in a directory that is
 * made if it is not there (its parent must be). Files of these names are replaced. */
int fl_report_files(const struct fl_report *r, const char *dir, struct fl_error *err);

#endif
