// rooms: report
/* report_sample NAME FORMAT [ARGUMENT]: renders a report of tests/support/report_sample.h.
 * Formats: text [WIDTH], ascii [WIDTH], colour [WIDTH], json, csv [TABLE], html, files DIR. */
#include "support/report_sample.h"

static int render(const struct fl_report *r, char **argv, struct fl_error *err)
{
	struct fl_report_text_options options = {
		.width = argv[3] ? (unsigned)atoi(argv[3]) : 80,
		.utf8 = strcmp(argv[2], "ascii") != 0,
		.colour = strcmp(argv[2], "colour") == 0};

	if (strcmp(argv[2], "json") == 0)
		return fl_report_json(r, stdout, err);
	if (strcmp(argv[2], "csv") == 0)
		return fl_report_csv(r, stdout, argv[3], err);
	if (strcmp(argv[2], "html") == 0)
		return fl_report_html(r, stdout, err);
	if (strcmp(argv[2], "files") == 0)
		return fl_report_files(r, argv[3], err);
	return fl_report_text(r, stdout, &options, err);
}

int main(int argc, char **argv)
{
	struct fl_error err;
	int status = 2;

	if (argc < 3) {
		fprintf(stderr, "usage: report_sample NAME FORMAT [ARGUMENT]\n");
		return status;
	}
	struct fl_report *r = sample_report(argv[1]);
	status = render(r, argv, &err);
	if (status != FL_OK)
		fprintf(stderr, "report_sample: %s\n", err.text);
	fl_report_free(r);
	return status == FL_OK ? 0 : 1;
}
