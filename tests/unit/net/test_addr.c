/* Addresses: each text has one reading, each address one text. */
#include "net/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static void parse_and_format(void **state)
{
	(void)state;
	static const struct {
		const char *text, *canonical; /* NULL: the same */
		int family;
		unsigned port;
	} good[] = {
		{"10.0.0.1:80", NULL, AF_INET, 80},
		{"0.0.0.0:0", NULL, AF_INET, 0},
		{"255.255.255.255:65535", NULL, AF_INET, 65535},
		{"[::1]:80", NULL, AF_INET6, 80},
		{"[::]:8080", NULL, AF_INET6, 8080},
		{":8080", NULL, AF_INET6, 8080},
		{"*:8080", ":8080", AF_INET6, 8080},
		{"[2001:DB8:0:0:1:0:0:1]:443", "[2001:db8::1:0:0:1]:443", AF_INET6, 443},
		{"[2001:db8:0:1:1:1:1:1]:1", NULL, AF_INET6, 1},
		{"[2001:0:0:1:0:0:0:1]:1", "[2001:0:0:1::1]:1", AF_INET6, 1},
		{"[1:2:3:4:5:6:7:0]:1", NULL, AF_INET6, 1},
		{"[1:2:3:4:5:6:0:0]:1", "[1:2:3:4:5:6::]:1", AF_INET6, 1},
		{"[0:0:3:4:5:6:7:8]:1", "[::3:4:5:6:7:8]:1", AF_INET6, 1},
		{"[0:2:3:4:5:6:7:8]:1", NULL, AF_INET6, 1},
		{"[::1.2.3.4]:1", "[::102:304]:1", AF_INET6, 1},
		{"[::ffff:1.2.3.4]:1", "1.2.3.4:1", AF_INET, 1},
		{"[0:0:0:0:0:ffff:102:304]:1", "1.2.3.4:1", AF_INET, 1},
		{"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", NULL, AF_INET6, 65535},
		{"[fe80::1%lo]:1", NULL, AF_INET6, 1},
		{"[fe80::1%4000000]:1", NULL, AF_INET6, 1},
		{"unix:/run/x.sock", NULL, AF_UNIX, 0},
		{"unix:relative", NULL, AF_UNIX, 0},
		{"unix:@abstract", NULL, AF_UNIX, 0},
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct fl_addr addr, again;
		char text[FL_ADDR_TEXT];
		const char *want = good[i].canonical ? good[i].canonical : good[i].text;
		assert_int_equal(fl_addr_parse(&addr, good[i].text, NULL), FL_OK);
		assert_int_equal(addr.ss.ss_family, good[i].family);
		assert_int_equal(fl_addr_port(&addr), good[i].port);
		assert_int_equal(fl_addr_format(&addr, text, sizeof(text)), strlen(want));
		assert_string_equal(text, want);
		assert_int_equal(fl_addr_parse(&again, text, NULL), FL_OK);
		assert_true(fl_addr_equal(&addr, &again));
		assert_int_equal(addr.dual, again.dual);
		assert_int_equal(addr.len, again.len);
	}
}

static void names(void **state)
{
	(void)state;
	static const char *const good[] = {"localhost:80", "a:1", "web-1.example.com:8080",
		"under_score.svc:1", "dotted.example.:53", "1a.2b:3", "xn--bcher-kva.example:1",
		"123.example:1"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct fl_endpoint e;
		struct fl_addr addr = {.len = 77};
		struct fl_error err;
		assert_int_equal(fl_endpoint_parse(&e, good[i], NULL), FL_OK);
		assert_true(e.is_name);
		char text[FL_HOST_TEXT + 8];
		(void)snprintf(text, sizeof(text), "%s:%u", e.host, e.port);
		assert_string_equal(text, good[i]);
		assert_int_equal(fl_addr_parse(&addr, good[i], &err), FL_ENOENT);
		assert_non_null(strstr(err.text, "is a name"));
		assert_int_equal(addr.len, 77);
	}
}

