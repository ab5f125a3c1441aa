/* Hashes of keys in HAProxy: checked against 2.6.12, 3.2.0 and 3.4.0 answering requests.
 *   hash=sdbm|djb2|wt6|crc32 over the key's bytes, unsigned
 *   hash=none: the key is a decimal number, its low 32 bits (a sign, numbers beyond 63 bits and
 *     what stands behind the digits are as in its parser, not verified)
 *   hash=default: no function was named, which means sdbm
 *   avalanche=default: as HAProxy has it: with no function named, `hash-type consistent` has an
 *     avalanche and map-based has none; with a function named there is none unless written
 *   key=source: `balance source`: the key is the client's address as text, hashed as the XOR of
 *     the big-endian 32-bit words of the address. The function is ignored, the avalanche is not.
 *     HAProxy refuses clients without an IP address; here such a key is hashed over its own bytes,
 *     the last word filled up with zeros.
 * Where HAProxy cuts the key out of a request, the pool's `key` must do as much: `uri` stops at
 * "?" unless `whole`, `hdr` gives the first element of a list. A request without the key goes to
 * round robin there; here an empty key is the hash of no bytes. */
#include "compat/haproxy_hash.h"

#include "compat/address.h"
#include "hash/legacy.h"

const char *const fl_haproxy_functions[] = {
	"default", "sdbm", "djb2", "wt6", "crc32", "none", NULL};
const char *const fl_haproxy_avalanches[] = {"default", "0", "1", NULL};
const char *const fl_haproxy_keys[] = {"bytes", "source", NULL};

static uint32_t sdbm(const unsigned char *bytes, size_t len)
{
	uint32_t h = 0;
	for (size_t i = 0; i < len; i++)
		h = bytes[i] + (h << 6) + (h << 16) - h;
	return h;
}

static uint32_t djb2(const unsigned char *bytes, size_t len)
{
	uint32_t h = 5381;
	for (size_t i = 0; i < len; i++)
		h = h * 33 + bytes[i];
	return h;
}

static uint32_t rotl(uint32_t x, unsigned by)
{
	return x << by | x >> (-by & 31);
}

static uint32_t wt6(const unsigned char *bytes, size_t len)
{
	uint32_t a = 0xa53c965a, b = 0x5ca6953a;
	unsigned by_a = 6, by_b = 18;
	for (size_t i = 0; i < len; i++) {
		a = ~(a ^ bytes[i]);
		b = ~(b + bytes[i]);
		uint32_t turned = rotl(b, by_a), low;
		b = rotl(a, by_b);
		a = turned;
		low = (a >> 16 ^ b) & 0xffff;
		by_a = low & 31;
		by_b = low >> 11;
	}
	return a ^ b;
}

static uint32_t crc(const unsigned char *bytes, size_t len)
{
	return fl_crc32(bytes, len);
}

static uint32_t number(const unsigned char *bytes, size_t len)
{
	bool minus = len > 0 && bytes[0] == '-';
	uint64_t n = 0, most = (uint64_t)INT64_MAX + minus;
	for (size_t i = minus || (len > 0 && bytes[0] == '+'); i < len; i++) {
		unsigned digit = bytes[i] - (unsigned)'0';
		if (digit > 9)
			break;
		if (n > (most - digit) / 10) {
			n = most;
			break;
		}
		n = 10 * n + digit;
	}
	return (uint32_t)(minus ? -n : n);
}

static uint32_t source(const unsigned char *bytes, size_t len)
{
	unsigned char address[16];
	size_t size = fl_address_read(bytes, len, address);
	const unsigned char *at = size ? address : bytes;
	uint32_t h = 0;
	for (size_t i = 0; i < (size ? size : len); i++)
		h ^= (uint32_t)at[i] << (24 - 8 * (i % 4));
	return h;
}

struct fl_haproxy_hash fl_haproxy_hash_of(const uint64_t *options, bool avalanche)
{
	static uint32_t (*const functions[])(const unsigned char *, size_t) = {
		sdbm, sdbm, djb2, wt6, crc, number};
	struct fl_haproxy_hash h = {functions[options[0]], avalanche && options[0] == 0};
	if (options[1] > 0)
		h.avalanche = options[1] == 2;
	if (options[2] == 1)
		h.function = source;
	return h;
}

uint32_t fl_haproxy_hash(const struct fl_haproxy_hash *h, const struct fl_key *key)
{
	uint32_t value = h->function(key->bytes, key->len);
	return h->avalanche ? fl_haproxy_mix(value) : value;
}

uint32_t fl_haproxy_mix(uint32_t a)
{
	a = (a + 0x7ed55d16) + (a << 12);
	a = (a ^ 0xc761c23c) ^ (a >> 19);
	a = (a + 0x165667b1) + (a << 5);
	a = (a + 0xd3a2646c) ^ (a << 9);
	a = (a + 0xfd7046c5) + (a << 3);
	a = (a ^ 0xb55a4f09) ^ (a >> 16);
	return a * 3221225473u;
}
