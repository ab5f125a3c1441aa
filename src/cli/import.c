/* fairlead import: another balancer's configuration in, one of Fairlead's out, and a report of
 * what was carried and what was not. Files are read and written here; what they mean is the
 * matter of src/import. */
#include "cli/out.h"
#include "cli/verb.h"
#include "conf/conf.h"
#include "conf/text.h"
#include "daemon/config.h"
#include "import/import.h"
#include "import/systems.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#define OUTPUT_MOST    (256u << 20)
#define VARIABLES_MOST 256

enum {
	ARG_AS,
	ARG_HAPROXY_VERSION,
	ARG_INCLUDE_DIR,
	ARG_SET,
	ARG_OUTPUT,
	ARG_REPORT,
	ARG_JSON,
};

static const struct fl_arg import_args[] = {
	{"as", 0, "SYSTEM", "whose file it is: see above; else its content tells"},
	{"haproxy-version", 0, "VERSION", "the HAProxy that ran it, such as 2.6 or 3.2.7"},
	{"include-dir", 0, "DIR", "where nginx's relative includes begin; else beside FILE"},
	{"set", 0, "NAME=VALUE", "a variable of HAProxy's environment (repeatable)"},
	{"output", 'o', "FILE", "write the configuration to FILE, which must not exist"},
	{"report", 0, "FILE", "write the report to FILE, which must not exist; else to stderr"},
	{"json", 'j', NULL, "the report as JSON"},
	FL_ARG_END,
};

struct import {
	const struct fl_verb *verb;
	const char *path, *include_dir, *output, *report;
	const char *variables[VARIABLES_MOST + 1];
	size_t variable_count;
	struct fl_import_input in;
	bool json;
};

/* ---- included files ---- */

static int include_file(
	const char *path, fl_import_each *each, void *cookie, struct fl_error *err)
{
	char *bytes = NULL;
	size_t len = 0;
	const char *why = fl_conf_slurp(path, FL_IMPORT_MAX_BYTES, &bytes, &len);
	int rc;

	if (why)
		return fl_error_set(err, FL_ENOENT, "cannot read %.200s: %s", path, why);
	rc = each(cookie, path, bytes ? bytes : "", len);
	free(bytes);
	return rc;
}

/* As nginx: what stands between brackets and stars is a glob, and may match nothing. */
static int include(void *includer, const char *pattern, fl_import_each *each, void *cookie,
	struct fl_error *err)
{
	const struct import *import = includer;
	bool wild = strpbrk(pattern, "*?[") != NULL, rooted = pattern[0] == '/';
	struct fl_text path;
	glob_t found;
	int rc = FL_OK;

	fl_text_init(&path, 64 * 1024);
	if (!rooted)
		fl_text_format(&path, "%s/", import->include_dir);
	fl_text_string(&path, pattern);
	fl_text_add(&path, "", 1);
	if (path.failed) {
		rc = fl_error_set(err, FL_ENOENT, "the path is too long");
	} else if (!wild) {
		rc = include_file(path.p, each, cookie, err);
	} else if (glob(path.p, 0, NULL, &found) == 0) {
		for (size_t i = 0; rc == FL_OK && i < found.gl_pathc; i++)
			rc = include_file(found.gl_pathv[i], each, cookie, err);
		globfree(&found);
	}
	fl_text_fini(&path);
	return rc;
}

/* ---- what comes out ---- */

/* To a new file at `path`, or to `other`. */
static int put(
	const struct import *import, const char *path, FILE *other, const struct fl_text *text)
{
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644) : -1;
	FILE *file = !path ? other : fd >= 0 ? fdopen(fd, "w") : NULL;
	bool good;

	if (path && fd < 0 && errno == EEXIST)
		return fl_usage_error(
			import->verb, "\"%s\" is there already and is not overwritten", path);
	good = file && fwrite(text->p, 1, text->n, file) == text->n;
	if (path && file)
		good &= fclose(file) == 0;
	else if (fd >= 0)
		(void)close(fd);
	if (good)
		return FL_EXIT_DONE;
	return fl_usage_error(import->verb, "cannot write %s%s%s: %s", path ? "\"" : "",
		path ? path : "the output", path ? "\"" : "", strerror(errno));
}

/* What only the algorithms can tell of the pools, such as too many points, becomes notes. */
static void try_pools(struct fl_import *m, const struct fl_text *text)
{
	struct fl_config *config;
	size_t errors;

	(void)fl_config_parse_for(&config, "written", text->p, text->n, FL_CONFIG_LOOKUP);
	errors = config && config->conf ? fl_conf_errors(config->conf) : 0;
	for (size_t i = 0; i < errors; i++)
		fl_import_note(m, FL_IMPORT_NOT_CARRIED, true, m->pools->at,
			FL_SLICE("the configuration as it was written"), "%s",
			fl_conf_error_text(config->conf, i));
	fl_config_free(config);
}

