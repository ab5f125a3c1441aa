#include "import.h"

#include "import/haproxy.h"

static const char *const variables[] = {"A=1", "AB=2", NULL};

static void haproxy(const char *text, const char *what, const char *want)
{
	const struct fl_import_input in = {.system = FL_IMPORT_HAPROXY,
		.name = "f",
		.bytes = text,
		.len = strlen(text),
		.haproxy_version = "2.6",
		.variables = variables};

	expect(&in, what, want);
}

#define HTTP "defaults\n mode http\n"

static void test_words(void **state)
{
	(void)state;
	haproxy(HTTP
		"backend b # x\n server s\\ 1 10.0.0.1:1\n server 's#2' \"10.0.0.2:1\" # y\n",
		"p", "pool b table\n s 1 @10.0.0.1:1 w1 #0\n s#2 @10.0.0.2:1 w1 #0\n");
	haproxy(HTTP
		"backend b\n server \"$A.${AB}.${C-3}\" 10.0.0.1:1\n server '$A' 10.0.0.2:1\n"
		" server $A-x\"y\"'z'#c 10.0.0.3:1\n",
		"pn",
		"pool b table\n 1.2.3 @10.0.0.1:1 w1 #0\n $A @10.0.0.2:1 w1 #0\n-3 b\n"
		"-!6 server\n");
}

static void test_variables(void **state)
{
	(void)state;
	haproxy("global\n setenv C 7\n presetenv A 9\n" HTTP
		"backend b\n server \"$A.${AB}.${C}.${D-4}\" 10.0.0.1:1\n server '$A' "
		"10.0.0.2:1\n"
		" server \"x$E\" 10.0.0.3:1\n",
		"pn",
		"pool b table\n 1.2.7.4 @10.0.0.1:1 w1 #0\n $A @10.0.0.2:1 w1 #0\n"
		" x @10.0.0.3:1 w1 #0\n-2 setenv C ...\n-3 presetenv A ...\n-6 b\n?!9 E\n");
	haproxy("global\n x \"$\"\n", "p", "f:2: expected the name of a variable behind \"$\"");
	haproxy("global\n x \"${A\"\n", "p",
		"f:2: expected the name of a variable behind \"$\"");
}

static void test_broken(void **state)
{
	(void)state;
	haproxy("backend\n", "p", "f:1: a section of this kind has a name");
	haproxy("backend b from x\n", "p", "f:1: there are no defaults of this name before");
	haproxy("\nserver a 1:1\n", "p",
		"f:2: expected a section, such as \"global\" or \"backend NAME\"");
	haproxy("global\n x 'y\n", "p", "f:2: expected a closing '");
	haproxy("global\n x \"y\n", "p", "f:2: expected a closing \"");
	haproxy("global\n.if 1\n", "p", "f:2: expected \".endif\", and the file ends");
	haproxy("global\n", "p", "f: there is nothing to import: no group of servers");
}

