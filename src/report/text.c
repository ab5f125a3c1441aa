/* A report in a terminal: this file writes the head and the order of things, text_*.c what is in
 * them, pen.c the lines. */
#include "report/pen.h"

#include <langinfo.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static unsigned columns_of(FILE *out)
{
	const char *text = getenv("COLUMNS");
	struct winsize size;
	char *end;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	unsigned long n = text ? strtoul(text, &end, 10) : 0;
	return text && *text && *end == '\0' && n <= 1000 ? (unsigned)n : 0;
}

void fl_report_text_options_for(FILE *out, struct fl_report_text_options *options)
{
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");

	*options = (struct fl_report_text_options){.width = columns_of(out)};
	(void)setlocale(LC_CTYPE, "");
	options->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	options->colour = isatty(fileno(out)) && term && *term && strcmp(term, "dumb") != 0 &&
	                  !(no_colour && *no_colour);
}

static void summary(struct fl_pen *pen, const struct fl_report *r)
{
	for (size_t i = 0; i < r->summary.n; i++) {
		const struct fl_report_line *line =
			&FL_REPORT_AT(r->summary, struct fl_report_line, i);
		if (line->judged)
			fl_pen_verdict(pen, line->verdict);
		fl_pen_wrap(pen, line->text, line->judged ? 2 : 0);
	}
	if (r->summary.n)
		fl_pen_end(pen);
}

static void facts(struct fl_pen *pen, const struct fl_report *r)
{
	size_t widest = 0;

	for (size_t i = 0; i < r->facts.n; i++) {
		size_t n = fl_report_columns(
			fl_slice_of(FL_REPORT_AT(r->facts, struct fl_report_known, i).title),
			pen->utf8);
		widest = n > widest ? n : widest;
	}
	widest = widest > pen->width / 2 ? pen->width / 2 : widest;
	for (size_t i = 0; i < r->facts.n; i++) {
		const struct fl_report_known *known =
			&FL_REPORT_AT(r->facts, struct fl_report_known, i);
		char number[FL_REPORT_SHORT];
		(void)snprintf(
			number, sizeof(number), "%llu", (unsigned long long)known->number);
		fl_pen_style(pen, FL_PEN_DIM);
		fl_pen_field(pen, fl_slice_of(known->title), widest, false);
		fl_pen_style(pen, FL_PEN_PLAIN);
		fl_pen_blanks(pen, 2);
		fl_pen_wrap(
			pen, known->is_number ? fl_slice_of(number) : known->text, widest + 2);
	}
	if (r->facts.n)
		fl_pen_end(pen);
}

static void heading(struct fl_pen *pen, const char *text)
{
	if (!text)
		return;
	fl_pen_style(pen, FL_PEN_BOLD);
	(void)fl_pen_string(pen, text);
	fl_pen_style(pen, FL_PEN_PLAIN);
	fl_pen_end(pen);
}

static void paragraph(struct fl_pen *pen, const char *text)
{
	if (text)
		fl_pen_wrap(pen, fl_slice_of(text), 0);
}

static int chart(struct fl_pen *pen, const struct fl_report_chart *c)
{
	int status = 0;

	heading(pen, c->spec.title);
	paragraph(pen, c->spec.note);
	if (c->data.n == 0 && c->groups.n == 0) {
		fl_pen_blanks(pen, FL_PEN_INDENT);
		(void)fl_pen_string(pen, "nothing to show");
		fl_pen_end(pen);
	} else if (c->kind == FL_REPORT_BARS) {
		status = fl_report_text_bars(pen, c);
	} else if (c->kind == FL_REPORT_LINES) {
		status = fl_report_text_lines(pen, c);
	} else if (c->kind == FL_REPORT_FLOWS) {
		status = fl_report_text_flows(pen, c);
	} else {
		status = fl_report_text_turn(pen, c);
	}
	fl_pen_end(pen);
	return status;
}

/* A section's heading stands out without colours, too: it is underlined. */
static int section(struct fl_pen *pen, const struct fl_report_part *part)
{
	int status = 0;

	if (part->heading) {
		size_t n = fl_report_columns(fl_slice_of(part->heading), pen->utf8);
		heading(pen, part->heading);
		fl_pen_style(pen, FL_PEN_DIM);
		fl_pen_sign(pen, "═", "=", n);
		fl_pen_style(pen, FL_PEN_PLAIN);
		fl_pen_end(pen);
	}
	paragraph(pen, part->note);
	if (part->heading || part->note)
		fl_pen_end(pen);
	for (size_t i = 0; status == 0 && i < part->items.n; i++) {
		const struct fl_report_item *item =
			&FL_REPORT_AT(part->items, struct fl_report_item, i);
		if (item->chart) {
			status = chart(pen, item->chart);
			continue;
		}
		heading(pen, item->table->title);
		fl_report_text_table(pen, item->table);
		fl_pen_end(pen);
	}
	return status;
}

int fl_report_text(const struct fl_report *r, FILE *out,
	const struct fl_report_text_options *options, struct fl_error *err)
{
	struct fl_report_locale locale;
	struct fl_pen pen;
	int status = fl_report_ready(r, err);

	if (status != FL_OK)
		return status;
	fl_report_locale_enter(&locale);
	fl_pen_init(&pen, out, options);
	if (r->title.n) {
		fl_pen_style(&pen, FL_PEN_BOLD);
		fl_pen_wrap(&pen, r->title, 0);
		fl_pen_style(&pen, FL_PEN_PLAIN);
		fl_pen_end(&pen);
	}
	summary(&pen, r);
	for (size_t i = 0; status == 0 && i < r->sections.n; i++)
		status = section(&pen, &FL_REPORT_AT(r->sections, struct fl_report_part, i));
	facts(&pen, r);
	if (status < 0 || pen.failed)
		status = fl_error_set(err, FL_ENOMEM, "no memory to write the report");
	fl_pen_fini(&pen);
	fl_report_locale_leave(&locale);
	return status < 0 ? status : fl_report_written(out, err);
}
