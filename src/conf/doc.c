/* The manual and the JSON schema, read off the rows that the parser obeys.
 *
 * Both walk the tables depth first. A table may contain itself (a key that is a list of keys): the
 * walk keeps the chain of tables it is in and stops at one it is in already. */
#include "conf/priv.h"

#include <inttypes.h>
#include <string.h>

struct inside {
	const struct inside *up;
	const struct fl_option *rows;
};

static bool is_inside(const struct inside *in, const struct fl_option *rows)
{
	for (; in; in = in->up) {
		if (in->rows == rows)
			return true;
	}
	return false;
}

static bool has_rows(const struct fl_option *row)
{
	return (row->type == FL_OPT_MAP || row->type == FL_OPT_LIST ||
		       row->type == FL_OPT_NAMED) &&
	       row->rows;
}

/* Whether the key outside gives this row its value. */
static bool is_key(const struct fl_option *row, bool named)
{
	return named && strcmp(row->name, "name") == 0;
}

/* ---- Markdown ---- */

/* Text inside a table's cell. */
static void put_cell(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '|')
			(void)fputc('\\', out);
		(void)fputc(*text == '\n' ? ' ' : *text, out);
	}
}

static void put_form(const struct fl_option *row, FILE *out)
{
	struct fl_conf_text form = {.n = 0};

	fl_conf_say_wanted(&form, row);
	if (row->unit)
		fl_conf_say(&form, " (%s)", row->unit);
	if (row->single_ok)
		fl_conf_say(&form, ", or one item without a list");
	if (row->scalar_row)
		fl_conf_say(&form, ", or the value of `%s` alone%s", row->scalar_row,
			row->type == FL_OPT_MAP ? "" : " as an item");
	put_cell(form.p, out);
}

static void put_default(const struct fl_option *row, FILE *out)
{
	if (row->required) {
		(void)fputs("required", out);
	} else if (row->def && !row->secret) {
		(void)fputc('`', out);
		put_cell(row->def, out);
		(void)fputc('`', out);
	}
}

static void put_rows(const struct inside *up, const struct fl_option *rows, bool named,
	const char *path, FILE *out);

static void put_below(
	const struct inside *in, const struct fl_option *row, const char *path, FILE *out)
{
	struct fl_conf_text below = {.n = 0};

	fl_conf_say(&below, "%s", path);
	if (row->type == FL_OPT_LIST)
		fl_conf_say(&below, "[]");
	if (row->type == FL_OPT_NAMED) {
		fl_conf_say(&below, ".<");
		fl_conf_say_item(&below, row);
		fl_conf_say(&below, ">");
	}
	put_rows(in, row->rows, row->type == FL_OPT_NAMED, below.p, out);
}

static void put_row(
	const struct inside *in, const struct fl_option *row, const char *path, FILE *out)
{
	struct fl_conf_text full = {.n = 0};
	bool again = has_rows(row) && is_inside(in, row->rows);

	fl_conf_say(&full, "%s%s%s", path, *path ? "." : "", row->name);
	(void)fprintf(out, "| `%s` | ", full.p);
	put_form(row, out);
	(void)fputs(" | ", out);
	put_default(row, out);
	(void)fputs(" | ", out);
	put_cell(row->doc ? row->doc : "", out);
	if (again)
		(void)fputs(" Holds the same options as the level above.", out);
	(void)fputs(" |\n", out);
	if (has_rows(row) && !again)
		put_below(in, row, full.p, out);
}

static void put_rows(const struct inside *up, const struct fl_option *rows, bool named,
	const char *path, FILE *out)
{
	struct inside in = {.up = up, .rows = rows};
	for (; rows->name; rows++) {
		if (!is_key(rows, named))
			put_row(&in, rows, path, out);
	}
}

void fl_conf_manual(const struct fl_option *rows, const char *path, FILE *out)
{
	(void)fputs("| Option | Form | Default | Meaning |\n| --- | --- | --- | --- |\n", out);
	put_rows(NULL, rows, false, path, out);
}

/* ---- JSON schema ---- */

static void put_json(const char *text, FILE *out)
{
	(void)fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			(void)fprintf(out, "\\%c", c);
		else if (c < 0x20)
			(void)fprintf(out, "\\u%04x", c);
		else
			(void)fputc(c, out);
	}
	(void)fputc('"', out);
}

static void put_table(
	const struct inside *up, const struct fl_option *rows, bool named, FILE *out);

static void put_choices(const char *const *choices, FILE *out)
{
	(void)fputs(",\"enum\":[", out);
	for (size_t i = 0; choices[i]; i++) {
		if (i)
			(void)fputc(',', out);
		put_json(choices[i], out);
	}
	(void)fputc(']', out);
}

