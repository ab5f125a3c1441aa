/* Scalars: text to numbers, sizes, durations and shares, and the words for what was expected.
 *
 * Integer arithmetic throughout (a share is one division of two integers below 2^53, so it is
 * the nearest double on every machine); no locale, no errno. What a number could mean in two ways
 * is refused: leading zeros (octal in YAML 1.1), bare durations, "Mb". */
#include "conf/priv.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first: the manual and the messages write a value in the largest unit that divides
 * it. */
static const struct unit sizes[] = {
	{"TiB", 1ull << 40},
	{"GiB", 1ull << 30},
	{"MiB", 1ull << 20},
	{"KiB", 1ull << 10},
	{"TB", 1000000000000ull},
	{"GB", 1000000000ull},
	{"MB", 1000000ull},
	{"KB", 1000ull},
	{"kB", 1000ull},
	{"B", 1},
	{"", 1},
	{NULL, 0},
};

static const struct unit durations[] = {
	{"d", 86400000},
	{"h", 3600000},
	{"m", 60000},
	{"s", 1000},
	{"ms", 1},
	{NULL, 0},
};

/* Decimal digits without leading zeros; moves *text behind them. */
static int digits(const char **text, uint64_t *out)
{
	const char *p = *text;
	uint64_t value = 0;

	if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
		return -1;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return -1;
	}
	*text = p;
	*out = value;
	return 0;
}

static int with_unit(const char *text, const struct unit *units, uint64_t *out)
{
	uint64_t value;
	if (digits(&text, &value) != 0)
		return -1;
	for (; units->name; units++) {
		if (strcmp(text, units->name) == 0)
			return __builtin_mul_overflow(value, units->factor, out) ? -1 : 0;
	}
	return -1;
}

static int because(int failed, const char **why, const char *expected)
{
	if (failed && why)
		*why = expected;
	return failed;
}

int fl_conf_parse_bool(const char *text, bool *out, const char **why)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*out = i & 1;
			return 0;
		}
	}
	return because(-1, why, "true or false");
}

int fl_conf_parse_size(const char *text, uint64_t *out, const char **why)
{
	uint64_t value = 0;
	if (with_unit(text, sizes, &value) != 0)
		return because(-1, why, "a size such as 16KiB, 1MB or 512");
	*out = value;
	return 0;
}

int fl_conf_parse_duration(const char *text, uint64_t *ms, const char **why)
{
	uint64_t value = 0;
	if (with_unit(text, durations, &value) != 0)
		return because(-1, why, "a duration such as 5s or 250ms");
	*ms = value;
	return 0;
}

/* DIGITS[.DIGITS], at most 15 digits in all: value = *n / *scale exactly, both below 2^53. */
static int decimal(const char **text, uint64_t *n, uint64_t *scale)
{
	const char *p = *text;
	if (digits(&p, n) != 0)
		return -1;
	*scale = 1;
	if (*p == '.') {
		const char *first = ++p;
		for (; *p >= '0' && *p <= '9' && p - first < 15; p++) {
			if (*n > 1000000000000000ull)
				return -1;
			*n = *n * 10 + (uint64_t)(*p - '0');
			*scale *= 10;
		}
		if (p == first)
			return -1;
	}
	*text = p;
	return *n <= 1000000000000000ull && *scale <= 10000000000000ull ? 0 : -1;
}

int fl_conf_parse_share(const char *text, double *out, const char **why)
{
	uint64_t n, scale;
	int failed = decimal(&text, &n, &scale);
	if (!failed && *text == '%') {
		scale *= 100;
		text++;
	}
	if (failed || *text != '\0' || n > scale)
		return because(-1, why, "a share such as 5% or 0.05");
	*out = (double)n / (double)scale;
	return 0;
}

int fl_conf_parse_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
	bool minus = *text == '-';
	uint64_t size;
	if (minus)
		text++;
	if (digits(&text, &size) != 0 || *text != '\0' || size > (uint64_t)INT64_MAX + minus)
		return -1;
	/* The detour over -1 keeps INT64_MIN away from signed overflow. */
	int64_t value = minus && size ? -(int64_t)(size - 1) - 1 : (int64_t)size;
	if (value < min || value > max)
		return -1;
	*out = value;
	return 0;
}

void fl_conf_int_range(const struct fl_option *row, int64_t *min, int64_t *max)
{
	bool open = row->min == 0 && row->max == 0;
	*min = open ? INT64_MIN : row->min;
	*max = open || row->max < row->min ? INT64_MAX : row->max;
}

void fl_conf_range(const struct fl_option *row, uint64_t *min, uint64_t *max)
{
	*min = row->min > 0 ? (uint64_t)row->min : 0;
	*max = row->max <= 0 || row->max < row->min ? UINT64_MAX : (uint64_t)row->max;
}

static int unsigned_in_range(const struct fl_option *row, const char *text,
	const struct unit *units, uint64_t *field)
{
	uint64_t min, max, value = 0;
	fl_conf_range(row, &min, &max);
	if (with_unit(text, units, &value) != 0 || value < min || value > max)
		return -1;
	*field = value;
	return 0;
}

static int choice(const struct fl_option *row, const char *text, int *field)
{
	for (int i = 0; row->choices[i]; i++) {
		if (strcmp(row->choices[i], text) == 0) {
			*field = i;
			return 0;
		}
	}
	return -1;
}

static int string(const struct fl_option *row, const char *text, const char **field)
{
	uint64_t min, max, len = strlen(text);
	fl_conf_range(row, &min, &max);
	if (len < min || len > max)
		return -1;
	*field = text;
	return 0;
}