static void test_balance(void **state)
{
	static const struct {
		const char *lines, *pool, *notes;
	} table[] = {
		{"balance source\n", "haproxy-map,key=source client_ip", "+4 balance source\n"},
		{"balance hdr(X)\n hash-type consistent\n",
			"haproxy-consistent header:X else random", "+4 balance hdr(X)\n"},
		{"balance hdr(X)\n hash-type consistent crc32 avalanche\n",
			"haproxy-consistent,hash=crc32,avalanche=1 header:X else random",
			"+4 balance hdr(X)\n"},
		{"balance hdr(host) use_domain_only\n", "haproxy-map header:host else random",
			"+4 balance hdr(host) use_domain_only\n"
			"-!4 balance hdr(host) use_domain_only\n"},
		{"balance hdr(X)\n hash-type map-based md5\n",
			"haproxy-map header:X else random",
			"+4 balance hdr(X)\n-!5 hash-type map-based md5\n"},
		{"balance uri\n", "haproxy-map path else random", "+4 balance uri\n"},
		{"balance uri whole\n", "haproxy-map uri else random",
			"+4 balance uri whole\n"},
		{"balance uri whole len 3\n", "haproxy-map uri else random",
			"-!4 balance uri whole len 3\n"},
		{"balance url_param id\n", "haproxy-map query:id else random",
			"+4 balance url_param id\n"},
		{"balance url_param id check_post\n", "haproxy-map query:id else random",
			"-!4 balance url_param id check_post\n"},
		{"balance url_param a&b\n", "haproxy-map else random",
			"l!4 balance url_param a&b\n"},
		{"balance hash req.cook(c)\n", "haproxy-map cookie:c else random",
			"+4 balance hash req.cook(c)\n"},
		{"balance hash pathq\n", "haproxy-map uri else random",
			"+4 balance hash pathq\n"},
		{"balance hash path,lower\n", "haproxy-map else random",
			"l!4 balance hash path,lower\n"},
		{"balance hash hdr(x),lower\n", "haproxy-map else random",
			"l!4 balance hash hdr(x),lower\n"},
		{"balance hash src\n", "haproxy-map else random", "-!4 balance hash src\n"},
		{"balance rdp-cookie(x)\n", "haproxy-map else random",
			"l!4 balance rdp-cookie(x)\n"},
		{"balance random(2)\n hash-type consistent\n", "table",
			"-4 balance random(2)\n"},
		{"mode tcp\n balance uri\n", "haproxy-map path else random",
			"l3 b\n+5 balance uri\n-!5 balance uri\n"},
	};
	char text[512], want[512];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		snprintf(text, sizeof(text), HTTP "backend b\n %s server s 10.0.0.1:1\n",
			table[i].lines);
		snprintf(want, sizeof(want), "pool %s%s\n s @10.0.0.1:1 w1 #%d\n%s", "b ",
			table[i].pool, strcmp(table[i].pool, "table") != 0, table[i].notes);
		haproxy(text, "pn", want);
	}
}

#define CONSISTENT HTTP " balance source\n hash-type consistent\nbackend b\n"
#define POOL       "pool b haproxy-consistent,key=source"

static void test_ids(void **state)
{
	(void)state;
	/* The next free number; the counter goes on past servers with an id. */
	haproxy(CONSISTENT
		" server a 10.0.0.1:1\n server b 10.0.0.2:1 id 2\n server c 10.0.0.3:1\n"
		" server d 10.0.0.4:1 id 5\n server e 10.0.0.5:1\n server f 10.0.0.6:1\n",
		"p",
		POOL " client_ip\n a @10.0.0.1:1 w1 #1\n b @10.0.0.2:1 w1 #2\n"
		     " c @10.0.0.3:1 w1 #3\n d @10.0.0.4:1 w1 #5\n e @10.0.0.5:1 w1 #6\n"
		     " f @10.0.0.6:1 w1 #7\n");
	haproxy(CONSISTENT " server a 10.0.0.1:1 id 1048577\n server b 10.0.0.1:1 id 1048576\n",
		"p", POOL " client_ip\n a @10.0.0.1:1 w1 #1\n b @10.0.0.1:1 w1 #1048576\n");
	/* Only the order counts. */
	haproxy(HTTP
		"backend b\n balance source\n server a 10.0.0.1:1 id 9\n server b 10.0.0.2:1\n",
		"p",
		"pool b haproxy-map,key=source client_ip\n a @10.0.0.1:1 w1 #1\n"
		" b @10.0.0.2:1 w1 #2\n");
	haproxy(CONSISTENT " server a 10.0.0.1:1 id 4\n server b 10.0.0.2:1 id 4\n", "n",
		"+3 balance source\n-!5 b\n");
}

