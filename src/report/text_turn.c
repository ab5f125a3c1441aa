/* A ring or a lookup table in a terminal: cut open and laid out as lines of letters, one letter
 * an owner, with the owners' shares below. */
#include "report/data.h"
#include "report/pen.h"

enum {
	LINES = 6,
	MOST_CELLS = 64, /* of a line */
	MOST_OWNERS = 20,
	LETTERS = 26,
};

static char letter(const struct fl_report_owners *o, uint32_t node)
{
	return node == FL_NONE            ? '-'
	       : o->place[node] < LETTERS ? (char)('A' + o->place[node])
	                                  : '.';
}

static void put_node(struct fl_pen *pen, const struct fl_report_chart *c,
	const struct fl_report_owners *o, uint32_t node)
{
	char text[2] = {letter(o, node), '\0'};

	if (node != FL_NONE)
		fl_pen_style(pen, FL_PEN_SERIES + FL_REPORT_AT(c->colour, uint32_t, node));
	fl_pen_sign(pen, text, text, 1);
	if (node != FL_NONE)
		fl_pen_style(pen, FL_PEN_PLAIN);
}

static void put_strip(
	struct fl_pen *pen, const struct fl_report_chart *c, const struct fl_report_owners *o)
{
	size_t width = pen->width - FL_PEN_INDENT < MOST_CELLS ? pen->width - FL_PEN_INDENT
	                                                       : MOST_CELLS;
	size_t cells = width * LINES, at = 0;
	char line[2 * FL_REPORT_SHORT + 64], n[FL_REPORT_SHORT], each[FL_REPORT_SHORT];

	if (c->kind == FL_REPORT_ROWS && c->data.n < cells)
		cells = c->data.n;
	for (size_t i = 0; i < cells; i++) {
		if (i % width == 0)
			fl_pen_blanks(pen, FL_PEN_INDENT);
		put_node(pen, c, o,
			c->kind == FL_REPORT_ROWS
				? fl_report_owner_in(o, c, i, cells)
				: fl_report_owner_of(o, (double)i / (double)cells,
					  (double)(i + 1) / (double)cells, &at));
		if ((i + 1) % width == 0 || i + 1 == cells)
			fl_pen_end(pen);
	}
	(void)fl_report_count(n, c->data.n);
	if (c->kind == FL_REPORT_RING)
		(void)snprintf(line, sizeof(line),
			"%s points; from 0 to 2^64, each letter %.2g %% of the ring", n,
			100.0 / (double)cells);
	else if (cells && c->data.n > cells)
		(void)snprintf(line, sizeof(line), "%s rows, a letter for one in %s", n,
			fl_report_count(each, c->data.n / cells));
	else
		(void)snprintf(line, sizeof(line), "%s rows, a letter each", n);
	fl_pen_note(pen, line);
}

static void put_owners(
	struct fl_pen *pen, const struct fl_report_chart *c, const struct fl_report_owners *o)
{
	const struct fl_report_scale how = {.type = FL_REPORT_SHARE, .decimals = 1};
	size_t nodes = c->series.list.n, n = nodes < MOST_OWNERS ? nodes : MOST_OWNERS;
	char out[FL_REPORT_SHORT];

	for (size_t i = 0; i < n; i++) {
		fl_pen_blanks(pen, FL_PEN_INDENT);
		put_node(pen, c, o, o->rank[i]);
		fl_pen_blanks(pen, 1);
		fl_pen_field(pen,
			fl_slice_of(
				fl_report_quantity(out, &how, o->share[o->rank[i]], pen->utf8)),
			7, true);
		fl_pen_blanks(pen, 2);
		(void)fl_pen_show(pen, fl_report_name_at(&c->series, o->rank[i]), SIZE_MAX);
		fl_pen_end(pen);
	}
	if (nodes > n) {
		(void)snprintf(out, sizeof(out), "and %zu more", nodes - n);
		fl_pen_note(pen, out);
	}
}

static void put_marks(
	struct fl_pen *pen, const struct fl_report_chart *c, const struct fl_report_owners *o)
{
	char text[FL_REPORT_SHORT];

	for (size_t i = 0; i < c->marks.n; i++) {
		const struct fl_report_pin *pin =
			&FL_REPORT_AT(c->marks, struct fl_report_pin, i);
		double turn = fl_report_turn(c, pin->at);
		uint32_t node = fl_report_owner_at(o, turn);
		if (c->kind == FL_REPORT_RING)
			(void)snprintf(text, sizeof(text), " at %.2f %%", 100 * turn);
		else
			(void)snprintf(text, sizeof(text), " in row %llu",
				(unsigned long long)pin->at);
		fl_pen_blanks(pen, FL_PEN_INDENT);
		fl_pen_sign(pen, "▼", "v", 1);
		fl_pen_blanks(pen, 1);
		(void)fl_pen_show(pen, pin->label, pen->width / 2);
		(void)fl_pen_string(pen, text);
		if (node != FL_NONE) {
			(void)fl_pen_string(pen, ": ");
			(void)fl_pen_show(pen, fl_report_name_at(&c->series, node), SIZE_MAX);
		}
		fl_pen_end(pen);
	}
}

int fl_report_text_turn(struct fl_pen *pen, const struct fl_report_chart *c)
{
	struct fl_report_owners o;

	if (fl_report_owners(&o, c) < 0)
		return -1;
	if (o.n && c->data.n)
		put_strip(pen, c, &o);
	put_owners(pen, c, &o);
	put_marks(pen, c, &o);
	fl_report_owners_fini(&o);
	return 0;
}
