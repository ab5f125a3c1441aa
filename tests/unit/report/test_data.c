/* What charts show of their data, against small cases done by hand and sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "report/data.h"

static const struct fl_report_spec spec = {.name = "c", .title = "C"};

static void few_bars_keep_their_order(void **state)
{
	struct fl_report *r = fl_report_new("x");
	struct fl_report_chart *c = fl_report_bars(r, &spec);
	struct fl_report_drawn d;
	uint32_t a = fl_report_series(c, FL_SLICE("a")), b = fl_report_series(c, FL_SLICE("b"));
	(void)state;
	fl_report_label(c, FL_SLICE("one"));
	fl_report_value(c, a, 1);
	fl_report_value(c, b, 2);
	fl_report_label(c, FL_SLICE("two"));
	fl_report_value(c, b, 5);
	fl_report_target(c, 7);
	assert_int_equal(fl_report_drawn(&d, c, 40), 0);
	assert_int_equal(d.groups, 2);
	assert_int_equal(d.more, 0);
	assert_true(d.value[0][0] == 1 && d.value[0][1] == 2);
	assert_true(d.value[1][0] < 0 && d.value[1][1] == 5);
	assert_true(d.most == 7 && d.sum[0] == 2);
	fl_report_free(r);
}

static void many_bars_show_both_ends(void **state)
{
	(void)state;
	for (int stacked = 0; stacked < 2; stacked++) {
		struct fl_report_spec s = spec;
		s.stacked = stacked;
		struct fl_report *r = fl_report_new("x");
		struct fl_report_chart *c = fl_report_bars(r, &s);
		struct fl_report_drawn d;
		uint32_t a = fl_report_series(c, FL_SLICE("a"));
		for (unsigned i = 0; i < 1000; i++) {
			fl_report_label(c, FL_SLICE("x"));
			fl_report_value(c, a, (double)(i * 7 % 1000));
		}
		assert_int_equal(fl_report_drawn(&d, c, 40), 0);
		assert_int_equal(d.groups, 40);
		assert_int_equal(d.more, 960);
		assert_int_equal(d.gap, stacked ? 40 : 30);
		for (unsigned i = 0; i < d.gap; i++)
			assert_true(d.value[i][0] == 999 - i);
		for (size_t i = d.gap; i < 40; i++)
			assert_true(d.value[i][0] == (double)(39 - i));
		assert_true(d.more_most == (stacked ? 959 : 969));
		assert_true(d.more_least == (stacked ? 0 : 10));
		fl_report_free(r);
	}
}

/* An axis from 0 has no decades: a fuzzer once waited for the first of them. */
static void bars_have_no_logarithmic_axis(void **state)
{
	struct fl_report_spec s = spec;
	s.y.log = s.x.log = true;
	struct fl_report *r = fl_report_new("x");
	struct fl_report_chart *c = fl_report_bars(r, &s);
	(void)state;
	assert_false(c->spec.y.log || c->spec.x.log);
	fl_report_free(r);
	r = fl_report_new("x");
	assert_true(fl_report_lines(r, &s)->spec.y.log);
	fl_report_free(r);
}

static void stacks_add_up(void **state)
{
	struct fl_report_spec s = spec;
	s.stacked = true;
	struct fl_report *r = fl_report_new("x");
	struct fl_report_chart *c = fl_report_bars(r, &s);
	struct fl_report_drawn d;
	(void)state;
	fl_report_label(c, FL_SLICE("x"));
	fl_report_value(c, fl_report_series(c, FL_SLICE("a")), 1);
	fl_report_value(c, fl_report_series(c, FL_SLICE("b")), 2);
	assert_int_equal(fl_report_drawn(&d, c, 40), 0);
	assert_true(d.sum[0] == 3 && d.most == 3);
	fl_report_free(r);
}

static void flows_are_merged_and_sorted(void **state)
{
	struct fl_report *r = fl_report_new("x");
	struct fl_report_chart *c = fl_report_flows(r, &spec);
	struct fl_report_moves m;
	(void)state;
	fl_report_flow(c, FL_SLICE("a"), FL_SLICE("b"), 2);
	fl_report_flow(c, FL_SLICE("b"), FL_SLICE("a"), 4);
	fl_report_flow(c, FL_SLICE("a"), FL_SLICE("c"), 0);
	fl_report_flow(c, FL_SLICE("a"), FL_SLICE("b"), 3);
	assert_int_equal(fl_report_moves(&m, c), 0);
	assert_int_equal(m.n, 2);
	assert_true(m.p[0].a == 0 && m.p[0].b == 1 && m.p[0].y == 5);
	assert_true(m.p[1].a == 1 && m.p[1].b == 0 && m.p[1].y == 4);
	assert_true(m.sum == 9 && m.out[0] == 5 && m.in[0] == 4 && m.in[2] == 0);
	fl_report_moves_fini(&m);
	fl_report_free(r);
}

