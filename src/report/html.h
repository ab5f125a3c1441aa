/* Parts of the HTML page, for the files of this room. */
#ifndef FL_REPORT_HTML_H
#define FL_REPORT_HTML_H

#include "report/data.h"
#include "report/markup.h"

struct fl_html {
	FILE *out;
	struct fl_text scratch;
	unsigned id; /* the next drawing's */
};

/* Text in a <bdi>, so that its direction is its own affair. */
void fl_html_name(struct fl_html *h, struct fl_slice text);
/* <table>s: one of the report's, and a chart's data in a <details>; -1 without memory. */
void fl_html_table(struct fl_html *h, const struct fl_report_table *t);
int fl_html_data(struct fl_html *h, const struct fl_report_chart *c);

#endif
