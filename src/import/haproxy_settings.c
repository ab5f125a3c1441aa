/* What sections of HAProxy's inherit from their defaults, and the parameters of servers, which
 * inherit from `default-server` in the same way. */
#include "import/haproxy.h"

#include "conf/conf.h"

#include <ctype.h>
#include <stdio.h>

/* ---- parameters of servers ---- */

/* Parameters that have a value and nothing to do with the mapping. */
static const char *const valued[] = {"maxconn", "minconn", "maxqueue", "slowstart", "cookie",
	"port", "addr", "observe", "error-limit", "on-error", "on-marked-down", "on-marked-up",
	"fastinter", "downinter", "agent-port", "agent-addr", "agent-inter", "agent-send",
	"resolvers", "resolve-prefer", "resolve-net", "resolve-opts", "init-addr", "init-state",
	"source", "interface", "usesrc", "namespace", "pool-max-conn", "pool-purge-delay",
	"pool-low-conn", "max-reuse", "proto", "check-proto", "alpn", "check-alpn", "npn",
	"ca-file", "crl-file", "crt", "verify", "verifyhost", "sni", "check-sni", "ciphers",
	"ciphersuites", "curves", "sigalgs", "client-sigalgs", "ssl-min-ver", "ssl-max-ver",
	"ssl-reuse", "redir", "tcp-ut", "tcp-md5sig", "log-proto", "log-bufsize", "ws", "shard",
	"socks4", "track", "check-via-socks4", "tfo", "pool-conn-name", "healthcheck",
	"set-proxy-v2-tlv-fmt", "cc", "idle-ping", "renegotiate", NULL};

static bool has_value(const char *word)
{
	for (const char *const *v = valued; *v; v++)
		if (strcmp(*v, word) == 0)
			return strcmp(word, "tfo") != 0 &&
			       strcmp(word, "check-via-socks4") != 0 &&
			       strcmp(word, "renegotiate") != 0 &&
			       strcmp(word, "ssl-reuse") != 0;
	return false;
}

static void set_number(struct fl_import *m, const struct fl_haproxy_line *line,
	const char *what, const char *text, int64_t min, int64_t max, int64_t *out)
{
	if (fl_conf_parse_int(text, min, max, out) != 0)
		fl_import_note(m, FL_IMPORT_NOT_CARRIED, true, line->at, fl_slice_of(what),
			"wants a number from %lld to %lld", (long long)min, (long long)max);
}

/* A time: milliseconds without a unit. 0: it is none. */
static uint64_t time_of(const char *text)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {
		{"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
	uint64_t n = 0;

	for (; isdigit((unsigned char)*text) && n < 1000000000; text++)
		n = 10 * n + (uint64_t)(*text - '0');
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(units[i].unit, text) == 0)
			return n * units[i].ms;
	return 0;
}

static bool take_flag(struct fl_haproxy_server *s, const char *word)
{
	bool on = strncmp(word, "no-", 3) != 0;
	const char *flag = on ? word : word + 3;

	if (strcmp(flag, "backup") == 0)
		s->backup = on;
	else if (strcmp(flag, "check") == 0)
		s->check = on;
	else if (strcmp(flag, "ssl") == 0)
		s->tls = on;
	else if (strncmp(flag, "send-proxy", 10) == 0)
		s->proxy = on;
	else if (strcmp(flag, "disabled") == 0 || strcmp(flag, "enabled") == 0)
		s->disabled = flag[0] == 'd';
	else
		return false;
	return true;
}

/* A parameter with a value that counts; whether it was one. */
static bool take_value(struct fl_import *m, struct fl_haproxy_server *s,
	const struct fl_haproxy_line *line, const char *word, const char *value)
{
	int64_t n = -1;

	if (strcmp(word, "weight") == 0) {
		set_number(m, line, word, value, 0, 256, &n);
		s->weight = n >= 0 ? (uint64_t)n : s->weight;
	} else if (strcmp(word, "id") == 0) {
		set_number(m, line, word, value, 1, INT32_MAX, &n);
		s->id = n > 0 ? n : s->id;
	} else if (strcmp(word, "rise") == 0 || strcmp(word, "fall") == 0) {
		set_number(m, line, word, value, 1, 100, &n);
		if (n > 0)
			*(word[0] == 'r' ? &s->rise : &s->fall) = (unsigned)n;
	} else if (strcmp(word, "inter") == 0) {
		s->inter_ms = time_of(value);
	} else if (strcmp(word, "hash-key") == 0) {
		s->hash_key = value;
	} else if (strcmp(word, "guid") == 0) {
		s->guid = value;
	} else {
		return false;
	}
	return true;
}

