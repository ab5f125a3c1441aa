/* fairlead lookup: keys in, owners out. One line a key, in the order of the keys; the pool is the
 * one that `serve` would build. */
#include "cli/keys.h"
#include "cli/out.h"
#include "cli/pool_args.h"
#include "conf/conf.h"

#include <stdio.h>
#include <stdlib.h>

#define OWNERS_MOST 64

enum {
	ARG_KEYS_FILE = FL_POOL_ARGS_COUNT,
	ARG_NUL,
	ARG_BLOB,
	ARG_OWNERS,
	ARG_JSON,
};

static const struct fl_arg lookup_args[] = {
	FL_POOL_ARGS,
	{"keys-file", 'k', "FILE", "read keys from FILE, one a line (\"-\": standard input)"},
	{"null", '0', NULL, "the keys of --keys-file stand between NULs, not lines"},
	{"blob", 'b', NULL, "the words are files whose content is the key"},
	{"owners", 'o', "K", "print the first K owners of each key in order (up to 64)"},
	{"json", 'j', NULL, "one JSON object a line"},
	FL_ARG_END,
};

struct lookup {
	const struct fl_verb *verb;
	const struct fl_view *view;
	const char *keys_file;
	bool nul, blob, json;
	int64_t owners;
	const char **words; /* keys or files: pointers into argv */
	size_t word_count;
	bool orphan; /* some key had no owner */
};

/* ---- printing ---- */

static void print_text(struct fl_slice label, struct fl_member *const *owners, int n)
{
	fl_out_bytes(label.p, label.n);
	for (int i = 0; i < n; i++) {
		fl_out_char('\t');
		fl_out_bytes(owners[i]->name, strlen(owners[i]->name));
	}
	if (n == 0)
		fl_out_bytes("\t-", 2);
	fl_out_char('\n');
}

/* A key that is not UTF-8 is given in hexadecimal: JSON has no other way to say it. */
static void print_json_key(const struct lookup *l, struct fl_slice label)
{
	if (l->blob)
		(void)fputs("\"file\":", stdout);
	else if (fl_out_is_utf8(label))
		(void)fputs("\"key\":", stdout);
	else
		(void)fputs("\"key_hex\":\"", stdout);
	if (l->blob || fl_out_is_utf8(label)) {
		fl_out_json(label);
		return;
	}
	for (size_t i = 0; i < label.n; i++)
		(void)printf("%02x", (unsigned char)label.p[i]);
	fl_out_char('"');
}

static void print_json(
	const struct lookup *l, struct fl_slice label, struct fl_member *const *owners, int n)
{
	fl_out_char('{');
	print_json_key(l, label);
	(void)fputs(",\"owners\":[", stdout);
	for (int i = 0; i < n; i++) {
		if (i)
			fl_out_char(',');
		fl_out_json(fl_slice_of(owners[i]->name));
	}
	(void)fputs("]}\n", stdout);
}

/* ---- looking up ---- */

static int look_up(struct lookup *l, struct fl_slice key, struct fl_slice label)
{
	struct fl_key k = fl_key_bytes(key.p, key.n);
	struct fl_member *owners[OWNERS_MOST];
	int n, rc;

	if (l->owners > 1) {
		n = fl_view_owners(l->view, &k, owners, (size_t)l->owners);
		rc = n;
	} else {
		rc = fl_view_pick(l->view, &k, 0, &owners[0]);
		n = rc == FL_OK && owners[0] ? 1 : 0;
	}
	if (rc < 0)
		return fl_usage_error(l->verb, "%s", fl_strerror(rc));
	l->orphan |= n == 0;
	if (l->json)
		print_json(l, label, owners, n);
	else
		print_text(label, owners, n);
	return FL_EXIT_DONE;
}

static int cannot_read(const struct lookup *l, const char *path, const char *why)
{
	return fl_usage_error(l->verb, "cannot read \"%s\": %s", path, why);
}

static int look_up_file(struct lookup *l)
{
	struct fl_keys keys;
	struct fl_slice key;
	int rc = FL_EXIT_DONE;

	if (fl_keys_open(&keys, l->keys_file, l->nul ? '\0' : '\n') != 0)
		return cannot_read(l, l->keys_file, keys.error);
	while (rc == FL_EXIT_DONE && fl_keys_next(&keys, &key))
		rc = look_up(l, key, key);
	if (keys.error)
		rc = cannot_read(l, l->keys_file, keys.error);
	fl_keys_close(&keys);
	return rc;
}

