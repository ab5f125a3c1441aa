#include "imported.h"

#include "import/yaml.h"

static struct fl_import *model;
static struct fl_error error;

static struct fl_yaml open_text(const char *text)
{
	struct fl_import_input in = {.name = "f.yaml", .bytes = text, .len = strlen(text)};
	struct fl_yaml y;

	error.text[0] = '\0';
	model = fl_import_new();
	assert_int_equal(fl_yaml_open(&y, model, &in, &error), FL_OK);
	return y;
}

static void close_text(struct fl_yaml *y)
{
	fl_yaml_close(y);
	fl_import_free(model);
}

static void names_in_both_spellings(void **state)
{
	struct fl_yaml y = open_text("{lb_policy: 1, ringHashLbConfig: {min_x: 2}, nothing: ~, "
				     "lbPolicies: 3, \"a.b\": 4}");

	(void)state;
	assert_string_equal(fl_yaml_get(y.root, "lb_policy")->text, "1");
	assert_string_equal(fl_yaml_at(y.root, "ring_hash_lb_config.min_x")->text, "2");
	assert_string_equal(fl_yaml_get(y.root, "lb_policies")->text, "3");
	assert_null(fl_yaml_get(y.root, "nothing"));
	assert_null(fl_yaml_get(y.root, "lb"));
	assert_null(fl_yaml_get(y.root, "lb_policy_x"));
	assert_null(fl_yaml_get(y.root, "ring_hash_lb"));
	assert_null(fl_yaml_at(y.root, "lb_policy.x"));
	assert_null(fl_yaml_at(y.root, "no.thing"));
	assert_null(fl_yaml_at(NULL, "no.thing"));
	close_text(&y);
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms; /* UINT64_MAX: refused */
	} cases[] = {
		{"5s", 5000},
		{"0.25s", 250},
		{"1.0005s", 1000},
		{"0s", 0},
		{"31536000s", 31536000000},
		{"5", UINT64_MAX},
		{"s", UINT64_MAX},
		{".5s", UINT64_MAX},
		{"-1s", UINT64_MAX},
		{"5ms", UINT64_MAX},
		{"99999999999999999999999s", UINT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[64];
		snprintf(text, sizeof(text), "t: %s", cases[i].text);
		struct fl_yaml y = open_text(text);
		uint64_t ms = fl_yaml_duration(&y, fl_yaml_get(y.root, "t"));
		assert_int_equal(y.rc, cases[i].ms == UINT64_MAX ? FL_EINVAL : FL_OK);
		assert_int_equal(ms, cases[i].ms == UINT64_MAX ? 0 : cases[i].ms);
		if (y.rc)
			assert_string_equal(error.text,
				"f.yaml:1:4: t wants a duration such as 5s or 0.25s");
		close_text(&y);
	}
}

static void the_first_failure_is_kept(void **state)
{
	struct fl_yaml y = open_text("a: 9\nb: x\nc: [1]\n");

	(void)state;
	assert_int_equal(fl_yaml_number(&y, fl_yaml_get(y.root, "a"), 1, 9, 5), 9);
	assert_int_equal(y.rc, FL_OK);
	assert_int_equal(fl_yaml_number(&y, fl_yaml_get(y.root, "a"), 1, 8, 5), 5);
	assert_int_equal(fl_yaml_number(&y, fl_yaml_get(y.root, "b"), 1, 8, 6), 6);
	assert_int_equal(fl_yaml_number(&y, NULL, 1, 8, 7), 7);
	assert_null(fl_yaml_text(&y, fl_yaml_get(y.root, "c")));
	assert_int_equal(y.rc, FL_EINVAL);
	assert_string_equal(error.text, "f.yaml:1:4: a wants a number from 1 to 8");
	close_text(&y);
}

static void notes_have_their_line_and_no_secret(void **state)
{
	static const char *const known[] = {"k_nown", NULL};
	struct fl_yaml y = open_text("kNown: 1\nsecret: hunter2\nnested:\n  a: 1\n");
	const struct fl_import_note *n;

	(void)state;
	fl_yaml_rest(&y, y.root, known);
	n = model->notes;
	assert_int_equal(model->note_count, 2);
	assert_string_equal(n->text, "secret");
	assert_int_equal(n->at.line, 2);
	assert_string_equal(n->next->text, "nested");
	assert_int_equal(n->next->at.line, 3);
	fl_yaml_note(&y, FL_IMPORT_CARRIED, true, fl_yaml_get(y.root, "k_nown"), "x %d", 5);
	n = n->next->next;
	assert_string_equal(n->text, "kNown: 1");
	assert_string_equal(n->why, "x 5");
	assert_true(model->misplaced);
	y.quiet = true;
	fl_yaml_note(&y, FL_IMPORT_CARRIED, true, y.root, "y");
	fl_yaml_rest(&y, y.root, known);
	assert_int_equal(model->note_count, 3);
	close_text(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_in_both_spellings),
		cmocka_unit_test(durations),
		cmocka_unit_test(the_first_failure_is_kept),
		cmocka_unit_test(notes_have_their_line_and_no_secret),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