void fl_haproxy_params(struct fl_import *m, struct fl_haproxy_server *server,
	const struct fl_haproxy_line *line, size_t at, bool notes)
{
	for (size_t i = at; i < line->count; i++) {
		const char *word = line->words[i];

		if (take_flag(server, word))
			continue;
		if (take_value(m, server, line, word, fl_haproxy_word(line, i + 1))) {
			i++;
			continue;
		}
		i += has_value(word);
		if (notes)
			fl_import_note(m, FL_IMPORT_NOT_CARRIED, strcmp(word, "cookie") == 0,
				line->at, fl_slice_of(word), "%s",
				strcmp(word, "cookie") == 0
					? "sessions are not bound to servers by a cookie"
					: "a server has nothing like it here");
	}
}

/* ---- settings ---- */

static const char *const setting_words[] = {
	"mode", "balance", "hash-type", "default-server", "default_backend", NULL};

static bool is_option(const struct fl_haproxy_line *line, const char *name)
{
	return fl_haproxy_is(line, "option") && strcmp(fl_haproxy_word(line, 1), name) == 0;
}

static bool is_no_option(const struct fl_haproxy_line *line, const char *name)
{
	return (fl_haproxy_is(line, "no") || fl_haproxy_is(line, "default")) &&
	       strcmp(fl_haproxy_word(line, 1), "option") == 0 &&
	       strcmp(fl_haproxy_word(line, 2), name) == 0;
}

static bool is_check_path(const struct fl_haproxy_line *line)
{
	return fl_haproxy_is(line, "http-check") &&
	       strcmp(fl_haproxy_word(line, 1), "send") == 0;
}

bool fl_haproxy_is_setting(const struct fl_haproxy_line *line)
{
	for (const char *const *w = setting_words; *w; w++)
		if (fl_haproxy_is(line, *w))
			return true;
	return is_option(line, "httpchk") || is_option(line, "allbackups") ||
	       is_no_option(line, "httpchk") || is_no_option(line, "allbackups") ||
	       is_check_path(line);
}

/* "option httpchk [METHOD] PATH [VERSION]". */
static void set_check(struct fl_haproxy_settings *s, const struct fl_haproxy_line *line)
{
	const char *first = fl_haproxy_word(line, 2), *second = fl_haproxy_word(line, 3);

	s->check = line;
	s->check_path = first[0] == '/' ? first : second[0] == '/' ? second : "/";
}

static void set_check_send(struct fl_haproxy_settings *s, const struct fl_haproxy_line *line)
{
	for (size_t i = 2; i + 1 < line->count; i++)
		if (strcmp(line->words[i], "uri") == 0)
			s->check_path = line->words[i + 1];
}

static void set(
	struct fl_import *m, struct fl_haproxy_settings *s, const struct fl_haproxy_line *line)
{
	if (fl_haproxy_is(line, "mode"))
		s->http = strcmp(fl_haproxy_word(line, 1), "http") == 0;
	else if (fl_haproxy_is(line, "balance"))
		s->balance = line;
	else if (fl_haproxy_is(line, "hash-type"))
		s->hash_type = line;
	else if (fl_haproxy_is(line, "default_backend"))
		s->default_backend = line;
	else if (fl_haproxy_is(line, "default-server"))
		fl_haproxy_params(m, &s->server, line, 1, false);
	else if (is_option(line, "httpchk"))
		set_check(s, line);
	else if (is_check_path(line))
		set_check_send(s, line);
	else if (is_no_option(line, "httpchk"))
		s->check = NULL;
	else if (is_option(line, "allbackups") || is_no_option(line, "allbackups"))
		s->all_backups = fl_haproxy_is(line, "option");
}

#define DEFAULTS_DEEP 32 /* defaults from defaults from ... */

struct fl_haproxy_settings fl_haproxy_settings(
	struct fl_import *m, const struct fl_haproxy_section *section)
{
	const struct fl_haproxy_section *chain[DEFAULTS_DEEP];
	struct fl_haproxy_settings s = {.server = {.weight = 1}};
	size_t n = 0;

	for (; section && n < DEFAULTS_DEEP; section = section->defaults)
		chain[n++] = section;
	if (section)
		fl_import_note(m, FL_IMPORT_NOT_CARRIED, true, section->at,
			fl_slice_of(section->name), "defaults are inherited too deeply");
	while (n-- > 0)
		for (const struct fl_haproxy_line *l = chain[n]->lines; l; l = l->next)
			set(m, &s, l);
	return s;
}
