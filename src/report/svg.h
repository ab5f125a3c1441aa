/* A chart as SVG, for a given width: HTML holds a wide and a narrow drawing of each. */
#ifndef FL_REPORT_SVG_H
#define FL_REPORT_SVG_H

#include "report/data.h"
#include "report/markup.h"

#define FL_SVG_WIDE   720
#define FL_SVG_NARROW 350
#define FL_SVG_LINE   16

struct fl_svg {
	FILE *out;
	struct fl_text scratch;
	const struct fl_report_chart *c;
	double width;
	unsigned
		id; /* what tells this drawing's ids apart from those of others in the document */
	bool alone; /* a file of its own: has its style, its heading and its ground */
	bool failed;
};

/* Draws the chart; 0, or -1 without memory. */
int fl_svg_chart(
	FILE *out, const struct fl_report_chart *c, double width, unsigned id, bool alone);

/* ---- for svg_*.c ---- */

static inline bool fl_svg_narrow(const struct fl_svg *s)
{
	return s->width < 500;
}

/* The element itself, its title and its description. */
void fl_svg_begin(struct fl_svg *s, double height);
void fl_svg_end(struct fl_svg *s);

enum fl_svg_anchor {
	FL_SVG_START,
	FL_SVG_MIDDLE,
	FL_SVG_END,
};
/* Text at a place, of a class ("" or "v": ink, "m": muted, "b": bold, "u": small and muted, "h":
 * a heading), cut to `most` pixels; what is cut has its whole as a tooltip. */
void fl_svg_text(struct fl_svg *s, double x, double y, enum fl_svg_anchor anchor,
	const char *class, struct fl_slice text, double most);
void fl_svg_string(struct fl_svg *s, double x, double y, enum fl_svg_anchor anchor,
	const char *class, const char *text);
/* A text of an axis, muted, in the middle over `x` if the drawing's edges let it. */
void fl_svg_tick(struct fl_svg *s, double x, double y, const char *text);
/* Pixels that a text takes at most, whatever the font. */
double fl_svg_wide(struct fl_svg *s, const char *class, struct fl_slice text);
/* A straight line of a class. */
void fl_svg_line(
	struct fl_svg *s, const char *class, double x1, double y1, double x2, double y2);
/* A rectangle of a series' colour, left open for a title: close with fl_svg_close_rect. */
void fl_svg_rect(struct fl_svg *s, uint32_t colour, double x, double y, double w, double h);
void fl_svg_close_rect(struct fl_svg *s);
/* A tooltip: "a, b: value" of those that are given; goes into the open element. */
void fl_svg_tip(struct fl_svg *s, const struct fl_slice *a, const char *between,
	const struct fl_slice *b, const char *value);
const char *fl_svg_quantity(const struct fl_svg *s, char out[FL_REPORT_SHORT], double y);
uint32_t fl_svg_colour(const struct fl_svg *s, size_t series);
/* Series' swatches and names from `y` on, wrapped; where it ends. With `draw` false measures. */
double fl_svg_legend(struct fl_svg *s, double y, size_t count, bool draw);
/* Moves labels apart that are in rising order: at least `pitch` between two, none beyond. */
void fl_svg_spread(double *at, size_t n, double pitch, double low, double high);
/* "title, unit", or "". */
const char *fl_svg_axis_title(const struct fl_report_scale *scale, char out[160]);

int fl_svg_bars(struct fl_svg *s);
int fl_svg_lines(struct fl_svg *s);
int fl_svg_flows(struct fl_svg *s);
int fl_svg_matrix(struct fl_svg *s, const struct fl_report_moves *m);
int fl_svg_ring(struct fl_svg *s);
int fl_svg_rows(struct fl_svg *s);
/* Owners with number, swatch and share, in a column at `x` of `width`; where it ends. */
double fl_svg_owners(struct fl_svg *s, const struct fl_report_owners *o, double x, double y,
	double width, bool draw);
/* A tooltip of an owner (FL_NONE: nobody) with its whole share. */
void fl_svg_owner_tip(struct fl_svg *s, const struct fl_report_owners *o, uint32_t node);

#endif
