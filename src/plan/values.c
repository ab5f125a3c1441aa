/* From the values of variables to a key.
 *
 * Each source is looked for in a few variables, in order; those that the format does not have are
 * left out once the format is known. The first variable that says something decides. Values are
 * turned back from their escapes before they are taken apart, because an escape may stand for a
 * '?' or a '&' (Go's JSON writes & as \u0026). The parts of a request are told by the proxy's own
 * code. */
#include "plan/log_priv.h"

#include <stdio.h>
#include <stdlib.h>

#define SOURCES_MOST 160 /* leaves: 16 sources of 8 parts, and the weight */
#define PLACES_MOST  6

/* How a source is in a variable. */
enum how {
	WHOLE,   /* it is the value */
	ADDRESS, /* an IP address */
	REQUEST, /* in a request line */
	TARGET,  /* in a request target */
	PAIRS,   /* in the pairs of a query or of cookies */
	HOST,    /* a host, perhaps with its port */
};

struct place {
	uint8_t want;
	uint8_t how;
};

/* Where one source is looked for. */
struct leaf {
	struct place places[PLACES_MOST];
	size_t count;
};

struct fl_log_plan {
	struct fl_log_wants wants;
	/* Copies, so that a source's place in `flat` is that of its leaf: first those of the list,
	 * then the parts of each `all`. */
	struct fl_key_sources sources;
	struct fl_key_source flat[SOURCES_MOST];
	struct leaf leaves[SOURCES_MOST];
	size_t count;
	bool by_field;      /* `field` is the only source */
	struct leaf weight; /* no places: each request weighs 1 */
	enum fl_log_escape escape;
	struct fl_text scratch; /* a value without its escapes */
	struct fl_http1_head head;
	/* of the line that is being read */
	const struct fl_log_values *values;
	bool bad_escape;
};

/* ---- where to look ---- */

/* "header" names as nginx has them: "http_x_user". */
static int add_place(struct fl_log_plan *plan, struct leaf *leaf, enum how how,
	const char *prefix, const char *name, struct fl_error *err)
{
	char text[FL_LOG_NAME];
	int n = snprintf(text, sizeof(text), "%s%s", prefix, name);
	size_t want;

	if (n <= 0 || (size_t)n >= sizeof(text))
		return fl_error_set(err, FL_EINVAL,
			"a name in the log has 1 to %d bytes, unlike \"%.40s\"",
			FL_LOG_NAME - 1, name);
	if (strcmp(prefix, "http_") == 0)
		for (char *p = text; *p; p++)
			*p = (char)(*p == '-' ? '_' : *p);
	want = fl_log_find_want(&plan->wants, fl_slice_of(text));
	if (want == FL_LOG_WANTS) {
		if (plan->wants.count == FL_LOG_WANTS)
			return fl_error_set(err, FL_ELIMIT,
				"the key's sources would need more than %d fields of the log",
				FL_LOG_WANTS);
		want = plan->wants.count++;
		memcpy(plan->wants.name[want], text, (size_t)n + 1);
	}
	leaf->places[leaf->count++] = (struct place){(uint8_t)want, (uint8_t)how};
	return FL_OK;
}

struct spot {
	enum how how;
	const char *prefix, *name; /* name NULL: the source's own */
};

static const struct spot spots[][PLACES_MOST] = {
	[FL_KEY_CLIENT_IP] = {{ADDRESS, "", "remote_addr"}},
	[FL_KEY_HEADER] = {{WHOLE, "http_", NULL}},
	[FL_KEY_COOKIE] = {{WHOLE, "cookie_", NULL}, {PAIRS, "http_", "cookie"}},
	[FL_KEY_QUERY] = {{WHOLE, "arg_", NULL}, {REQUEST, "", "request"},
		{TARGET, "", "request_uri"}, {PAIRS, "", "args"}, {PAIRS, "", "query_string"}},
	[FL_KEY_PATH] = {{REQUEST, "", "request"}, {TARGET, "", "request_uri"}},
	[FL_KEY_URI] = {{REQUEST, "", "request"}, {TARGET, "", "request_uri"}},
	/* An absolute target names the host; only then come the others. */
	[FL_KEY_HOST] = {{REQUEST, "", "request"}, {HOST, "http_", "host"}, {HOST, "", "host"}},
};

static int add_leaf(struct fl_log_plan *plan, size_t i, struct fl_error *err)
{
	const struct fl_key_source *source = &plan->flat[i];
	const struct spot *spot = spots[source->kind];
	int rc = FL_OK;

	for (size_t k = 0; k < PLACES_MOST && spot[k].prefix && rc == FL_OK; k++)
		rc = add_place(plan, &plan->leaves[i], spot[k].how, spot[k].prefix,
			spot[k].name ? spot[k].name : source->name, err);
	return rc;
}

static int add_sources(
	struct fl_log_plan *plan, const struct fl_key_sources *sources, struct fl_error *err)
{
	int rc = FL_OK;