static void test_hash_keys(void **state)
{
	(void)state;
	haproxy(CONSISTENT
		" default-server hash-key addr\n server a 10.0.0.1:1\n server b ::1:2\n",
		"p",
		POOL ",hash-key=addr client_ip\n 10.0.0.1 @10.0.0.1:1 w1 #1\n"
		     " ::1 @[::1]:2 w1 #2\n");
	haproxy(CONSISTENT " server a ipv4@10.0.0.1:1 hash-key addr-port\n", "p",
		POOL ",hash-key=addr-port client_ip\n 10.0.0.1:1 @10.0.0.1:1 w1 #1\n");
	haproxy(CONSISTENT " server a 10.0.0.1:1 hash-key guid guid x-1\n", "p",
		POOL ",hash-key=guid client_ip\n x-1 @10.0.0.1:1 w1 #1\n");
	haproxy(CONSISTENT " server a 10.0.0.1:1 hash-key id32\n server b 10.0.0.2:1\n", "pn",
		POOL ",hash-key=id32 client_ip\n a @10.0.0.1:1 w1 #1\n b @10.0.0.2:1 w1 #2\n"
		     "+3 balance source\n-!7 b\n");
	haproxy(CONSISTENT " server a h.example:1 hash-key addr\n", "pn",
		POOL " client_ip\n a @h.example:1 w1 #1\n+3 balance source\n-!6 addr\n");
}

static void test_servers(void **state)
{
	(void)state;
	haproxy("defaults d\n mode http\n balance source\n default-server weight 3 check "
		"backup\n"
		"defaults e from d\n default-server no-backup\n"
		"backend b from e\n default-server rise 4 inter 1s\n"
		" server a 10.0.0.1:1 disabled maxconn 9 weight 0\n server b 10.0.0.2 fall 5\n"
		" server c /s cookie x\n server d 10.0.0.4:1 ssl verify none\n",
		"pn",
		"pool b haproxy-map,key=source client_ip\n a @10.0.0.1:1 w0 #1 drain\n"
		" b @ w3 #2\n c @unix:/s w3 #3\n d @10.0.0.4:1 w3 #4\n"
		"+3 balance source\n-9 maxconn\nl10 10.0.0.2\n-!11 cookie\n-12 verify\nl12 "
		"d\n");
	haproxy(HTTP "backend b\n server-template w 2-3 h.example:1 weight 4\n", "pn",
		"pool b table\n w2 @h.example:1 w4 #0\n w3 @h.example:1 w4 #0\n-3 b\n"
		"l4 server-template\n");
	haproxy(HTTP "backend b\n server a 10.0.0.1:1 weight 257\n server-template w 3-2 h:1\n",
		"n", "-3 b\n-!4 weight\n-!5 server-template\n");
	/* Weights are divided by what all servers have in common. */
	haproxy(HTTP "backend b\n balance source\n server a 10.0.0.1:1 weight 4\n"
		     " server b 10.0.0.2:1 weight 3 backup\n server c 10.0.0.3:1 backup\n",
		"n", "-3 b\n-!3 b\n+4 balance source\n");
}

static void test_routes(void **state)
{
	(void)state;
	haproxy(HTTP
		"frontend f\n bind :80,ipv4@127.0.0.1:81\n"
		" bind :443 ssl\n acl h hdr(host) -i x.example\n acl h req.hdr(host) "
		"y.example\n"
		" acl odd src 10.0.0.1\n use_backend c if h { path_beg /a /b }\n"
		" use_backend c if odd\n use_backend c unless h\n use_backend %[path]\n"
		" default_backend b\nbackend b\n server s 10.0.0.1:1\nbackend c\n server s "
		"10.0.0.1:1\n",
		"rn",
		"listen :80\nlisten 127.0.0.1:81\n"
		"route f x.example/a -> c\nroute f x.example/b -> c\n"
		"route f y.example/a -> c\nroute f y.example/b -> c\n"
		"route f-2 x.example/a -> c\nroute f-2 x.example/b -> c\n"
		"route f-2 y.example/a -> c\nroute f-2 y.example/b -> c\n"
		"route f */ -> b\nroute f-2 */ -> b\n"
		"l5 bind :443 ssl\n+!9 use_backend c if h { path_beg /a /b }\n"
		"-!10 use_backend c if odd\n-!11 use_backend c unless h\n"
		"-!12 use_backend %[path]\n-14 b\n-16 c\n");
	haproxy(HTTP
		"listen b\n bind :::82 v6only\n bind /s\n bind *:84 accept-proxy\n bind x:y\n"
		" server s 10.0.0.1:1\n",
		"rn",
		"listen [::]:82\nlisten unix:/s\nroute b */ -> b\nroute b-2 */ -> b\n-3 b\n"
		"l6 bind *:84 accept-proxy\n-!7 x:y\n");
}

