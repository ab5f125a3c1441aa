/* The arena: alignment, zeroed and disjoint pieces, the limit, overflow, reuse after fini. */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
	struct fl_arena arena;
	unsigned char *piece[600];
	size_t size[600];
	(void)state;
	fl_arena_init(&arena, 0);
	for (size_t i = 0; i < 600; i++) {
		size[i] = i * 7 % 501;
		piece[i] = fl_arena_alloc(&arena, size[i]);
		assert_non_null(piece[i]);
		assert_int_equal((uintptr_t)piece[i] % alignof(max_align_t), 0);
		for (size_t k = 0; k < size[i]; k++)
			assert_int_equal(piece[i][k], 0);
		memset(piece[i], (int)(i & 0xff) | 1, size[i]);
	}
	for (size_t i = 0; i < 600; i++) {
		for (size_t k = 0; k < size[i]; k++)
			assert_int_equal(piece[i][k], (i & 0xff) | 1);
	}
	fl_arena_fini(&arena);
	fl_arena_fini(&arena);
}

static void limit_holds(void **state)
{
	struct fl_arena arena;
	size_t got = 0;
	(void)state;
	fl_arena_init(&arena, 100000);
	assert_null(fl_arena_alloc(&arena, 100000));
	while (fl_arena_alloc(&arena, 1000))
		got += 1000;
	assert_true(got > 90000 && got < 100000);
	assert_true(arena.taken <= 100000);
	assert_null(fl_arena_alloc(&arena, 1000));
	fl_arena_fini(&arena);
	assert_int_equal(arena.taken, 0);
	assert_non_null(fl_arena_alloc(&arena, 50000));
	fl_arena_fini(&arena);
}

static void large_pieces_and_overflow(void **state)
{
	struct fl_arena arena;
	(void)state;
	fl_arena_init(&arena, 0);
	char *big = fl_arena_alloc(&arena, 3u << 20);
	assert_non_null(big);
	memset(big, 1, 3u << 20);
	assert_null(fl_arena_alloc(&arena, SIZE_MAX));
	assert_null(fl_arena_alloc(&arena, SIZE_MAX - 40));
	assert_null(fl_arena_array(&arena, SIZE_MAX / 2, 3));
	assert_null(fl_arena_copy(&arena, "x", SIZE_MAX));
	assert_non_null(fl_arena_array(&arena, 10, 3));
	fl_arena_fini(&arena);
}

static void copies_end_in_nul(void **state)
{
	struct fl_arena arena;
	(void)state;
	fl_arena_init(&arena, 0);
	assert_string_equal(fl_arena_copy(&arena, "abcdef", 3), "abc");
	assert_string_equal(fl_arena_copy(&arena, NULL, 0), "");
	fl_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
		cmocka_unit_test(limit_holds),
		cmocka_unit_test(large_pieces_and_overflow),
		cmocka_unit_test(copies_end_in_nul),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
