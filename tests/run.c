// SPDX-License-Identifier: GPL-2.0
/*
 * run: runs the text cases of tests/.  docs/TESTING.md says what a case looks like.
 *
 *	run [--bless] [-v] FILE...
 *
 * One line per complaint, FILE:LINE: TEXT, and at the end "N passed, N failed": a test is one stage of one file, or one
 * run line.  With --bless what differs is written into the file instead.
 */
#define _GNU_SOURCE
#include <ctype.h>

#include "case.h"
#include "harness.h"
#include "order.h"

#define TAIL_NR		500u	/* the call behind the code of a case: nobody makes it */

/* A case while it runs. */
struct test {
	struct file file;
	u8 code[CODE_LEN];
	u32 code_len;		/* of the case */
	u32 tail_len;		/* and of what stands behind it */
	bool has_native;	/* the bare processor can run it */
	u32 calls[16];		/* system calls that run lines answer */
	u32 call_cnt;
	struct ub_block *parsed;
	struct ub_lifted *lifted;
	const struct ub_block *block;
	struct ub_verified *verified;
};

static bool is_verbose;

static bool has_stage(const struct test *t, enum stage stage)
{
	return t->file.stages & 1u << stage;
}

/* --- stage ir: text and back --- */

/* The line of the section's instruction @idx, or its head. */
static u32 line_of_insn(const struct test *t, u32 idx)
{
	const struct section *section = &t->file.ir;
	u32 i, cnt = 0;

	for (i = section->from; i < section->to; i++) {
		const char *line = t->file.lines[i] ? t->file.lines[i] : "", *label;
		size_t len = strcspn(line, ";#"), skip = 0;

		/* Behind the last ":" stands the instruction, if any. */
		for (label = line; label < line + len; label++)
			if (*label == ':')
				skip = label + 1 - line;
		while (skip < len && isspace(line[skip]))
			skip++;
		if (skip < len && strncmp(line + skip, "resident ", 9) && cnt++ == idx)
			return i;
	}
	return section->from - 1;
}

/* "; refuse: TEXT" or "; refuse CODE: TEXT".  The line, or the line count when there is none. */
static u32 find_refusal(const struct test *t, char *code, size_t size, const char **ret_text)
{
	const struct file *file = &t->file;
	const char *at, *colon;
	u32 i;

	for (i = file->ir.from; i < file->ir.to; i++) {
		at = strstr(file->lines[i], "; refuse");
		if (!at)
			continue;
		at += strlen("; refuse");
		at += *at == ' ';
		colon = strchr(at, ':');
		if (!colon || colon - at >= (ptrdiff_t)size)
			continue;
		memcpy(code, at, colon - at);
		code[colon - at] = 0;
		*ret_text = colon[1] == ' ' ? colon + 2 : colon + 1;
		return i;
	}
	return file->line_cnt;
}

static void bless_refusal(struct test *t, u32 old_line, u32 line, const char *code, const char *text)
{
	char *old = old_line < t->file.line_cnt ? strdup(t->file.lines[old_line]) : NULL, *bare, *blessed;

	if (old) {
		size_t len = strstr(old, "; refuse") - old;

		while (len && isspace(old[len - 1]))
			len--;
		old[len] = 0;
		file_set_line(&t->file, old_line, old);
		free(old);
	}
	bare = t->file.lines[line];
	if (text && asprintf(&blessed, "%s\t; refuse%s%s: %s", bare, *code ? " " : "", code, text) > 0) {
		file_set_line(&t->file, line, blessed);
		free(blessed);
	}
}

/* What was refused, where and why, against what the case says.  @text NULL: nothing was refused. */
static void expect_refusal(struct test *t, u32 line, const char *code, const char *text)
{
	char want_code[32] = "";
	const char *want = NULL;
	u32 want_line = find_refusal(t, want_code, sizeof(want_code), &want);
	bool is_as_said = !text == !want;

	if (text && want)
		is_as_said = line == want_line && strstr(text, want) && (!*want_code || !strcmp(code, want_code));
	if (is_as_said) {
		t->file.passed++;
	} else if (t->file.is_blessing) {
		bless_refusal(t, want_line, line, *want_code ? code : "", text);
		t->file.passed++;
	} else if (!text) {
		file_fail(&t->file, want_line, "not refused");
	} else {
		file_fail(&t->file, line, "refused: %s%s%s", code, *code ? ": " : "", text);
		if (want && line != want_line)
			printf("%s:%u: but here it should be\n", t->file.path, want_line + 1);
	}
}

