/* SPDX-License-Identifier: GPL-2.0 */
/*
 * input: what a fuzzer's bytes mean as a block: a head, then instructions as they are on the wire.
 */
#ifndef UB_FUZZ_INPUT_H
#define UB_FUZZ_INPUT_H

#include "../../../ir/vecop.h"
#include "../../../verifier/verify.h"

#define INPUT_MAX_INSNS		96u
#define INPUT_MAX_ENTRIES	4u
#define INPUT_LIMIT		0x7ffffffff000ull
#define INPUT_IP		0x400000ull	/* of the first mark that is put in somewhere */

struct input_head {
	u16 resident;
	u8 entry_cnt;
	u8 log_level;
	u16 log_size;
	u16 options;		/* for the target */
	u8 entry_at[INPUT_MAX_ENTRIES - 1];
	u8 fail_at;		/* the allocation that fails, see alloc.h */
	u32 seed;
};

struct input {
	struct input_head head;
	struct ub_insn insns[INPUT_MAX_INSNS];
	struct ub_entry entries[INPUT_MAX_ENTRIES];
	struct ub_block block;
};

/* False when there is no instruction in it.  The entries are marks, if there are so many. */
bool input_read(struct input *ret, const u8 *data, size_t size);
/* Jumps stay inside, the first instruction is a mark, the last one ends: what nearly every block needs. */
void input_mend(struct input *input);
/*
 * Verifies, with the log that the head asks for.  What is refused is replaced, a few times, so that many blocks stand
 * right inside the border.  *ret is set if true.  From here on the head's allocation fails.
 */
bool input_verify(struct input *input, struct ub_verified **ret);

/* mutate.c: any instruction that is well-formed, as a rule. */
struct ub_insn mutate_insn(void);

/* Prints what is wrong, and the block, and dies. */
__attribute__((noreturn, format(printf, 2, 3)))
void input_broken(const struct ub_block *block, const char *format, ...);

#endif
