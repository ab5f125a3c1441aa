/* The tree: what is written is what is read, in any style; damaged files never crash and always
 * come out as a tree or as an error with a place; the bounds hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "unit/conf/zoo.h"

static uint64_t seed;

static unsigned rnd(unsigned below)
{
	seed += 0x9e3779b97f4a7c15ull;
	uint64_t z = seed;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return (unsigned)((z ^ (z >> 31)) % below);
}

/* ---- random trees ---- */

struct tree {
	enum fl_conf_kind kind;
	char text[24];
	bool quoted;
	size_t count;
	struct tree *items[6];
	char keys[6][24];
};

static void random_text(char *text, bool plain)
{
	static const char *const pieces[] = {"a", "b", "Z", "0", "7", "-", "_", "é", "漢", "x",
		"\"", "'", "\\", ": ", " #", "\n", "\t", "{", "]", "&", "*", "!", "%", " ",
		"~"};
	size_t most = plain ? 10 : sizeof(pieces) / sizeof(pieces[0]);
	unsigned n = rnd(6) + (plain ? 1 : 0);
	text[0] = '\0';
	for (unsigned i = 0; i < n; i++) {
		unsigned k = rnd((unsigned)most);
		/* A plain scalar may not begin with "-" here: it could be a list's. */
		strcat(text, plain && i == 0 && k == 5 ? "q" : pieces[k]); // NOLINT
	}
}

static struct tree *random_tree(unsigned depth)
{
	struct tree *t = calloc(1, sizeof(*t));
	assert_non_null(t);
	t->kind = depth ? (enum fl_conf_kind)rnd(3) : FL_CONF_SCALAR;
	if (t->kind == FL_CONF_SCALAR) {
		t->quoted = rnd(2);
		random_text(t->text, !t->quoted);
		return t;
	}
	t->count = rnd(6);
	for (size_t i = 0; i < t->count; i++) {
		t->items[i] = random_tree(depth - 1);
		/* The number makes keys differ. */
		(void)snprintf(t->keys[i], sizeof(t->keys[i]), "k%zu", i);
		random_text(t->keys[i] + 2, true);
	}
	return t;
}

static void free_tree(struct tree *t)
{
	for (size_t i = 0; i < t->count; i++)
		free_tree(t->items[i]);
	free(t);
}

static void put_text(const struct tree *t, FILE *out)
{
	if (!t->quoted) {
		(void)fputs(t->text, out);
	} else if (rnd(2) && !strchr(t->text, '\n')) {
		(void)fputc('\'', out);
		for (const char *p = t->text; *p; p++)
			(void)fprintf(out, *p == '\'' ? "''" : "%c", *p);
		(void)fputc('\'', out);
	} else {
		(void)fputc('"', out);
		for (const char *p = t->text; *p; p++) {
			if (*p == '\n')
				(void)fputs("\\n", out);
			else if (*p == '\t')
				(void)fputs("\\t", out);
			else if (*p == '"' || *p == '\\')
				(void)fprintf(out, "\\%c", *p);
			else
				(void)fputc(*p, out);
		}
		(void)fputc('"', out);
	}
}

static void put_flow(const struct tree *t, FILE *out)
{
	bool map = t->kind == FL_CONF_MAP;
	if (t->kind == FL_CONF_SCALAR) {
		put_text(t, out);
		return;
	}
	(void)fputs(map ? "{" : "[", out);
	for (size_t i = 0; i < t->count; i++) {
		if (i)
			(void)fputs(rnd(2) ? ", " : ",\n      ", out);
		if (map)
			(void)fprintf(out, "%s: ", t->keys[i]);
		put_flow(t->items[i], out);
	}
	(void)fputs(map ? "}" : "]", out);
}

static void put_tree(const struct tree *t, int indent, FILE *out)
{
	if (t->kind == FL_CONF_SCALAR || t->count == 0 || rnd(3) == 0) {
		(void)fputc(' ', out);
		put_flow(t, out);
		(void)fputs(rnd(4) ? "\n" : " # a comment\n", out);
		return;
	}
	(void)fputs("\n", out);
	for (size_t i = 0; i < t->count; i++) {
		if (rnd(8) == 0)
			(void)fputs("\n# between\n", out);
		if (t->kind == FL_CONF_MAP)
			(void)fprintf(out, "%*s%s:", indent, "", t->keys[i]);
		else
			(void)fprintf(out, "%*s-", indent, "");
		put_tree(t->items[i], indent + 2, out);
	}
}