static bool parse_ir(struct test *t)
{
	char *text = file_section(&t->file, &t->file.ir);
	struct ub_parse_error error = { 0 };
	u32 line = t->file.ir.from - 1;
	int err;

	if (!text) {
		file_fail(&t->file, 0, "no section ir:");
		return false;
	}
	err = ub_block_parse(text, &t->parsed, &error);
	free(text);
	t->block = t->parsed;
	if (err)
		line += error.line;
	if (has_stage(t, STAGE_IR) && !has_stage(t, STAGE_VERIFY))
		expect_refusal(t, line, "", err ? strchr(error.text, ':') + 2 : NULL);
	else if (err)
		file_fail(&t->file, line, "%s", error.text);
	return !err;
}

static void check_text(struct test *t)
{
	char *text = ub_block_text(t->block);
	struct ub_parse_error error = { 0 };
	struct ub_block *again;
	u32 i;

	if (ub_block_parse(text, &again, &error)) {
		file_fail(&t->file, t->file.ir.from, "its own text does not read back: %s", error.text);
		free(text);
		return;
	}
	for (i = 0; i < t->block->insn_cnt && i < again->insn_cnt; i++)
		if (memcmp(&t->block->insns[i], &again->insns[i], sizeof(*again->insns)))
			break;
	if (i < t->block->insn_cnt || i < again->insn_cnt || t->block->entry_cnt != again->entry_cnt ||
	    memcmp(t->block->entries, again->entries, again->entry_cnt * sizeof(*again->entries)))
		file_fail(&t->file, line_of_insn(t, i), "reads back as other bytes");
	else
		t->file.passed++;
	ub_block_free(again);
	free(text);
}

/* --- stage verify --- */

/* In whatever order labels are run, the verdict is the same. */
static void verify_in_orders(struct test *t, int err, enum ub_refusal refusal)
{
	enum ub_refusal other;
	enum order order;

	for (order = ORDER_OWN + 1; order < ORDER_COUNT; order++)
		if (!order_agrees(order, t->block, LIMIT, err, refusal, &other))
			file_fail(&t->file, 0, "with labels in the order \"%s\" the verdict is %s", order_name(order),
				  ub_refusal_name(other));
}

/* "; why: TEXT" behind the program: the log names that cause. */
static void expect_why(struct test *t, const char *log)
{
	const char *want, *why = strstr(log, "why: ");
	u32 i;

	for (i = t->file.ir.from; i < t->file.ir.to; i++) {
		want = strstr(t->file.lines[i], "; why: ");
		if (want && why && !strncmp(why, want + 2, strlen(want + 2)))
			t->file.passed++;
		else if (want)
			file_fail(&t->file, i, "it says %.*s", why ? (int)strcspn(why, "\n") : 7, why ? why : "nothing");
	}
}

static void verify(struct test *t)
{
	const struct ub_verify_env env = { .limit = LIMIT };
	char text[65536] = "";
	struct ub_log log = { .buf = text, .size = sizeof(text), .level = is_verbose ? 2 : 1 };
	int err = ub_verify(t->block, &env, &log, &t->verified);
	char *end = strchr(text, '\n');

	if (is_verbose)
		printf("%s\n", text);
	verify_in_orders(t, err, log.refusal);
	if (t->lifted) {
		if (err)
			file_fail(&t->file, t->file.x86.from, "the lifted block is refused: %s", text);
		return;
	}
	expect_why(t, text);
	if (end)
		*end = 0;
	if (has_stage(t, STAGE_VERIFY))
		expect_refusal(t, line_of_insn(t, log.insn_idx), ub_refusal_name(log.refusal), err ? text : NULL);
	else if (err)
		file_fail(&t->file, line_of_insn(t, log.insn_idx), "%s", text);
}

/* --- stage lift --- */