	plan->count = sources->count;
	plan->sources = (struct fl_key_sources){plan->flat, sources->count};
	for (size_t i = 0; i < sources->count && i < SOURCES_MOST; i++) {
		struct fl_key_source *source = &plan->flat[i];
		*source = sources->items[i];
		if (source->kind != FL_KEY_ALL)
			continue;
		if (source->part_count > SOURCES_MOST - plan->count)
			return fl_error_set(err, FL_ELIMIT, "too many sources of keys");
		memcpy(&plan->flat[plan->count], source->parts,
			source->part_count * sizeof(*source));
		source->parts = &plan->flat[plan->count];
		plan->count += source->part_count;
	}
	for (size_t i = 0; i < plan->count && rc == FL_OK; i++)
		if (plan->flat[i].kind != FL_KEY_ALL)
			rc = add_leaf(plan, i, err);
	return rc;
}

static int add_field(struct fl_log_plan *plan, const char *field, struct fl_error *err)
{
	plan->by_field = true;
	plan->count = 1;
	plan->sources = (struct fl_key_sources){plan->flat, 1};
	plan->flat[0].label = field;
	return add_place(plan, &plan->leaves[0], WHOLE, "", field + (*field == '$'), err);
}

int fl_log_plan_new(struct fl_log_plan **out, const struct fl_key_sources *sources,
	const char *field, bool bytes, struct fl_error *err)
{
	static const struct fl_key_source ip = {
		.kind = FL_KEY_CLIENT_IP, .v4 = 32, .v6 = 64, .label = "client_ip"};
	static const struct fl_key_sources by_ip = {(struct fl_key_source *)&ip, 1};
	struct fl_log_plan *plan = calloc(1, sizeof(*plan));
	int rc;

	if (!plan)
		return fl_error_set(err, FL_ENOMEM, "out of memory");
	fl_text_init(&plan->scratch, FL_LOG_LINE);
	rc = field ? add_field(plan, field, err)
	           : add_sources(plan, sources ? sources : &by_ip, err);
	if (rc == FL_OK && bytes)
		rc = add_place(plan, &plan->weight, WHOLE, "", "body_bytes_sent", err);
	if (rc == FL_OK && bytes)
		rc = add_place(plan, &plan->weight, WHOLE, "", "bytes_sent", err);
	if (rc != FL_OK) {
		fl_log_plan_free(plan);
		return rc;
	}
	*out = plan;
	return FL_OK;
}

void fl_log_plan_free(struct fl_log_plan *plan)
{
	if (!plan)
		return;
	fl_text_fini(&plan->scratch);
	free(plan);
}

const struct fl_log_wants *fl_log_plan_wants(const struct fl_log_plan *plan)
{
	return &plan->wants;
}

/* ---- fitting it to a format ---- */

static int missing(const struct fl_log_plan *plan, const struct fl_log_format *format,
	const struct leaf *leaf, const char *label, struct fl_error *err)
{
	struct fl_text names;
	int rc;

	fl_text_init(&names, 1024);
	for (size_t i = 0; i < leaf->count; i++)
		fl_text_format(&names, "%s$%.60s", i ? " or " : "",
			plan->wants.name[leaf->places[i].want]);
	rc = fl_error_set(err, FL_EINVAL,
		"%.60s cannot be told from this log: its format (%s) has no %.*s%s", label,
		format->kind->name, (int)names.n, names.p ? names.p : "", format->kind->hint);
	fl_text_fini(&names);
	return rc;
}

/* Keeps the places that the format has; whether one is left that suffices. */
static bool fit(struct leaf *leaf, uint64_t has, bool host)
{
	bool enough = false;
	size_t kept = 0;

	for (size_t i = 0; i < leaf->count; i++) {
		if (!(has >> leaf->places[i].want & 1))
			continue;
		enough |= !host || leaf->places[i].how == HOST;
		leaf->places[kept++] = leaf->places[i];
	}
	if (enough)
		leaf->count = kept;
	return enough;
}

int fl_log_plan_fit(
	struct fl_log_plan *plan, const struct fl_log_format *format, struct fl_error *err)
{
	plan->escape = format->escape;
	for (size_t i = 0; i < plan->count; i++) {
		const struct fl_key_source *source = &plan->flat[i];
		bool host = !plan->by_field && source->kind == FL_KEY_HOST;
		if (!plan->by_field && source->kind == FL_KEY_ALL)
			continue;
		if (!fit(&plan->leaves[i], format->has, host))
			return missing(plan, format, &plan->leaves[i], source->label, err);
	}
	if (plan->weight.count && !fit(&plan->weight, format->has, false))
		return missing(plan, format, &plan->weight, "the weight in bytes", err);
	return FL_OK;
}

/* ---- one line ---- */

/* The variable's value without escapes; false: it says nothing. */
static bool value_of(struct fl_log_plan *plan, uint8_t want, struct fl_slice *value)
{
	static const char marks[] = {
		[FL_LOG_BACKSLASH] = '\\', [FL_LOG_JSON] = '\\', [FL_LOG_HASH] = '#'};
	struct fl_slice raw = plan->values->v[want];

	if (raw.n == 0 || (raw.n == 1 && raw.p[0] == '-'))
		return false;
	*value = raw;
	if (plan->escape == FL_LOG_PLAIN || !memchr(raw.p, marks[plan->escape], raw.n))
		return true;
	fl_text_clear(&plan->scratch);
	if (!fl_log_unescape(plan->escape, raw, &plan->scratch)) {
		plan->bad_escape = true;
		return false;
	}
	*value = (struct fl_slice){plan->scratch.p, plan->scratch.n};
	return !plan->scratch.failed;
}

