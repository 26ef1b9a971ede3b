// SPDX-License-Identifier: GPL-2.0
/* grow: what exits teach, and when a block pays. */
#include <ubd/grow.h>

static u32 passed, failed;

static void expect(bool holds, const char *what)
{
	if (holds) {
		passed++;
		return;
	}
	failed++;
	printf("FAIL %s\n", what);
}

#define IP	0x401000ull
#define TARGET	0x402000ull

/* Whether one exit teaches @region something, where 16 are enough. */
static bool learn(struct region *region, u32 kind, u64 ip, u64 target, u64 count)
{
	const struct ub_exit_info exit = { .kind = kind, .ip = ip, .last_target = target, .count = count };

	return grow_learn(region, &exit, 1, 16);
}

static void test_ends(void)
{
	struct region region = { 0 };

	expect(!learn(&region, UB_EXIT_END, IP, 0, 15) && !region.root_cnt, "a cold end teaches nothing");
	expect(learn(&region, UB_EXIT_END, IP, 0, 16), "a hot end is new");
	expect(region.root_cnt == 1 && region.roots[0] == IP && !region.hint_cnt, "and is a root");
	expect(!learn(&region, UB_EXIT_END, IP, 0, 1000), "the same end is not new again");
	expect(learn(&region, UB_EXIT_END, TARGET, 0, 16) && region.root_cnt == 2, "another is");
	region_give_up(&region, 1);
	expect(region.root_cnt == 1 && region.roots[0] == IP, "what gave nothing is no root any more");
	expect(!learn(&region, UB_EXIT_END, TARGET, 0, 1000) && region.root_cnt == 1, "nor ever again");
}

static void test_indirect(void)
{
	struct region region = { 0 };
	u32 i;

	expect(!learn(&region, UB_EXIT_INDIRECT, IP, 0, 16), "an indirect branch without a target teaches nothing");
	expect(learn(&region, UB_EXIT_INDIRECT, IP, TARGET, 16), "one with a target does");
	expect(region.hint_cnt == 1 && region.hints[0].ip == IP && region.hints[0].target == TARGET, "it is a hint");
	expect(region.root_cnt == 1 && region.roots[0] == TARGET, "the target is a root");
	expect(!learn(&region, UB_EXIT_INDIRECT, IP, TARGET, 1000), "the same again is not new");
	for (i = 1; i <= REGION_MAX_TARGETS; i++)
		learn(&region, UB_EXIT_INDIRECT, IP, TARGET + 16 * i, 16);
	expect(region.hint_cnt == REGION_MAX_TARGETS, "one branch has so many hints and no more");
}

static void test_others(void)
{
	struct region region = { 0 };
	u32 kind;

	for (kind = 0; kind < UB_EXIT_COUNT; kind++)
		if (kind != UB_EXIT_END && kind != UB_EXIT_INDIRECT && kind != UB_EXIT_BOUND)
			expect(!learn(&region, kind, IP, TARGET, 1000000), "the kernel's own business teaches nothing");
	expect(!region.root_cnt && !region.hint_cnt, "and leaves no trace");
	expect(learn(&region, UB_EXIT_BOUND, IP, 0, 16) && region.wild_cnt == 1, "where a hold fails it is wild");
	expect(!learn(&region, UB_EXIT_BOUND, IP, 0, 16), "once");
	expect(!grow_learn(&region, NULL, 0, 1), "no exits");
}

static void test_room(void)
{
	static struct region region;
	u32 i, taught = 0;

	for (i = 0; i < REGION_MAX_ROOTS + 10; i++)
		taught += learn(&region, UB_EXIT_END, IP + i, 0, 16);
	expect(taught == REGION_MAX_ROOTS && region.root_cnt == REGION_MAX_ROOTS, "a full region learns no more");
}

static void test_pays(void)
{
	const struct config config = { .min_entries = 100, .min_calls_per_entry = 2 };

	expect(grow_pays(&config, 0, 0), "a block that nobody entered is not judged");
	expect(grow_pays(&config, 99, 0), "nor one with too few entries");
	expect(!grow_pays(&config, 100, 199), "fewer than two calls for each entry do not pay");
	expect(grow_pays(&config, 100, 200), "two do");
	expect(grow_pays(&config, 100, 1000000), "many do");
	expect(!grow_pays(&config, 1ull << 33, 1ull << 33), "large counts do not wrap");
}

static void test_pause(void)
{
	struct session session = { .grow_ms = 50 };
	u32 i;

	grow_pause(&session, 1000000000, 1000);
	expect(session.next_grow_ns == 1050001000, "the least pause");
	grow_pause(&session, 1000000000, 100000000);
	expect(session.next_grow_ns == 2000000000, "growing takes a tenth of the time");
	grow_back_off(&session, 1000000000);
	expect(session.next_grow_ns == 1050000000 && session.grow_ms == 100, "the next pause is twice as long");
	for (i = 0; i < 40; i++)
		grow_back_off(&session, 0);
	expect(session.grow_ms >= 10000 && session.grow_ms < 20000, "but not without end");
}

/* What grow.c says goes nowhere. */
void ubd_say(int priority, const char *format, ...)
{
	(void)priority;
	(void)format;
}

int main(void)
{
	test_ends();
	test_indirect();
	test_others();
	test_room();
	test_pays();
	test_pause();
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
