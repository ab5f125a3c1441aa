/* twemproxy's nutcracker.yml: a map of pools, each with its servers as "host:port:weight name".
 *
 * A server's name is what its points are hashed from: the name behind it, or else what twemproxy
 * makes of the address: the host alone on port 11211, "host:port" on others, and for a socket its
 * path with the colon behind it. Their order decides for modula, so each gets an id.
 *
 * What speaks memcached's or redis' protocol cannot be served by an HTTP proxy: a pool is imported
 * for lookup and plan, and the key is the cache's key itself. Grade: 0.5.0 answering requests
 * (compat/twemproxy_ketama.c, twemproxy_modula.c); the names of sockets are read in its source. */
#include "import/systems.h"
#include "import/yaml.h"

#include <stdio.h>

#define KETAMA_PORT "11211"
#define NAME_MOST   80 /* longer ones are cut before they are hashed */
#define MOST_WEIGHT INT32_MAX

static const char *const hashes[] = {"one_at_a_time", "md5", "crc16", "crc32", "crc32a",
	"fnv1_64", "fnv1a_64", "fnv1_32", "fnv1a_32", "hsieh", "murmur", "jenkins", NULL};
static const char *const distributions[] = {"ketama", "modula", "random", NULL};

struct server {
	struct fl_slice address, port, weight, name; /* port empty: a socket */
};

/* ---- servers ---- */

/* Takes what is behind the last `c` off the end of *text; false when there is no `c`. */
static bool split(struct fl_slice *text, char c, struct fl_slice *tail)
{
	const char *at = text->n ? memrchr(text->p, c, text->n) : NULL;

	if (!at)
		return false;
	*tail = (struct fl_slice){at + 1, (size_t)(text->p + text->n - at) - 1};
	text->n = (size_t)(at - text->p);
	return true;
}

static bool is_number(struct fl_slice text, uint64_t least, uint64_t most, uint64_t *out)
{
	uint64_t value = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || value > most)
			return false;
		value = value * 10 + (uint64_t)(text.p[i] - '0');
	}
	*out = value;
	return text.n > 0 && value >= least && value <= most;
}

/* From the end, as twemproxy does it. */
static bool parse_server(const char *text, struct server *s, uint64_t *weight)
{
	struct fl_slice rest = fl_slice_of(text);
	uint64_t port;

	*s = (struct server){0};
	(void)split(&rest, ' ', &s->name);
	if (!split(&rest, ':', &s->weight) || !is_number(s->weight, 1, MOST_WEIGHT, weight))
		return false;
	if (text[0] != '/' &&
		(!split(&rest, ':', &s->port) || !is_number(s->port, 1, 65535, &port)))
		return false;
	s->address = rest;
	return rest.n > 0;
}

static struct fl_slice name_of(const struct server *s)
{
	if (s->name.p)
		return s->name;
	if (fl_slice_eq(s->port, FL_SLICE(KETAMA_PORT)))
		return s->address;
	return (struct fl_slice){s->address.p, s->address.n + 1 + s->port.n};
}

static struct fl_slice address_of(struct fl_yaml *y, const struct server *s)
{
	bool bare = s->port.p && memchr(s->address.p, ':', s->address.n);
	const char *text = fl_import_format(y->m, "%s%.*s%s%s%.*s",
		s->port.p ? (bare ? "[" : "") : "unix:", (int)s->address.n, s->address.p,
		bare ? "]" : "", s->port.p ? ":" : "", (int)s->port.n,
		s->port.p ? s->port.p : "");

	return fl_slice_of(text);
}

static void read_server(struct fl_yaml *y, struct fl_import_pool *pool,
	const struct fl_conf_node *item, int64_t id)
{
	const char *text = fl_yaml_text(y, item);
	struct fl_import_node *node;
	struct server s;
	uint64_t weight;

	if (!text)
		return;
	if (!parse_server(text, &s, &weight)) {
		fl_yaml_fail(y, item,
			"a server is written \"host:port:weight name\" or \"/socket:weight "
			"name\", "
			"not \"%.80s\"",
			text);
		return;
	}
	node = fl_import_add_node(
		y->m, pool, fl_yaml_place(y, item), name_of(&s), address_of(y, &s));
	if (!node)
		return;
	node->id = id;
	node->weight = weight <= FL_MAX_WEIGHT ? weight : FL_MAX_WEIGHT;
	if (node->weight != weight)
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, true, item,
			"a weight here is at most %d; divide all weights of the pool",
			FL_MAX_WEIGHT);
	if (strlen(node->name) > NAME_MOST)
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, true, item,
			"twemproxy cuts a name of more than %d bytes before it hashes it",
			NAME_MOST);
}

/* ---- a pool ---- */

