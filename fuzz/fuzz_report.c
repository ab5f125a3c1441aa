// rooms: report
// runs: 6000
/* Any bytes as a program of building calls, then two renderings. What must hold: building never
 * aborts; a failed report renders as its failure; a good one renders, no line of its text is wider
 * than asked, and no rendering holds a byte that a terminal acts on. */
#include "base/assert.h"
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *p;
	size_t n;
};

static unsigned byte(struct input *in)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return *in->p++;
}

static struct fl_slice text(struct input *in)
{
	size_t n = byte(in) % 48;
	struct fl_slice s = {(const char *)in->p, n < in->n ? n : in->n};
	in->p += s.n;
	in->n -= s.n;
	return s;
}

/* Numbers of every size, and now and then what is none. */
static double number(struct input *in)
{
	static const double odd[] = {
		0, 1, -1, 1e-300, 1e300, 0.1, 1e15, 1024, 5e-324, 1.0 / 0.0};
	unsigned kind = byte(in), b = byte(in);
	return kind < 40 ? odd[kind % 10] : (double)(b + 1) * (double)(kind & 15) / 7;
}

static void words(struct input *in, char *out, size_t size)
{
	struct fl_slice s = text(in);
	size_t n = s.n < size - 1 ? s.n : size - 1;
	if (n)
		memcpy(out, s.p, n);
	out[n] = '\0';
}

static struct fl_report_table *table(struct fl_report *r, struct input *in, unsigned *count)
{
	static char names[6][4] = {"a", "b", "c", "d", "e", "f"};
	static char titles[6][32];
	struct fl_report_column columns[6];
	char name[4] = {'t', (char)('a' + byte(in) % 20), '\0'};
	*count = 1 + byte(in) % 6;
	for (unsigned i = 0; i < *count; i++) {
		words(in, titles[i], sizeof(titles[i]));
		columns[i] = (struct fl_report_column){names[i], titles[i],
			(enum fl_report_type)(byte(in) % 7), byte(in) % 10, titles[0],
			byte(in) % 2};
	}
	return fl_report_table(r, name, titles[0], columns, *count);
}

static void cell(struct fl_report_table *t, struct input *in)
{
	switch (byte(in) % 8) {
	case 0:
		fl_report_number_cell(t, (int64_t)byte(in) - 20);
		break;
	case 1:
		fl_report_real_cell(t, number(in));
		break;
	case 2:
		fl_report_verdict_cell(t, (enum fl_report_verdict)(byte(in) % 3), "words");
		break;
	case 3:
	case 4:
		fl_report_text_cell(t, text(in));
		break;
	default:
		fl_report_no_cell(t);
	}
}

static struct fl_report_chart *chart(struct fl_report *r, struct input *in)
{
	static struct fl_report_chart *(*const kinds[])(
		struct fl_report *, const struct fl_report_spec *) = {fl_report_bars,
		fl_report_lines, fl_report_flows, fl_report_ring, fl_report_rows};
	char name[4] = {'c', (char)('a' + byte(in) % 20), '\0'}, title[32];
	words(in, title, sizeof(title));
	struct fl_report_spec spec = {.name = name, .title = title, .stacked = byte(in) % 2};
	spec.y = (struct fl_report_scale){.title = title,
		.type = (enum fl_report_type)(byte(in) % 6),
		.decimals = byte(in) % 10,
		.unit = title,
		.log = byte(in) % 3 == 0,
		.tight = byte(in) % 2};
	spec.x = spec.y;
	spec.x.log = byte(in) % 2;
	return kinds[byte(in) % 5](r, &spec);
}

static void point(struct fl_report_chart *c, struct input *in)
{
	uint32_t series = fl_report_series(c, text(in));
	switch (byte(in) % 10) {
	case 0:
		fl_report_label(c, text(in));
		fl_report_value(c, series, number(in));
		break;
	case 1:
		fl_report_value(c, byte(in), number(in));
		break;
	case 2:
		fl_report_target(c, number(in));
		break;
	case 3:
		fl_report_point(c, series, number(in), number(in));
		break;
	case 4:
		fl_report_flow(c, text(in), text(in), number(in));
		break;
	case 5:
		fl_report_ring_point(c, (uint64_t)byte(in) << 56, series);
		break;
	case 6:
		fl_report_row(c, series);
		break;
	case 7:
		fl_report_mark(c, (uint64_t)byte(in) << (byte(in) % 60), text(in));
		break;
	case 8:
		fl_report_reference(c, number(in), "bound");
		break;
	default:
		fl_report_row(c, FL_NONE);
	}
}