static void same(const struct tree *t, const struct fl_conf_node *node)
{
	const struct fl_conf_node *item = node->child;
	unsigned line = node->line, column = node->column;

	assert_int_equal(node->kind, t->kind);
	assert_false(node->bad);
	if (t->kind == FL_CONF_SCALAR) {
		assert_string_equal(node->text, t->text);
		assert_int_equal(node->quoted, t->quoted);
		return;
	}
	assert_int_equal(node->count, t->count);
	for (size_t i = 0; i < t->count; i++, item = item->next) {
		assert_non_null(item);
		/* Marks never go back. */
		assert_true(
			item->line > line || (item->line == line && item->column >= column));
		line = item->line;
		column = item->column;
		if (t->kind == FL_CONF_MAP) {
			assert_string_equal(item->key->text, t->keys[i]);
			assert_ptr_equal(fl_conf_get(node, t->keys[i]), item);
		}
		same(t->items[i], item);
	}
	assert_null(item);
}

static void what_is_written_is_read(void **state)
{
	(void)state;
	seed = 1;
	for (int round = 0; round < 1500; round++) {
		struct tree *t = random_tree(1 + rnd(5));
		struct fl_conf *conf;
		char *bytes;
		size_t len;
		FILE *out = open_memstream(&bytes, &len);
		put_tree(t, 0, out);
		(void)fclose(out);
		if (fl_conf_parse(&conf, "t", bytes, len) != 0)
			fail_msg("%s\n%s", fl_conf_error_text(conf, 0), bytes);
		same(t, fl_conf_root(conf));
		fl_conf_free(conf);
		free(bytes);
		free_tree(t);
	}
}

/* ---- damaged files ---- */

static const char valid[] = "# all of it\n"
			    "version: 1\n"
			    "debug: on\n"
			    "workers: 4\n"
			    "offset: -3\n"
			    "buffer: 64KiB\n"
			    "quota: \"1GB\"\n"
			    "timeout: 250ms\n"
			    "share: 12.5%\n"
			    "title: 'it''s \xc3\xa9'\n"
			    "label: |-\n"
			    "  two\n"
			    "  l\n"
			    "token: \"secret\\x41\\u00e9\"\n"
			    "mode: udp\n"
			    "spot: -1,100\n"
			    "hosts: [a, {name: b, port: 81}]\n"
			    "pools:\n"
			    "  app:\n"
			    "    algorithm: maglev\n"
			    "    health: /ok\n"
			    "    key: {all: [x, {cookie: y}]}\n"
			    "    nodes:\n"
			    "      - {name: a, address: \"10.0.0.1:80\", weight: 3}\n"
			    "      - name: b\n"
			    "        address: '[::1]:80'\n"
			    "        backup: yes\n"
			    "  other: {key: x-id, health: {path: /, interval: 1m}}\n";

/* The line of "f:LINE:COLUMN: error:", 0 when it has none. */
static unsigned line_of(const char *text)
{
	unsigned line, column;
	assert_memory_equal(text, "f:", 2);
	return sscanf(text, "f:%u:%u: error: ", &line, &column) == 2 ? line : 0; // NOLINT
}

static void try_bytes(const char *bytes, size_t len)
{
	struct fl_conf *conf;
	struct zoo zoo;
	unsigned lines = 1, last = 0;
	const void *at = bytes;

	while ((at = memchr(at, '\n', len - (size_t)((const char *)at - bytes)))) {
		at = (const char *)at + 1;
		lines++;
	}
	memset(&zoo, 0, sizeof(zoo));
	int loaded = fl_conf_parse(&conf, "f", bytes, len);
	int read = fl_conf_read(conf, fl_conf_root(conf), zoo_rows, &zoo);
	size_t errors = fl_conf_errors(conf);
	assert_int_equal(loaded == 0 && read == 0, errors == 0);
	for (size_t i = 0; i < errors; i++) {
		unsigned line = line_of(fl_conf_error_text(conf, i));
		if (line < 1 || line > lines || line < last)
			fail_msg("%s\n%.*s", fl_conf_error_text(conf, i), (int)len, bytes);
		last = line;
	}
	fl_conf_free(conf);
}

static void damaged_files_give_errors_with_lines(void **state)
{
	static const char favourites[] = "\t\n:-{}[],&*!#\"'%|> 0a\xff\x80";
	char bytes[sizeof(valid) * 2];
	(void)state;
	seed = 2;
	try_bytes(valid, sizeof(valid) - 1);
	for (int round = 0; round < 6000; round++) {
		size_t len = sizeof(valid) - 1;
		memcpy(bytes, valid, len);
		for (unsigned n = 1 + rnd(3); n > 0; n--) {
			size_t at = rnd((unsigned)len);
			switch (rnd(4)) {
			case 0:
				memmove(bytes + at, bytes + at + 1, len - at - 1);
				len--;
				break;
			case 1:
				memmove(bytes + at + 1, bytes + at, len - at);
				len++;
				break;
			case 2:
				/* Not a bare CR: the test counts lines by LF. */
				bytes[at] = favourites[rnd(sizeof(favourites) - 1)];
				break;
			default:
				len = at + 1;
				break;
			}
		}
		try_bytes(bytes, len);
	}
}

