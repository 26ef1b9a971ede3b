/* SPDX-License-Identifier: GPL-2.0 */
/*
 * parser: what the files that read the text form share.  Nobody else includes it.
 */
#ifndef UB_PARSER_H
#define UB_PARSER_H

#include "parse.h"
#include "vecop.h"

#define MAX_NAME	64

struct label {
	char name[MAX_NAME];
	u32 insn_idx;
};

/* A jump to a label that may stand further down. */
struct fixup {
	char name[MAX_NAME];
	u32 insn_idx;
	u32 line;
};

/* An array that grows. */
struct list {
	void *items;
	size_t cnt;
	size_t room;
};

struct parser {
	const char *pos;
	u32 line;
	int err;
	struct ub_parse_error *error;
	struct list insns, entries, labels, fixups;
	u16 resident;
};

/* The first complaint stands. */
__attribute__((format(printf, 2, 3)))
void parser_complain(struct parser *p, const char *format, ...);

/* Each skips blanks first. */
bool parser_take(struct parser *p, char c);
void parser_expect(struct parser *p, char c);
/* Letters, digits, "_" and ".".  False, and nothing taken, when there are none. */
bool parser_take_word(struct parser *p, char word[MAX_NAME]);
s64 parser_number(struct parser *p);
u8 parser_reg(struct parser *p);
/* [base + index * factor + off], or [address] where it may be constant; returns the base. */
u8 parser_base(struct parser *p, struct ub_insn *insn, bool may_have_all);

/* parse_vec.c: what stands behind the operation's name, and its operands. */
void parser_vec_variant(struct parser *p, const char *part, struct ub_insn *insn);
void parser_vec_operands(struct parser *p, struct ub_insn *insn);

#endif
