/* Text in XML and HTML, and the style that all drawings share. */
#ifndef FL_REPORT_MARKUP_H
#define FL_REPORT_MARKUP_H

#include "report/show.h"

/* Puts text into `scratch` as people see it (fl_report_show), cut to `most` columns. It has failed,
 * and stays so, when there was no memory. */
void fl_markup_show(struct fl_text *scratch, struct fl_slice text, size_t most);
/* Writes the same with what means something to XML replaced; good in an element and in a quoted
 * attribute. */
void fl_markup_text(FILE *out, struct fl_text *scratch, struct fl_slice text, size_t most);
void fl_markup_string(FILE *out, struct fl_text *scratch, const char *text);

/* Colours, by name of their use, and what drawings are styled by. */
extern const char fl_report_colours_css[];
extern const char fl_report_dark_css[]; /* goes into a media query */
extern const char fl_report_drawing_css[];
extern const char fl_report_page_css[];

#endif
