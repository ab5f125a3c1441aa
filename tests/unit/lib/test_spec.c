/* What a spec may say, and what is said about one that may not. */
#include "lib/spec.h"
#include "lib/suggest.h"

#include "lib/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text;
	int code;
	const char *says; /* must occur in the error's text */
} bad[] = {
	{NULL, FL_EINVAL, "no algorithm"},
	{"", FL_EINVAL, "no name"},
	{",seed=1", FL_EINVAL, "no name"},
	{"tabel", FL_ENOENT, "did you mean \"table\"?"},
	{"rendevous", FL_ENOENT, "did you mean \"rendezvous\"?"},
	{"zzz", FL_ENOENT, "there is no algorithm \"zzz\""},
	{"python-ring", FL_ENOENT, "did you mean \"compat:python-ring\"?"},
	{"compat:java-rendezvou", FL_ENOENT, "did you mean \"compat:java-rendezvous\"?"},
	{"Ring", FL_ENOENT, "did you mean \"ring\"?"},
	{"ring,", FL_EINVAL, "expected option=value"},
	{"ring,points", FL_EINVAL, "expected option=value"},
	{"ring,point=3", FL_ENOENT, "did you mean \"points\"?"},
	{"ring,zebra=3", FL_ENOENT, "it has points=160,seed=0"},
	{"compat:circle-360,seed=3", FL_ENOENT, "it has none"},
	{"ring,points=", FL_EINVAL, "from 1 to 65535"},
	{"ring,points=0", FL_EINVAL, "from 1 to 65535"},
	{"ring,points=65536", FL_EINVAL, "from 1 to 65535"},
	{"ring,points=-1", FL_EINVAL, "from 1 to 65535"},
	{"ring,points=+1", FL_EINVAL, "from 1 to 65535"},
	{"ring,points= 1", FL_EINVAL, "from 1 to 65535"},
	{"ring,points=1 ", FL_EINVAL, "from 1 to 65535"},
	{"ring,points=1e2", FL_EINVAL, "from 1 to 65535"},
	{"ring,points=0x", FL_EINVAL, "from 1 to 65535"},
	{"ring,seed=18446744073709551616", FL_EINVAL, "from 0 to 18446744073709551615"},
	{"ring,seed=0x10000000000000000", FL_EINVAL, "from 0 to 18446744073709551615"},
	{"ring,seed=1,seed=1", FL_EINVAL, "twice"},
	{"table,rows=1000", FL_EINVAL, "power of two from 256 to 16777216"},
	{"table,rows=128", FL_EINVAL, "from 256"},
	{"table,rows=33554432", FL_EINVAL, "to 16777216"},
	{"compat:java-rendezvous,hash=md4", FL_EINVAL, "murmur3_128, md5, sha256"},
	{"compat:java-rendezvous,hash=", FL_EINVAL, "one of"},
	{"compat:twemproxy-modula,hash-tag={", FL_EINVAL, "two printable characters"},
	{"compat:twemproxy-modula,hash-tag={}}", FL_EINVAL, "two printable characters"},
	{"compat:twemproxy-modula,hash-tag={\n", FL_EINVAL, "hash-tag=...: expected two"},
	{"compat:haproxy-consistent,hash-key=port", FL_EINVAL, "addr-port, guid"},
	{"ring,points=111111111111111111111111111111111111111111111111111111111111111111111",
		FL_EINVAL, "too long"},
	{"ringringringringringringringringringringringringringringringringringringring",
		FL_EINVAL, "too long"},
};

static void test_bad_specs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fl_spec spec = {.options = {77}};
		struct fl_error err = {0};
		int code = fl_spec_parse(&spec, bad[i].text, &err);
		if (code != bad[i].code || !strstr(err.text, bad[i].says))
			fail_msg("%s: %d, %s", bad[i].text ? bad[i].text : "NULL", code,
				err.text);
		assert_int_equal(err.code, code);
		assert_int_equal(spec.options[0], 77);
		assert_int_equal(fl_spec_parse(&spec, bad[i].text, NULL), code);
	}
}

