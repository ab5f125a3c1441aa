/* A file a chart and a table. Each is written under another name and then renamed, so that a
 * reader never sees half of one. */
#include "report/csv.h"
#include "report/svg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_PATH 4096

static int write_item(FILE *out, const struct fl_report_item *item)
{
	if (item->chart)
		return fl_svg_chart(out, item->chart, FL_SVG_WIDE, 1, true);
	fl_report_csv_table(out, item->table);
	return 0;
}

static int fail(struct fl_error *err, const char *path)
{
	return fl_error_set(err, FL_EINVAL, "cannot write %.150s: %s", path, strerror(errno));
}

static int put_file(const char *path, const struct fl_report_item *item, struct fl_error *err)
{
	char part[MOST_PATH + 8];
	struct fl_error why;

	(void)snprintf(part, sizeof(part), "%s.part", path);
	FILE *out = fopen(part, "we");
	if (!out)
		return fail(err, part);
	int status = write_item(out, item);
	if (status < 0)
		status = fl_error_set(err, FL_ENOMEM, "no memory to write the report");
	else if (fl_report_written(out, &why) != FL_OK)
		status = fail(err, part);
	if (fclose(out) != 0 && status == FL_OK)
		status = fail(err, part);
	if (status == FL_OK && rename(part, path) != 0)
		status = fail(err, path);
	if (status != FL_OK)
		(void)unlink(part);
	return status;
}

static int put_item(const char *dir, const struct fl_report_part *part,
	const struct fl_report_item *item, struct fl_error *err)
{
	char path[MOST_PATH];
	int n = snprintf(path, sizeof(path), "%s/%s-%s.%s", dir, part->name,
		item->chart ? item->chart->spec.name : item->table->name,
		item->chart ? "svg" : "csv");

	if (n < 0 || (size_t)n >= sizeof(path))
		return fl_error_set(err, FL_ELIMIT, "the directory's name is too long");
	return put_file(path, item, err);
}

int fl_report_files(const struct fl_report *r, const char *dir, struct fl_error *err)
{
	struct fl_report_locale locale;
	int status = fl_report_ready(r, err);

	if (status != FL_OK)
		return status;
	if (mkdir(dir, 0777) != 0 && errno != EEXIST)
		return fl_error_set(err, FL_EINVAL, "cannot make the directory %.150s: %s", dir,
			strerror(errno));
	fl_report_locale_enter(&locale);
	for (size_t i = 0; i < r->sections.n; i++) {
		const struct fl_report_part *part =
			&FL_REPORT_AT(r->sections, struct fl_report_part, i);
		for (size_t k = 0; status == FL_OK && k < part->items.n; k++)
			status = put_item(dir, part,
				&FL_REPORT_AT(part->items, struct fl_report_item, k), err);
	}
	fl_report_locale_leave(&locale);
	return status;
}
