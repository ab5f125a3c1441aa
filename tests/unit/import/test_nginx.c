#include "import.h"

static void nginx(const char *text, const char *what, const char *want)
{
	const struct fl_import_input in = {
		.system = FL_IMPORT_NGINX, .name = "f", .bytes = text, .len = strlen(text)};

	expect(&in, what, want);
}

#define SERVER " server h:1; }"

static void test_words(void **state)
{
	(void)state;
	nginx("upstream \"a;b\" { hash $arg_k; server '10.0.0.1:1' \"weight=2\"; }", "p",
		"pool a;b nginx-hash query:k else random\n 10.0.0.1:1 @10.0.0.1:1 w2 #1\n");
	nginx("upstream a\\ b{server h:1 # ; }\n;}", "p",
		"pool a\\ b table\n h:1 @h:1 w1 #0\n");
	nginx("upstream \"q\\\"q\\\\\" { server h:1; }", "p",
		"pool q\"q\\ table\n h:1 @h:1 w1 #0\n");
	nginx("upstream a { hash ${arg_k}; " SERVER, "p",
		"pool a nginx-hash query:k else random\n h:1 @h:1 w1 #1\n");
	nginx("\xef\xbb\xbfupstream a {" SERVER, "p", "pool a table\n h:1 @h:1 w1 #0\n");
	nginx("upstream a {" SERVER
	      "\nrewrite_by_lua_block {\n x = \"}\" -- }\n y = {[[}]]} }\nz 1;",
		"n", "-1 a\n+1 h:1\n-2 rewrite_by_lua_block\n-5 z 1\n");
}

static void test_broken(void **state)
{
	(void)state;
	nginx("a", "p", "f:1: expected \";\" or \"{\", and the file ends");
	nginx("\na {\n b 1;\n", "p", "f:2: the block that begins here has no closing \"}\"");
	nginx("a 1;\n}", "p", "f:2: unexpected \"}\"");
	nginx("a { b }", "p", "f:1: expected \";\" before \"}\"");
	nginx("a 1;\n;", "p", "f:2: there is no directive before \";\"");
	nginx("{ }", "p", "f:1: there is no directive before \"{\"");
	nginx("a \"b;\n\n", "p", "f:1: expected a closing \"");
	nginx("a 'b'c;", "p", "f:1: expected a blank, \";\" or \"{\" behind a closing quote");
	nginx("a_by_lua_block { { }", "p",
		"f:1: the block that begins here has no closing \"}\"");
	nginx("a { a { a { a { a { a { a { a { a { a { a { a { a { a { a { a { a { a { a { a { "
	      "a { "
	      "a { a { a { a { a { a { a { a { a { a { a { a {",
		"p", "f:1: blocks and includes are nested too deeply");
	nginx("upstream a { }", "p", "f: there is nothing to import: no group of servers");
}

static void test_keys(void **state)
{
	static const struct {
		const char *key, *keys, *notes;
	} table[] = {
		{"$remote_addr", " client_ip", "+1 hash $remote_addr consistent\n"},
		{"$binary_remote_addr", ",key=addr client_ip",
			"+1 hash $binary_remote_addr consistent\n"},
		{"$request_uri", " uri", "+1 hash $request_uri consistent\n"},
		{"$host", " host", "+1 hash $host consistent\n"},
		{"$http_x_user_Id", " header:x-user-id",
			"+1 hash $http_x_user_Id consistent\n"},
		{"$cookie_Sid", " cookie:Sid", "+1 hash $cookie_Sid consistent\n"},
		{"$uri", " path", "-!1 hash $uri consistent\n"},
		{"$request_uri$http_x", " all( uri header:x )",
			"l!1 hash $request_uri$http_x consistent\n"},
		{"a$arg_b", " query:b", "l!1 hash a$arg_b consistent\n"},
		{"${arg_b}c", " query:b", "l!1 hash ${arg_b}c consistent\n"},
		{"$http_", "", "l!1 hash $http_ consistent\n"},
		{"$mapped", "", "l!1 hash $mapped consistent\n"},
		{"x", "", "l!1 hash x consistent\n"},
		{"$", "", "l!1 hash $ consistent\n"},
	};
	char text[256], want[256];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		snprintf(text, sizeof(text), "upstream a { hash %s consistent;" SERVER,
			table[i].key);
		snprintf(want, sizeof(want),
			"pool a nginx-consistent%s else random\n h:1 @h:1 w1 #0\n%s+1 h:1\n",
			table[i].keys, table[i].notes);
		nginx(text, "pn", want);
	}
}