static int look_up_blob(struct lookup *l, const char *path)
{
	struct fl_keys keys;
	struct fl_slice key;
	int rc;

	if (fl_keys_open(&keys, path, '\0') != 0)
		return cannot_read(l, path, keys.error);
	if (fl_keys_rest(&keys, &key))
		rc = look_up(l, key, fl_slice_of(path));
	else
		rc = cannot_read(l, path, keys.error);
	fl_keys_close(&keys);
	return rc;
}

static int look_up_all(struct lookup *l)
{
	int rc = FL_EXIT_DONE;

	if (l->keys_file && (l->word_count || l->blob))
		return fl_usage_error(l->verb,
			"keys come from --keys-file, or from the command "
			"line, not from both");
	if (l->nul && !l->keys_file)
		return fl_usage_error(l->verb, "--null wants --keys-file");
	if (!l->keys_file && !l->word_count)
		return fl_usage_error(
			l->verb, l->blob ? "there are no files" : "there are no keys");
	if (l->keys_file)
		rc = look_up_file(l);
	for (size_t i = 0; rc == FL_EXIT_DONE && i < l->word_count; i++)
		rc = l->blob ? look_up_blob(l, l->words[i])
		             : look_up(l, fl_slice_of(l->words[i]), fl_slice_of(l->words[i]));
	if (rc != FL_EXIT_DONE)
		return rc;
	return l->orphan ? FL_EXIT_NO_OWNER : FL_EXIT_DONE;
}

/* ---- the command line ---- */

static int take(struct lookup *l, struct fl_pool_args *pool, int id, const char *value)
{
	switch (id) {
	case FL_ARGS_WORD:
		l->words[l->word_count++] = value;
		return FL_EXIT_DONE;
	case ARG_KEYS_FILE:
		if (l->keys_file)
			return fl_usage_error(l->verb, "--keys-file is given twice");
		l->keys_file = value;
		return FL_EXIT_DONE;
	case ARG_NUL:
		l->nul = true;
		return FL_EXIT_DONE;
	case ARG_BLOB:
		l->blob = true;
		return FL_EXIT_DONE;
	case ARG_JSON:
		l->json = true;
		return FL_EXIT_DONE;
	case ARG_OWNERS:
		if (fl_conf_parse_int(value, 1, OWNERS_MOST, &l->owners) == 0)
			return FL_EXIT_DONE;
		return fl_usage_error(l->verb,
			"--owners wants a whole number from 1 to %d, not \"%s\"", OWNERS_MOST,
			value);
	default:
		return fl_pool_args_take(pool, id, value);
	}
}

static int run(const struct fl_verb *verb, int argc, char **argv)
{
	struct lookup l = {.verb = verb, .owners = 1};
	struct fl_pool_args pool_args;
	struct fl_pool *pool = NULL;
	struct fl_args args;
	int id = FL_ARGS_END, rc = FL_EXIT_DONE;

	l.words = calloc((size_t)argc + 1, sizeof(*l.words));
	if (!l.words)
		return fl_usage_error(verb, "out of memory");
	fl_out_init();
	fl_pool_args_init(&pool_args, verb);
	fl_args_init(&args, verb, argc, argv);
	while (rc == FL_EXIT_DONE && (id = fl_args_next(&args)) != FL_ARGS_END) {
		if (id == FL_ARGS_STOP)
			break;
		rc = take(&l, &pool_args, id, args.value);
	}
	if (rc == FL_EXIT_DONE && id == FL_ARGS_STOP) {
		rc = args.status;
		goto done;
	}
	if (rc == FL_EXIT_DONE)
		rc = fl_pool_args_build(&pool_args, &pool);
	if (rc == FL_EXIT_DONE) {
		l.view = fl_pool_view(pool);
		rc = look_up_all(&l);
	}
done:
	fl_pool_unref(pool);
	fl_pool_args_fini(&pool_args);
	free(l.words);
	return rc;
}

const struct fl_verb fl_verb_lookup = {
	.name = "lookup",
	.usage = "[OPTIONS] KEY...",
	.summary = "Tells which node owns each key",
	.text = "Prints \"KEY<TAB>OWNER\", or \"KEY<TAB>-\" for a key that has no owner (exit "
		"status 3).\nWords that begin with a dash go behind \"--\". In --node, \"\\,\" "
		"and "
		"\"\\=\" stand for\na comma and an equals sign of a name.",
	.args = lookup_args,
	.run = run,
};