static void read_x86_line(struct test *t, u32 i)
{
	struct x86_line line;
	char *copy = strdup(t->file.lines[i]), *bar, blessed[256];
	bool agrees = false;
	const char *why;
	u32 at;

	copy[strcspn(copy, "#;")] = 0;
	if (!copy[strspn(copy, " \t")])
		goto out;
	why = x86_parse(copy, CODE_IP + t->code_len, &line, &agrees);
	if (why || t->code_len + line.len > CODE_LEN - 16) {
		file_fail(&t->file, i, "%s", why ? why : "too much code");
		goto out;
	}
	if (!agrees && t->file.is_blessing) {
		bar = strchr(copy, '|');
		if (bar)
			*bar = 0;
		for (at = strlen(copy); at && isspace(copy[at - 1]); at--)
			copy[at - 1] = 0;
		snprintf(blessed, sizeof(blessed), "%s | %s", copy, line.text);
		file_set_line(&t->file, i, blessed);
	} else if (!agrees) {
		file_fail(&t->file, i, "the bytes say \"%s\"", line.text);
	}
	if (line.is_syscall || line.has_gs)
		t->has_native = false;
	memcpy(t->code + t->code_len, line.bytes, line.len);
	t->code_len += line.len;
out:
	free(copy);
}

static void read_x86(struct test *t)
{
	u32 i, failed = t->file.failed;

	t->has_native = true;
	for (i = t->file.x86.from; i < t->file.x86.to; i++)
		read_x86_line(t, i);
	if (failed == t->file.failed)
		t->file.passed++;
}

static u32 read_code(void *ctx, u64 ip, u8 *buf, u32 len)
{
	struct test *t = ctx;
	u32 total = t->code_len + t->tail_len, at;

	if (ip < CODE_IP || ip >= CODE_IP + total)
		return 0;
	at = ip - CODE_IP;
	len = len < total - at ? len : total - at;
	memcpy(buf, t->code + at, len);
	return len;
}

static bool may_dispatch(void *ctx, u64 nr)
{
	struct test *t = ctx;
	u32 i;

	for (i = 0; i < t->call_cnt; i++)
		if (t->calls[i] == nr)
			return true;
	return nr == TAIL_NR;
}

/* Only code that reaches a system call is worth lifting, so one stands behind that of the case. */
static int lift_with(struct test *t, const char *tail, u32 tail_len)
{
	u64 entries[ARRAY_SIZE(t->file.entries) + 1] = { CODE_IP }, roots[ARRAY_SIZE(t->file.left) + 1] = { CODE_IP };
	struct ub_lift_hint hints[17];
	struct ub_lift_request request = {
		.read_code = read_code, .may_dispatch = may_dispatch, .read_data = world_read, .ctx = t,
		.roots = roots, .root_cnt = t->file.left_cnt + 1, .is_learning = t->file.left_cnt, .entries = entries, .entry_cnt = t->file.entry_cnt + 1, .hints = hints,
		.goals = t->file.goals, .goal_cnt = t->file.goal_cnt,
		.wild = t->file.wild, .wild_cnt = t->file.wild_cnt, .max_guest_insns = t->file.budget,
	};

	memcpy(t->code + t->code_len, tail, tail_len);
	t->tail_len = tail_len;
	memcpy(entries + 1, t->file.entries, sizeof(t->file.entries));
	memcpy(roots + 1, t->file.left, sizeof(t->file.left));
	memcpy(hints, t->file.hints, sizeof(t->file.hints));
	request.hint_cnt = t->file.hint_cnt;
	hints[request.hint_cnt++] = (struct ub_lift_hint){ CODE_IP + t->code_len + tail_len - 2, TAIL_NR };
	return ub_lift(&request, &t->lifted);
}

/* What this processor does not have must not be lifted: so the case has something to test here, too. */
static void expect_left_alone(struct test *t, int err)
{
	if (err != -EOPNOTSUPP) {
		file_fail(&t->file, t->file.needs_line, "this processor has no %s, but the code is lifted", t->file.missing);
		return;
	}
	printf("%s: this processor has no %s, so the code is not lifted\n", t->file.path, t->file.missing);
	t->file.passed++;
}

static void lift(struct test *t)
{
	int err;
	char *text;
	u32 i;

	err = lift_with(t, "\x0f\x05", 2);				/* syscall */
	if (err == -EOPNOTSUPP)						/* of a number that the lifter can see */
		err = lift_with(t, "\x50\x58\x0f\x05", 4);		/* push rax; pop rax; syscall */
	if (t->file.missing) {
		expect_left_alone(t, err);
		return;
	}
	if (err) {
		file_fail(&t->file, t->file.x86.from, "not lifted: %s", strerror(-err));
		return;
	}
	t->block = &t->lifted->block;
	text = ub_block_text(t->block);
	for (i = 0; is_verbose && i < t->lifted->end_cnt; i++)
		printf("ends at %#llx: %s\n", (unsigned long long)t->lifted->ends[i].ip, t->lifted->ends[i].reason);
	if (is_verbose)
		printf("%s\n", text);
	if (t->file.ir.to)
		file_expect_section(&t->file, &t->file.ir, text);
	else
		t->file.passed++;
	free(text);
}