/* ---- bounds ---- */

static void errors_are_bounded_and_the_first_by_place(void **state)
{
	struct fl_conf *conf;
	struct zoo zoo = {0};
	char *bytes;
	size_t len;
	FILE *out = open_memstream(&bytes, &len);
	(void)state;
	/* Row order is not file order: "version" is read first and stands last. */
	for (int i = 0; i < 80; i++)
		(void)fprintf(out, "%sx%d: 1\n", i == 40 ? "any: x\n" : "", i);
	(void)fprintf(out, "version: 2\n");
	(void)fclose(out);
	assert_int_equal(fl_conf_parse(&conf, "f", bytes, len), 0);
	assert_int_equal(fl_conf_read(conf, fl_conf_root(conf), zoo_rows, &zoo), -1);
	assert_int_equal(fl_conf_errors(conf), FL_CONF_MAX_ERRORS + 1);
	for (unsigned i = 0; i < FL_CONF_MAX_ERRORS; i++)
		assert_int_equal(line_of(fl_conf_error_text(conf, i)), i + 1);
	assert_non_null(strstr(fl_conf_error_text(conf, 40), "\"any\" wants"));
	assert_string_equal(
		fl_conf_error_text(conf, FL_CONF_MAX_ERRORS), "f: error: 32 more, not shown");
	fl_conf_free(conf);
	free(bytes);
}

static void a_hostile_file_costs_little(void **state)
{
	struct fl_conf *conf;
	struct zoo zoo = {0};
	char *bytes;
	size_t len;
	FILE *out = open_memstream(&bytes, &len);
	(void)state;
	for (int i = 0; i < 200000; i++)
		(void)fprintf(out, "%d: \n", i);
	(void)fclose(out);
	assert_int_equal(fl_conf_parse(&conf, "f", bytes, len), 0);
	assert_int_equal(fl_conf_root(conf)->count, 200000);
	assert_int_equal(fl_conf_read(conf, fl_conf_root(conf), zoo_rows, &zoo), -1);
	assert_string_equal(
		fl_conf_error_text(conf, FL_CONF_MAX_ERRORS), "f: error: 950 more, not shown");
	fl_conf_free(conf);
	free(bytes);
}

static void too_large_and_too_many(void **state)
{
	struct fl_conf *conf;
	size_t len = FL_CONF_MAX_BYTES + 1;
	char *bytes = malloc(len);
	(void)state;
	assert_non_null(bytes);
	memset(bytes, '#', len);
	assert_int_equal(fl_conf_parse(&conf, "f", bytes, len), -1);
	assert_string_equal(
		fl_conf_error_text(conf, 0), "f: error: the file is larger than 64MiB");
	assert_null(fl_conf_root(conf));
	fl_conf_free(conf);
	free(bytes);
}

static void deepest_that_is_allowed(void **state)
{
	struct fl_conf *conf;
	char bytes[2 * FL_CONF_MAX_DEPTH + 1];
	(void)state;
	memset(bytes, '[', FL_CONF_MAX_DEPTH);
	memset(bytes + FL_CONF_MAX_DEPTH, ']', FL_CONF_MAX_DEPTH);
	assert_int_equal(fl_conf_parse(&conf, "f", bytes, 2 * FL_CONF_MAX_DEPTH), 0);
	fl_conf_free(conf);
	bytes[FL_CONF_MAX_DEPTH] = '[';
	assert_int_equal(fl_conf_parse(&conf, "f", bytes, 2 * FL_CONF_MAX_DEPTH), -1);
	fl_conf_free(conf);
}

static void files_are_loaded(void **state)
{
	char path[] = "/tmp/fl-conf-XXXXXX";
	struct fl_conf *conf;
	int fd = mkstemp(path);
	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, valid, sizeof(valid) - 1), sizeof(valid) - 1);
	assert_int_equal(fl_conf_load(&conf, path), 0);
	assert_int_equal(fl_conf_root(conf)->count, 15);
	fl_conf_free(conf);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(fl_conf_load(&conf, path), -1);
	assert_null(fl_conf_root(conf));
	assert_non_null(strstr(fl_conf_error_text(conf, 0),
		": error: cannot read the file: No such file or directory"));
	fl_conf_free(conf);
	assert_int_equal(fl_conf_load(&conf, "/"), -1);
	fl_conf_free(conf);
	fl_conf_free(NULL);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(damaged_files_give_errors_with_lines),
		cmocka_unit_test(errors_are_bounded_and_the_first_by_place),
		cmocka_unit_test(a_hostile_file_costs_little),
		cmocka_unit_test(too_large_and_too_many),
		cmocka_unit_test(deepest_that_is_allowed),
		cmocka_unit_test(files_are_loaded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
