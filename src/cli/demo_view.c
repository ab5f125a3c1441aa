/* Each update is composed in memory and written at once, over the lines that it replaces, each
 * cleared to its end: so nothing flickers, and nothing is lost from the scrollback. No line of
 * the block is as wide as the terminal, or the arithmetic of going up would be wrong. */
#include "cli/demo_view.h"

#include "cli/demo_moves.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	LEAST_WIDTH = 60, /* narrower or lower than this: plain lines */
	LEAST_HEIGHT = 16,
	PLAIN_WIDTH = 80,
	MOST_BAR = 60,
	INDENT = 5,
	COLUMNS = INDENT + 4 + 2 + 8 + 9 + 9 + 10, /* of a table's line, the bar left out */
	MOST_OUT = 1 << 16,
};

static const char *const styles[] = {
	[FL_DEMO_PLAIN] = "",
	[FL_DEMO_HEAD] = "\x1b[1m",
	[FL_DEMO_DIM] = "\x1b[2m",
	[FL_DEMO_GOOD] = "\x1b[32m",
	[FL_DEMO_BAD] = "\x1b[1;31m",
	[FL_DEMO_COMMAND] = "",
};
#define OWN    "\x1b[36m"
#define GUESTS "\x1b[33m"
#define END    "\x1b[0m"

/* ---- the terminal ---- */

static bool set_size(struct fl_demo_view *v)
{
	struct winsize size;

	if (ioctl(v->fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 || size.ws_row == 0)
		return true; /* a terminal that does not know its size */
	v->width = size.ws_col;
	return size.ws_col >= LEAST_WIDTH && size.ws_row >= LEAST_HEIGHT;
}

void fl_demo_view_init(struct fl_demo_view *v)
{
	const char *term = getenv("TERM");
	const char *no_color = getenv("NO_COLOR");

	*v = (struct fl_demo_view){.fd = STDOUT_FILENO, .width = PLAIN_WIDTH};
	fl_text_init(&v->out, MOST_OUT);
	(void)setlocale(LC_CTYPE, "");
	v->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	v->live = isatty(v->fd) && term && *term && strcmp(term, "dumb") != 0 && set_size(v);
	v->colour = v->live && !(no_color && *no_color);
}

void fl_demo_view_fini(struct fl_demo_view *v)
{
	fl_text_fini(&v->out);
}

/* Writes what was composed. A reader that does not read for 5 s is taken for gone. */
static void flush(struct fl_demo_view *v)
{
	size_t done = 0;

	while (done < v->out.n && !v->broken) {
		struct pollfd ready = {.fd = v->fd, .events = POLLOUT};
		ssize_t n = write(v->fd, v->out.p + done, v->out.n - done);
		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			v->broken = poll(&ready, 1, 5000) == 0;
		else if (n == 0 || errno != EINTR)
			v->broken = true;
	}
	fl_text_clear(&v->out);
}

static void dress(struct fl_demo_view *v, const char *style)
{
	if (v->colour)
		fl_text_string(&v->out, style);
}

static void end_line(struct fl_demo_view *v)
{
	fl_text_string(&v->out, v->live ? "\x1b[K\n" : "\n");
}

static void spaces(struct fl_demo_view *v, size_t n)
{
	fl_text_format(&v->out, "%*s", (int)n, "");
}

/* ---- lines that stay ---- */

/* Columns of UTF-8 text, of which every character here takes one. */
static size_t columns(const char *p, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)p[i] & 0xc0) != 0x80;
	return count;
}

static void add_wrapped(struct fl_demo_view *v, const char *text)
{
	size_t indent = strspn(text, " ");
	size_t at = indent;
	bool first = true;

	spaces(v, indent);
	text += indent;
	while (*text) {
		size_t n = strcspn(text, " ");
		size_t wide = columns(text, n);
		if (!first && v->live && at + 1 + wide >= v->width) {
			end_line(v);
			spaces(v, INDENT + 2);
			at = INDENT + 2;
		} else if (!first) {
			spaces(v, 1);
			at++;
		}
		fl_text_add(&v->out, text, n);
		at += wide;
		first = false;
		text += n;
		text += *text == ' ';
	}
}