static const char *choice(struct fl_yaml *y, const struct fl_conf_node *map, const char *name,
	const char *const *words, const char *fallback)
{
	const struct fl_conf_node *node = fl_conf_get(map, name);
	const char *text = fl_yaml_text(y, node);
	const char *near;

	if (!text)
		return fallback;
	for (size_t i = 0; words[i]; i++)
		if (strcmp(words[i], text) == 0)
			return words[i];
	near = fl_conf_nearest(text, words);
	fl_yaml_fail(y, node, "\"%.40s\" is no %s of twemproxy's%s%s%s", text, name,
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return fallback;
}

static void read_tag(
	struct fl_yaml *y, struct fl_import_pool *pool, const struct fl_conf_node *node)
{
	const char *tag = fl_yaml_text(y, node);

	if (!tag)
		return;
	if (strlen(tag) != 2) {
		fl_yaml_fail(y, node, "hash_tag wants two characters, not \"%.40s\"", tag);
		return;
	}
	if (strpbrk(tag, ",= ") || (tag[0] & 0x80) || (tag[1] & 0x80))
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, true, node,
			"blanks, commas and equals signs, and what is not ASCII, cannot be a "
			"tag");
	else
		fl_import_add_option(
			y->m, pool, "hash-tag", fl_import_copy(y->m, fl_slice_of(tag)));
}

static void read_mapping(
	struct fl_yaml *y, struct fl_import_pool *pool, const struct fl_conf_node *map)
{
	const char *distribution = choice(y, map, "distribution", distributions, "ketama");
	const char *hash = choice(y, map, "hash", hashes, "fnv1a_64");

	if (strcmp(distribution, "random") == 0) {
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, true, fl_conf_get(map, "distribution"),
			"twemproxy sends a key to any server; here each key has one");
		return;
	}
	pool->compat = distribution[0] == 'k' ? "twemproxy-ketama" : "twemproxy-modula";
	fl_import_add_option(y->m, pool, "hash", hash);
	read_tag(y, pool, fl_conf_get(map, "hash_tag"));
	if (strcmp(hash, "crc32") == 0 && distribution[0] == 'k')
		fl_yaml_note(y, FL_IMPORT_CARRIED, false, fl_conf_get(map, "hash"),
			"has 15 bits, so that all keys go to one server, there and here; "
			"crc32a "
			"has 32, but is another mapping");
}

/* What means something to twemproxy's connections alone; values of others may be secrets. */
static const char *const known[] = {"hash", "hash_tag", "distribution", "servers",
	"auto_eject_hosts", "listen", "redis", NULL};

static void note_the_rest(struct fl_yaml *y, const struct fl_conf_node *map)
{
	const struct fl_conf_node *listen = fl_conf_get(map, "listen");
	const struct fl_conf_node *eject = fl_conf_get(map, "auto_eject_hosts");
	bool redis = fl_yaml_true(y, fl_yaml_get(map, "redis"));

	if (listen && fl_yaml_text(y, listen))
		fl_yaml_note(y, FL_IMPORT_LOOKUP, false, listen,
			"speaks %s's protocol: `lookup` and `plan` take the cache's keys, "
			"`serve` "
			"has no listener for them",
			redis ? "redis" : "memcached");
	if (fl_yaml_true(y, eject))
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, false, eject,
			"twemproxy places keys anew while a server is out; `--down` here moves "
			"that server's keys alone with ketama, and the same as there with "
			"modula");
	fl_yaml_rest(y, map, known);
}

static void read_pool(struct fl_yaml *y, const struct fl_conf_node *map)
{
	struct fl_import_place at = fl_yaml_place(y, map);
	const struct fl_conf_node *item;
	struct fl_import_pool *pool;
	int64_t id = 0;

	if (!fl_yaml_is_map(y, map))
		return;
	item = fl_yaml_list(y, map, "servers");
	if (!item) {
		fl_yaml_fail(y, map, "pool %.80s wants servers", map->key->text);
		return;
	}
	pool = fl_import_add_pool(y->m, at, fl_slice_of(map->key->text));
	if (!pool)
		return;
	read_mapping(y, pool, map);
	for (; item; item = item->next)
		read_server(y, pool, item, ++id);
	note_the_rest(y, map);
}

int fl_import_twemproxy(
	struct fl_import *m, const struct fl_import_input *in, struct fl_error *err)
{
	struct fl_yaml y;
	int rc = fl_yaml_open(&y, m, in, err);

	if (rc == FL_OK && fl_yaml_is_map(&y, y.root))
		for (const struct fl_conf_node *p = y.root->child; p; p = p->next)
			read_pool(&y, p);
	fl_yaml_close(&y);
	return rc != FL_OK ? rc : y.rc;
}

/* ---- recognising it ---- */

static bool has(struct fl_slice bytes, const char *word)
{
	return bytes.n > 0 && memmem(bytes.p, bytes.n, word, strlen(word));
}

bool fl_import_is_twemproxy(struct fl_slice bytes)
{
	return has(bytes, "servers:") && has(bytes, "listen:") && !has(bytes, ";");
}
