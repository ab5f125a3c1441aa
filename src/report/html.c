/* One page without a script and without a request: a policy in its head forbids both, should a
 * name ever get past the escaping. Ids are numbers of ours. */
#include "report/html.h"

#include "report/svg.h"

enum {
	LEAST_INDEX = 3, /* sections from which on there is an index */
	MOST_SCRATCH = 1 << 20,
};

void fl_html_name(struct fl_html *h, struct fl_slice text)
{
	(void)fputs("<bdi>", h->out);
	fl_markup_text(h->out, &h->scratch, text, SIZE_MAX);
	(void)fputs("</bdi>", h->out);
}

static void element(struct fl_html *h, const char *open, const char *text, const char *close)
{
	if (!text)
		return;
	(void)fputs(open, h->out);
	fl_markup_string(h->out, &h->scratch, text);
	(void)fputs(close, h->out);
}

static void put_head(struct fl_html *h, const struct fl_report *r)
{
	(void)fputs(
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'unsafe-inline'; img-src data:\"/>\n"
		"<meta name=\"viewport\" content=\"width=device-width, "
		"initial-scale=1\"/>\n"
		"<meta name=\"color-scheme\" content=\"light dark\"/>\n"
		"<link rel=\"icon\" href=\"data:,\"/>\n<title>",
		h->out);
	fl_markup_text(
		h->out, &h->scratch, r->title.n ? r->title : fl_slice_of(r->name), SIZE_MAX);
	(void)fprintf(h->out,
		"</title>\n<style>\n:root{%s}\n@media (prefers-color-scheme:dark){:root{%s}}\n"
		"@media "
		"print{:root{%s;--ground:#fff}}\n%s\n%s\n</style>\n</head>\n<body>\n<main>\n",
		fl_report_colours_css, fl_report_dark_css, fl_report_colours_css,
		fl_report_page_css, fl_report_drawing_css);
}

/* No line begins with a per cent sign. */
static void put_sentence(struct fl_html *h, struct fl_slice text)
{
	size_t n = 0;

	for (size_t i = 0; i + 1 < text.n; i++) {
		if (text.p[i] != ' ' || text.p[i + 1] != '%')
			continue;
		fl_markup_text(
			h->out, &h->scratch, (struct fl_slice){text.p + n, i - n}, SIZE_MAX);
		(void)fputs("&#160;", h->out);
		n = i + 1;
	}
	fl_markup_text(
		h->out, &h->scratch, (struct fl_slice){text.p + n, text.n - n}, SIZE_MAX);
}

static void put_summary(struct fl_html *h, const struct fl_report *r)
{
	static const char *const classes[] = {"ok", "bad", "rest"};
	static const char *const marks[] = {"✓", "✗", "•"};

	element(h, "<header>\n<p class=\"kind\">fairlead ", r->name, "</p>\n");
	(void)fputs("<h1>", h->out);
	fl_markup_text(
		h->out, &h->scratch, r->title.n ? r->title : fl_slice_of(r->name), SIZE_MAX);
	(void)fputs("</h1>\n", h->out);
	if (r->summary.n)
		(void)fputs("<ul class=\"summary\">\n", h->out);
	for (size_t i = 0; i < r->summary.n; i++) {
		const struct fl_report_line *line =
			&FL_REPORT_AT(r->summary, struct fl_report_line, i);
		size_t kind = line->judged ? line->verdict : 2;
		(void)fprintf(h->out,
			"<li class=\"%s\"><span class=\"mark\" aria-hidden=\"true\">%s"
			"</span><span>",
			classes[kind], marks[kind]);
		put_sentence(h, line->text);
		(void)fputs("</span></li>\n", h->out);
	}
	if (r->summary.n)
		(void)fputs("</ul>\n", h->out);
}