static void wrong_texts(void **state)
{
	(void)state;
	static const char *const bad[] = {"", ":", "80", "10.0.0.1",
		"10.0.0.1:", "10.0.0.1:65536", "10.0.0.1:-1", "10.0.0.1:+1", "10.0.0.1: 80",
		"10.0.0.1:080", "10.0.0.1:8o", "10.0.0.1:000080", "10.0.0:80", "10.0.0.256:80",
		"010.0.0.1:80", "1:80", "0x7f.1:80", "1.2.3.4.5:80", "::1:80", "::1", "[::1]",
		"[::1]:", "[::1]80", "[::1", "[]:80", "[:::1]:80", "[::g]:80",
		"[1:2:3:4:5:6:7:8:9]:80", "[10.0.0.1]:80", "[::1%lo]:80", "[fe80::1%]:80",
		"[fe80::1%no-such-if]:80", "[fe80::1%0]:80", "[fe80::1%99999999999]:1", "-a:80",
		"a-:80", "a-.b:80", "a..b:80", ".a:80", ".:80", "a b:80", "a/b:80",
		"http://a:80", "\xc3\xa4:80", "unix:", "unix:@", "unix:/a\nb", "a:80 ", " a:80",
		"*.example.com:80", "**:80"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fl_endpoint e = {.port = 4242};
		struct fl_error err = {0};
		if (fl_endpoint_parse(&e, bad[i], &err) != FL_EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(err.code, FL_EINVAL);
		assert_true(strlen(err.text) > 10);
		assert_int_equal(e.port, 4242);
	}
}

static void lengths_at_the_border(void **state)
{
	(void)state;
	struct fl_endpoint e;
	char text[600];
	/* A label of 63 is fine, one of 64 is not; so is a name of 253 and of 254. */
	for (int n = 63; n <= 64; n++) {
		(void)snprintf(text, sizeof(text), "%0*d.x:80", n, 0);
		assert_int_equal(
			fl_endpoint_parse(&e, text, NULL), n == 63 ? FL_OK : FL_EINVAL);
	}
	for (int n = 61; n <= 62; n++) {
		char l[64];
		memset(l, 'a', 63);
		l[63] = '\0';
		(void)snprintf(text, sizeof(text), "%s.%s.%s.%.*s:80", l, l, l, n, l);
		assert_int_equal(
			fl_endpoint_parse(&e, text, NULL), n == 61 ? FL_OK : FL_EINVAL);
	}
	for (int n = 107; n <= 108; n++) {
		(void)snprintf(text, sizeof(text), "unix:/%0*d", n - 1, 0);
		assert_int_equal(
			fl_endpoint_parse(&e, text, NULL), n == 107 ? FL_OK : FL_EINVAL);
		if (n == 107) {
			char again[FL_ADDR_TEXT];
			assert_true(fl_addr_format(&e.addr, again, sizeof(again)) > 0);
			assert_string_equal(again, text);
		}
	}
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(fl_endpoint_parse(&e, text, NULL), FL_EINVAL);
	memcpy(text + 590, ":80", 4);
	assert_int_equal(fl_endpoint_parse(&e, text, NULL), FL_EINVAL);
	text[0] = '[';
	text[589] = ']';
	assert_int_equal(fl_endpoint_parse(&e, text, NULL), FL_EINVAL);
}

static void equality(void **state)
{
	(void)state;
	static const char *const different[] = {"10.0.0.1:80", "10.0.0.1:81", "10.0.0.2:80",
		"[::1]:80", "[::2]:80", "[fe80::1%1]:80", "[fe80::1%2]:80", "unix:/a",
		"unix:/ab", "unix:@a"};
	enum {
		COUNT = sizeof(different) / sizeof(different[0])
	};
	struct fl_addr addr[COUNT];
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(fl_addr_parse(&addr[i], different[i], NULL), FL_OK);
	for (size_t i = 0; i < COUNT; i++)
		for (size_t k = 0; k < COUNT; k++)
			assert_int_equal(fl_addr_equal(&addr[i], &addr[k]), i == k);
	fl_addr_set_port(&addr[0], 81);
	assert_true(fl_addr_equal(&addr[0], &addr[1]));
	fl_addr_set_port(&addr[7], 81);
	assert_int_equal(fl_addr_port(&addr[7]), 0);
}

/* What the kernel gives: mapped, unnamed, and named with odd bytes. */
static void from_the_kernel(void **state)
{
	(void)state;
	struct fl_addr addr;
	char text[FL_ADDR_TEXT];
	struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	assert_int_equal(inet_pton(AF_INET6, "::ffff:10.1.2.3", &mapped.sin6_addr), 1);
	fl_addr_set(&addr, (struct sockaddr *)&mapped, sizeof(mapped));
	assert_int_equal(addr.ss.ss_family, AF_INET);
	assert_int_equal(fl_addr_format(&addr, text, sizeof(text)), 10);
	assert_string_equal(text, "10.1.2.3:9");

	/* Also when somebody fills the struct by hand. */
	memset(&addr, 0, sizeof(addr));
	memcpy(&addr.ss, &mapped, sizeof(mapped));
	addr.len = sizeof(mapped);
	assert_int_equal(fl_addr_format(&addr, text, sizeof(text)), 10);
	assert_int_equal(fl_addr_client_text(&addr, 24, 64, text, sizeof(text)), 8);
	assert_string_equal(text, "10.1.2.0");

	struct sockaddr_un un = {.sun_family = AF_UNIX};
	fl_addr_set(&addr, (struct sockaddr *)&un, sizeof(sa_family_t));
	assert_int_equal(fl_addr_format(&addr, text, sizeof(text)), 5);
	assert_string_equal(text, "unix:");
	memcpy(un.sun_path, "\0a\0\n", 4);
	fl_addr_set(&addr, (struct sockaddr *)&un, sizeof(sa_family_t) + 4);
	assert_int_equal(fl_addr_format(&addr, text, sizeof(text)), 9);
	assert_string_equal(text, "unix:@a??");

	struct fl_addr none = {0};
	assert_int_equal(fl_addr_format(&none, text, sizeof(text)), 1);
	assert_string_equal(text, "-");
}

static void client_text(void **state)
{
	(void)state;
	static const struct {
		const char *addr;
		unsigned v4, v6;
		const char *want;
	} row[] = {
		{"10.1.2.3:999", 32, 64, "10.1.2.3"},
		{"10.1.2.3:999", 24, 64, "10.1.2.0"},
		{"10.1.2.3:999", 23, 64, "10.1.2.0"},
		{"10.1.3.3:999", 23, 64, "10.1.2.0"},
		{"255.255.255.255:1", 1, 64, "128.0.0.0"},
		{"255.255.255.255:1", 31, 64, "255.255.255.254"},
		{"255.255.255.255:1", 0, 64, "0.0.0.0"},
		{"10.1.2.3:999", 99, 64, "10.1.2.3"},
		{"[2001:db8:1:2:3:4:5:6]:1", 32, 128, "2001:db8:1:2:3:4:5:6"},
		{"[2001:db8:1:2:3:4:5:6]:1", 32, 999, "2001:db8:1:2:3:4:5:6"},
		{"[2001:db8:1:2:3:4:5:6]:1", 32, 64, "2001:db8:1:2::"},
		{"[2001:db8:1:2:3:4:5:6]:1", 32, 63, "2001:db8:1:2::"},
		{"[2001:db8:1:3:3:4:5:6]:1", 32, 63, "2001:db8:1:2::"},
		{"[2001:db8:1:2:3:4:5:6]:1", 32, 48, "2001:db8:1::"},
		{"[2001:db8:1:2:3:4:5:6]:1", 32, 0, "::"},
		{"[::ffff:10.1.2.3]:1", 16, 64, "10.1.0.0"},
		{"[::1]:1", 32, 128, "::1"},
		{"[fe80::1%1]:1", 32, 128, "fe80::1"},
		{"unix:/x", 32, 64, ""},
	};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct fl_addr addr;
		char text[FL_ADDR_TEXT] = "old";
		assert_int_equal(fl_addr_parse(&addr, row[i].addr, NULL), FL_OK);
		assert_int_equal(
			fl_addr_client_text(&addr, row[i].v4, row[i].v6, text, sizeof(text)),
			strlen(row[i].want));
		assert_string_equal(text, row[i].want);
	}
}

