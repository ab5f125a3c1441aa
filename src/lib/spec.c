#include "lib/spec.h"

#include "base/error.h"
#include "lib/registry.h"
#include "lib/suggest.h"

#include <stdio.h>
#include <string.h>

#define LONGEST_WORD 64
#define SECRET       "secret"

/* Copies text[0..size) into a word, which is what everything after compares and prints. */
static int take_word(
	char word[LONGEST_WORD], const char *text, size_t size, struct fl_error *err)
{
	if (size >= LONGEST_WORD) {
		size_t shown = strcspn(text, "="); /* what follows may be a secret */
		return fl_error_set(err, FL_EINVAL, "\"%.*s...\" in an algorithm is too long",
			shown < 40 ? (int)shown : 40, text);
	}
	memcpy(word, text, size);
	word[size] = '\0';
	return FL_OK;
}

static int unknown_algorithm(const char *name, struct fl_error *err)
{
	const char *close = NULL, *equals = strchr(name, '=');
	const struct fl_algorithm *a;
	if (name[0] == '\0')
		return fl_error_set(err, FL_EINVAL, "the algorithm has no name");
	if (equals) /* the value may be a secret */
		return fl_error_set(err, FL_EINVAL,
			"\"%.*s\" stands where the name of an algorithm is expected",
			(int)(equals - name), name);
	for (size_t i = 0; (a = fl_registry_at(i)) != NULL; i++) {
		const char *bare = strchr(a->info.name, ':');
		if (bare && strcmp(bare + 1, name) == 0)
			close = a->info.name;
		close = fl_suggest(name, close, a->info.name);
	}
	if (close)
		return fl_error_set(err, FL_ENOENT,
			"there is no algorithm \"%s\"; did you mean \"%s\"?", name, close);
	return fl_error_set(err, FL_ENOENT, "there is no algorithm \"%s\"", name);
}

/* The option's place in `options`, or -1; *close becomes what `name` may have meant. */
static int option_at(
	const struct fl_algorithm_option *options, const char *name, const char **close)
{
	for (int i = 0; options[i].name; i++) {
		if (strcmp(options[i].name, name) == 0)
			return i;
		*close = fl_suggest(name, *close, options[i].name);
	}
	return -1;
}

/* The variant takes over from *algorithm where only it has the option. */
static void turn_into(struct fl_spec *spec, const struct fl_algorithm *variant)
{
	size_t had = 0;
	while (spec->algorithm->options[had].name)
		had++;
	spec->algorithm = variant;
	for (size_t i = had; variant->options[i].name; i++)
		spec->options[i] = variant->options[i].def;
}

static bool takes_secret(const struct fl_algorithm *a)
{
	return a->info.capabilities & FL_SECRET;
}

static int find_option(
	size_t *out, struct fl_spec *spec, const char *name, struct fl_error *err)
{
	const struct fl_algorithm *a = spec->algorithm;
	const char *close = NULL;
	int at = option_at(a->options, name, &close);
	if (at < 0 && a->variant) {
		at = option_at(a->variant->options, name, &close);
		if (at >= 0)
			turn_into(spec, a->variant);
	}
	if (at >= 0) {
		*out = (size_t)at;
		return FL_OK;
	}
	if (takes_secret(a))
		close = fl_suggest(name, close, SECRET);
	if (close)
		return fl_error_set(err, FL_ENOENT,
			"%s has no option \"%s\"; did you mean \"%s\"?", a->info.name, name,
			close);
	if (!a->options[0].name)
		return fl_error_set(err, FL_ENOENT, "%s has no option \"%s\": it has none",
			a->info.name, name);
	return fl_error_set(err, FL_ENOENT, "%s has no option \"%s\"; it has %s%s",
		a->info.name, name, a->variant ? a->variant->info.options : a->info.options,
		takes_secret(a) ? " and " SECRET : "");
}

/* 0..15, or -1. */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Digits of one base and nothing else; no sign, no space. */
static bool parse_number(const char *text, uint64_t *out)
{
	unsigned base = 10;
	uint64_t value = 0;
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	if (*text == '\0')
		return false;
	for (; *text; text++) {
		unsigned digit = (unsigned)hex_digit(*text); /* none: more than any base */
		if (digit >= base || value > (UINT64_MAX - digit) / base)
			return false;
		value = value * base + digit;
	}
	*out = value;
	return true;
}

/* Millionths: 0.05, 5% and 5.0% are 50000. More than six digits behind the point of the plain
 * number, or four of the percentage, are refused rather than rounded. */
