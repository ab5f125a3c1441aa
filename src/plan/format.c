/* Formats by name, and what compiling them shares. */
#include "plan/log_priv.h"

#include <stdlib.h>

size_t fl_log_find_want(const struct fl_log_wants *wants, struct fl_slice name)
{
	for (size_t i = 0; i < wants->count; i++)
		if (fl_slice_eq_nocase(fl_slice_of(wants->name[i]), name))
			return i;
	return FL_LOG_WANTS;
}

/* ---- keys: the line itself, which is no variable ---- */

static int compile_keys(struct fl_log_format *format, const char *text, struct fl_error *err)
{
	(void)format;
	(void)text;
	(void)err;
	return FL_OK;
}

static const char *scan_keys(
	const struct fl_log_format *format, struct fl_slice line, struct fl_log_values *values)
{
	(void)format;
	(void)line;
	(void)values;
	return NULL;
}

const struct fl_log_kind fl_log_keys = {
	.name = "keys",
	.compile = compile_keys,
	.scan = scan_keys,
	.escape = FL_LOG_PLAIN,
	.hint = "",
};

/* ---- by name ---- */

const struct fl_log_kind *fl_log_kind_of(const char *text, const char **rest)
{
	static const struct fl_log_kind *const kinds[] = {&fl_log_common, &fl_log_combined,
		&fl_log_vhost, &fl_log_haproxy, &fl_log_json, &fl_log_keys};
	size_t n = strcspn(text, ":");

	*rest = text;
	if (strchr(text, '$'))
		return &fl_log_nginx;
	*rest = text + n + (text[n] == ':');
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		bool takes = kinds[i] == &fl_log_haproxy || kinds[i] == &fl_log_json;
		if (fl_slice_eq(fl_slice_of(kinds[i]->name), (struct fl_slice){text, n}) &&
			(takes || text[n] == '\0'))
			return kinds[i];
	}
	return NULL;
}

int fl_log_format_init(struct fl_log_format *format, const struct fl_log_kind *kind,
	const char *text, const struct fl_log_wants *wants, struct fl_error *err)
{
	*format = (struct fl_log_format){.kind = kind, .wants = wants, .escape = kind->escape};
	format->text = strdup(text);
	if (!format->text)
		return fl_error_set(err, FL_ENOMEM, "out of memory");
	return kind->compile(format, format->text, err);
}

void fl_log_format_fini(struct fl_log_format *format)
{
	free(format->text);
	format->text = NULL;
}
