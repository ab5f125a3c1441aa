/* Lines of a terminal: composed in memory, written whole, never wider than asked. */
#ifndef FL_REPORT_PEN_H
#define FL_REPORT_PEN_H

#include "report/show.h"

#define FL_PEN_INDENT 2

enum fl_pen_style {
	FL_PEN_PLAIN,
	FL_PEN_BOLD,
	FL_PEN_DIM,
	FL_PEN_GOOD,
	FL_PEN_BAD,
	FL_PEN_SERIES, /* + a series' colour */
};

struct fl_pen {
	FILE *out;
	struct fl_text line, scratch;
	size_t at;      /* columns of the line, blanks that are not written yet included */
	size_t pending; /* such blanks: none are written at a line's end */
	size_t width;
	bool utf8, colour, failed;
};

void fl_pen_init(struct fl_pen *pen, FILE *out, const struct fl_report_text_options *options);
void fl_pen_fini(struct fl_pen *pen);

/* The style of what follows, until FL_PEN_PLAIN. */
void fl_pen_style(struct fl_pen *pen, unsigned style);
/* Ends the line, without blanks at its end. */
void fl_pen_end(struct fl_pen *pen);
/* `n` blanks, or up to a column. */
void fl_pen_blanks(struct fl_pen *pen, size_t n);
void fl_pen_to(struct fl_pen *pen, size_t column);
/* Text of the outside's or ours, cut to `most` columns and to the line; gives its columns. */
size_t fl_pen_show(struct fl_pen *pen, struct fl_slice text, size_t most);
size_t fl_pen_string(struct fl_pen *pen, const char *text);
/* The same, filled up to `width` columns, on the left or the right. */
void fl_pen_field(struct fl_pen *pen, struct fl_slice text, size_t width, bool right);
/* One of two signs of one column, `times` times. */
void fl_pen_sign(struct fl_pen *pen, const char *utf8, const char *ascii, size_t times);
/* A paragraph from the pen's column on, wrapped between words; further lines begin at `hang`. */
void fl_pen_wrap(struct fl_pen *pen, struct fl_slice text, size_t hang);
/* A line under a chart. */
void fl_pen_note(struct fl_pen *pen, const char *text);
/* A bar of `part` (0..1) of `width` columns, filled up with blanks; `tick` (0..1): a mark on it. */
void fl_pen_bar(struct fl_pen *pen, double part, size_t width, double tick);

/* "✓", "✗" or "•" in its colour, a blank behind it. */
void fl_pen_verdict(struct fl_pen *pen, enum fl_report_verdict verdict);

/* text_table.c, text_chart.c, text_plot.c, text_turn.c; -1 without memory */
void fl_report_text_table(struct fl_pen *pen, const struct fl_report_table *t);
int fl_report_text_bars(struct fl_pen *pen, const struct fl_report_chart *c);
int fl_report_text_flows(struct fl_pen *pen, const struct fl_report_chart *c);
int fl_report_text_lines(struct fl_pen *pen, const struct fl_report_chart *c);
int fl_report_text_turn(struct fl_pen *pen, const struct fl_report_chart *c);

#endif
