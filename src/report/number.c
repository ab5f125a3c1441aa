#include "report/show.h"

#include <math.h>
#include <stdlib.h>

#define HUGE_NUMBER 1e15 /* from here on in powers of ten: no column is made for more digits */

const char *fl_report_verdict_name(enum fl_report_verdict verdict)
{
	return verdict == FL_REPORT_OK ? "ok" : verdict == FL_REPORT_BAD ? "bad" : "note";
}

const char *fl_report_exact(char out[FL_REPORT_SHORT], double value)
{
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(out, FL_REPORT_SHORT, "%.*g", digits, value);
		if (strtod(out, NULL) == value)
			break;
	}
	return out;
}

/* Puts commas between the thousands of what is digits, perhaps after a sign. */
static void group(char out[FL_REPORT_SHORT])
{
	size_t sign = *out == '-', n = strlen(out) - sign, commas = n ? (n - 1) / 3 : 0;
	char *from = out + sign + n, *to = from + commas;

	*to = '\0';
	for (size_t i = 0; i < n; i++) {
		if (i && i % 3 == 0)
			*--to = ',';
		*--to = *--from;
	}
}

/* Three digits, for numbers under 1024. */
static void three(char out[FL_REPORT_SHORT], double value)
{
	double size = fabs(value);

	(void)snprintf(out, FL_REPORT_SHORT, "%.*f",
		size >= 99.95 || size == floor(size) ? 0
		: size >= 9.995                      ? 1
						     : 2,
		value);
}

static void scaled(char out[FL_REPORT_SHORT], double value, double step,
	const char *const *units, size_t count)
{
	size_t i = 0;

	while (i + 1 < count && fabs(value) >= step - (step > 1000 ? 0.5 : 0.5e-9)) {
		value /= step;
		i++;
	}
	if (fabs(value) >= HUGE_NUMBER)
		(void)snprintf(out, FL_REPORT_SHORT, "%.3g", value);
	else
		three(out, value);
	size_t n = strlen(out);
	(void)snprintf(out + n, FL_REPORT_SHORT - n, " %s", units[i]);
}

static void as_time(char out[FL_REPORT_SHORT], double ns, bool utf8)
{
	const char *const units[] = {"ns", utf8 ? "µs" : "us", "ms", "s"};

	scaled(out, ns, 1000, units, 4);
}

static void as_bytes(char out[FL_REPORT_SHORT], double bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};

	scaled(out, bytes, 1024, units, 5);
}

static void plain(char out[FL_REPORT_SHORT], double value, unsigned decimals)
{
	if (fabs(value) >= HUGE_NUMBER)
		(void)snprintf(out, FL_REPORT_SHORT, "%.6g", value);
	else
		(void)snprintf(out, FL_REPORT_SHORT, "%.*f", (int)decimals, value);
	if (!strpbrk(out, ".e"))
		group(out);
}

/* At most 32 bytes of a unit: it is the source's own. */
static void add_unit(char out[FL_REPORT_SHORT], const char *unit)
{
	size_t n = strlen(out);

	if (unit && *unit)
		(void)snprintf(out + n, FL_REPORT_SHORT - n, " %.32s", unit);
}

const char *fl_report_quantity(
	char out[FL_REPORT_SHORT], const struct fl_report_scale *how, double value, bool utf8)
{
	switch (how->type) {
	case FL_REPORT_SHARE:
		plain(out, 100 * value, how->decimals);
		add_unit(out, "%");
		break;
	case FL_REPORT_BYTES:
		as_bytes(out, value);
		break;
	case FL_REPORT_NS:
		as_time(out, value, utf8);
		break;
	case FL_REPORT_REAL:
		plain(out, value, how->decimals);
		add_unit(out, how->unit);
		break;
	default:
		plain(out, value, 0);
		add_unit(out, how->unit);
	}
	return out;
}

const char *fl_report_count(char out[FL_REPORT_SHORT], size_t n)
{
	(void)snprintf(out, FL_REPORT_SHORT, "%zu", n);
	group(out);
	return out;
}

double fl_report_cell_value(const struct fl_report_cell *cell)
{
	if (cell->kind == FL_REPORT_CELL_NUMBER)
		return (double)cell->number;
	return cell->kind == FL_REPORT_CELL_REAL ? cell->real : 0;
}

double fl_report_column_most(const struct fl_report_table *t, size_t column)
{
	double most = 0;

	for (size_t i = column; i < t->cells.n; i += t->column_count) {
		double value =
			fl_report_cell_value(&FL_REPORT_AT(t->cells, struct fl_report_cell, i));
		if (value > most)
			most = value;
	}
	return most;
}

