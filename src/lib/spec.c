#include "lib/spec.h"

#include "base/error.h"
#include "lib/registry.h"
#include "lib/suggest.h"

#include <string.h>

#define LONGEST_WORD 64

/* Copies text[0..size) into a word, which is what everything after compares and prints. */
static int take_word(
	char word[LONGEST_WORD], const char *text, size_t size, struct fl_error *err)
{
	if (size >= LONGEST_WORD)
		return fl_error_set(
			err, FL_EINVAL, "\"%.40s...\" in an algorithm is too long", text);
	memcpy(word, text, size);
	word[size] = '\0';
	return FL_OK;
}

static int unknown_algorithm(const char *name, struct fl_error *err)
{
	const char *close = NULL;
	const struct fl_algorithm *a;
	if (name[0] == '\0')
		return fl_error_set(err, FL_EINVAL, "the algorithm has no name");
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

static int find_option(
	size_t *out, const struct fl_algorithm *a, const char *name, struct fl_error *err)
{
	const char *close = NULL;
	for (size_t i = 0; a->options[i].name; i++) {
		if (strcmp(a->options[i].name, name) == 0) {
			*out = i;
			return FL_OK;
		}
		close = fl_suggest(name, close, a->options[i].name);
	}
	if (close)
		return fl_error_set(err, FL_ENOENT,
			"%s has no option \"%s\"; did you mean \"%s\"?", a->info.name, name,
			close);
	if (!a->options[0].name)
		return fl_error_set(err, FL_ENOENT, "%s has no option \"%s\": it has none",
			a->info.name, name);
	return fl_error_set(err, FL_ENOENT, "%s has no option \"%s\"; it has %s", a->info.name,
		name, a->info.options);
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
		unsigned digit = base;
		if (*text >= '0' && *text <= '9')
			digit = (unsigned)(*text - '0');
		else if ((*text | 32) >= 'a' && (*text | 32) <= 'f')
			digit = (unsigned)((*text | 32) - 'a') + 10;
		if (digit >= base || value > (UINT64_MAX - digit) / base)
			return false;
		value = value * base + digit;
	}
	*out = value;
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

static int parse_value(const struct fl_algorithm_option *o, const char *text, uint64_t *out,
	struct fl_error *err)
{
	uint64_t value;
	if (o->choices)
		return parse_choice(o, text, out, err);
	if (!parse_number(text, &value) || value < o->min || value > o->max)
		return fl_error_set(err, FL_EINVAL,
			"%s=%s: expected a number from %llu to %llu", o->name, text,
			(unsigned long long)o->min, (unsigned long long)o->max);
	if (o->power_of_two && (value & (value - 1)) != 0)
		return fl_error_set(err, FL_EINVAL,
			"%s=%s: expected a power of two from %llu to %llu", o->name, text,
			(unsigned long long)o->min, (unsigned long long)o->max);
	*out = value;
	return FL_OK;
}

static int parse_option(struct fl_spec *spec, const char *text, size_t size, unsigned *given,
	struct fl_error *err)
{
	char name[LONGEST_WORD] = "", value[LONGEST_WORD] = "";
	const char *equals = memchr(text, '=', size);
	size_t name_size = equals ? (size_t)(equals - text) : size, at = 0;
	int rc = take_word(name, text, name_size, err);
	if (rc != FL_OK)
		return rc;
	if (!equals)
		return fl_error_set(
			err, FL_EINVAL, "\"%s\" in an algorithm: expected option=value", name);
	rc = take_word(value, equals + 1, size - name_size - 1, err);
	if (rc == FL_OK)
		rc = find_option(&at, spec->algorithm, name, err);
	if (rc != FL_OK)
		return rc;
	if (*given >> at & 1)
		return fl_error_set(err, FL_EINVAL, "option \"%s\" is there twice", name);
	*given |= 1u << at;
	return parse_value(&spec->algorithm->options[at], value, &spec->options[at], err);
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