/* Mistakes with a secret in them: what is said has nothing of it. */
static void test_secrets_are_not_shown(void **state)
{
#define DIGITS "5ec7e7005ec7e7015ec7e7025ec7e703"
	static const struct {
		const char *text;
		int code;
		const char *says;
	} wrong[] = {
		{"ring,secret=", FL_EINVAL, "secret: expected 32 hexadecimal digits"},
		{"ring,secret=" DIGITS "0", FL_EINVAL, "secret: expected 32"},
		{"ring,secret=0x" DIGITS, FL_EINVAL, "secret: expected 32"},
		{"ring,secret=" DIGITS DIGITS DIGITS, FL_EINVAL, "secret: expected 32"},
		{"ring,secret=x5ec7e7005ec7e7015ec7e7025ec7e70", FL_EINVAL, "expected 32"},
		{"ring,secret=5ec7e7005ec7e7015ec7e7025ec7e70g", FL_EINVAL, "expected 32"},
		{"ring,secret=***", FL_EINVAL, "secret: expected 32"},
		{"ring,secret", FL_EINVAL, "secret: expected 32"},
		{"ring,secret" DIGITS DIGITS, FL_EINVAL, "secret: expected 32"},
		{"ring,secret:" DIGITS, FL_EINVAL, "secret: expected 32"},
		{"ring,secrt=" DIGITS, FL_ENOENT, "did you mean \"secret\"?"},
		{"ring,Secret=" DIGITS, FL_ENOENT, "did you mean \"secret\"?"},
		{"ring,Secret=" DIGITS DIGITS, FL_ENOENT, "did you mean \"secret\"?"},
		{"ring,zzz=" DIGITS, FL_ENOENT, "it has points=160,seed=0 and secret"},
		{"ring,seed=" DIGITS DIGITS, FL_EINVAL, "the value of \"seed\" is too long"},
		{"ring,secret=" DIGITS ",secret=" DIGITS, FL_EINVAL,
			"\"secret\" is there twice"},
		{"secret=" DIGITS, FL_EINVAL, "\"secret\" stands where the name"},
		{"ring;secret=" DIGITS DIGITS, FL_EINVAL, "\"ring;secret...\""},
		{"compat:circle-360,secret=" DIGITS, FL_ENOENT, "has no option \"secret\""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct fl_spec spec = {.options = {77}};
		struct fl_error err = {0};
		int code = fl_spec_parse(&spec, wrong[i].text, &err);
		if (code != wrong[i].code || !strstr(err.text, wrong[i].says) ||
			strstr(err.text, "5ec7e7"))
			fail_msg("%s: %d, %s", wrong[i].text, code, err.text);
		assert_int_equal(spec.options[0], 77);
	}
}

static void test_good_secrets(void **state)
{
	struct fl_spec spec, other;
	char text[FL_SPEC_TEXT];
	(void)state;
	assert_int_equal(fl_spec_parse(&spec, "table", NULL), FL_OK);
	assert_false(spec.secret.given);
	assert_int_equal(
		fl_spec_parse(
			&spec, "table,secret=000102030405060708090A0b0c0d0e0f,rows=256", NULL),
		FL_OK);
	assert_true(spec.secret.given);
	assert_true(spec.secret.key.k0 == 0x0706050403020100u);
	assert_true(spec.secret.key.k1 == 0x0f0e0d0c0b0a0908u);
	fl_spec_print(text, spec.algorithm, spec.options, spec.secret.given);
	assert_string_equal(text, "table,rows=256,seed=0,secret=***");
	/* Also before the option that makes another algorithm of it. */
	assert_int_equal(
		fl_spec_parse(&other, "table,secret=" DIGITS ",epsilon=5%", NULL), FL_OK);
	assert_string_equal(other.algorithm->info.name, "bounded-table");
	assert_true(other.secret.given);
	assert_int_equal(
		fl_spec_parse(&other, "dx,secret=00000000000000000000000000000000", NULL),
		FL_OK);
	assert_true(other.secret.given);
}

static void test_hiding(void **state)
{
	char text[FL_SPEC_TEXT], longest[600];
	(void)state;
	fl_spec_hide(text, "table");
	assert_string_equal(text, "table");
	fl_spec_hide(text, "table,secret=" DIGITS);
	assert_string_equal(text, "table,secret=***");
	fl_spec_hide(text, "ring,points=7,secret=" DIGITS ",seed=9");
	assert_string_equal(text, "ring,points=7,secret=***,seed=9");
	memset(longest, '0', sizeof(longest));
	memcpy(longest, "ring,secret=" DIGITS ",seed=", strlen("ring,secret=" DIGITS ",seed="));
	longest[sizeof(longest) - 1] = '\0';
	fl_spec_hide(text, longest);
	assert_int_equal(strlen(text), sizeof(text) - 1);
	assert_int_equal(strncmp(text, "ring,secret=***,seed=00", 23), 0);
}

static void test_good_specs(void **state)
{
	struct fl_spec spec;
	(void)state;
	assert_int_equal(fl_spec_parse(&spec, "ring", NULL), FL_OK);
	assert_string_equal(spec.algorithm->info.name, "ring");
	assert_int_equal(spec.options[0], 160);
	assert_int_equal(spec.options[1], 0);
	assert_int_equal(
		fl_spec_parse(&spec, "ring,seed=0xFFFFffffFFFFffff,points=1", NULL), 0);
	assert_int_equal(spec.options[0], 1);
	assert_int_equal(spec.options[1], UINT64_MAX);
	assert_int_equal(fl_spec_parse(&spec, "table,rows=0x100", NULL), FL_OK);
	assert_int_equal(spec.options[0], 256);
	assert_int_equal(
		fl_spec_parse(&spec, "compat:java-rendezvous,charset=utf-16le", NULL), FL_OK);
	assert_int_equal(spec.options[0], 0);
	assert_int_equal(spec.options[1], 1);
}

/* Printed and read again: tags, too, with the one that looks like the sign between the two. */
static void test_printed_tags(void **state)
{
	static const char *const tags[] = {"", "{}", "==", "%s", "~!"};
	(void)state;
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		struct fl_spec spec;
		char text[96], printed[FL_SPEC_TEXT];
		snprintf(text, sizeof(text), "compat:twemproxy-modula,hash=md5,hash-tag=%s",
			tags[i]);
		assert_int_equal(fl_spec_parse(&spec, text, NULL), FL_OK);
		fl_spec_print(printed, spec.algorithm, spec.options, spec.secret.given);
		assert_string_equal(printed, text);
	}
}