/* --- stage jit --- */

static void jit(struct test *t)
{
	static u64 stubs[512];
	struct ub_jit_env env = {
		.smap = true, .flags_off = 0x10, .work_mask = 0xf, .work_off = 0x20, .work_exit_mask = 1,
		.pagefault_off = 0x30, .call_stubs = stubs, .call_stub_cnt = ARRAY_SIZE(stubs),
		.int_features = UB_INT_F_ALL,
	};
	struct ub_image *image;
	char line[128], *text;
	size_t size;
	u32 at, len;
	FILE *out;
	int err;

	for (at = 0; at < ARRAY_SIZE(stubs); at++)
		stubs[at] = 0x1000;
	err = ub_jit(t->verified, &env, &image);
	if (err || !t->file.jit.to) {
		file_fail(&t->file, 0, err ? "not compiled: %s" : "no section jit:", strerror(-err));
		return;
	}
	out = open_memstream(&text, &size);
	for (at = 0; (len = x86_text(image->code + at, image->code_len - at, at, line, sizeof(line))); at += len)
		fprintf(out, "%s\n", line);
	fclose(out);
	file_expect_section(&t->file, &t->file.jit, text);
	free(text);
	ub_image_free(image);
}

/* --- stages run and interp --- */

static bool parse_words(struct test *t, u32 line, struct words *ret)
{
	char *copy = strdup(t->file.lines[line] + strlen("run:")), *save, *text;
	struct word *word;
	bool is_out = false, is_good = true;

	memset(ret, 0, sizeof(*ret));
	copy[strcspn(copy, "#;")] = 0;
	for (text = strtok_r(copy, " \t", &save); text; text = strtok_r(NULL, " \t", &save)) {
		if (!strcmp(text, "=>")) {
			is_out = true;
			continue;
		}
		if ((is_out ? ret->out_cnt : ret->in_cnt) == MAX_WORDS)
			break;
		word = is_out ? &ret->out[ret->out_cnt++] : &ret->in[ret->in_cnt++];
		if (!word_parse(text, word)) {
			file_fail(&t->file, line, "what is \"%s\"?", text);
			is_good = false;
		}
		if (!is_out && word->kind == WORD_YIELD)
			ret->yield = word->val;
	}
	if (!is_out && is_good)
		file_fail(&t->file, line, "no \"=>\"");
	free(copy);
	return is_good && is_out;
}

/* What raises an exception has said so in MXCSR before, and does so again when it is run again. */
static bool is_same_mxcsr(const struct guest *a, const struct guest *b, u32 code_len)
{
	u32 raised = a->ip - CODE_IP < code_len ? 0x3f : 0;

	return !((a->mxcsr ^ b->mxcsr) & ~raised);
}

static void compare_vectors(struct test *t, u32 line, const char *who, const struct guest *want, const struct guest *have)
{
	char text[2][96];
	u32 i;

	for (i = 0; i < UB_NVEC && cpu_has_vectors(); i++) {
		struct word word = { .kind = WORD_VECTOR, .reg = i, .len = 32 };

		if (!memcmp(want->v[i], have->v[i], sizeof(want->v[i])))
			continue;
		snprintf(word.name, sizeof(word.name), "ymm%u", i);
		word_get(&word, have, 0);
		word_print(&word, text[0], sizeof(text[0]));
		word_get(&word, want, 0);
		word_print(&word, text[1], sizeof(text[1]));
		file_fail(&t->file, line, "%s: %s; interpreter: %s", who, text[0], text[1]);
	}
	if (cpu_has_vectors() && !is_same_mxcsr(want, have, t->code_len))
		file_fail(&t->file, line, "%s: mxcsr is %#x; interpreter: %#x", who, have->mxcsr, want->mxcsr);
}

