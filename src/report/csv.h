/* One table as CSV, for the files of this room. */
#ifndef FL_REPORT_CSV_H
#define FL_REPORT_CSV_H

#include "report/priv.h"

/* Its header and rows. */
void fl_report_csv_table(FILE *out, const struct fl_report_table *t);

#endif