static int put_all(const struct import *import, struct fl_import *m)
{
	struct fl_text config, report;
	int rc = FL_EXIT_DONE;

	fl_text_init(&config, OUTPUT_MOST);
	fl_text_init(&report, OUTPUT_MOST);
	fl_import_write(m, &config);
	try_pools(m, &config);
	if (import->json)
		fl_import_report_json(m, &report);
	else
		fl_import_report(m, &report);
	if (config.failed || report.failed)
		rc = fl_usage_error(import->verb, "out of memory");
	if (rc == FL_EXIT_DONE)
		rc = put(import, import->output, stdout, &config);
	if (rc == FL_EXIT_DONE)
		rc = put(import, import->report, stderr, &report);
	if (rc == FL_EXIT_DONE && m->misplaced)
		rc = FL_EXIT_FAILED;
	fl_text_fini(&config);
	fl_text_fini(&report);
	return rc;
}

/* ---- the verb ---- */

static int import_file(struct import *import)
{
	bool standard = strcmp(import->path, "-") == 0;
	const char *slash = strrchr(import->path, '/');
	char *bytes = NULL, *folder = NULL;
	struct fl_import *m = NULL;
	struct fl_error err = {0};
	const char *why = fl_conf_slurp(
		standard ? NULL : import->path, FL_IMPORT_MAX_BYTES, &bytes, &import->in.len);
	int rc;

	if (why)
		return fl_usage_error(
			import->verb, "cannot read \"%s\": %s", import->path, why);
	if (!import->include_dir && slash)
		folder = strndup(
			import->path, (size_t)(slash - import->path) + (slash == import->path));
	if (!import->include_dir)
		import->include_dir = folder ? folder : ".";
	import->in.name = standard ? "standard input" : import->path;
	import->in.bytes = bytes ? bytes : "";
	rc = fl_import_read(&m, &import->in, &err);
	rc = rc == FL_OK ? put_all(import, m) : fl_usage_error(import->verb, "%s", err.text);
	fl_import_free(m);
	free(folder);
	free(bytes);
	return rc;
}

static int take_system(struct import *import, const char *name)
{
	const struct fl_import_row *row = fl_import_rows;

	import->in.system = fl_import_system_of(name);
	if (import->in.system != FL_IMPORT_ANY)
		return FL_EXIT_DONE;
	(void)fprintf(stderr, "fairlead %s: \"%s\" is no system; there are", import->verb->name,
		name);
	for (; row->name; row++)
		(void)fprintf(stderr, " %s", row->name);
	(void)fputc('\n', stderr);
	return FL_EXIT_USAGE;
}

static int take_variable(struct import *import, const char *text)
{
	if (!strchr(text, '='))
		return fl_usage_error(import->verb, "--set wants NAME=VALUE, not \"%s\"", text);
	if (import->variable_count == VARIABLES_MOST)
		return fl_usage_error(import->verb, "--set is given too often");
	import->variables[import->variable_count++] = text;
	return FL_EXIT_DONE;
}

static int take(struct import *import, int id, const char *value)
{
	switch (id) {
	case ARG_AS:
		return take_system(import, value);
	case ARG_HAPROXY_VERSION:
		import->in.haproxy_version = value;
		return FL_EXIT_DONE;
	case ARG_INCLUDE_DIR:
		import->include_dir = value;
		return FL_EXIT_DONE;
	case ARG_SET:
		return take_variable(import, value);
	case ARG_OUTPUT:
		import->output = value;
		return FL_EXIT_DONE;
	case ARG_REPORT:
		import->report = value;
		return FL_EXIT_DONE;
	case ARG_JSON:
		import->json = true;
		return FL_EXIT_DONE;
	default:
		if (import->path)
			return fl_usage_error(import->verb,
				"one file at a time, please: \"%s\" is the second", value);
		import->path = value;
		return FL_EXIT_DONE;
	}
}

static int run(const struct fl_verb *verb, int argc, char **argv)
{
	struct import import = {.verb = verb};
	struct fl_args args;
	int id, rc = FL_EXIT_DONE;

	fl_out_init();
	fl_args_init(&args, verb, argc, argv);
	import.in.include = include;
	import.in.includer = &import;
	import.in.variables = import.variables;
	while (rc == FL_EXIT_DONE && (id = fl_args_next(&args)) != FL_ARGS_END) {
		if (id == FL_ARGS_STOP)
			return args.status;
		rc = take(&import, id, args.value);
	}
	if (rc != FL_EXIT_DONE)
		return rc;
	if (!import.path)
		return fl_usage_error(verb, "which file? fairlead import FILE");
	return import_file(&import);
}

const struct fl_verb fl_verb_import = {
	.name = "import",
	.usage = "[OPTIONS] FILE",
	.summary = "Turns the configuration of another balancer into one of Fairlead's",
	.text = "Reads nginx.conf, haproxy.cfg, Envoy's static configuration and twemproxy's "
		"nutcracker.yml (--as nginx,\nhaproxy, envoy, twemproxy). The configuration "
		"goes to\n"
		"standard output, a report to standard error: what was not carried and "
		"why, each with\nits file and line; \"!\" marks what sends keys elsewhere than "
		"before.\n"
		"Exit: 0 every key goes where it went, 1 some do not, 2 the file is broken.",
	.args = import_args,
	.run = run,
};