static void compare(struct test *t, u32 line, const char *who, const struct guest *want, const struct guest *have)
{
	u32 i, flags = (want->flags ^ have->flags) & ~want->undefined;

	for (i = 0; i < UB_NGUEST; i++)
		if (want->regs[i] != have->regs[i])
			file_fail(&t->file, line, "%s: %s is %#llx; interpreter: %#llx", who, reg_x86_name(i),
				  (unsigned long long)have->regs[i], (unsigned long long)want->regs[i]);
	if (flags)
		file_fail(&t->file, line, "%s: flags are %#x, interpreter: %#x", who, have->flags & ~want->undefined,
			  want->flags & ~want->undefined);
	compare_vectors(t, line, who, want, have);
	if (want->ip != have->ip)
		file_fail(&t->file, line, "%s: goes on at %#llx, interpreter: %#llx", who, (unsigned long long)have->ip,
			  (unsigned long long)want->ip);
	for (i = 0; i < BUF_LEN; i++)
		if (want->buf[i] != have->buf[i]) {
			file_fail(&t->file, line, "%s: buf+%u is %#x, interpreter: %#x", who, i, have->buf[i],
				  want->buf[i]);
			return;
		}
}

static u32 changed_vectors(const struct guest *before, const struct guest *after, struct word *ret)
{
	char text[32];
	u32 i, cnt = 0;

	for (i = 0; i < UB_NVEC; i++) {
		bool is_wide = memcmp(before->v[i] + 16, after->v[i] + 16, 16);

		snprintf(text, sizeof(text), "%cmm%u=0", is_wide ? 'y' : 'x', i);
		if (memcmp(before->v[i], after->v[i], 32) && word_parse(text, &ret[cnt]))
			cnt++;
	}
	if (before->mxcsr != after->mxcsr && word_parse("mxcsr=0", &ret[cnt]))
		cnt++;
	return cnt;
}

/* Everything that changed, for a line that says nothing yet. */
static u32 changed_words(const struct guest *before, const struct guest *after, struct word *ret)
{
	static const char *const flags[] = { "cf=0", "pf=0", "af=0", "zf=0", "sf=0", "of=0" };
	struct word word;
	char text[32];
	u32 i, cnt = 0;

	for (i = 0; i < UB_NGUEST; i++) {
		snprintf(text, sizeof(text), "%s=0", reg_x86_name(i));
		if (before->regs[i] != after->regs[i] && word_parse(text, &ret[cnt]))
			cnt++;
	}
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (word_parse(flags[i], &word) && (before->flags ^ after->flags) & ~after->undefined & word.which)
			ret[cnt++] = word;
	cnt += changed_vectors(before, after, ret + cnt);
	for (i = 0; i < BUF_LEN && cnt < MAX_WORDS; i += 8) {
		snprintf(text, sizeof(text), "[buf+%u]=0", i);
		if (memcmp(before->buf + i, after->buf + i, 8) && word_parse(text, &ret[cnt]))
			cnt++;
	}
	return cnt;
}

static void bless_run(struct test *t, u32 line, struct words *words, const struct guest *before,
		      const struct guest *after, enum ub_left left)
{
	char blessed[8192], word[96], *arrow;
	u32 i;

	if (!words->out_cnt)
		words->out_cnt = changed_words(before, after, words->out);
	snprintf(blessed, sizeof(blessed) - 64, "%s", t->file.lines[line]);
	arrow = strstr(blessed, "=>") + 2;
	*arrow = 0;
	for (i = 0; i < words->out_cnt && strlen(blessed) + sizeof(word) < sizeof(blessed); i++) {
		word_get(&words->out[i], after, left);
		word_print(&words->out[i], word, sizeof(word));
		strcat(strcat(blessed, " "), word);
	}
	file_set_line(&t->file, line, blessed);
}

static void expect_words(struct test *t, u32 line, struct words *words, const struct guest *before,
			 const struct guest *after, enum ub_left left)
{
	char want[96], have[96];
	bool is_as_said = words->out_cnt > 0;
	u32 i;

	for (i = 0; i < words->out_cnt; i++) {
		struct word word = words->out[i];

		word_get(&word, after, left);
		if (word_is_same(&word, &words->out[i]))
			continue;
		is_as_said = false;
		word_print(&words->out[i], want, sizeof(want));
		word_print(&word, have, sizeof(have));
		if (!t->file.is_blessing)
			file_fail(&t->file, line, "%s, not %s (left: %s)", have, want, left_name(left));
	}
	if (!is_as_said && t->file.is_blessing)
		bless_run(t, line, words, before, after, left);
	else if (!words->out_cnt)
		file_fail(&t->file, line, "nothing behind \"=>\"; make bless fills it in");
}

