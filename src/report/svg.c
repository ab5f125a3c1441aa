/* What every drawing has: the frame, texts, swatches, tooltips. Numbers are written with two
 * decimals at most, in the C locale. */
#include "report/svg.h"

#include <math.h>

enum {
	LEGEND_NAME = 160, /* pixels */
	MOST_SCRATCH = 1 << 20,
};

const char *fl_svg_quantity(const struct fl_svg *s, char out[FL_REPORT_SHORT], double y)
{
	return fl_report_quantity(out, &s->c->spec.y, y, true);
}

uint32_t fl_svg_colour(const struct fl_svg *s, size_t series)
{
	return FL_REPORT_AT(s->c->colour, uint32_t, series) % 8;
}

/* ---- the frame ---- */

static void describe(struct fl_svg *s)
{
	static const char *const kinds[] = {
		"Bars", "Lines", "Flows", "Hash ring", "Lookup table"};
	const struct fl_report_chart *c = s->c;
	char size[96];

	(void)fprintf(s->out, "<desc id=\"d%u\">%s", s->id, kinds[c->kind]);
	if (c->kind == FL_REPORT_BARS)
		(void)snprintf(size, sizeof(size), " of %zu labels in %zu series", c->groups.n,
			c->series.list.n);
	else if (c->kind == FL_REPORT_LINES)
		(void)snprintf(size, sizeof(size), " of %zu series with %zu points",
			c->series.list.n, c->data.n);
	else
		(void)snprintf(size, sizeof(size), " of %zu nodes", c->series.list.n);
	(void)fputs(size, s->out);
	if (c->spec.note) {
		(void)fputs(". ", s->out);
		fl_markup_string(s->out, &s->scratch, c->spec.note);
	}
	(void)fputs("</desc>", s->out);
}

/* A file's own heading stands above the drawing's origin. */
static double heading_height(const struct fl_svg *s)
{
	return s->alone ? 40 : 0;
}

void fl_svg_begin(struct fl_svg *s, double height)
{
	double top = heading_height(s), edge = s->alone ? 16 : 0;

	(void)fprintf(s->out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"drawing\" role=\"img\" "
		"aria-labelledby=\"t%u d%u\" viewBox=\"%.5g %.5g %.5g %.5g\"",
		s->id, s->id, -edge, -top, s->width + 2 * edge, height + top + edge);
	if (s->alone)
		(void)fprintf(s->out, " width=\"%.5g\" height=\"%.5g\"", s->width + 2 * edge,
			height + top + edge);
	(void)fprintf(s->out, "><title id=\"t%u\">", s->id);
	fl_markup_string(s->out, &s->scratch, s->c->spec.title);
	(void)fputs("</title>", s->out);
	describe(s);
	if (!s->alone)
		return;
	(void)fprintf(s->out,
		"<style>svg{%s}@media (prefers-color-scheme:dark){svg{%s}}%s</style>"
		"<rect class=\"ground\" x=\"%.5g\" y=\"%.5g\" width=\"%.5g\" "
		"height=\"%.5g\"/>",
		fl_report_colours_css, fl_report_dark_css, fl_report_drawing_css, -edge, -top,
		s->width + 2 * edge, height + top + edge);
	fl_svg_text(s, 0, -16, FL_SVG_START, "h", fl_slice_of(s->c->spec.title), s->width);
}

void fl_svg_end(struct fl_svg *s)
{
	(void)fputs("</svg>\n", s->out);
	s->failed = s->failed || s->scratch.failed;
}

int fl_svg_chart(
	FILE *out, const struct fl_report_chart *c, double width, unsigned id, bool alone)
{
	struct fl_svg s = {.out = out, .c = c, .width = width, .id = id, .alone = alone};
	int status = 0;

	fl_text_init(&s.scratch, MOST_SCRATCH);
	if (c->data.n == 0 && c->groups.n == 0) {
		fl_svg_begin(&s, 30);
		fl_svg_string(&s, 0, 16, FL_SVG_START, "m", "nothing to show");
		fl_svg_end(&s);
	} else if (c->kind == FL_REPORT_BARS) {
		status = fl_svg_bars(&s);
	} else if (c->kind == FL_REPORT_LINES) {
		status = fl_svg_lines(&s);
	} else if (c->kind == FL_REPORT_FLOWS) {
		status = fl_svg_flows(&s);
	} else if (c->kind == FL_REPORT_RING) {
		status = fl_svg_ring(&s);
	} else {
		status = fl_svg_rows(&s);
	}
	fl_text_fini(&s.scratch);
	return s.failed ? -1 : status;
}

/* ---- pieces ---- */

void fl_svg_line(
	struct fl_svg *s, const char *class, double x1, double y1, double x2, double y2)
{
	(void)fprintf(s->out, "<path class=\"%s\" d=\"M%.5g %.5gL%.5g %.5g\"/>", class, x1, y1,
		x2, y2);
}

void fl_svg_rect(struct fl_svg *s, uint32_t colour, double x, double y, double w, double h)
{
	(void)fprintf(s->out,
		"<rect class=\"s%u\" x=\"%.5g\" y=\"%.5g\" width=\"%.5g\" height=\"%.5g\">",
		(unsigned)colour, x, y, w, h);
}

void fl_svg_close_rect(struct fl_svg *s)
{
	(void)fputs("</rect>", s->out);
}

void fl_svg_tip(struct fl_svg *s, const struct fl_slice *a, const char *between,
	const struct fl_slice *b, const char *value)
{
	(void)fputs("<title>", s->out);
	if (a)
		fl_markup_text(s->out, &s->scratch, *a, SIZE_MAX);
	if (a && b)
		(void)fputs(between, s->out);
	if (b)
		fl_markup_text(s->out, &s->scratch, *b, SIZE_MAX);
	if (a || b)
		(void)fputs(": ", s->out);
	fl_markup_string(s->out, &s->scratch, value);
	(void)fputs("</title>", s->out);
}

double fl_svg_legend(struct fl_svg *s, double y, size_t count, bool draw)
{
	double x = 0;

	for (size_t i = 0; i < count; i++) {
		struct fl_slice name = fl_report_name_at(&s->c->series, i);
		double wide = 15 + fmin(fl_svg_wide(s, "", name), LEGEND_NAME);
		if (x > 0 && x + wide > s->width) {
			x = 0;
			y += FL_SVG_LINE + 2;
		}
		if (draw) {
			fl_svg_rect(s, fl_svg_colour(s, i), x, y + 2, 10, 10);
			fl_svg_close_rect(s);
			fl_svg_text(s, x + 15, y + 11, FL_SVG_START, "", name, LEGEND_NAME);
		}
		x += wide + 16;
	}
	return y + FL_SVG_LINE + 8;
}

void fl_svg_spread(double *at, size_t n, double pitch, double low, double high)
{
	for (size_t i = 0; i < n; i++) {
		double least = i ? at[i - 1] + pitch : low;
		at[i] = fmax(at[i], least);
	}
	for (size_t i = n; i-- > 0;) {
		double most = i + 1 < n ? at[i + 1] - pitch : high;
		at[i] = fmin(at[i], most);
	}
}

const char *fl_svg_axis_title(const struct fl_report_scale *scale, char out[160])
{
	(void)snprintf(out, 160, "%.100s%s%.40s", scale->title ? scale->title : "",
		scale->title && scale->unit ? ", " : "", scale->unit ? scale->unit : "");
	return out;
}
