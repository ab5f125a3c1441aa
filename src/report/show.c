#include "report/show.h"

#include "base/utf8.h"

#include <wchar.h>

void fl_report_locale_enter(struct fl_report_locale *l)
{
	l->mine = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);
	l->before = l->mine ? uselocale(l->mine) : (locale_t)0;
}

void fl_report_locale_leave(struct fl_report_locale *l)
{
	if (!l->mine)
		return;
	(void)uselocale(l->before);
	freelocale(l->mine);
	l->mine = (locale_t)0;
}

struct glyph {
	size_t bytes; /* of the text */
	size_t columns, len;
	char form[16];
};

bool fl_report_hides(uint32_t code)
{
	return code == 0xad || code == 0x61c || code == 0x180e || code == 0x200b ||
	       (code >= 0x2060 && code < 0x2070) || code == 0xfeff ||
	       (code >= 0xfdd0 && code < 0xfdf0) || (code >= 0xfff9 && code < 0xfffc) ||
	       (code >= 0xe0000 && code < 0xe1000) || (code & 0xfffe) == 0xfffe;
}

__attribute__((format(printf, 2, 3))) static void shape(
	struct glyph *g, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g->len = (size_t)vsnprintf(g->form, sizeof(g->form), format, args);
	g->columns = g->len;
	va_end(args);
}

static void escape(struct glyph *g, uint32_t code)
{
	if (code == '\n' || code == '\r' || code == '\t')
		shape(g, "\\%c", code == '\n' ? 'n' : code == '\r' ? 'r' : 't');
	else
		shape(g, code < 0x80 ? "\\x%02x" : "\\u{%x}", (unsigned)code);
}

/* The first character of a text that is not empty. */
static struct glyph first_glyph(struct fl_slice text, bool utf8)
{
	struct glyph g = {0};
	uint32_t code = 0;

	g.bytes = fl_utf8_decode(text.p, text.n, &code);
	if (g.bytes == 0) {
		g.bytes = 1;
		shape(&g, "\\x%02x", (unsigned char)*text.p);
		return g;
	}
	int wide = code < 0x7f ? 1 : wcwidth((wchar_t)code);
	if (fl_utf8_acts(code) || fl_report_hides(code) || wide < 0 || (code > 0x7e && !utf8)) {
		escape(&g, code);
		return g;
	}
	g.columns = (size_t)wide;
	g.len = g.bytes;
	memcpy(g.form, text.p, g.bytes);
	return g;
}

size_t fl_report_columns(struct fl_slice text, bool utf8)
{
	size_t sum = 0;

	while (text.n) {
		struct glyph g = first_glyph(text, utf8);
		sum += g.columns;
		text.p += g.bytes;
		text.n -= g.bytes;
	}
	return sum;
}

size_t fl_report_fit(struct fl_slice shown, size_t most, size_t *columns)
{
	size_t bytes = 0;

	*columns = 0;
	while (bytes < shown.n) {
		struct fl_slice rest = {shown.p + bytes, shown.n - bytes};
		struct glyph g = first_glyph(rest, true);
		if (*columns + g.columns > most)
			break;
		*columns += g.columns;
		bytes += g.bytes;
	}
	return bytes;
}

size_t fl_report_show(struct fl_text *out, struct fl_slice text, size_t most, bool utf8)
{
	size_t all = fl_report_columns(text, utf8), at = 0, used = 0;
	size_t dots = all <= most ? 0 : utf8 ? 1 : most > 8 ? 3 : 1;
	size_t head = all <= most ? all : (most - dots + 1) / 2;
	size_t tail = all <= most ? 0 : most - dots - head;
	bool cut = false, kept = false;

	if (most == 0)
		return 0;
	while (text.n) {
		struct glyph g = first_glyph(text, utf8);
		/* What takes no column belongs to the character before it. */
		bool here = g.columns ? at + g.columns <= head || all - at <= tail : kept;
		if (here) {
			fl_text_add(out, g.form, g.len);
			used += g.columns;
		} else if (!cut) {
			fl_text_string(out, utf8 ? "…" : dots == 3 ? "..." : "~");
			used += dots;
			cut = true;
		}
		kept = here;
		at += g.columns;
		text.p += g.bytes;
		text.n -= g.bytes;
	}
	return used;
}