static void small_rooms(void **state)
{
	(void)state;
	struct fl_addr addr;
	char text[FL_ADDR_TEXT];
	assert_int_equal(fl_addr_parse(&addr, "10.0.0.1:80", NULL), FL_OK);
	for (size_t room = 0; room < 14; room++) {
		memset(text, 'x', sizeof(text));
		assert_int_equal(fl_addr_format(&addr, text, room), room < 12 ? 0 : 11);
		assert_int_equal(text[room], 'x');
		assert_int_equal(
			fl_addr_client_text(&addr, 32, 64, text, room), room < 9 ? 0 : 8);
		assert_int_equal(text[room], 'x');
	}
}

/* Addresses as logs have them, and that the text made by hand is what the C library writes. */
static void ip_alone(void **state)
{
	static const char *const wrong[] = {"", "-", "1.2.3", "1.2.3.4:5", "[::1]",
		"::1::", "unix:", "host", "1.2.3.4%1", "01.2.3.4",
		"1:2:3:4:5:6:7:8:9:1:2:3:4:5:6:7:8:9:1:2:3:4:5:6"};
	struct fl_addr addr, untouched = {.len = 77};
	char text[FL_ADDR_TEXT], theirs[INET6_ADDRSTRLEN];
	uint32_t random = 1;
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		addr = untouched;
		if (fl_addr_parse_ip(&addr, wrong[i], strlen(wrong[i])) || addr.len != 77)
			fail_msg("\"%s\" is no address", wrong[i]);
	}
	assert_false(fl_addr_parse_ip(&addr, "1.2.3.4\0", 8));
	assert_true(fl_addr_parse_ip(&addr, "1.2.3.45", 7));
	assert_int_equal(fl_addr_client_text(&addr, 32, 64, text, sizeof(text)), 7);
	assert_string_equal(text, "1.2.3.4");
	assert_true(fl_addr_parse_ip(&addr, "fe80::1%eth0", 12));
	(void)fl_addr_client_text(&addr, 32, 128, text, sizeof(text));
	assert_string_equal(text, "fe80::1");
	assert_true(fl_addr_parse_ip(&addr, "::ffff:1.2.3.4", 14));
	(void)fl_addr_client_text(&addr, 32, 128, text, sizeof(text));
	assert_string_equal(text, "1.2.3.4");
	for (int i = 0; i < 20000; i++) {
		int family = i % 2 ? AF_INET : AF_INET6;
		unsigned char ip[16];
		for (size_t k = 0; k < sizeof(ip); k++) {
			random = random * 1664525 + 1013904223;
			/* Short numbers and zeros, too; not the forms that end in dots. */
			ip[k] = (unsigned char)(random >> 24 >> (random >> 20 & 8));
		}
		ip[0] |= 1;
		inet_ntop(family, ip, theirs, sizeof(theirs));
		assert_true(fl_addr_parse_ip(&addr, theirs, strlen(theirs)));
		(void)fl_addr_client_text(&addr, 32, 128, text, sizeof(text));
		assert_string_equal(text, theirs);
	}
}

