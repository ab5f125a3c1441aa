#include "cli/out.h"

#include "base/utf8.h"

void fl_out_init(void)
{
	static char buffer[256 << 10];

	(void)setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
}

bool fl_out_is_utf8(struct fl_slice text)
{
	for (size_t i = 0; i < text.n;) {
		uint32_t code;
		size_t n = fl_utf8_decode(text.p + i, text.n - i, &code);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

void fl_out_json(struct fl_slice text)
{
	fl_out_char('"');
	for (size_t i = 0; i < text.n;) {
		uint32_t code = 0;
		size_t n = fl_utf8_decode(text.p + i, text.n - i, &code);

		if (n == 0) {
			(void)fputs("\\ufffd", stdout);
			i++;
			continue;
		}
		if (code == '"' || code == '\\')
			fl_out_char('\\');
		if (fl_utf8_acts(code) && code < 0x10000)
			(void)printf("\\u%04x", (unsigned)code);
		else
			fl_out_bytes(text.p + i, n);
		i += n;
	}
	fl_out_char('"');
}
