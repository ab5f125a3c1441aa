/* Texts of drawings keep to their room in a wide font. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "report/svg.h"

struct pad {
	struct fl_report_locale locale;
	struct fl_svg s;
	char *p;
	size_t n;
};

static void open_pad(struct pad *pad)
{
	*pad = (struct pad){.s.width = 100};
	fl_report_locale_enter(&pad->locale);
	fl_text_init(&pad->s.scratch, 1 << 20);
	pad->s.out = open_memstream(&pad->p, &pad->n);
}

/* What was drawn since the last time. */
static const char *drawn(struct pad *pad)
{
	(void)fflush(pad->s.out);
	rewind(pad->s.out);
	return pad->p;
}

static void close_pad(struct pad *pad)
{
	(void)fclose(pad->s.out);
	free(pad->p);
	fl_text_fini(&pad->s.scratch);
	fl_report_locale_leave(&pad->locale);
}

/* The widths in DejaVu Sans and DejaVu Sans Bold, by their own tables. */
static void a_text_is_kept_room_for_in_a_wide_font(void **state)
{
	static const struct {
		const char *text;
		double wide, bold;
	} table[] = {
		{"", 0, 0},
		{"node-145", 57.18, 63.54},
		{"bounded-table", 87.51, 98.89},
		{"WWWW", 47.46, 52.95},
		{"illi", 13.34, 16.45},
		{"<script>", 53.55, 58.72},
		{"12.5 %", 41.94, 45.81},
	};
	struct pad pad;
	(void)state;
	open_pad(&pad);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct fl_slice text = fl_slice_of(table[i].text);
		double wide = fl_svg_wide(&pad.s, "", text);
		double bold = fl_svg_wide(&pad.s, "b", text);
		assert_true(wide >= table[i].wide && wide <= table[i].wide * 1.02);
		assert_true(bold >= table[i].bold && bold <= table[i].bold * 1.15);
	}
	close_pad(&pad);
}

static void a_text_is_cut_to_its_room(void **state)
{
	struct pad pad;
	(void)state;
	open_pad(&pad);
	fl_svg_text(&pad.s, 0, 0, FL_SVG_START, "", FL_SLICE("iiiiiiiiii"), 40);
	assert_non_null(strstr(drawn(&pad), ">iiiiiiiiii</text>"));
	fl_svg_text(&pad.s, 0, 0, FL_SVG_START, "", FL_SLICE("WWWWWWWWWW"), 40);
	assert_non_null(strstr(drawn(&pad), ">W…W<title>WWWWWWWWWW</title></text>"));
	fl_svg_text(&pad.s, 0, 0, FL_SVG_START, "", FL_SLICE("WW"), -1);
	assert_non_null(strstr(drawn(&pad), "><title>WW</title></text>"));
	fl_svg_text(&pad.s, 0, 0, FL_SVG_START, "", FL_SLICE("a\nb"), 40);
	assert_non_null(strstr(drawn(&pad), ">a\\nb</text>"));
	close_pad(&pad);
}

/* Every room: what is left of a text takes no more than it, and nothing more would fit. */
static void no_cut_is_too_wide_or_too_short(void **state)
{
	static const char text[] = "c-with.a.rather.long.NAME.example.com:11211 漢字 WiWiWi";
	struct pad pad;
	(void)state;
	open_pad(&pad);
	for (double most = 0; most < 420; most += 1) {
		char left[sizeof(text) + 8] = "";
		fl_svg_text(&pad.s, 0, 0, FL_SVG_START, "", fl_slice_of(text), most);
		const char *begin = strchr(drawn(&pad), '>') + 1;
		snprintf(left, sizeof(left), "%.*s", (int)strcspn(begin, "<"), begin);
		double wide = fl_svg_wide(&pad.s, "", fl_slice_of(left));
		assert_true(wide <= most);
		assert_true(strcmp(left, text) == 0 || wide > most - 2 * 12 - 12);
	}
	close_pad(&pad);
}

/* Whoever's font it is: what has no known width is told its own. */
static void other_letters_are_told_their_length(void **state)
{
	struct pad pad;
	(void)state;
	open_pad(&pad);
	fl_svg_text(&pad.s, 0, 0, FL_SVG_START, "", FL_SLICE("漢字"), 40);
	assert_non_null(strstr(drawn(&pad), "textLength=\"24\""));
	fl_svg_text(&pad.s, 0, 0, FL_SVG_START, "", FL_SLICE("né – 1"), 90);
	assert_null(strstr(drawn(&pad), "textLength"));
	close_pad(&pad);
}

static void ticks_stay_inside(void **state)
{
	struct pad pad;
	(void)state;
	open_pad(&pad);
	fl_svg_tick(&pad.s, 0, 0, "00");
	assert_non_null(strstr(drawn(&pad), "x=\"7.68\""));
	fl_svg_tick(&pad.s, 100, 0, "00");
	assert_non_null(strstr(drawn(&pad), "x=\"92.32\""));
	fl_svg_tick(&pad.s, 50, 0, "00");
	assert_non_null(strstr(drawn(&pad), "x=\"50\""));
	close_pad(&pad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_kept_room_for_in_a_wide_font),
		cmocka_unit_test(a_text_is_cut_to_its_room),
		cmocka_unit_test(no_cut_is_too_wide_or_too_short),
		cmocka_unit_test(other_letters_are_told_their_length),
		cmocka_unit_test(ticks_stay_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
