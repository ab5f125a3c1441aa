#include "report/pen.h"

#include <math.h>

enum {
	LEAST_WIDTH = 20,
	MOST_WIDTH = 1000,
	PLAIN_WIDTH = 80,
	MOST_LINE = 1 << 20,
	COLOURS = 8,
};

void fl_pen_init(struct fl_pen *pen, FILE *out, const struct fl_report_text_options *options)
{
	unsigned width = options->width ? options->width : PLAIN_WIDTH;

	*pen = (struct fl_pen){.out = out, .utf8 = options->utf8, .colour = options->colour};
	pen->width = width < LEAST_WIDTH  ? LEAST_WIDTH
	             : width > MOST_WIDTH ? MOST_WIDTH
	                                  : width;
	fl_text_init(&pen->line, MOST_LINE);
	fl_text_init(&pen->scratch, MOST_LINE);
}

void fl_pen_fini(struct fl_pen *pen)
{
	fl_text_fini(&pen->line);
	fl_text_fini(&pen->scratch);
}

void fl_pen_style(struct fl_pen *pen, unsigned style)
{
	static const char *const codes[] = {[FL_PEN_PLAIN] = "0",
		[FL_PEN_BOLD] = "1",
		[FL_PEN_DIM] = "2",
		[FL_PEN_GOOD] = "32",
		[FL_PEN_BAD] = "1;31"};
	static const char *const series[COLOURS] = {
		"36", "33", "35", "32", "34", "31", "96", "93"};

	if (pen->colour)
		fl_text_format(&pen->line, "\x1b[%sm",
			style < FL_PEN_SERIES ? codes[style]
					      : series[(style - FL_PEN_SERIES) % COLOURS]);
}

void fl_pen_end(struct fl_pen *pen)
{
	struct fl_text *line = &pen->line;

	FL_TEXT_LITERAL(line, "\n");
	pen->failed = pen->failed || line->failed || pen->scratch.failed;
	if (!pen->failed)
		(void)fwrite(line->p, 1, line->n, pen->out);
	fl_text_clear(line);
	pen->at = pen->pending = 0;
}

void fl_pen_blanks(struct fl_pen *pen, size_t n)
{
	size_t left = pen->width - pen->at;

	n = n < left ? n : left;
	pen->at += n;
	pen->pending += n;
}

/* Before anything that is seen. */
static void settle(struct fl_pen *pen)
{
	for (; pen->pending; pen->pending--)
		FL_TEXT_LITERAL(&pen->line, " ");
}

/* A text's own blanks at its end are like ours. */
static void unsettle(struct fl_pen *pen)
{
	for (; pen->line.n && pen->line.p[pen->line.n - 1] == ' '; pen->line.n--)
		pen->pending++;
}

void fl_pen_to(struct fl_pen *pen, size_t column)
{
	if (column > pen->at)
		fl_pen_blanks(pen, column - pen->at);
}

size_t fl_pen_show(struct fl_pen *pen, struct fl_slice text, size_t most)
{
	size_t left = pen->width - pen->at;

	if (text.n == 0 || left == 0 || most == 0)
		return 0;
	settle(pen);
	size_t n = fl_report_show(&pen->line, text, most < left ? most : left, pen->utf8);

	pen->at += n;
	unsettle(pen);
	return n;
}

size_t fl_pen_string(struct fl_pen *pen, const char *text)
{
	return fl_pen_show(pen, fl_slice_of(text), SIZE_MAX);
}

void fl_pen_field(struct fl_pen *pen, struct fl_slice text, size_t width, bool right)
{
	size_t n = fl_report_columns(text, pen->utf8);
	size_t end = pen->at + width;

	if (right && n < width)
		fl_pen_blanks(pen, width - n);
	(void)fl_pen_show(pen, text, width);
	if (!right)
		fl_pen_to(pen, end);
}

void fl_pen_sign(struct fl_pen *pen, const char *utf8, const char *ascii, size_t times)
{
	if (times && pen->at < pen->width)
		settle(pen);
	for (; times && pen->at < pen->width; times--, pen->at++)
		fl_text_string(&pen->line, pen->utf8 ? utf8 : ascii);
}

/* How much of the text goes onto a line of `room` columns: to the last blank that fits, or all
 * that fits of a longer word. */
static size_t line_of(struct fl_slice text, size_t room, bool begun, size_t *columns)
{
	size_t n = fl_report_fit(text, room, columns), end = n;

	if (n == text.n || text.p[n] == ' ')
		return n;
	while (end && text.p[end - 1] != ' ')
		end--;
	if (end || begun) {
		(void)fl_report_fit((struct fl_slice){text.p, end}, room, columns);
		return end;
	}
	return n;
}

void fl_pen_wrap(struct fl_pen *pen, struct fl_slice text, size_t hang)
{
	pen->failed = pen->failed || pen->scratch.failed;
	fl_text_clear(&pen->scratch);
	(void)fl_report_show(&pen->scratch, text, SIZE_MAX, pen->utf8);
	struct fl_slice rest = {pen->scratch.p, pen->scratch.n};
	while (rest.n) {
		size_t columns = 0;
		size_t n = line_of(rest, pen->width - pen->at, pen->at > hang, &columns);
		if (n == 0 && pen->at <= hang)
			break; /* narrower than one character */
		if (n)
			settle(pen);
		fl_text_add(&pen->line, rest.p, n);
		pen->at += columns;
		unsettle(pen);
		while (n < rest.n && rest.p[n] == ' ')
			n++;
		rest.p += n;
		rest.n -= n;
		if (rest.n) {
			fl_pen_end(pen);
			fl_pen_to(pen, hang);
		}
	}
	fl_pen_end(pen);
}

void fl_pen_note(struct fl_pen *pen, const char *text)
{
	fl_pen_blanks(pen, FL_PEN_INDENT);
	fl_pen_wrap(pen, fl_slice_of(text), FL_PEN_INDENT);
}

void fl_pen_bar(struct fl_pen *pen, double part, size_t width, double tick)
{
	static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	double share = part < 0 ? 0 : part > 1 ? 1 : part;
	size_t units = (size_t)lround(share * (double)(8 * width)), end = pen->at + width;
	size_t mark = tick >= 0 && tick <= 1 ? pen->at + (size_t)(tick * (double)width * 0.999)
	                                     : SIZE_MAX;

	if (units == 0 && share > 0)
		units = 1; /* what is there is seen */
	if (!pen->utf8)
		units = (units + 7) / 8 * 8;
	fl_pen_sign(pen, "█", "#", units / 8);
	if (units % 8)
		fl_pen_sign(pen, eighths[units % 8], "", 1);
	if (mark != SIZE_MAX && mark >= pen->at) {
		fl_pen_style(pen, FL_PEN_PLAIN);
		fl_pen_to(pen, mark);
		fl_pen_sign(pen, "│", "|", 1);
	}
	fl_pen_to(pen, end);
}

void fl_pen_verdict(struct fl_pen *pen, enum fl_report_verdict verdict)
{
	static const char *const marks[][2] = {[FL_REPORT_OK] = {"✓", "+"},
		[FL_REPORT_BAD] = {"✗", "!"},
		[FL_REPORT_REMARK] = {"•", "*"}};

	fl_pen_style(pen, verdict == FL_REPORT_OK    ? FL_PEN_GOOD
			  : verdict == FL_REPORT_BAD ? FL_PEN_BAD
						     : FL_PEN_DIM);
	fl_pen_sign(pen, marks[verdict][0], marks[verdict][1], 1);
	fl_pen_style(pen, FL_PEN_PLAIN);
	fl_pen_blanks(pen, 1);
}