static void a_point_owns_what_leads_up_to_it(void **state)
{
	const uint64_t quarter = UINT64_C(1) << 62;
	struct fl_report *r = fl_report_new("x");
	struct fl_report_chart *c = fl_report_ring(r, &spec);
	struct fl_report_owners o;
	uint32_t a = fl_report_series(c, FL_SLICE("a")), b = fl_report_series(c, FL_SLICE("b"));
	(void)state;
	fl_report_ring_point(c, 3 * quarter, b);
	fl_report_ring_point(c, quarter, a);
	assert_int_equal(fl_report_owners(&o, c), 0);
	/* up to 1/4 a, up to 3/4 b, and round to a again */
	assert_int_equal(o.n, 3);
	assert_true(o.share[a] == 0.5 && o.share[b] == 0.5);
	assert_true(o.arcs[0].node == a && o.arcs[0].to == 0.25);
	assert_true(o.arcs[1].node == b && o.arcs[1].to == 0.75);
	assert_true(o.arcs[2].node == a && o.arcs[2].to == 1);
	assert_int_equal(fl_report_owner_at(&o, 0.25), a);
	assert_int_equal(fl_report_owner_at(&o, 0.26), b);
	assert_int_equal(fl_report_owner_at(&o, 0.75), b);
	assert_int_equal(fl_report_owner_at(&o, 0.76), a);
	assert_int_equal(fl_report_owner_at(&o, 0), a);
	size_t at = 0;
	assert_int_equal(fl_report_owner_of(&o, 0.2, 0.4, &at), b);
	assert_int_equal(fl_report_owner_of(&o, 0.7, 1, &at), a);
	fl_report_owners_fini(&o);
	fl_report_free(r);
}

static void rows_are_owned_as_given(void **state)
{
	static const uint32_t owner[] = {0, 0, 1, FL_NONE, 1, 0, 2, 2};
	struct fl_report *r = fl_report_new("x");
	struct fl_report_chart *c = fl_report_rows(r, &spec);
	struct fl_report_owners o;
	(void)state;
	(void)fl_report_series(c, FL_SLICE("a"));
	(void)fl_report_series(c, FL_SLICE("b"));
	(void)fl_report_series(c, FL_SLICE("c"));
	for (size_t i = 0; i < 8; i++)
		fl_report_row(c, owner[i]);
	assert_int_equal(fl_report_owners(&o, c), 0);
	assert_int_equal(o.n, 6);
	assert_true(o.share[0] == 3.0 / 8 && o.share[1] == 2.0 / 8 && o.share[2] == 2.0 / 8);
	assert_int_equal(o.rank[0], 0);
	assert_int_equal(o.rank[1], 1); /* a tie goes by number */
	assert_int_equal(o.place[2], 2);
	for (uint64_t i = 0; i < 8; i++)
		assert_int_equal(fl_report_owner_at(&o, fl_report_turn(c, i)), owner[i]);
	fl_report_owners_fini(&o);
	fl_report_free(r);
}

static void shares_of_many_points_make_one(void **state)
{
	struct fl_report *r = fl_report_new("x");
	struct fl_report_chart *c = fl_report_ring(r, &spec);
	struct fl_report_owners o;
	uint64_t z = 1;
	char name[16];
	double sum = 0;
	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "n%u", i % 100);
		z = z * 6364136223846793005 + 1442695040888963407;
		fl_report_ring_point(c, z, fl_report_series(c, fl_slice_of(name)));
	}
	assert_int_equal(fl_report_owners(&o, c), 0);
	for (size_t i = 0; i < 100; i++) {
		sum += o.share[i];
		assert_true(i == 0 || o.share[o.rank[i]] <= o.share[o.rank[i - 1]]);
	}
	assert_true(fabs(sum - 1) < 1e-9);
	for (size_t i = 1; i < o.n; i++) {
		assert_true(o.arcs[i].from == o.arcs[i - 1].to);
		assert_int_not_equal(o.arcs[i].node, o.arcs[i - 1].node);
	}
	fl_report_owners_fini(&o);
	fl_report_free(r);
}

/* Whoever has most of the rows does not have nearly all of the pieces; a mark is where it is. */
static void a_sample_shows_everybodys_share(void **state)
{
	enum {
		ROWS = 64000,
		CELLS = 1000
	};
	struct fl_report *r = fl_report_new("x");
	struct fl_report_chart *c = fl_report_rows(r, &spec);
	struct fl_report_owners o;
	size_t first = 0;
	uint64_t z = 1;
	(void)state;
	(void)fl_report_series(c, FL_SLICE("half"));
	(void)fl_report_series(c, FL_SLICE("rest"));
	(void)fl_report_series(c, FL_SLICE("marked"));
	for (size_t i = 0; i < ROWS; i++) {
		z = z * UINT64_C(6364136223846793005) + 1442695040888963407U;
		fl_report_row(c, i == 777 ? 2 : z >> 63 ? 0 : 1);
	}
	fl_report_mark(c, 777, FL_SLICE("key"));
	assert_int_equal(fl_report_owners(&o, c), 0);
	for (size_t i = 0; i < CELLS; i++)
		first += fl_report_owner_in(&o, c, i, CELLS) == 0;
	assert_in_range(first, 420, 580);
	assert_int_equal(fl_report_owner_in(&o, c, 777 * CELLS / ROWS, CELLS), 2);
	/* A piece a row: as it is. */
	for (size_t i = 0; i < ROWS; i += 999)
		assert_int_equal(fl_report_owner_in(&o, c, i, ROWS),
			FL_REPORT_AT(c->data, struct fl_report_datum, i).b);
	fl_report_owners_fini(&o);
	fl_report_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_bars_keep_their_order),
		cmocka_unit_test(many_bars_show_both_ends),
		cmocka_unit_test(bars_have_no_logarithmic_axis),
		cmocka_unit_test(stacks_add_up),
		cmocka_unit_test(flows_are_merged_and_sorted),
		cmocka_unit_test(a_point_owns_what_leads_up_to_it),
		cmocka_unit_test(rows_are_owned_as_given),
		cmocka_unit_test(a_sample_shows_everybodys_share),
		cmocka_unit_test(shares_of_many_points_make_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