static void put_scalar(const struct fl_option *row, FILE *out)
{
	int64_t min, max;
	uint64_t least, most;

	switch (row->type) {
	case FL_OPT_BOOL:
		(void)fputs(",\"enum\":[true,false,\"yes\",\"no\",\"on\",\"off\"]", out);
		break;
	case FL_OPT_INT:
		fl_conf_int_range(row, &min, &max);
		(void)fputs(",\"type\":\"integer\"", out);
		if (min != INT64_MIN)
			(void)fprintf(out, ",\"minimum\":%" PRId64, min);
		if (max != INT64_MAX)
			(void)fprintf(out, ",\"maximum\":%" PRId64, max);
		break;
	case FL_OPT_SIZE:
		(void)fputs(",\"type\":[\"integer\",\"string\"],\"minimum\":0,"
			    "\"pattern\":\"^[0-9]+([KMGT]i?B|kB|B)?$\"",
			out);
		break;
	case FL_OPT_DURATION:
		(void)fputs(",\"type\":\"string\",\"pattern\":\"^[0-9]+(ms|s|m|h|d)$\"", out);
		break;
	case FL_OPT_SHARE:
		(void)fputs(",\"type\":[\"number\",\"string\"],\"minimum\":0,\"maximum\":1,"
			    "\"pattern\":\"^[0-9]+([.][0-9]+)?%?$\"",
			out);
		break;
	case FL_OPT_ENUM:
		put_choices(row->choices, out);
		break;
	case FL_OPT_STRING:
		/* YAML's plain 80 or true is text to a row of text. */
		fl_conf_range(row, &least, &most);
		(void)fputs(",\"type\":[\"string\",\"number\",\"boolean\"]", out);
		if (least)
			(void)fputs(",\"minLength\":1", out); /* bytes are not characters */
		if (most != UINT64_MAX)
			(void)fprintf(out, ",\"maxLength\":%" PRIu64, most);
		break;
	case FL_OPT_MAP:
	case FL_OPT_LIST:
	case FL_OPT_NAMED:
	case FL_OPT_CUSTOM:
		break;
	}
}

/* A struct's table as a schema of its own; a scalar may stand for it when the row says so. */
static void put_struct(
	const struct inside *in, const struct fl_option *row, bool named, FILE *out)
{
	if (is_inside(in, row->rows)) {
		(void)fputs("{}", out);
		return;
	}
	if (row->scalar_row)
		(void)fputs("{\"anyOf\":[{\"type\":[\"string\",\"number\",\"boolean\"]},", out);
	(void)fputc('{', out);
	put_table(in, row->rows, named, out);
	(void)fputc('}', out);
	if (row->scalar_row)
		(void)fputs("]}", out);
}

static void put_items(const struct inside *in, const struct fl_option *row, FILE *out)
{
	bool list = row->type == FL_OPT_LIST;

	(void)fputs(list ? "{\"type\":\"array\",\"items\":"
			 : "{\"type\":\"object\",\"additionalProperties\":",
		out);
	put_struct(in, row, !list, out);
	if (row->min > 0)
		(void)fprintf(
			out, ",\"min%s\":%" PRId64, list ? "Items" : "Properties", row->min);
	if (row->max_items)
		(void)fprintf(
			out, ",\"max%s\":%zu", list ? "Items" : "Properties", row->max_items);
	(void)fputc('}', out);
}

/* What a value of `row` must be, as members of its schema. A custom row has only its words. */
static void put_type(const struct inside *in, const struct fl_option *row, FILE *out)
{
	if (!has_rows(row)) {
		put_scalar(row, out);
		return;
	}
	(void)fputs(",\"anyOf\":[", out);
	if (row->type == FL_OPT_MAP)
		put_struct(in, row, false, out);
	else
		put_items(in, row, out);
	if (row->single_ok) {
		(void)fputc(',', out);
		put_struct(in, row, false, out);
	}
	(void)fputc(']', out);
}

static void put_property(const struct inside *in, const struct fl_option *row, FILE *out)
{
	struct fl_conf_text words = {.n = 0};

	fl_conf_say(&words, "%s", row->doc ? row->doc : "");
	if (row->form)
		fl_conf_say(&words, " Wants %s.", row->form);
	put_json(row->name, out);
	(void)fputs(":{\"description\":", out);
	put_json(words.p, out);
	if (row->def && !row->secret) {
		bool literal = row->type == FL_OPT_INT || strcmp(row->def, "true") == 0 ||
		               strcmp(row->def, "false") == 0;
		(void)fputs(",\"default\":", out);
		if (literal)
			(void)fputs(row->def, out);
		else
			put_json(row->def, out);
	}
	put_type(in, row, out);
	(void)fputc('}', out);
}

/* The members of an object's schema. `named`: the key outside gives the row "name". */
static void put_table(
	const struct inside *up, const struct fl_option *rows, bool named, FILE *out)
{
	struct inside in = {.up = up, .rows = rows};
	const char *joint = "";

	(void)fputs("\"type\":\"object\",\"additionalProperties\":false,\"properties\":{", out);
	for (const struct fl_option *row = rows; row->name; row++) {
		if (is_key(row, named))
			continue;
		(void)fputs(joint, out);
		put_property(&in, row, out);
		joint = ",";
	}
	(void)fputs("},\"required\":[", out);
	joint = "";
	for (const struct fl_option *row = rows; row->name; row++) {
		if (!row->required || is_key(row, named))
			continue;
		(void)fputs(joint, out);
		put_json(row->name, out);
		joint = ",";
	}
	(void)fputc(']', out);
}

void fl_conf_schema(const struct fl_option *rows, const char *title, FILE *out)
{
	(void)fputs("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":",
		out);
	put_json(title, out);
	(void)fputc(',', out);
	put_table(NULL, rows, false, out);
	(void)fputs("}\n", out);
}
