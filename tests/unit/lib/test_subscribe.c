/* Subscribers of a handle: who is told what, and when no longer. */
#include "support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct listener {
	fl_handle *handle;
	fl_reader *reader;
	const fl_placement *before, *after, *seen;
	int calls;
	bool quits;
	struct listener *ends; /* whose subscription it ends */
};

static void told(void *cookie, const fl_placement *before, const fl_placement *after)
{
	struct listener *l = cookie;
	l->before = before;
	l->after = after;
	l->seen = l->reader ? fl_reader_get(l->reader) : NULL;
	l->calls++;
	if (l->quits)
		assert_int_equal(fl_handle_unsubscribe(l->handle, told, l), FL_OK);
	if (l->ends)
		assert_int_equal(fl_handle_unsubscribe(l->handle, told, l->ends), FL_OK);
}

struct stage {
	fl_placement *a, *b;
	fl_handle *h;
	fl_reader *r;
};

static void set_up(struct stage *s)
{
	struct fl_node nodes[] = {{"x", 1, FL_NONE, NULL}, {"y", 1, FL_NONE, NULL}};
	s->a = test_place("table,rows=256", nodes, 2);
	s->b = test_change(s->a, FL_REMOVE, "x", 0, 0);
	assert_int_equal(fl_handle_new(&s->h, s->a), FL_OK);
	assert_int_equal(fl_reader_new(&s->r, s->h), FL_OK);
}

static void tear_down(struct stage *s)
{
	fl_reader_free(s->r);
	fl_handle_free(s->h);
	fl_placement_unref(s->a);
	fl_placement_unref(s->b);
}

static void test_told_of_both(void **state)
{
	struct stage s;
	struct fl_movement *m;
	(void)state;
	set_up(&s);
	struct listener one = {.handle = s.h, .reader = s.r}, two = {.handle = s.h};
	assert_int_equal(fl_handle_subscribe(s.h, told, &one), FL_OK);
	assert_int_equal(fl_handle_subscribe(s.h, told, &two), FL_OK);
	fl_handle_publish(s.h, s.b);
	assert_ptr_equal(one.before, s.a);
	assert_ptr_equal(one.after, s.b);
	/* Readers are there already. */
	assert_ptr_equal(one.seen, s.b);
	assert_int_equal(two.calls, 1);
	assert_int_equal(fl_movement_new(&m, one.before, one.after, 0, NULL), FL_OK);
	assert_true(m->exact && m->moved > 0);
	fl_movement_free(m);
	fl_handle_publish(s.h, s.a);
	assert_ptr_equal(two.before, s.b);
	assert_ptr_equal(two.after, s.a);
	tear_down(&s);
}

/* `before` is only held by the handle, and lives while subscribers look at it. */
static void look(void *cookie, const fl_placement *before, const fl_placement *after)
{
	*(size_t *)cookie += fl_placement_count(before) * 10 + fl_placement_count(after);
}

static void test_before_lives_through_the_call(void **state)
{
	struct stage s;
	size_t sum = 0;
	(void)state;
	set_up(&s);
	assert_int_equal(fl_handle_subscribe(s.h, look, &sum), FL_OK);
	fl_placement_unref(s.a);
	s.a = NULL;
	fl_handle_publish(s.h, s.b);
	assert_int_equal(sum, 21);
	tear_down(&s);
}

static void test_ends(void **state)
{
	struct stage s;
	(void)state;
	set_up(&s);
	struct listener c = {.handle = s.h}, b = {.handle = s.h, .ends = &c},
			a = {.handle = s.h, .quits = true};
	assert_int_equal(fl_handle_subscribe(s.h, told, &a), FL_OK);
	assert_int_equal(fl_handle_subscribe(s.h, told, &b), FL_OK);
	assert_int_equal(fl_handle_subscribe(s.h, told, &c), FL_OK);
	fl_handle_publish(s.h, s.b);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1);
	b.ends = NULL;
	int had = c.calls;
	fl_handle_publish(s.h, s.a);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 2);
	assert_int_equal(c.calls, had);
	assert_int_equal(fl_handle_unsubscribe(s.h, told, &a), FL_ENOENT);
	assert_int_equal(fl_handle_unsubscribe(s.h, told, &b), FL_OK);
	fl_handle_publish(s.h, s.b);
	assert_int_equal(b.calls, 2);
	tear_down(&s);
}

static void test_limits(void **state)
{
	struct listener many[FL_MAX_SUBSCRIBERS + 1] = {{0}};
	struct stage s;
	(void)state;
	set_up(&s);
	assert_int_equal(fl_handle_subscribe(s.h, NULL, NULL), FL_EINVAL);
	assert_int_equal(fl_handle_subscribe(NULL, told, NULL), FL_EINVAL);
	assert_int_equal(fl_handle_unsubscribe(s.h, NULL, NULL), FL_EINVAL);
	assert_int_equal(fl_handle_unsubscribe(s.h, told, NULL), FL_ENOENT);
	for (int i = 0; i < FL_MAX_SUBSCRIBERS; i++)
		assert_int_equal(fl_handle_subscribe(s.h, told, &many[i]), FL_OK);
	assert_int_equal(fl_handle_subscribe(s.h, told, &many[3]), FL_EEXIST);
	assert_int_equal(fl_handle_subscribe(s.h, told, &many[FL_MAX_SUBSCRIBERS]), FL_ELIMIT);
	assert_int_equal(fl_handle_unsubscribe(s.h, told, &many[5]), FL_OK);
	assert_int_equal(fl_handle_subscribe(s.h, told, &many[FL_MAX_SUBSCRIBERS]), FL_OK);
	fl_handle_publish(s.h, s.b);
	for (int i = 0; i <= FL_MAX_SUBSCRIBERS; i++)
		assert_int_equal(many[i].calls, i != 5);
	tear_down(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told_of_both),
		cmocka_unit_test(test_before_lives_through_the_call),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