const char *fl_report_cell_shown(char out[FL_REPORT_SHORT],
	const struct fl_report_column *column, const struct fl_report_cell *cell, bool utf8)
{
	struct fl_report_scale how = fl_report_scale_of(column);

	if (cell->kind == FL_REPORT_CELL_NONE)
		return utf8 ? "–" : "-";
	if (cell->kind == FL_REPORT_CELL_NUMBER && how.type == FL_REPORT_NUMBER) {
		(void)snprintf(out, FL_REPORT_SHORT, "%lld", (long long)cell->number);
		group(out); /* a double could not hold all of it */
		add_unit(out, how.unit);
		return out;
	}
	return fl_report_quantity(out, &how, fl_report_cell_value(cell), utf8);
}

/* ---- axes ---- */

/* The smallest 1, 2 or 5 times a power of ten that is >= value > 0. */
static double round_up(double value)
{
	double power = pow(10, floor(log10(value)));
	double lead = value / power;

	return power * (lead <= 1 + 1e-9          ? 1
			       : lead <= 2 + 1e-9 ? 2
			       : lead <= 5 + 1e-9 ? 5
						  : 10);
}

/* The decimals that tell multiples of a step apart. */
static unsigned decimals_of(double step)
{
	double n = -floor(log10(step) + 1e-9);

	return n <= 0 ? 0 : n >= FL_REPORT_MAX_DECIMALS ? FL_REPORT_MAX_DECIMALS : (unsigned)n;
}

/* What a step of 1 is for people: bytes are counted in powers of 1024, shares in hundredths. */
static double base_of(const struct fl_report_scale *how, double high)
{
	double base = how->type == FL_REPORT_SHARE ? 0.01 : 1;

	while (how->type == FL_REPORT_BYTES && high >= 1024 * base)
		base *= 1024;
	return base;
}

static void linear(struct fl_report_axis *axis, unsigned wish)
{
	double base = base_of(&axis->how, axis->high);
	double span = axis->high - axis->low;

	if (span <= fabs(axis->high) * 1e-12)
		span = axis->high > 0 ? axis->high : base;
	double step = round_up(span / base / wish) * base;
	bool whole = axis->how.type == FL_REPORT_NUMBER || axis->how.type == FL_REPORT_BYTES;
	if (whole && step < 1)
		step = 1;
	double low = floor(axis->low / step + 1e-9);
	double high = ceil(axis->high / step - 1e-9);
	if (high <= low)
		high = low + 1;
	for (int n = 0; low + n <= high && n < FL_REPORT_MOST_TICKS; n++)
		axis->tick[axis->count++] = (low + n) * step;
	axis->low = low * step;
	axis->high = high * step;
	axis->how.decimals = decimals_of(step / base);
}

/* Decades, with 2 and 5 between them when there is room. */
static void logarithmic(struct fl_report_axis *axis, unsigned wish)
{
	static const double lead[] = {1, 2, 5};
	double low = floor(log10(axis->low) + 1e-9), high = ceil(log10(axis->high) - 1e-9);
	double decades = high > low ? high - low : 1;
	bool fine = 3 * decades <= wish + 1;
	double stride = fine ? 1 : ceil(decades / wish);
	double from = axis->low * (1 - 1e-9), to = axis->high * (1 + 1e-9);

	for (int n = 0; low + n * stride <= high; n++) {
		for (size_t k = 0; k < (fine ? 3 : 1); k++) {
			double at = lead[k] * pow(10, low + n * stride);
			if (at >= from && at <= to && axis->count < FL_REPORT_MOST_TICKS)
				axis->tick[axis->count++] = at;
		}
	}
	if (axis->count == 0)
		axis->tick[axis->count++] = axis->low;
	if (axis->high <= axis->low) {
		axis->low /= 2;
		axis->high *= 2;
	}
	axis->how.decimals = decimals_of(axis->tick[0] / base_of(&axis->how, axis->high));
}

void fl_report_axis(struct fl_report_axis *axis, const struct fl_report_scale *how, double low,
	double high, unsigned wish)
{
	*axis = (struct fl_report_axis){.how = *how, .low = low, .high = high};
	if (how->log)
		logarithmic(axis, wish);
	else
		linear(axis, wish);
	axis->how.unit = NULL; /* the axis' title has it */
}

double fl_report_along(const struct fl_report_axis *axis, double value)
{
	if (axis->how.log)
		return (log(value) - log(axis->low)) / (log(axis->high) - log(axis->low));
	return (value - axis->low) / (axis->high - axis->low);
}
