/* SPDX-License-Identifier: GPL-2.0 */
/*
 * parse: the assembler of the text form (user space only: tests and ubtool).
 *
 * One instruction a line; "; ..." and "# ..." are comments; "NAME:" is a label; "entry 0x1000:" is an entry, and
 * "@12" an absolute index as the disassembler prints it.  docs/IR.md has the grammar.
 */
#ifndef UB_PARSE_H
#define UB_PARSE_H

#include "op.h"

/* On failure: where and what, e.g. "line 3: unknown operation \"addq\"". */
struct ub_parse_error {
	u32 line;
	char text[160];
};

/* 0 and a block that the caller gives to ub_block_free(); or -EINVAL with @err filled, or -ENOMEM. */
int ub_block_parse(const char *text, struct ub_block **ret, struct ub_parse_error *err);
void ub_block_free(struct ub_block *block);
/* The whole block with entries, in a form that ub_block_parse() reads back to the same bytes.  malloc()ed, or NULL. */
char *ub_block_text(const struct ub_block *block);

#endif
