#include "cli/report_args.h"

#include <errno.h>
#include <string.h>

void fl_report_args_init(struct fl_report_args *args, const struct fl_verb *verb)
{
	*args = (struct fl_report_args){.verb = verb};
}

static int take_once(const struct fl_report_args *args, const char **field, const char *what,
	const char *value)
{
	if (*field)
		return fl_usage_error(args->verb, "--%s is given twice", what);
	*field = value;
	return FL_EXIT_DONE;
}

int fl_report_args_take(struct fl_report_args *args, int id, const char *value)
{
	switch (id) {
	case FL_REPORT_ARG_CSV:
		return take_once(args, &args->csv, "csv", value);
	case FL_REPORT_ARG_HTML:
		return take_once(args, &args->html, "html", value);
	case FL_REPORT_ARG_SVG:
		return take_once(args, &args->svg, "svg", value);
	default:
		args->json = true;
		return FL_EXIT_DONE;
	}
}

static int told(const struct fl_report_args *args, int rc, const struct fl_error *err)
{
	return rc == FL_OK ? FL_EXIT_DONE : fl_usage_error(args->verb, "%s", err->text);
}

static int write_html(const struct fl_report_args *args, const struct fl_report *report)
{
	struct fl_error err = {0};
	FILE *out = fopen(args->html, "we");

	if (!out)
		return fl_usage_error(
			args->verb, "cannot write \"%s\": %s", args->html, strerror(errno));
	int rc = fl_report_html(report, out, &err);

	if (fclose(out) != 0 && rc == FL_OK)
		return fl_usage_error(
			args->verb, "cannot write \"%s\": %s", args->html, strerror(errno));
	return told(args, rc, &err);
}

static int write_out(const struct fl_report_args *args, const struct fl_report *report)
{
	struct fl_report_text_options options;
	struct fl_error err = {0};
	int rc;

	if (args->json) {
		rc = fl_report_json(report, stdout, &err);
	} else if (args->csv) {
		bool all = strcmp(args->csv, "all") == 0;

		rc = fl_report_csv(report, stdout, all ? NULL : args->csv, &err);
	} else {
		fl_report_text_options_for(stdout, &options);
		rc = fl_report_text(report, stdout, &options, &err);
	}
	return told(args, rc, &err);
}

int fl_report_args_write(const struct fl_report_args *args, const struct fl_report *report)
{
	struct fl_error err = {0};
	int rc = FL_EXIT_DONE;

	if (args->json && args->csv)
		return fl_usage_error(args->verb, "--json or --csv, not both");
	if (args->html)
		rc = write_html(args, report);
	if (rc == FL_EXIT_DONE && args->svg)
		rc = told(args, fl_report_files(report, args->svg, &err), &err);
	return rc == FL_EXIT_DONE ? write_out(args, report) : rc;
}