static void test_order(void **state)
{
	(void)state;
	haproxy(HTTP "frontend f\n bind :80\n use_backend c if { path_beg /a }\n"
		     " use_backend d if { hdr(host) x.example }\n"
		     " use_backend c if { hdr_end(host) -i .y.example }\n default_backend c\n"
		     "backend c\n server s 10.0.0.1:1\nbackend d\n server s 10.0.0.1:1\n",
		"rn",
		"listen :80\nroute f */a -> c\nroute f x.example/ -> d\n"
		"route f *.y.example/ -> c\nroute f */ -> c\n+!5 use_backend c if { path_beg "
		"/a "
		"}\n"
		"-!6 use_backend d if { hdr(host) x.example }\n-9 c\n-11 d\n");
	haproxy(HTTP "frontend f\n bind :80\n use_backend d if { path_beg /a/b }\n"
		     " use_backend c if { path_beg /a }\n default_backend d\n"
		     "backend c\n server s 10.0.0.1:1\nbackend d\n server s 10.0.0.1:1\n",
		"n",
		"+!5 use_backend d if { path_beg /a/b }\n+!6 use_backend c if { path_beg /a "
		"}\n-8 c\n"
		"-10 d\n");
}

static void test_what_changes_keys(void **state)
{
	(void)state;
	haproxy(HTTP
		"listen b\n bind :80\n balance hdr(X)\n server s 10.0.0.1:1\n"
		" http-request set-header x 1\n http-request set-header y secret\n"
		" stats auth admin:pw\n hash-balance-factor 150\n http-request set-path /\n"
		"userlist u\n user a password b\n.if 1\n x\n.endif\n",
		"rn",
		"listen :80\nroute b */ -> b\n+5 balance hdr(X)\n-!7 http-request set-header "
		"...\n"
		"-8 http-request set-header ...\n-9 stats ...\n-!10 hash-balance-factor 150\n"
		"-11 http-request set-path ...\n-12 userlist\n-!14 .if 1\n");
}

static void test_versions(void **state)
{
	static const struct {
		const char *version;
		int rc, numbers;
	} table[] = {
		{NULL, FL_OK, FL_HAPROXY_UNTOLD},
		{"2.6", FL_OK, FL_HAPROXY_IDS},
		{"2.9.15", FL_OK, FL_HAPROXY_IDS},
		{"3.0", FL_OK, FL_HAPROXY_UNTOLD},
		{"3.0.0", FL_OK, FL_HAPROXY_IDS_3_0},
		{"3.0.12", FL_OK, FL_HAPROXY_IDS_3_0},
		{"3.0.13", FL_OK, FL_HAPROXY_IDS},
		{"3.1.9", FL_OK, FL_HAPROXY_IDS_3_0},
		{"3.1.10", FL_OK, FL_HAPROXY_IDS},
		{"3.2.6", FL_OK, FL_HAPROXY_IDS_3_0},
		{"3.2.7", FL_OK, FL_HAPROXY_IDS},
		{"3.3", FL_OK, FL_HAPROXY_IDS},
		{"4.0.1", FL_OK, FL_HAPROXY_IDS},
		{"", FL_EINVAL, 0},
		{"3", FL_EINVAL, 0},
		{"3.", FL_EINVAL, 0},
		{"3.2.", FL_EINVAL, 0},
		{"3.2.6.1", FL_EINVAL, 0},
		{"3.2-dev", FL_EINVAL, 0},
		{"3.2.x", FL_EINVAL, 0},
		{" 3.2.6", FL_EINVAL, 0},
		{"3.99999", FL_EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum fl_haproxy_numbers numbers;
		int rc = fl_haproxy_numbers(table[i].version, &numbers, NULL);

		if (rc != table[i].rc || (rc == FL_OK && (int)numbers != table[i].numbers))
			fail_msg("%s", table[i].version);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_balance),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_hash_keys),
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_what_changes_keys),
		cmocka_unit_test(test_versions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