static void put_index(struct fl_html *h, const struct fl_report *r)
{
	if (r->sections.n < LEAST_INDEX)
		return;
	(void)fputs("<nav aria-label=\"Sections\">", h->out);
	for (size_t i = 0; i < r->sections.n; i++) {
		const struct fl_report_part *part =
			&FL_REPORT_AT(r->sections, struct fl_report_part, i);
		(void)fprintf(h->out, "<a href=\"#p%zu\">", i);
		fl_markup_string(
			h->out, &h->scratch, part->heading ? part->heading : part->name);
		(void)fputs("</a> ", h->out);
	}
	(void)fputs("</nav>\n", h->out);
}

static void put_facts(struct fl_html *h, const struct fl_report *r)
{
	if (r->facts.n == 0)
		return;
	(void)fputs("<footer>\n<h2>To repeat this</h2>\n<dl>\n", h->out);
	for (size_t i = 0; i < r->facts.n; i++) {
		const struct fl_report_known *known =
			&FL_REPORT_AT(r->facts, struct fl_report_known, i);
		element(h, "<dt>", known->title ? known->title : known->name, "</dt><dd>");
		if (known->is_number)
			(void)fprintf(h->out, "%llu", (unsigned long long)known->number);
		else
			fl_html_name(h, known->text);
		(void)fputs("</dd>\n", h->out);
	}
	(void)fputs("</dl>\n</footer>\n", h->out);
}

/* Drawn twice: text in a drawing that is scaled down to a telephone could not be read. */
static int put_chart(struct fl_html *h, const struct fl_report_chart *c)
{
	int status = 0;

	(void)fputs("<figure>\n<figcaption>", h->out);
	element(h, "<h3>", c->spec.title, "</h3>");
	element(h, "<p class=\"note\">", c->spec.note, "</p>");
	(void)fputs("</figcaption>\n<div class=\"wide\">", h->out);
	status = fl_svg_chart(h->out, c, FL_SVG_WIDE, h->id++, false);
	(void)fputs("</div>\n<div class=\"narrow\">", h->out);
	if (status == 0)
		status = fl_svg_chart(h->out, c, FL_SVG_NARROW, h->id++, false);
	(void)fputs("</div>\n", h->out);
	if (status == 0)
		status = fl_html_data(h, c);
	(void)fputs("</figure>\n", h->out);
	return status;
}

static int put_section(struct fl_html *h, const struct fl_report_part *part, size_t number)
{
	int status = 0;

	(void)fprintf(h->out, "<section id=\"p%zu\">\n", number);
	element(h, "<h2>", part->heading, "</h2>\n");
	element(h, "<p class=\"note\">", part->note, "</p>\n");
	for (size_t i = 0; status == 0 && i < part->items.n; i++) {
		const struct fl_report_item *item =
			&FL_REPORT_AT(part->items, struct fl_report_item, i);
		if (item->chart)
			status = put_chart(h, item->chart);
		else
			fl_html_table(h, item->table);
	}
	(void)fputs("</section>\n", h->out);
	return status;
}

int fl_report_html(const struct fl_report *r, FILE *out, struct fl_error *err)
{
	struct fl_report_locale locale;
	struct fl_html h = {.out = out};
	int status = fl_report_ready(r, err);

	if (status != FL_OK)
		return status;
	fl_report_locale_enter(&locale);
	fl_text_init(&h.scratch, MOST_SCRATCH);
	put_head(&h, r);
	put_summary(&h, r);
	put_index(&h, r);
	(void)fputs("</header>\n", out);
	for (size_t i = 0; status == 0 && i < r->sections.n; i++)
		status = put_section(
			&h, &FL_REPORT_AT(r->sections, struct fl_report_part, i), i);
	put_facts(&h, r);
	(void)fputs("</main>\n</body>\n</html>\n", out);
	if (h.scratch.failed)
		status = -1;
	fl_text_fini(&h.scratch);
	fl_report_locale_leave(&locale);
	if (status < 0)
		return fl_error_set(err, FL_ENOMEM, "no memory to write the report");
	return fl_report_written(out, err);
}
