/* Formats that are a text with variables in it, as nginx writes them: common, combined and vhost
 * are three of them.
 *
 * A value ends at the first place where the literal behind its variable stands, so a user's name
 * may hold blanks as long as it does not hold " [". Between quotes the literal's quote must not be
 * escaped. Every literal is matched, whatever is wanted: a line that is not of the format must not
 * give a key. */
#include "plan/log_priv.h"

/* ---- compiling ---- */

static bool is_name(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_';
}

/* Takes "$name" or "${name}" at *p. */
static int take_name(const char **p, struct fl_slice *name, struct fl_error *err)
{
	const char *from = *p + 1;
	bool braces = *from == '{';
	size_t n = 0;

	from += braces;
	while (is_name(from[n]))
		n++;
	if (n == 0 || (braces && from[n] != '}'))
		return fl_error_set(err, FL_EINVAL,
			"the log's format: a \"$\" wants the name of a variable: \"%.40s\"",
			*p);
	*name = (struct fl_slice){from, n};
	*p = from + n + braces;
	return FL_OK;
}

static bool ends_in_quote(struct fl_slice s)
{
	return s.n > 0 && s.p[s.n - 1] == '"';
}

static int add_step(struct fl_log_format *format, struct fl_slice name, struct fl_slice before,
	struct fl_slice after, struct fl_error *err)
{
	struct fl_log_step *step = &format->steps[format->step_count];
	size_t want = fl_log_find_want(format->wants, name);

	if (format->step_count == FL_LOG_STEPS)
		return fl_error_set(err, FL_ELIMIT,
			"the log's format has more than %d variables", FL_LOG_STEPS);
	if (after.n > 0 && after.p[0] == '$')
		return fl_error_set(err, FL_EINVAL,
			"the log's format: nothing tells where $%.*s ends", (int)name.n,
			name.p);
	format->step_count++;
	*step = (struct fl_log_step){.want = (uint8_t)want, .after = after};
	step->quoted = ends_in_quote(before) && after.n > 0 && after.p[0] == '"' &&
	               format->escape != FL_LOG_PLAIN;
	if (want < FL_LOG_WANTS)
		format->has |= UINT64_C(1) << want;
	return FL_OK;
}

static int compile(struct fl_log_format *format, const char *text, struct fl_error *err)
{
	size_t n = strcspn(text, "$");
	struct fl_slice before = {text, n};

	format->before = before;
	text += n;
	while (*text) {
		struct fl_slice name = {NULL, 0}, after;
		int rc = take_name(&text, &name, err);
		if (rc != FL_OK)
			return rc;
		after = (struct fl_slice){text, strcspn(text, "$")};
		if (after.n == 0 && *text)
			after.n = 1; /* the next "$": add_step says what is wrong */
		rc = add_step(format, name, before, after, err);
		if (rc != FL_OK)
			return rc;
		text += after.n;
		before = after;
	}
	if (format->step_count == 0)
		return fl_error_set(err, FL_EINVAL, "the log's format has no variable");
	return FL_OK;
}

/* nginx's parameter in front of a format. */
static int compile_nginx(struct fl_log_format *format, const char *text, struct fl_error *err)
{
	static const struct {
		const char *word;
		enum fl_log_escape escape;
	} escapes[] = {
		{"escape=default ", FL_LOG_BACKSLASH},
		{"escape=json ", FL_LOG_JSON},
		{"escape=none ", FL_LOG_PLAIN},
	};

	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		size_t n = strlen(escapes[i].word);
		if (strncmp(text, escapes[i].word, n) == 0) {
			format->escape = escapes[i].escape;
			text += n + strspn(text + n, " ");
			break;
		}
	}
	return compile(format, text, err);
}

/* Apache's %l is seldom more than "-". */
#define COMMON                                                                                 \
	"$remote_addr $ident $remote_user [$time_local] \"$request\" $status $body_bytes_sent"
#define COMBINED COMMON " \"$http_referer\" \"$http_user_agent\""

static int compile_common(struct fl_log_format *format, const char *text, struct fl_error *err)
{
	(void)text;
	format->open = true;
	return compile(format, COMMON " ", err);
}

static int compile_combined(
	struct fl_log_format *format, const char *text, struct fl_error *err)
{
	(void)text;
	format->open = true;
	return compile(format, COMBINED, err);
}

static int compile_vhost(struct fl_log_format *format, const char *text, struct fl_error *err)
{
	(void)text;
	format->open = true;
	return compile(format, "$server_name:$server_port " COMBINED, err);
}

/* ---- scanning ---- */

/* Whether the quote at `at` is escaped: an odd number of backslashes before it. */
static bool escaped(const char *from, const char *at)
{
	const char *p = at;

	while (p > from && p[-1] == '\\')
		p--;
	return ((at - p) & 1) != 0;
}

/* Whether the literal is at `at`, where its first byte is. Most have less bytes than a call of memcmp
 * costs. */
static bool stands(const char *at, struct fl_slice literal)
{
	for (size_t i = 1; i < literal.n; i++)
		if (at[i] != literal.p[i])
			return false;
	return true;
}

/* Where the literal behind this step stands first in [p, end), or NULL. */
static const char *find(const char *p, const char *end, const struct fl_log_step *step)
{
	struct fl_slice literal = step->after;

	for (const char *at = p; (size_t)(end - at) >= literal.n; at++) {
		at = memchr(at, literal.p[0], (size_t)(end - at) - literal.n + 1);
		if (!at)
			return NULL;
		if (stands(at, literal) && (!step->quoted || !escaped(p, at)))
			return at;
	}
	return NULL;
}

static const char *scan(
	const struct fl_log_format *format, struct fl_slice line, struct fl_log_values *values)
{
	const char *p = line.p, *end = p + line.n;

	if (line.n < format->before.n || memcmp(p, format->before.p, format->before.n) != 0)
		return "the text before the first field is not there";
	p += format->before.n;
	for (size_t i = 0; i < format->step_count; i++) {
		const struct fl_log_step *step = &format->steps[i];
		const char *stop = end;
		if (step->after.n) {
			stop = find(p, end, step);
			/* The last field of an open format may be the last of the line. */
			if (!stop && format->open && i + 1 == format->step_count &&
				step->after.p[0] == ' ')
				stop = end;
			else if (!stop)
				return "the line ends before its last field";
		}
		if (step->want < FL_LOG_WANTS)
			values->v[step->want] = (struct fl_slice){p, (size_t)(stop - p)};
		p = stop < end ? stop + step->after.n : end;
	}
	return p == end || format->open ? NULL : "there is text behind the last field";
}

const struct fl_log_kind fl_log_common = {
	.name = "common",
	.compile = compile_common,
	.scan = scan,
	.escape = FL_LOG_BACKSLASH,
	.hint = "",
};

const struct fl_log_kind fl_log_combined = {
	.name = "combined",
	.compile = compile_combined,
	.scan = scan,
	.escape = FL_LOG_BACKSLASH,
	.hint = "",
};

const struct fl_log_kind fl_log_vhost = {
	.name = "vhost",
	.compile = compile_vhost,
	.scan = scan,
	.escape = FL_LOG_BACKSLASH,
	.hint = "",
};

const struct fl_log_kind fl_log_nginx = {
	.name = "nginx",
	.compile = compile_nginx,
	.scan = scan,
	.escape = FL_LOG_BACKSLASH,
	.hint = "",
};
