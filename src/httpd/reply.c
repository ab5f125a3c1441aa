/* Replies: what a handler fills in, and the head that goes before it.
 *
 * A reply either fits its bounds or becomes a 500, so that a peer never takes a part for the
 * whole. Fields are checked when they are added: no value can end a line. */
#include "httpd/priv.h"

#include "base/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

void fl_httpd_reply_init(struct fl_httpd_reply *reply, size_t max)
{
	*reply = (struct fl_httpd_reply){.status = 200};
	fl_text_init(&reply->fields, FL_HTTPD_FIELDS);
	fl_text_init(&reply->body, max);
	fl_httpd_reply_clear(reply);
}

void fl_httpd_reply_fini(struct fl_httpd_reply *reply)
{
	fl_text_fini(&reply->fields);
	fl_text_fini(&reply->body);
}

void fl_httpd_reply_clear(struct fl_httpd_reply *reply)
{
	if (reply->body.cap > FL_HTTPD_KEEP)
		fl_text_fini(&reply->body);
	fl_text_clear(&reply->fields);
	fl_text_clear(&reply->body);
	reply->status = 200;
	reply->type = "text/plain; charset=utf-8";
	reply->delay_ms = 0;
	reply->failed = reply->close = reply->reset = false;
}

void fl_httpd_status(struct fl_httpd_reply *reply, int status)
{
	FL_ASSERT(status >= 200 && status <= 599);
	reply->status = status;
}

void fl_httpd_type(struct fl_httpd_reply *reply, const char *type)
{
	reply->type = type;
}

static bool is_token(const char *s)
{
	return *s && s[strspn(s, "!#$%&'*+-.^_`|~0123456789"
				 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] == 0;
}

static bool is_value(const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

void fl_httpd_field(struct fl_httpd_reply *reply, const char *name, const char *value)
{
	if (is_token(name) && is_value(value))
		fl_text_format(&reply->fields, "%s: %s\r\n", name, value);
	else
		reply->failed = true;
}

void fl_httpd_append(struct fl_httpd_reply *reply, const char *p, size_t n)
{
	fl_text_add(&reply->body, p, n);
}

void fl_httpd_printf(struct fl_httpd_reply *reply, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fl_text_vformat(&reply->body, format, args);
	va_end(args);
}

void fl_httpd_fail(struct fl_httpd_reply *reply)
{
	reply->failed = true;
}

bool fl_httpd_failed(const struct fl_httpd_reply *reply)
{
	return reply->failed || reply->fields.failed || reply->body.failed;
}

void fl_httpd_delay(struct fl_httpd_reply *reply, uint64_t ms)
{
	reply->delay_ms = ms;
}

void fl_httpd_hang_up(struct fl_httpd_reply *reply, bool reset)
{
	reply->close = true;
	reply->reset = reset;
}

/* strftime would follow the locale. */
static void add_date(struct fl_text *out)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t now = time(NULL);
	struct tm tm;

	if (!gmtime_r(&now, &tm))
		return;
	fl_text_format(out, "Date: %.3s, %02d %.3s %d %02d:%02d:%02d GMT\r\n",
		days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900,
		tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void fl_httpd_reply_head(struct fl_httpd_reply *reply, struct fl_text *out, bool last)
{
	if (fl_httpd_failed(reply)) {
		fl_httpd_reply_clear(reply);
		reply->status = 500;
		fl_httpd_printf(reply, "the answer does not fit\n");
	}
	fl_text_clear(out);
	fl_text_format(
		out, "HTTP/1.1 %d %s\r\n", reply->status, fl_http1_reason(reply->status));
	add_date(out);
	if (reply->status != 204)
		fl_text_format(out, "Content-Length: %zu\r\n", reply->body.n);
	if (reply->body.n)
		fl_text_format(out, "Content-Type: %s\r\n", reply->type);
	fl_text_add(out, reply->fields.p, reply->fields.n);
	fl_text_format(out, "Connection: %s\r\n\r\n", last ? "close" : "keep-alive");
}