int fl_conf_scalar(const struct fl_option *row, const char *text, void *field)
{
	int64_t min, max;
	switch (row->type) {
	case FL_OPT_BOOL:
		return fl_conf_parse_bool(text, field, NULL);
	case FL_OPT_INT:
		fl_conf_int_range(row, &min, &max);
		return fl_conf_parse_int(text, min, max, field);
	case FL_OPT_SIZE:
		return unsigned_in_range(row, text, sizes, field);
	case FL_OPT_DURATION:
		return unsigned_in_range(row, text, durations, field);
	case FL_OPT_SHARE:
		return fl_conf_parse_share(text, field, NULL);
	case FL_OPT_ENUM:
		return choice(row, text, field);
	case FL_OPT_STRING:
		return string(row, text, field);
	case FL_OPT_MAP:
	case FL_OPT_LIST:
	case FL_OPT_NAMED:
	case FL_OPT_CUSTOM:
		break;
	}
	return -1;
}

/* ---- words ---- */

static void say_amount(
	struct fl_conf_text *text, uint64_t value, const struct unit *units, const char *zero)
{
	if (value == 0) {
		fl_conf_say(text, "%s", zero);
		return;
	}
	while (units[1].name && value % units->factor != 0)
		units++;
	fl_conf_say(text, "%" PRIu64 "%s", value / units->factor, units->name);
}

static void say_int(struct fl_conf_text *text, const struct fl_option *row)
{
	int64_t min, max;
	fl_conf_int_range(row, &min, &max);
	if (min == max) {
		fl_conf_say(text, "the number %" PRId64, min);
		return;
	}
	fl_conf_say(text, "a whole number");
	if (min != INT64_MIN && max != INT64_MAX)
		fl_conf_say(text, " from %" PRId64 " to %" PRId64, min, max);
	else if (min != INT64_MIN)
		fl_conf_say(text, " of at least %" PRId64, min);
	else if (max != INT64_MAX)
		fl_conf_say(text, " of at most %" PRId64, max);
}

static void say_measure(struct fl_conf_text *text, const struct fl_option *row,
	const char *what, const struct unit *units, const char *zero, const char *examples)
{
	uint64_t min, max;
	fl_conf_range(row, &min, &max);
	fl_conf_say(text, "%s", what);
	if (min == 0 && max == UINT64_MAX) {
		fl_conf_say(text, " such as %s", examples);
		return;
	}
	fl_conf_say(text, max == UINT64_MAX ? " of at least " : " from ");
	say_amount(text, min, units, zero);
	if (max != UINT64_MAX) {
		fl_conf_say(text, " to ");
		say_amount(text, max, units, zero);
	}
}

static void say_string(struct fl_conf_text *text, const struct fl_option *row)
{
	uint64_t min, max;
	fl_conf_range(row, &min, &max);
	if (max != UINT64_MAX)
		fl_conf_say(text, "text of %" PRIu64 " to %" PRIu64 " bytes", min, max);
	else if (min > 1)
		fl_conf_say(text, "text of at least %" PRIu64 " bytes", min);
	else
		fl_conf_say(text, min ? "text that is not empty" : "text");
}

static void say_choices(struct fl_conf_text *text, const char *const *choices)
{
	fl_conf_say(text, choices[0] && choices[1] && choices[2] ? "one of " : "");
	for (size_t i = 0; choices[i]; i++) {
		const char *joint = choices[i + 1] ? ", " : " or ";
		fl_conf_say(text, "%s%s", i ? joint : "", choices[i]);
	}
}

void fl_conf_say_item(struct fl_conf_text *text, const struct fl_option *row)
{
	size_t len = strlen(row->name);
	if (row->item)
		fl_conf_say(text, "%s", row->item);
	else if (len > 1 && row->name[len - 1] == 's')
		fl_conf_say(text, "%.*s", (int)len - 1, row->name);
	else
		fl_conf_say(text, "%s", row->name);
}

static void say_items(struct fl_conf_text *text, const struct fl_option *row)
{
	fl_conf_say(text, row->type == FL_OPT_LIST ? "a list" : "a map with a key for each ");
	if (row->type == FL_OPT_NAMED)
		fl_conf_say_item(text, row);
	if (row->min > 0)
		fl_conf_say(text, " of at least %" PRId64 " item%s", row->min,
			row->min == 1 ? "" : "s");
}

void fl_conf_say_wanted(struct fl_conf_text *text, const struct fl_option *row)
{
	if (row->form) {
		fl_conf_say(text, "%s", row->form);
		return;
	}
	switch (row->type) {
	case FL_OPT_BOOL:
		fl_conf_say(text, "true or false");
		break;
	case FL_OPT_INT:
		say_int(text, row);
		break;
	case FL_OPT_SIZE:
		say_measure(text, row, "a size", sizes, "0", "16KiB, 1MB or 512");
		break;
	case FL_OPT_DURATION:
		say_measure(text, row, "a duration", durations, "0s", "5s or 250ms");
		break;
	case FL_OPT_SHARE:
		fl_conf_say(text, "a share such as 5%% or 0.05");
		break;
	case FL_OPT_STRING:
		say_string(text, row);
		break;
	case FL_OPT_ENUM:
		say_choices(text, row->choices);
		break;
	case FL_OPT_MAP:
		fl_conf_say(text, "a map");
		break;
	case FL_OPT_LIST:
	case FL_OPT_NAMED:
		say_items(text, row);
		break;
	case FL_OPT_CUSTOM:
		fl_conf_say(text, "another form");
		break;
	}
}