/* Goes to where the block begins: what is written next stands in its place. */
static void go_up(struct fl_demo_view *v)
{
	if (v->drawn)
		fl_text_format(&v->out, "\x1b[%uA\r", v->drawn);
}

void fl_demo_view_say(struct fl_demo_view *v, enum fl_demo_style style, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (v->drawn) {
		go_up(v);
		fl_text_string(&v->out, "\x1b[J");
		v->drawn = 0;
	}
	dress(v, styles[style]);
	if (style == FL_DEMO_COMMAND)
		fl_text_string(&v->out, line);
	else
		add_wrapped(v, line);
	dress(v, styles[style][0] ? END : "");
	fl_text_string(&v->out, "\n");
	flush(v);
}

/* ---- the table ---- */

/* `n` eighths of a cell, from the left, as whole cells and at most one partial. Gives cells. */
static size_t add_cells(struct fl_demo_view *v, size_t eighths, bool guests)
{
	static const char *const partial[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	const char *whole = guests ? "▓" : "█";

	if (guests && v->colour)
		whole = "█";
	if (!v->utf8) {
		whole = guests ? "+" : "#";
		eighths = (eighths + 4) / 8 * 8;
	}
	for (size_t i = 0; i < eighths / 8; i++)
		fl_text_string(&v->out, whole);
	fl_text_string(&v->out, partial[eighths % 8]);
	return (eighths + 7) / 8;
}

/* A bar of `width` cells for 0..scale, guests at its end, and a mark where the fair share ends. */
static void add_bar(
	struct fl_demo_view *v, const struct fl_demo_row *row, double scale, size_t width)
{
	size_t whole = (size_t)(row->share / scale * (double)width * 8 + 0.5);
	size_t own;

	if (whole > 8 * width)
		whole = 8 * width;
	own = whole;
	if (row->guests && row->keys) {
		/* The border between two colours is a cell's. */
		own = (whole - whole * row->guests / row->keys + 4) / 8 * 8;
		if (own > whole)
			own = whole;
	}
	dress(v, OWN);
	size_t cells = add_cells(v, own, false);
	dress(v, GUESTS);
	cells += add_cells(v, whole - own, true);
	dress(v, END);
	size_t mark = (size_t)(row->fair / scale * (double)width + 0.5);
	for (; cells < width; cells++) {
		bool here = cells == mark && row->fair > 0;
		dress(v, here ? styles[FL_DEMO_DIM] : "");
		fl_text_string(&v->out, !here ? " " : v->utf8 ? "│" : "|");
		dress(v, here ? END : "");
	}
}

static void add_away(struct fl_demo_view *v, size_t width)
{
	dress(v, styles[FL_DEMO_DIM]);
	fl_text_string(&v->out, "away");
	dress(v, END);
	spaces(v, width - 4);
}

static void add_row(
	struct fl_demo_view *v, const struct fl_demo_row *row, double scale, size_t width)
{
	struct fl_demo_number keys, guests;

	spaces(v, INDENT);
	fl_text_format(&v->out, "%-4s", row->name);
	if (row->away)
		add_away(v, width);
	else
		add_bar(v, row, scale, width);
	spaces(v, 2);
	fl_text_format(&v->out, "%6.1f %%", 100 * row->share);
	dress(v, styles[FL_DEMO_DIM]);
	fl_text_format(&v->out, "%7.1f %%", 100 * row->fair);
	dress(v, END);
	fl_text_format(&v->out, "%9s", fl_demo_number(&keys, row->keys));
	if (row->guests) {
		dress(v, GUESTS);
		fl_text_format(&v->out, "%10s", fl_demo_number(&guests, row->guests));
		dress(v, END);
	}
	end_line(v);
}

/* Gives the number of lines. */
static unsigned add_table(struct fl_demo_view *v, const struct fl_demo_frame *frame)
{
	size_t width = v->width - 1 - COLUMNS;
	double scale = 0.3;

	if (width > MOST_BAR)
		width = MOST_BAR;
	for (size_t i = 0; i < FL_DEMO_NODES; i++) {
		if (frame->row[i].fair * 1.2 > scale)
			scale = frame->row[i].fair * 1.2;
		if (frame->row[i].share > scale)
			scale = frame->row[i].share;
	}
	dress(v, styles[FL_DEMO_DIM]);
	spaces(v, INDENT);
	fl_text_format(&v->out, "%-*s%8s%9s%9s%10s", (int)(4 + width + 2), "node", "share",
		"fair", "keys", "moved in");
	dress(v, END);
	end_line(v);
	for (size_t i = 0; i < FL_DEMO_NODES; i++)
		add_row(v, &frame->row[i], scale, width);
	return 1 + FL_DEMO_NODES;
}

/* ---- what happens now ---- */

static void add_status(struct fl_demo_view *v, const struct fl_demo_frame *frame)
{
	struct fl_demo_number rate, answered, failed;
	char left[64], right[64];
	int n = snprintf(left, sizeof(left), "%s requests/s   %s answered   ",
		fl_demo_number(&rate, (uint64_t)(frame->rate + 0.5)),
		fl_demo_number(&answered, frame->answered));
	int m = snprintf(
		right, sizeof(right), "%s failed", fl_demo_number(&failed, frame->failed));

	spaces(v, INDENT);
	fl_text_string(&v->out, left);
	dress(v, styles[frame->failed ? FL_DEMO_BAD : FL_DEMO_PLAIN]);
	fl_text_string(&v->out, right);
	dress(v, END);
	size_t used = INDENT + (size_t)(n + m);
	if (frame->of > 0)
		n = snprintf(left, sizeof(left), "%.0f s of %.0f s", frame->now, frame->of);
	else
		n = snprintf(left, sizeof(left), "%.0f s", frame->now);
	size_t edge = v->width - 1 > COLUMNS + MOST_BAR ? COLUMNS + MOST_BAR : v->width - 1;
	if (used + (size_t)n + 2 < edge) {
		spaces(v, edge - used - (size_t)n);
		dress(v, styles[FL_DEMO_DIM]);
		fl_text_string(&v->out, left);
		dress(v, END);
	}
	end_line(v);
}

static void draw_block(struct fl_demo_view *v, const struct fl_demo_frame *frame)
{
	go_up(v);
	end_line(v);
	unsigned lines = 1 + add_table(v, frame);
	end_line(v);
	add_status(v, frame);
	v->drawn = lines + 2;
	fl_text_string(&v->out, "\x1b[J");
	flush(v);
}

static void progress_line(struct fl_demo_view *v, const struct fl_demo_frame *frame)
{
	struct fl_demo_number rate, failed;

	if (frame->now < v->line_at)
		return;
	v->line_at = frame->now + 1;
	fl_text_format(&v->out, "%*s%3.0f s  %s:", INDENT, "", frame->now, frame->title);
	for (size_t i = 0; i < FL_DEMO_NODES; i++)
		fl_text_format(
			&v->out, "  %s %.1f %%", frame->row[i].name, 100 * frame->row[i].share);
	fl_text_format(&v->out, "  (%s requests/s, %s failed)\n",
		fl_demo_number(&rate, (uint64_t)(frame->rate + 0.5)),
		fl_demo_number(&failed, frame->failed));
	flush(v);
}

void fl_demo_view_frame(struct fl_demo_view *v, const struct fl_demo_frame *frame)
{
	if (v->live && !set_size(v)) {
		v->live = false; /* the window has become too small to draw in */
		v->drawn = 0;
	}
	if (v->live)
		draw_block(v, frame);
	else
		progress_line(v, frame);
}

void fl_demo_view_table(struct fl_demo_view *v, const struct fl_demo_frame *frame)
{
	if (v->live) {
		draw_block(v, frame);
		return;
	}
	v->width = PLAIN_WIDTH;
	(void)add_table(v, frame);
	flush(v);
}

void fl_demo_view_leave(struct fl_demo_view *v)
{
	v->drawn = 0;
}
