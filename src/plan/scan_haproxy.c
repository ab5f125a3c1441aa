/* HAProxy's HTTP log (`option httplog`), with or without what syslog puts before it:
 *
 *   client:port [date] frontend backend/server TR/Tw/Tc/Tr/Ta status bytes cookie cookie state
 *   conns queues {request headers} {response headers} "request"
 *
 * The date in brackets is found first, since nobody knows how long syslog's part is; the client
 * stands before it. Captured headers may hold blanks, but '{', '|', '}' and '"' of values are
 * written as #HH. What stands behind the request (`option httpslog`) does not matter. */
#include "plan/log_priv.h"

/* ---- compiling ---- */

static uint8_t want(struct fl_log_format *format, struct fl_slice name)
{
	size_t i = fl_log_find_want(format->wants, name);

	if (i < FL_LOG_WANTS)
		format->has |= UINT64_C(1) << i;
	return (uint8_t)i;
}

/* "x-user,User-Agent": the captured headers, as variables. */
static int compile(struct fl_log_format *format, const char *text, struct fl_error *err)
{
	format->addr = want(format, FL_SLICE("remote_addr"));
	format->request = want(format, FL_SLICE("request"));
	format->cookie = want(format, FL_SLICE("http_cookie"));
	format->sent = want(format, FL_SLICE("bytes_sent"));
	while (*text) {
		char name[FL_LOG_NAME] = "http_";
		size_t n = strcspn(text, ","), at = strlen(name);
		if (n == 0 || n >= sizeof(name) - at || format->capture_count == FL_LOG_WANTS)
			return fl_error_set(err, FL_EINVAL,
				"haproxy: wants the names of at most %d captured headers, "
				"such as haproxy:x-user,user-agent",
				FL_LOG_WANTS);
		for (size_t i = 0; i < n; i++)
			name[at + i] = (char)(text[i] == '-' ? '_' : text[i]);
		format->capture[format->capture_count++] =
			want(format, (struct fl_slice){name, at + n});
		text += n + (text[n] == ',');
	}
	return FL_OK;
}

/* ---- scanning ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The '[' of " [06/Feb/2009:". Numbers in brackets that syslog has stand behind a word. */
static const char *find_date(const char *p, const char *end)
{
	for (const char *at = p; at < end; at++) {
		at = memchr(at, '[', (size_t)(end - at));
		if (!at)
			return NULL;
		if (at > p && at[-1] == ' ' && end - at > 12 && is_digit(at[1]) &&
			is_digit(at[2]) && at[3] == '/' && at[7] == '/')
			return at;
	}
	return NULL;
}

/* The word at *p, which goes behind the blank after it; empty when there is no blank. */
static struct fl_slice word(const char **p, const char *end)
{
	const char *blank = memchr(*p, ' ', (size_t)(end - *p));
	struct fl_slice w = {*p, blank ? (size_t)(blank - *p) : 0};

	if (blank)
		*p = blank + 1;
	return w;
}

static size_t slashes(struct fl_slice w)
{
	size_t n = 0;

	for (size_t i = 0; i < w.n; i++)
		n += w.p[i] == '/';
	return n;
}

static void set(struct fl_log_values *values, uint8_t i, struct fl_slice value)
{
	if (i < FL_LOG_WANTS)
		values->v[i] = value;
}

/* "address:port" before the blank at `blank`. */
static const char *scan_client(const struct fl_log_format *format, const char *from,
	const char *blank, struct fl_log_values *values)
{
	const char *p = blank, *colon;

	while (p > from && p[-1] != ' ')
		p--;
	colon = memrchr(p, ':', (size_t)(blank - p));
	if (!colon)
		return "no client address and port before the date";
	set(values, format->addr, (struct fl_slice){p, (size_t)(colon - p)});
	return NULL;
}

/* The first group of captured headers is the request's. */
static void set_headers(
	const struct fl_log_format *format, struct fl_slice group, struct fl_log_values *values)
{
	const char *p = group.p, *end = p + group.n;

	for (size_t i = 0; i < format->capture_count && p <= end; i++) {
		const char *bar = p < end ? memchr(p, '|', (size_t)(end - p)) : NULL;
		const char *stop = bar ? bar : end;
		set(values, format->capture[i], (struct fl_slice){p, (size_t)(stop - p)});
		p = stop + 1;
	}
}

static const char *scan_request(const struct fl_log_format *format, const char *p,
	const char *end, struct fl_log_values *values)
{
	for (int group = 0; group < 2 && p < end && *p == '{'; group++) {
		const char *close = memchr(p, '}', (size_t)(end - p));
		if (!close || end - close < 2 || close[1] != ' ')
			return "captured headers without an end";
		if (group == 0)
			set_headers(format, (struct fl_slice){p + 1, (size_t)(close - p) - 1},
				values);
		p = close + 2;
	}
	if (p == end || *p != '"')
		return "no request in quotes behind the counters";
	const char *quote = memchr(p + 1, '"', (size_t)(end - p) - 1);
	if (!quote)
		return "the request has no end (cut by the log's `len`?)";
	set(values, format->request, (struct fl_slice){p + 1, (size_t)(quote - p) - 1});
	return NULL;
}

static const char *scan(
	const struct fl_log_format *format, struct fl_slice line, struct fl_log_values *values)
{
	const char *end = line.p + line.n, *date = find_date(line.p, end);
	const char *p, *why;

	if (!date)
		return "no date such as [06/Feb/2009:12:14:14.655]";
	why = scan_client(format, line.p, date - 1, values);
	if (why)
		return why;
	p = date;
	(void)word(&p, end); /* the date */
	struct fl_slice frontend = word(&p, end), server = word(&p, end);
	if (!frontend.n || slashes(server) == 0)
		return "no frontend and backend/server behind the date";
	size_t timers = slashes(word(&p, end));
	if (timers == 2)
		return "a TCP log (option tcplog), which has no requests; wanted is httplog";
	struct fl_slice status = word(&p, end), sent = word(&p, end);
	struct fl_slice cookie = word(&p, end), set_cookie = word(&p, end);
	struct fl_slice state = word(&p, end);
	size_t counters = slashes(word(&p, end)), queues = slashes(word(&p, end));
	if (timers != 4 || !status.n || !sent.n || !set_cookie.n || !state.n || counters != 4 ||
		queues != 1)
		return "not the fields of HAProxy's httplog behind the server";
	set(values, format->sent, sent);
	set(values, format->cookie, cookie);
	return scan_request(format, p, end, values);
}

const struct fl_log_kind fl_log_haproxy = {
	.name = "haproxy",
	.compile = compile,
	.scan = scan,
	.escape = FL_LOG_HASH,
	.hint = "; name the captured request headers: haproxy:x-user,user-agent",
};