/* "GET /path HTTP/1.1", or the same without its version as HTTP/0.9 had it: its target. Empty when
 * it is something else, such as "<BADREQ>" or the bytes of a TLS handshake. */
static struct fl_slice target_of(struct fl_log_plan *plan, struct fl_slice line)
{
	const char *p = line.p, *end = p + line.n;
	const struct fl_slice none = {NULL, 0};

	while (p < end && ((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') || *p == '-' ||
				  *p == '_'))
		p++;
	struct fl_slice method = {line.p, (size_t)(p - line.p)};
	if (method.n == 0 || p == end || *p != ' ')
		return none;
	plan->head.method =
		fl_slice_eq(method, FL_SLICE("OPTIONS")) ? FL_METHOD_OPTIONS : FL_METHOD_OTHER;
	p++;
	struct fl_slice target = {p, (size_t)(end - p)};
	const char *blank = memchr(p, ' ', target.n);
	if (!blank)
		return target;
	target.n = (size_t)(blank - p);
	return end - blank > 5 && memcmp(blank, " HTTP/", 6) == 0 ? target : none;
}

static bool in_target(struct fl_log_plan *plan, struct fl_slice target)
{
	struct fl_http1_error err;
	struct fl_http1_head *head = &plan->head;

	head->target = target;
	head->path = head->query = head->host = (struct fl_slice){NULL, 0};
	return target.n > 0 && fl_http1_target(head, &err) == 0;
}

static bool add_value(struct fl_slice value, struct fl_text *out)
{
	fl_text_slice(out, value);
	return value.n > 0;
}

/* What `source` has in the parts of the target that was taken apart. */
static bool add_part(
	struct fl_log_plan *plan, const struct fl_key_source *source, struct fl_text *out)
{
	const struct fl_http1_head *head = &plan->head;

	if (source->kind == FL_KEY_HOST)
		return fl_key_add_host(head->host, out);
	if (source->kind == FL_KEY_QUERY)
		return add_value(fl_key_pair(head->query, '&', fl_slice_of(source->name)), out);
	return add_value(source->kind == FL_KEY_URI ? head->target : head->path, out);
}

static bool add_from(struct fl_log_plan *plan, const struct fl_key_source *source, enum how how,
	struct fl_slice value, struct fl_text *out)
{
	char separator = source->kind == FL_KEY_COOKIE ? ';' : '&';
	struct fl_addr addr;
	struct fl_slice host;

	switch (how) {
	case WHOLE:
		return add_value(value, out);
	case ADDRESS:
		return fl_addr_parse_ip(&addr, value.p, value.n) &&
		       fl_key_add_client(source, &addr, out);
	case REQUEST:
		value = target_of(plan, value);
		return in_target(plan, value) && add_part(plan, source, out);
	case TARGET:
		plan->head.method = FL_METHOD_OTHER;
		return in_target(plan, value) && add_part(plan, source, out);
	case PAIRS:
		value = fl_key_pair(value, separator, fl_slice_of(source->name));
		return add_value(value, out);
	case HOST:
		return fl_http1_authority(value, &host) == 0 && fl_key_add_host(host, out);
	}
	return false;
}

static bool add_source(void *cookie, const struct fl_key_source *source, struct fl_text *out)
{
	struct fl_log_plan *plan = cookie;
	const struct leaf *leaf = &plan->leaves[source - plan->flat];
	struct fl_slice value;

	for (size_t i = 0; i < leaf->count; i++)
		if (value_of(plan, leaf->places[i].want, &value) &&
			add_from(plan, source, (enum how)leaf->places[i].how, value, out))
			return true;
	return false;
}

/* 0 when there is no number. */
static uint64_t weight_of(struct fl_log_plan *plan)
{
	struct fl_slice value;

	for (size_t i = 0; i < plan->weight.count; i++) {
		uint64_t n = 0;
		size_t k = 0;
		if (!value_of(plan, plan->weight.places[i].want, &value))
			continue;
		while (k < value.n && k < 18 && value.p[k] >= '0' && value.p[k] <= '9')
			n = n * 10 + (uint64_t)(value.p[k++] - '0');
		return k == value.n ? n : 0;
	}
	return plan->weight.count == 0;
}

enum fl_log_verdict fl_log_plan_key(struct fl_log_plan *plan,
	const struct fl_log_values *values, struct fl_text *key, uint64_t *weight)
{
	const struct fl_key_source *by;

	plan->values = values;
	plan->bad_escape = false;
	fl_text_clear(key);
	by = fl_key_make_from(&plan->sources, add_source, plan, key);
	if (plan->bad_escape)
		return FL_LOG_BAD_ESCAPE;
	if (!by)
		return FL_LOG_NO_VALUE;
	*weight = weight_of(plan);
	return FL_LOG_KEY;
}