/* What fits the kind of a chart, so that not every report is a failed one. */
static void points(struct fl_report_chart *c, struct input *in)
{
	unsigned op = byte(in), times = byte(in) % 64;
	double x = 1;
	for (unsigned i = 0; i < times; i++) {
		uint32_t series = fl_report_series(c, text(in));
		if (op % 6 == 0) {
			fl_report_label(c, text(in));
			fl_report_value(c, series, (double)byte(in));
		} else if (op % 6 == 1) {
			fl_report_point(c, series, x += byte(in), 1 + (double)byte(in));
		} else if (op % 6 == 2) {
			fl_report_flow(c, text(in), text(in), (double)byte(in));
		} else if (op % 6 == 3) {
			fl_report_ring_point(
				c, (uint64_t)byte(in) << 56 | (uint64_t)byte(in) << 48, series);
		} else if (op % 6 == 4) {
			fl_report_row(c, series);
		} else {
			point(c, in);
		}
	}
}

static void build(struct fl_report *r, struct input *in)
{
	struct fl_report_table *t = NULL;
	unsigned count = 1;
	while (in->n) {
		struct fl_slice s;
		char name[4] = {'s', (char)('a' + byte(in) % 20), '\0'};
		switch (byte(in) % 8) {
		case 0:
			fl_report_section(r, name, "heading", NULL);
			break;
		case 1:
			s = text(in);
			fl_report_conclude(r, (enum fl_report_verdict)(byte(in) % 3), "%.*s",
				(int)s.n, s.p);
			break;
		case 2:
			fl_report_fact(r, name, "fact", text(in));
			break;
		case 3:
			t = table(r, in, &count);
			for (unsigned i = byte(in) % 12 * count; i > 0; i--)
				fl_report_no_cell(t);
			break;
		case 4:
			for (unsigned i = 0; i < count; i++)
				cell(t, in);
			break;
		default:
			points(chart(r, in), in);
		}
	}
}

enum form {
	TEXT,
	JSON,
	CSV,
	HTML,
};

static char *render(const struct fl_report *r, enum form form, unsigned width, bool utf8)
{
	char *p = NULL;
	size_t n;
	struct fl_error err = {0, ""}, why;
	struct fl_report_text_options options = {width, utf8, false};
	FILE *out = open_memstream(&p, &n);
	FL_ASSERT(out);
	int rc = form == TEXT   ? fl_report_text(r, out, &options, &err)
	         : form == JSON ? fl_report_json(r, out, &err)
	         : form == CSV  ? fl_report_csv(r, out, NULL, &err)
	                        : fl_report_html(r, out, &err);
	int status = fl_report_error(r, &why);
	FL_ASSERT(status == FL_OK || (rc == status && strcmp(err.text, why.text) == 0));
	FL_ASSERT(rc == FL_OK || err.text[0]);
	FL_ASSERT(fclose(out) == 0);
	if (form != CSV && rc == FL_OK)
		FL_ASSERT(strlen(p) == n && !memchr(p, 0x1b, n) && !memchr(p, '\r', n) &&
			  !memchr(p, 0x7f, n));
	return p;
}

static void check_width(const char *p, size_t width)
{
	while (*p) {
		size_t n = strcspn(p, "\n");
		FL_ASSERT(n <= width);
		p += n + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	unsigned width = 20 + byte(&in) % 180;
	struct fl_report *r = fl_report_new("fuzz");
	build(r, &in);
	char *ascii = render(r, TEXT, width, false);
	check_width(ascii, width);
	free(ascii);
	free(render(r, (enum form)(size % 4), width, true));
	fl_report_free(r);
	return 0;
}