static void test_servers(void **state)
{
	(void)state;
	nginx("upstream a { ip_hash; server 10.0.0.1 down; server [::1]:81 weight=70000;\n"
	      "server 10.0.0.1 max_conns=2; server unix:/x backup; server 10.0.0.2 weight=x; }",
		"pn",
		"pool a nginx-ip-hash client_ip\n"
		" 10.0.0.1 @10.0.0.1:80 w1 #1 drain\n"
		" [::1]:81 @[::1]:81 w65535 #2\n"
		" 10.0.0.1 (2) @10.0.0.1:80 w1 #3\n"
		" unix:/x @unix:/x w1 #4 backup\n"
		" 10.0.0.2 @10.0.0.2:80 w1 #5\n"
		"-!1 weight=70000\n-2 max_conns=2\n+2 backup\n-!2 weight=x\n");
	/* On the ring two servers of one name have the same points. */
	nginx("upstream a { hash $arg_k consistent; server 10.0.0.1; server 10.0.0.1 weight=2; "
	      "}",
		"p",
		"pool a nginx-consistent query:k else random\n 10.0.0.1 @10.0.0.1:80 w1 #0\n");
	nginx("upstream a { least_conn; server 10.0.0.1; sticky cookie x; }", "n",
		"-1 least_conn\n-!1 sticky\n");
	nginx("upstream a { server \"x\ty\"; server 10.0.0.1:0; }", "pn",
		"pool a table\n 10.0.0.1:0 @ w1 #0\n-1 a\n-!1 x_y\nl1 10.0.0.1:0\n");
	/* One name for two groups. */
	nginx("http { upstream a { server 10.0.0.1; } }\nstream { upstream a { server "
	      "10.0.0.2:1; } }",
		"p",
		"pool a table\n 10.0.0.1 @10.0.0.1:80 w1 #0\n"
		"pool a-2 table\n 10.0.0.2:1 @10.0.0.2:1 w1 #0\n");
}

static void test_routes(void **state)
{
	(void)state;
	nginx("upstream a { server 10.0.0.1; }\n"
	      "server { server_name x.example; location / { proxy_pass http://a; } }\n"
	      "server { listen 80; server_name .y.example; location /b/ { proxy_pass "
	      "http://a/b/; } }\n"
	      "server { listen 81; location ^~ /c { proxy_pass http://10.0.0.9:90; } }\n",
		"rn",
		"listen :80\nlisten :81\n"
		"route :80 x.example/ -> a\nroute :80 */ -> a\n"
		"route :80 y.example/b/ -> a\nroute :80 *.y.example/b/ -> a\n"
		"route :81 */c -> 10.0.0.9:90\n-1 a\n+!4 location ^~ /c\n");
	/* default_server says who has the rest, wherever it stands. */
	nginx("upstream a { server 10.0.0.1; }\n"
	      "server { listen *:80; listen [::]:80; server_name x; location / { proxy_pass "
	      "http://a; } }\n"
	      "server { listen 80 default_server; location / { proxy_pass http://a/c; } }\n",
		"rn",
		"listen :80\nroute :80 x/ -> a\nroute :80 */ -> a\n-1 a\n"
		"-3 proxy_pass http://a/c\n");
	nginx("upstream a { server 10.0.0.1; }\n"
	      "server { listen 443 ssl; location / { proxy_pass http://a; } }\n"
	      "server { listen 80; location / { proxy_pass https://a; } }\n"
	      "server { listen 82; location / { if ($x) { proxy_pass http://a; } } }\n"
	      "server { listen 83; location / { proxy_pass http://$x; } location @y { return "
	      "1; } }\n"
	      "server { listen 84; set_real_ip_from 10.0.0.0/8; }\n",
		"rn",
		"-1 a\nl2 listen 443 ssl\nl3 proxy_pass https://a\n-3 :80\n-!4 if ($x)\n-4 "
		":82\n"
		"-!5 proxy_pass http://$x\n-5 location @y\n-5 :83\n"
		"-6 set_real_ip_from 10.0.0.0/8\n-6 :84\n");
	nginx("upstream a { ip_hash; server 10.0.0.1; } set_real_ip_from ::/0;", "n",
		"-!1 set_real_ip_from ::/0\n");
	nginx("upstream a { server 10.0.0.1:1; } server { listen 1; proxy_pass a; }", "rn",
		"-1 a\nl1 a\nl1 listen 1\nl1 proxy_pass a\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_routes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
