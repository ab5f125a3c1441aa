/* haproxy.cfg: first all backends as pools, then the frontends that lead to them. */
#include "import/haproxy.h"

#include <stdlib.h>

/* ---- the version ---- */

/* One number of "3.2.7" at *p, and the dot behind it. */
static bool next_number(const char **p, unsigned long *out)
{
	char *end;

	if (**p < '0' || **p > '9')
		return false;
	*out = strtoul(*p, &end, 10);
	if (*end != '\0' && (*end != '.' || end[1] < '0' || end[1] > '9'))
		return false;
	*p = end + (*end == '.');
	return *out < 1000;
}

/* 3.0, 3.1 and 3.2 hashed ids in another way until 3.0.12, 3.1.9 and 3.2.6; 3.3.0 came later. */
int fl_haproxy_numbers(
	const char *version, enum fl_haproxy_numbers *numbers, struct fl_error *err)
{
	static const unsigned long last[] = {12, 9, 6};
	unsigned long major, minor, patch = 0;
	const char *p = version;
	bool told;

	*numbers = FL_HAPROXY_UNTOLD;
	if (!version)
		return FL_OK;
	if (!next_number(&p, &major) || !next_number(&p, &minor) ||
		((told = *p != '\0') && (!next_number(&p, &patch) || *p)))
		return fl_error_set(err, FL_EINVAL,
			"\"%.40s\" is no version of HAProxy, such as 2.6 or 3.2.7", version);
	if (major != 3 || minor > 2)
		*numbers = FL_HAPROXY_IDS;
	else if (told)
		*numbers = patch <= last[minor] ? FL_HAPROXY_IDS_3_0 : FL_HAPROXY_IDS;
	return FL_OK;
}

/* ---- lines that nobody took ---- */

static bool is_taken(const struct fl_haproxy_line *line)
{
	static const char *const words[] = {
		"server", "server-template", "bind", "acl", "use_backend", NULL};

	for (const char *const *w = words; *w; w++)
		if (fl_haproxy_is(line, *w))
			return true;
	return fl_haproxy_is_setting(line);
}

static void note_left(struct fl_import *m, const struct fl_haproxy_section *s)
{
	for (const struct fl_haproxy_line *l = s->lines; l; l = l->next)
		if (s->kind == FL_HAPROXY_GLOBAL || !is_taken(l))
			fl_haproxy_left(m, l);
}

int fl_import_haproxy(
	struct fl_import *m, const struct fl_import_input *in, struct fl_error *err)
{
	struct fl_haproxy_section *sections;
	enum fl_haproxy_numbers numbers;
	int rc = fl_haproxy_numbers(in->haproxy_version, &numbers, err);

	if (rc == FL_OK)
		rc = fl_haproxy_parse(m, in, &sections, err);
	if (rc != FL_OK)
		return rc;
	for (const struct fl_haproxy_section *s = sections; s; s = s->next) {
		bool servers = false;

		for (const struct fl_haproxy_line *l = s->lines; l; l = l->next)
			servers |= fl_haproxy_is(l, "server") ||
			           fl_haproxy_is(l, "server-template");
		if (s->kind == FL_HAPROXY_BACKEND || (s->kind == FL_HAPROXY_LISTEN && servers))
			fl_haproxy_backend(m, s, numbers);
	}
	for (const struct fl_haproxy_section *s = sections; s; s = s->next) {
		if (s->kind == FL_HAPROXY_FRONTEND || s->kind == FL_HAPROXY_LISTEN)
			fl_haproxy_frontend(m, s);
		note_left(m, s);
	}
	return FL_OK;
}