/* What is almost an address is one exactly when the C library says so. */
static void ip_strict(void **state)
{
	static const char letters[] = "00122556...:";
	unsigned char ip[16];
	uint32_t random = 7;
	unsigned good = 0;
	(void)state;
	for (int i = 0; i < 300000; i++) {
		struct fl_addr addr;
		char text[16] = "";
		size_t n = 5 + (size_t)i % 11;
		for (size_t k = 0; k < n; k++) {
			random = random * 1664525 + 1013904223;
			text[k] = letters[(random >> 16) % (sizeof(letters) - 1)];
		}
		bool want =
			inet_pton(AF_INET, text, ip) == 1 || inet_pton(AF_INET6, text, ip) == 1;
		if (fl_addr_parse_ip(&addr, text, n) != want)
			fail_msg("\"%s\" is %s address", text, want ? "an" : "no");
		good += want;
	}
	assert_true(good > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_and_format),
		cmocka_unit_test(names),
		cmocka_unit_test(wrong_texts),
		cmocka_unit_test(lengths_at_the_border),
		cmocka_unit_test(equality),
		cmocka_unit_test(from_the_kernel),
		cmocka_unit_test(client_text),
		cmocka_unit_test(ip_alone),
		cmocka_unit_test(ip_strict),
		cmocka_unit_test(small_rooms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