static bool parse_ratio(const char *text, uint64_t *out)
{
	size_t size = strlen(text);
	bool percent = size > 0 && text[size - 1] == '%';
	uint64_t value = 0, unit = percent ? 10000 : 1000000;
	size_t digits = 0;
	bool point = false;
	for (size_t i = 0; i < size - percent; i++) {
		if (text[i] == '.' && !point && digits > 0) {
			point = true;
			continue;
		}
		if (text[i] < '0' || text[i] > '9' || value > UINT32_MAX)
			return false;
		if (point && unit == 1)
			return false;
		unit /= point ? 10 : 1;
		value = value * 10 + (uint64_t)(text[i] - '0');
		digits++;
	}
	if (digits == 0 || text[size - percent - 1] == '.')
		return false;
	*out = value * unit;
	return true;
}

static int parse_choice(const struct fl_algorithm_option *o, const char *text, uint64_t *out,
	struct fl_error *err)
{
	char list[128] = "";
	for (size_t i = 0; o->choices[i]; i++) {
		if (strcmp(o->choices[i], text) == 0) {
			*out = i;
			return FL_OK;
		}
		strncat(list, i ? ", " : "", sizeof(list) - strlen(list) - 1);
		strncat(list, o->choices[i], sizeof(list) - strlen(list) - 1);
	}
	return fl_error_set(err, FL_EINVAL, "%s=%s: expected one of %s", o->name, text, list);
}

static int parse_share(const struct fl_algorithm_option *o, const char *text, uint64_t *out,
	struct fl_error *err)
{
	uint64_t value;
	if (!parse_ratio(text, &value) || value < o->min || value > o->max)
		return fl_error_set(err, FL_EINVAL,
			"%s=%s: expected a share such as 0.05 or 5%%, from %llu%% to %llu%%",
			o->name, text, (unsigned long long)o->min / 10000,
			(unsigned long long)o->max / 10000);
	*out = value;
	return FL_OK;
}

static int parse_characters(const struct fl_algorithm_option *o, const char *text,
	uint64_t *out, struct fl_error *err)
{
	size_t size = strlen(text);
	bool printable = true;
	for (size_t i = 0; i < size; i++)
		printable &= text[i] > ' ' && text[i] < 0x7f;
	if ((size != 0 && size != 2) || !printable)
		return fl_error_set(err, FL_EINVAL,
			"%s=%s: expected two printable characters such as {}, or nothing",
			o->name, printable ? text : "...");
	*out = size ? (uint64_t)text[0] << 8 | (uint64_t)text[1] : 0;
	return FL_OK;
}

/* By trial division: at most 2^15 of them (see FL_PRIME). */
static bool is_prime(uint64_t n)
{
	if (n < 4 || n % 2 == 0)
		return n == 2 || n == 3;
	for (uint64_t d = 3; d * d <= n; d += 2) {
		if (n % d == 0)
			return false;
	}
	return true;
}

static int parse_value(const struct fl_algorithm_option *o, const char *text, uint64_t *out,
	struct fl_error *err)
{
	uint64_t value;
	if (o->choices)
		return parse_choice(o, text, out, err);
	if (o->form == FL_RATIO)
		return parse_share(o, text, out, err);
	if (o->form == FL_TWO_CHARACTERS)
		return parse_characters(o, text, out, err);
	if (!parse_number(text, &value) || value < o->min || value > o->max)
		return fl_error_set(err, FL_EINVAL,
			"%s=%s: expected a number from %llu to %llu", o->name, text,
			(unsigned long long)o->min, (unsigned long long)o->max);
	if (o->form == FL_POWER_OF_TWO && (value & (value - 1)) != 0)
		return fl_error_set(err, FL_EINVAL,
			"%s=%s: expected a power of two from %llu to %llu", o->name, text,
			(unsigned long long)o->min, (unsigned long long)o->max);
	if (o->form == FL_PRIME && !is_prime(value))
		return fl_error_set(err, FL_EINVAL, "%s=%s: expected a prime from %llu to %llu",
			o->name, text, (unsigned long long)o->min, (unsigned long long)o->max);
	*out = value;
	return FL_OK;
}

/* text[0..size), which no message may show. */
static int parse_secret(
	struct fl_secret *out, const char *text, size_t size, struct fl_error *err)
{
	unsigned char bytes[FL_SIPHASH_KEY] = {0};
	bool good = size == 2 * sizeof(bytes);
	for (size_t i = 0; good && i < size; i++) {
		int digit = hex_digit(text[i]);
		good = digit >= 0;
		bytes[i / 2] = (unsigned char)(bytes[i / 2] << 4 | (digit & 15));
	}
	if (!good)
		return fl_error_set(err, FL_EINVAL,
			SECRET ": expected 32 hexadecimal digits, as \"openssl rand -hex 16\" "
			       "prints them");
	*out = (struct fl_secret){true, fl_siphash_key(bytes)};
	return FL_OK;
}

static int set_secret(struct fl_spec *spec, const char *text, size_t size, struct fl_error *err)
{
	if (!takes_secret(spec->algorithm))
		return fl_error_set(err, FL_ENOENT,
			"%s has no option \"" SECRET "\": how it hashes keys is given",
			spec->algorithm->info.name);
	if (spec->secret.given)
		return fl_error_set(err, FL_EINVAL, "option \"" SECRET "\" is there twice");
	return parse_secret(&spec->secret, text, size, err);
}

