/* Reading a file whole, and checking that it is text.
 *
 * libyaml refuses the same bytes, but says at which byte of the file, not on which line; lines
 * are counted here as it counts them (CR, LF, CRLF, NEL, LS, PS), columns in characters. Each
 * check is one pass. */
#include "conf/text.h"

#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Which characters may stand in a file: YAML's "printable". */
static const char *objection(uint32_t code, bool first)
{
	if (code == 0)
		return "a NUL byte is not allowed in a file";
	if ((code < 0x20 && code != '\t' && code != '\n' && code != '\r') ||
		(code >= 0x7f && code < 0xa0 && code != 0x85))
		return "a control character is not allowed in a file";
	if (code == 0xfeff && !first)
		return "a byte order mark is allowed only at the start of a file";
	if (code == 0xfffe || code == 0xffff)
		return "U+FFFE and U+FFFF are not characters";
	return NULL;
}

static bool breaks(const unsigned char *p, size_t len, uint32_t code)
{
	if (code == '\r')
		return len < 2 || p[1] != '\n';
	return code == '\n' || code == 0x85 || code == 0x2028 || code == 0x2029;
}

int fl_conf_check_text(const char *bytes, size_t len, struct fl_conf_text_place *place)
{
	const unsigned char *p = (const unsigned char *)bytes;
	unsigned line = 1, column = 1;

	for (size_t at = 0, n; at < len; at += n) {
		uint32_t code = 0;
		n = fl_utf8_decode(bytes + at, len - at, &code);
		const char *what =
			n ? objection(code, at == 0) : "not valid UTF-8; a file is UTF-8 text";
		if (what) {
			*place = (struct fl_conf_text_place){line, column, what};
			return -1;
		}
		column++;
		if (breaks(p + at, len - at, code)) {
			line++;
			column = 1;
		} else if (code == 0xfeff) {
			column = 1;
		}
	}
	*place = (struct fl_conf_text_place){line, column, NULL};
	return 0;
}

bool fl_conf_tab_indents(const char *bytes, size_t len, unsigned line)
{
	const char *end = bytes + len;
	for (unsigned i = 1; i < line; i++) {
		bytes = memchr(bytes, '\n', (size_t)(end - bytes));
		if (!bytes)
			return false;
		bytes++;
	}
	while (bytes < end && *bytes == ' ')
		bytes++;
	return bytes < end && *bytes == '\t';
}

static const char *read_all(int fd, size_t most, char **bytes, size_t *len)
{
	char *p = NULL;
	size_t n = 0, room = 0;

	for (;;) {
		if (n == room) {
			room = room ? room * 2 : 16384;
			char *grown = realloc(p, room);
			if (!grown) {
				free(p);
				return "out of memory";
			}
			p = grown;
		}
		ssize_t got = read(fd, p + n, room - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got > 0)
			n += (size_t)got;
		if (got <= 0 || n > most) {
			int saved = errno;
			if (got == 0) {
				*bytes = p;
				*len = n;
				return NULL;
			}
			free(p);
			return got > 0 ? "it is larger than 64MiB" : strerror(saved);
		}
	}
}

const char *fl_conf_slurp(const char *path, size_t most, char **bytes, size_t *len)
{
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : STDIN_FILENO;
	const char *why;

	if (fd < 0)
		return strerror(errno);
	why = read_all(fd, most, bytes, len);
	if (path)
		(void)close(fd);
	return why;
}