static bool can_run_native(const struct test *t, enum ub_left left)
{
	return t->has_native && (left == UB_LEFT_EXIT || left == UB_LEFT_SYSCALL || left == UB_LEFT_FAULT);
}

static void run_line(struct test *t, u32 line)
{
	static struct guest before, want, have;
	u32 failed = t->file.failed;
	struct words words;
	enum ub_left left;
	int err;

	if (!parse_words(t, line, &words))
		return;
	guest_fresh(&before, &words);
	want = before;
	left = guest_run_interp(t->block, &words, &want);
	expect_words(t, line, &words, &before, &want, left);
	if (has_stage(t, STAGE_RUN) && words.yield < 2) {
		have = before;
		err = guest_run_jit(t->verified, &words, &have);
		if (err)
			file_fail(&t->file, line, "jit: %s", strerror(-err));
		else
			compare(t, line, "jit", &want, &have);
	}
	if (can_run_native(t, left)) {
		have = before;
		if (guest_run_cpu(t->code, t->code_len + t->tail_len, &have, left == UB_LEFT_FAULT ? 0 : want.ip))
			compare(t, line, "cpu", &want, &have);
	}
	t->file.passed += failed == t->file.failed;
}

static void find_calls(struct test *t)
{
	struct words words;
	u32 i, j, failed = t->file.failed;

	for (i = 0; i < t->file.line_cnt; i++) {
		if (!has_prefix(t->file.lines[i], "run:") || !parse_words(t, i, &words))
			continue;
		for (j = 0; j < words.in_cnt && t->call_cnt < ARRAY_SIZE(t->calls); j++)
			if (words.in[j].kind == WORD_SYSCALL)
				t->calls[t->call_cnt++] = words.in[j].which;
	}
	t->file.failed = failed;	/* they are told where they run */
}

/* --- a case --- */

static void run_stages(struct test *t)
{
	bool is_lifted = t->file.x86.to, must_run = has_stage(t, STAGE_RUN) || has_stage(t, STAGE_INTERP);
	u32 i, failed;

	if (is_lifted) {
		find_calls(t);
		failed = t->file.failed;
		read_x86(t);
		if (failed == t->file.failed)
			lift(t);
	} else if (parse_ir(t) && has_stage(t, STAGE_IR)) {
		check_text(t);
	}
	if (!t->block)
		return;
	if (is_lifted || has_stage(t, STAGE_VERIFY) || has_stage(t, STAGE_RUN) || has_stage(t, STAGE_JIT))
		verify(t);
	if (has_stage(t, STAGE_JIT) && t->verified)
		jit(t);
	for (i = 0; i < t->file.line_cnt && must_run && (t->verified || !has_stage(t, STAGE_RUN)); i++)
		if (t->file.lines[i] && has_prefix(t->file.lines[i], "run:"))
			run_line(t, i);
}

static void run_case(const char *path, bool is_blessing, u32 *passed, u32 *failed)
{
	static struct test t;

	memset(&t, 0, sizeof(t));
	if (!file_read(&t.file, path)) {
		printf("%s: cannot be read\n", path);
		++*failed;
		return;
	}
	t.file.is_blessing = is_blessing;
	if (t.file.stages)
		run_stages(&t);
	if (t.file.is_changed && !file_write(&t.file))
		file_fail(&t.file, 0, "cannot be written");
	if (!t.file.passed && !t.file.failed)
		file_fail(&t.file, 0, "tests nothing");
	*passed += t.file.passed;
	*failed += t.file.failed;
	ub_verified_free(t.verified);
	if (t.lifted)
		ub_lifted_free(t.lifted);
	ub_block_free(t.parsed);
	file_free(&t.file);
}

int main(int argc, char **argv)
{
	bool is_blessing = false;
	u32 passed = 0, failed = 0;
	int i;

	if (!world_map()) {
		perror("run: cannot map the guest");
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);	/* a crash must not swallow what was said */
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--bless"))
			is_blessing = true;
		else if (!strcmp(argv[i], "-v"))
			is_verbose = true;
		else
			run_case(argv[i], is_blessing, &passed, &failed);
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