static int set_option(struct fl_spec *spec, const char *name, const char *text, size_t size,
	unsigned *given, struct fl_error *err)
{
	char value[LONGEST_WORD] = "";
	size_t at = 0;
	int rc = find_option(&at, spec, name, err);
	if (rc != FL_OK)
		return rc;
	if (take_word(value, text, size, NULL) != FL_OK)
		return fl_error_set(err, FL_EINVAL, "the value of \"%s\" is too long", name);
	if (*given >> at & 1)
		return fl_error_set(err, FL_EINVAL, "option \"%s\" is there twice", name);
	*given |= 1u << at;
	return parse_value(&spec->algorithm->options[at], value, &spec->options[at], err);
}

static int parse_option(struct fl_spec *spec, const char *text, size_t size, unsigned *given,
	struct fl_error *err)
{
	char name[LONGEST_WORD] = "";
	const char *equals = memchr(text, '=', size);
	size_t name_size = equals ? (size_t)(equals - text) : size;
	/* Without "=", what follows the word may be a secret all the same. */
	if (!equals && strncmp(text, SECRET, strlen(SECRET)) == 0)
		return parse_secret(&spec->secret, text, 0, err);
	int rc = take_word(name, text, name_size, err);
	if (rc != FL_OK)
		return rc;
	if (!equals)
		return fl_error_set(
			err, FL_EINVAL, "\"%s\" in an algorithm: expected option=value", name);
	if (strcmp(name, SECRET) == 0)
		return set_secret(spec, equals + 1, size - name_size - 1, err);
	return set_option(spec, name, equals + 1, size - name_size - 1, given, err);
}

int fl_spec_parse(struct fl_spec *out, const char *text, struct fl_error *err)
{
	struct fl_spec spec = {0};
	char name[LONGEST_WORD] = "";
	unsigned given = 0;
	if (!text)
		return fl_error_set(err, FL_EINVAL, "no algorithm is given");
	size_t size = strcspn(text, ",");
	int rc = take_word(name, text, size, err);
	if (rc != FL_OK)
		return rc;
	spec.algorithm = fl_registry_find(name);
	if (!spec.algorithm)
		return unknown_algorithm(name, err);
	for (size_t i = 0; spec.algorithm->options[i].name; i++)
		spec.options[i] = spec.algorithm->options[i].def;
	while (text[size] == ',') {
		text += size + 1;
		size = strcspn(text, ",");
		rc = parse_option(&spec, text, size, &given, err);
		if (rc != FL_OK)
			return rc;
	}
	*out = spec;
	return FL_OK;
}

void fl_spec_print(char out[FL_SPEC_TEXT], const struct fl_algorithm *a,
	const uint64_t *options, bool secret)
{
	/* FL_MAX_OPTIONS times a name and a value, neither longer than LONGEST_WORD, would not
	 * fit, but no row comes near. */
	size_t n = (size_t)snprintf(out, FL_SPEC_TEXT, "%s", a->info.name);
	for (size_t i = 0; a->options[i].name && n < FL_SPEC_TEXT; i++) {
		const struct fl_algorithm_option *o = &a->options[i];
		if (o->choices)
			n += (size_t)snprintf(out + n, FL_SPEC_TEXT - n, ",%s=%s", o->name,
				o->choices[options[i]]);
		else if (o->form == FL_TWO_CHARACTERS)
			n += (size_t)snprintf(out + n, FL_SPEC_TEXT - n, ",%s=%.2s", o->name,
				(char[]){(char)(options[i] >> 8), (char)options[i], '\0'});
		else if (o->form == FL_RATIO)
			n += (size_t)snprintf(out + n, FL_SPEC_TEXT - n, ",%s=%llu.%06llu",
				o->name, (unsigned long long)options[i] / 1000000,
				(unsigned long long)options[i] % 1000000);
		else
			n += (size_t)snprintf(out + n, FL_SPEC_TEXT - n, ",%s=%llu", o->name,
				(unsigned long long)options[i]);
	}
	if (secret && n < FL_SPEC_TEXT)
		(void)snprintf(out + n, FL_SPEC_TEXT - n, FL_SPEC_HIDDEN);
}

void fl_spec_hide(char out[FL_SPEC_TEXT], const char *text)
{
	static const char mark[] = "," SECRET "=";
	const char *at = strstr(text, mark);
	if (!at) {
		(void)snprintf(out, FL_SPEC_TEXT, "%s", text);
		return;
	}
	const char *behind = at + strlen(mark);
	(void)snprintf(out, FL_SPEC_TEXT, "%.*s" FL_SPEC_HIDDEN "%s", (int)(at - text), text,
		behind + strcspn(behind, ","));
}
