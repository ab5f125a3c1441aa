#include "report/markup.h"

void fl_markup_show(struct fl_text *scratch, struct fl_slice text, size_t most)
{
	bool failed = scratch->failed; /* before: stays so */

	fl_text_clear(scratch);
	(void)fl_report_show(scratch, text, most, true);
	scratch->failed = scratch->failed || failed;
}

void fl_markup_text(FILE *out, struct fl_text *scratch, struct fl_slice text, size_t most)
{
	fl_markup_show(scratch, text, most);
	for (size_t i = 0; i < scratch->n; i++) {
		switch (scratch->p[i]) {
		case '&':
			(void)fputs("&amp;", out);
			break;
		case '<':
			(void)fputs("&lt;", out);
			break;
		case '>':
			(void)fputs("&gt;", out);
			break;
		case '"':
			(void)fputs("&quot;", out);
			break;
		case '\'':
			(void)fputs("&#39;", out);
			break;
		default:
			(void)putc(scratch->p[i], out);
		}
	}
}

void fl_markup_string(FILE *out, struct fl_text *scratch, const char *text)
{
	fl_markup_text(out, scratch, fl_slice_of(text), SIZE_MAX);
}
