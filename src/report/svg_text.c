/* Texts of drawings. A drawing is laid out before anybody knows the font that it will be shown
 * in, so room is kept for a wide one: the widths here are those of DejaVu Sans, which with
 * Verdana is the widest of what browsers take for a system's font. What is not of the Latin
 * letters may be of any width; such a text is told how long it has to be. */
#include "base/utf8.h"
#include "report/svg.h"

#include <math.h>

/* Hundredths of the font's size, from the blank to the tilde. */
static const unsigned char ascii_width[] = {32, 41, 47, 84, 64, 96, 78, 28, 40, 40, 50, 84, 32,
	37, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 54, 100, 69, 69,
	70, 78, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75, 79, 61, 79, 70, 64, 62, 74, 69, 99, 69,
	62, 69, 40, 34, 40, 84, 50, 50, 62, 64, 55, 64, 62, 36, 64, 64, 28, 28, 58, 28, 98, 64,
	62, 64, 64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84};

enum {
	OTHER_WIDTH = 84, /* of what takes one column; of what takes two, together: */
	BROAD_WIDTH = 100,
	LEAST_WIDTH = 28,
	ELLIPSIS = 0x2026,
	LATIN_END = 0x180,
};

/* The size of a class' font, bold letters being wider. */
static double size_of(const char *class)
{
	const double bold = 1.23;

	return *class == 'h'   ? 17 * bold
	       : *class == 'b' ? 12 * bold
	       : *class == 'u' ? 10.5
	                       : 12;
}

/* Dashes, blanks and arrows of ours. */
static bool is_sign(uint32_t code)
{
	return (code >= 0x2010 && code <= 0x202f) || (code >= 0x2190 && code <= 0x2193);
}

/* Hundredths of the font's size that a text takes which is shown already; `sure`: no more. */
static double measure(struct fl_slice shown, bool *sure)
{
	double sum = 0;

	*sure = true;
	for (size_t n = 0; shown.n; shown.p += n, shown.n -= n) {
		uint32_t code = 0;
		n = fl_utf8_decode(shown.p, shown.n, &code);
		n = n ? n : 1;
		if (code >= ' ' && code <= '~') {
			sum += ascii_width[code - ' '];
			continue;
		}
		size_t columns = fl_report_columns((struct fl_slice){shown.p, n}, true);
		sum += columns == 0                       ? 0
		       : columns == 2 || code == ELLIPSIS ? BROAD_WIDTH
		                                          : OTHER_WIDTH;
		*sure = *sure && (code < LATIN_END || is_sign(code));
	}
	return sum;
}

/* Pixels of a text that is cut to some columns. */
static double pixels_of(
	struct fl_svg *s, const char *class, struct fl_slice text, size_t columns, bool *sure)
{
	fl_markup_show(&s->scratch, text, columns);
	return measure((struct fl_slice){s->scratch.p, s->scratch.n}, sure) * size_of(class) /
	       100;
}

double fl_svg_wide(struct fl_svg *s, const char *class, struct fl_slice text)
{
	bool sure;

	return pixels_of(s, class, text, SIZE_MAX, &sure);
}

/* The columns to which a text must be cut to take at most `most` pixels. */
static size_t fits(struct fl_svg *s, const char *class, struct fl_slice text, double most)
{
	bool sure;
	size_t low = 0, high = fl_report_columns(text, true);
	double bound = fmax(most, 0) * 100 / (LEAST_WIDTH * size_of(class));

	if (pixels_of(s, class, text, SIZE_MAX, &sure) <= most)
		return SIZE_MAX;
	high = bound < (double)high ? (size_t)bound : high - (high > 0);
	while (low < high) {
		size_t middle = high - (high - low) / 2;
		if (pixels_of(s, class, text, middle, &sure) <= most)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

void fl_svg_text(struct fl_svg *s, double x, double y, enum fl_svg_anchor anchor,
	const char *class, struct fl_slice text, double most)
{
	static const char *const anchors[] = {"", " e-m", " e-e"};
	size_t columns = fits(s, class, text, most);
	bool sure;
	double pixels = pixels_of(s, class, text, columns, &sure);

	(void)fprintf(s->out, "<text class=\"%s%s\" x=\"%.5g\" y=\"%.5g\"", class,
		anchors[anchor], x, y);
	if (!sure && pixels > 0)
		(void)fprintf(s->out, " textLength=\"%.5g\" lengthAdjust=\"spacingAndGlyphs\"",
			pixels);
	(void)putc('>', s->out);
	fl_markup_text(s->out, &s->scratch, text, columns);
	if (columns != SIZE_MAX) {
		(void)fputs("<title>", s->out);
		fl_markup_text(s->out, &s->scratch, text, SIZE_MAX);
		(void)fputs("</title>", s->out);
	}
	(void)fputs("</text>", s->out);
}

void fl_svg_string(struct fl_svg *s, double x, double y, enum fl_svg_anchor anchor,
	const char *class, const char *text)
{
	fl_svg_text(s, x, y, anchor, class, fl_slice_of(text), HUGE_VAL);
}

void fl_svg_tick(struct fl_svg *s, double x, double y, const char *text)
{
	double half = fl_svg_wide(s, "m", fl_slice_of(text)) / 2;

	fl_svg_string(s, fmax(fmin(x, s->width - half), half), y, FL_SVG_MIDDLE, "m", text);
}