/* The text with every option and its default says what the defaults are. */
static void test_listed_defaults(void **state)
{
	const struct fl_algorithm *a;
	(void)state;
	for (size_t i = 0; (a = fl_registry_at(i)); i++) {
		struct fl_spec bare, full;
		char text[256];
		size_t options = 0, listed = a->info.options[0] != '\0';
		snprintf(text, sizeof(text), "%s%s%s", a->info.name, listed ? "," : "",
			a->info.options);
		assert_int_equal(fl_spec_parse(&bare, a->info.name, NULL), FL_OK);
		assert_int_equal(fl_spec_parse(&full, text, NULL), FL_OK);
		assert_memory_equal(bare.options, full.options, sizeof(bare.options));
		for (const char *c = a->info.options; *c; c++)
			listed += *c == ',';
		while (a->options[options].name)
			options++;
		assert_int_equal(options, listed);
		assert_true(a->seed < (int)options);
		/* Others have no seed, but may know several hashes of keys. */
		assert_true(a->seed < 0 || strcmp(a->options[a->seed].name, "seed") == 0 ||
			    (a->key_hash != FL_KEY_XXH3 &&
				    strcmp(a->options[a->seed].name, "hash") == 0));
		assert_true(
			(a->arc != NULL) == ((a->info.capabilities & FL_EXACT_MOVEMENT) != 0));
		assert_true((a->max_weight > 1) || !(a->info.capabilities & FL_WEIGHTS));
	}
}

static void test_walk(void **state)
{
	const struct fl_algorithm_info *info = NULL;
	size_t n = 0;
	(void)state;
	while ((info = fl_algorithm_next(info))) {
		assert_ptr_equal(info, &fl_registry_at(n)->info);
		assert_ptr_equal(fl_registry_find(info->name), fl_registry_at(n));
		n++;
	}
	assert_null(fl_registry_at(n));
	assert_true(n > 11);
}

static void test_edit_distance(void **state)
{
	(void)state;
	assert_int_equal(fl_edit_distance("", ""), 0);
	assert_int_equal(fl_edit_distance("", "abc"), 3);
	assert_int_equal(fl_edit_distance("abc", ""), 3);
	assert_int_equal(fl_edit_distance("kitten", "sitting"), 3);
	assert_int_equal(fl_edit_distance("tabel", "table"), 2);
	assert_ptr_equal(fl_suggest("xyz", NULL, "ring"), NULL);
}

static void test_status_texts(void **state)
{
	(void)state;
	for (int code = FL_ENOTSUP; code <= FL_OK; code++) {
		for (int other = FL_ENOTSUP; other < code; other++)
			assert_string_not_equal(fl_strerror(code), fl_strerror(other));
	}
	assert_non_null(fl_strerror(12345));
	assert_non_null(strchr(fl_version(), '.'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_specs),
		cmocka_unit_test(test_secrets_are_not_shown),
		cmocka_unit_test(test_good_secrets),
		cmocka_unit_test(test_hiding),
		cmocka_unit_test(test_good_specs),
		cmocka_unit_test(test_printed_tags),
		cmocka_unit_test(test_listed_defaults),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_edit_distance),
		cmocka_unit_test(test_status_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
