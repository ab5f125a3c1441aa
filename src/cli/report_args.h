/* How a verb gives its report: FL_REPORT_ARGS stand among its options, in one run. */
#ifndef FL_CLI_REPORT_ARGS_H
#define FL_CLI_REPORT_ARGS_H

#include "cli/verb.h"
#include "report/report.h"

enum {
	FL_REPORT_ARG_JSON,
	FL_REPORT_ARG_CSV,
	FL_REPORT_ARG_HTML,
	FL_REPORT_ARG_SVG,
	FL_REPORT_ARGS_COUNT,
};

/* clang-format off */
#define FL_REPORT_ARGS                                                                         \
	{"json", 'j', NULL, "the report as JSON on standard output"},                          \
	{"csv", 0, "TABLE", "one table as CSV: SECTION.TABLE, or \"all\""},                    \
	{"html", 0, "FILE", "write a page with charts, whole in itself"},                      \
	{"svg", 0, "DIR", "write each chart as SVG, each table as CSV, into DIR"}
/* clang-format on */

struct fl_report_args {
	const struct fl_verb *verb;
	bool json;
	const char *csv, *html, *svg;
};

void fl_report_args_init(struct fl_report_args *args, const struct fl_verb *verb);

/* Takes option `id`, counted from the first of FL_REPORT_ARGS. FL_EXIT_DONE, or FL_EXIT_USAGE,
 * reported. */
int fl_report_args_take(struct fl_report_args *args, int id, const char *value);

/* Writes the report to where it is wanted: the files that were named, and standard output: text
 * for people unless --json or --csv. FL_EXIT_DONE, or FL_EXIT_USAGE, reported. */
int fl_report_args_write(const struct fl_report_args *args, const struct fl_report *report);

#endif
