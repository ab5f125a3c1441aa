/* Showing text and quantities to people, in any medium. */
#ifndef FL_REPORT_SHOW_H
#define FL_REPORT_SHOW_H

#include "report/priv.h"

#include <locale.h>

/* While one renders: what a character's width is and what a decimal point is does not depend on
 * the program's locale. */
struct fl_report_locale {
	locale_t mine, before;
};
void fl_report_locale_enter(struct fl_report_locale *l);
void fl_report_locale_leave(struct fl_report_locale *l);

/* Appends `text` so that no terminal and no reader is misled: what acts, hides or turns around is
 * shown as an escape (\n, \x1b, \u{202e}), and so are bytes that are not UTF-8; without `utf8`
 * all that is not ASCII. At most `most` columns: else it is cut in the middle and has an ellipsis
 * there. Gives the columns it takes. Only between enter and leave. */
size_t fl_report_show(struct fl_text *out, struct fl_slice text, size_t most, bool utf8);

/* Whether a character is not seen, or is none: a name that holds it looks like another name. */
bool fl_report_hides(uint32_t code);
/* The columns that it takes without a bound. */
size_t fl_report_columns(struct fl_slice text, bool utf8);
/* The bytes of what fits in `most` columns of a text that was shown already, and the columns. */
size_t fl_report_fit(struct fl_slice shown, size_t most, size_t *columns);

/* A quantity as people read it, with its unit. */
#define FL_REPORT_SHORT 128
const char *fl_report_quantity(
	char out[FL_REPORT_SHORT], const struct fl_report_scale *how, double value, bool utf8);
/* A count: 12,345. */
const char *fl_report_count(char out[FL_REPORT_SHORT], size_t n);
/* A cell that is not text. */
const char *fl_report_cell_shown(char out[FL_REPORT_SHORT],
	const struct fl_report_column *column, const struct fl_report_cell *cell, bool utf8);
/* A cell's number; 0 for what is none. */
double fl_report_cell_value(const struct fl_report_cell *cell);
/* The largest number of a column; 0 when there is none. */
double fl_report_column_most(const struct fl_report_table *t, size_t column);

/* "ok", "bad" or "note". */
const char *fl_report_verdict_name(enum fl_report_verdict verdict);

/* The shortest decimal number that reads back as the same double. */
const char *fl_report_exact(char out[FL_REPORT_SHORT], double value);

/* Round places on an axis, at least one, lowest first; the axis runs from `low` to `high`, which
 * are moved outwards to round numbers. */
#define FL_REPORT_MOST_TICKS 24
struct fl_report_axis {
	struct fl_report_scale how; /* with the decimals that the ticks need */
	double low, high;
	double tick[FL_REPORT_MOST_TICKS];
	size_t count;
};
/* About `wish` ticks. */
void fl_report_axis(struct fl_report_axis *axis, const struct fl_report_scale *how, double low,
	double high, unsigned wish);
/* Where a value is on it, from 0 to 1. */
double fl_report_along(const struct fl_report_axis *axis, double value);

#endif
