// SPDX-License-Identifier: GPL-2.0
/*
 * load: from what the caller sends to a block that threads may enter.
 *
 * Every size is bounded before anything is allocated for it.  The block is compared with the process's memory once
 * before it takes its predecessor's place, and again, linked and suspect, so that no change can slip in between.
 */
#define pr_fmt(fmt) "ub: " fmt

#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "module.h"
#include "trace.h"

#define MAX_LOG		(1u << 20)
#define TRIES		5		/* while mappings are changing */

static u32 last_id;
static DEFINE_SPINLOCK(id_lock);

static int new_id(u32 *ret)
{
	int err = 0;

	spin_lock(&id_lock);
	if (last_id == U32_MAX)
		err = -ENOSPC;
	else
		*ret = ++last_id;
	spin_unlock(&id_lock);
	return err;
}

/* @cnt elements from user space; NULL with *err set, or when there are none. */
static void *copy_array(u64 from, u32 cnt, size_t size, int *err)
{
	void *mem;

	if (*err || !cnt)
		return NULL;
	mem = ub_alloc(cnt, size);
	if (!mem) {
		*err = -ENOMEM;
		return NULL;
	}
	if (copy_from_user(mem, u64_to_user_ptr(from), cnt * size)) {
		*err = -EFAULT;
		ub_free(mem);
		return NULL;
	}
	return mem;
}

static int check_sizes(const struct ub_load *arg)
{
	if (arg->flags || arg->log_level > 2 || !arg->code_cnt || (!arg->log_buf && arg->log_size))
		return -EINVAL;
	if (arg->resident > U16_MAX || arg->pad)
		return -EINVAL;
	if (arg->insn_cnt > UB_MAX_INSNS || arg->entry_cnt > UB_MAX_ENTRIES || arg->code_cnt > UB_MAX_CODE_RANGES ||
	    arg->log_size > MAX_LOG)
		return -E2BIG;
	return 0;
}

/* By address, apart from one another: ub_span_behind() searches them. */
static int check_codes(const struct ub_code *codes, u32 cnt, u32 *ret_total)
{
	u64 total = 0, end = 0;
	u32 i;

	for (i = 0; i < cnt; i++) {
		if (codes[i].pad || !codes[i].len || codes[i].start < end || codes[i].start >= ub_limit ||
		    codes[i].len > ub_limit - codes[i].start)
			return -EINVAL;
		end = codes[i].start + codes[i].len;
		total += codes[i].len;
	}
	*ret_total = total;
	return total <= UB_MAX_CODE_BYTES ? 0 : -E2BIG;
}

static int copy_spans(struct ub_btc *btc, const struct ub_code *codes, u32 cnt, u32 total)
{
	u32 used = 0;

	btc->spans = ub_alloc(cnt, sizeof(*btc->spans));
	btc->files = ub_alloc(cnt, sizeof(*btc->files));
	btc->bytes = ub_alloc(total, 1);
	if (!btc->spans || !btc->files || !btc->bytes)
		return -ENOMEM;
	for (; btc->span_cnt < cnt; btc->span_cnt++) {
		struct ub_span *span = &btc->spans[btc->span_cnt];

		span->start = codes[btc->span_cnt].start;
		span->len = codes[btc->span_cnt].len;
		span->bytes = btc->bytes + used;
		used += span->len;
		if (copy_from_user(span->bytes, u64_to_user_ptr(codes[btc->span_cnt].bytes), span->len))
			return -EFAULT;
	}
	return 0;
}

static int copy_block(struct ub_btc *btc, const struct ub_load *arg)
{
	struct ub_code *codes;
	u32 total;
	int err = 0;

	btc->insns = copy_array(arg->insns, arg->insn_cnt, sizeof(*btc->insns), &err);
	btc->entries = copy_array(arg->entries, arg->entry_cnt, sizeof(*btc->entries), &err);
	codes = copy_array(arg->code, arg->code_cnt, sizeof(*codes), &err);
	btc->insn_cnt = arg->insn_cnt;
	btc->entry_cnt = arg->entry_cnt;
	btc->resident = arg->resident;
	if (!err)
		err = check_codes(codes, arg->code_cnt, &total);
	if (!err)
		err = copy_spans(btc, codes, arg->code_cnt, total);
	ub_free(codes);
	return err;
}

/* In one stretch: an instruction that begins in one file and ends in another is none. */
static bool is_covered(const struct ub_btc *btc, u64 ip, u32 len)
{
	const struct ub_span *span = ub_span_behind(btc, ip);

	return span && span->start <= ip && len <= span->start + span->len - ip;
}

/* Each instruction that the block claims to stand for lies in code that is compared. */
static bool is_all_covered(const struct ub_btc *btc)
{
	u32 i;

	for (i = 0; i < btc->insn_cnt; i++)
		if (btc->insns[i].op == UB_OP_INSN && !is_covered(btc, btc->insns[i].imm, btc->insns[i].off))
			return false;
	return true;
}

/* What the verifier accepted the checker should accept too: somebody wants to know. */
static int place(struct ub_btc *btc, const struct ub_jit_env *env, struct ub_log *log)
{
	struct ub_image_log why;

	btc->text = ub_text_place(btc->image, btc->id, env, &why);
	if (!IS_ERR(btc->text))
		return 0;
	if (PTR_ERR(btc->text) == -EACCES) {
		ub_log_image(log, &why);
		pr_warn_ratelimited("block %u refused: byte %u of its image: %s\n", btc->id, why.off, why.text);
	}
	return PTR_ERR(btc->text);
}

static int compile(struct ub_btc *btc, struct ub_verified *verified, struct ub_log *log)
{
	struct ub_jit_env env;
	u64 start = ktime_get_ns();
	u32 i;
	int err;

	ub_runtime_env(&env);
	err = ub_jit(verified, &env, &btc->image);
	if (err)
		return err;
	btc->exit_counts = ub_alloc(btc->image->exit_cnt, sizeof(*btc->exit_counts));
	btc->last_targets = ub_alloc(btc->image->exit_cnt, sizeof(*btc->last_targets));
	btc->slots = ub_alloc(btc->image->entry_cnt, sizeof(*btc->slots));
	if (!btc->exit_counts || !btc->last_targets || !btc->slots)
		return -ENOMEM;
	if (ub_bug_if(btc->image->entry_cnt != btc->entry_cnt, "an image has other entries than its block"))
		return -EINVAL;
	err = place(btc, &env, log);
	if (err) {
		btc->text = NULL;
		return err;
	}
	for (i = 0; i < btc->entry_cnt; i++) {
		btc->slots[i].ip = btc->image->entries[i].ip;
		btc->slots[i].code = btc->text->code + btc->image->entries[i].off;
		btc->slots[i].btc = btc;
	}
	btc->jit_ns = ktime_get_ns() - start;
	return 0;
}

/* *ret borrows @block. */
static int verify(struct ub_btc *btc, const struct ub_block *block, struct ub_log *log, struct ub_verified **ret)
{
	struct ub_verify_env env = { .limit = ub_limit };
	u64 start = ktime_get_ns();
	int err = ub_verify(block, &env, log, ret);

	btc->verify_ns = ktime_get_ns() - start;
	return err;
}

/* 0 only if the code is the same now; changing mappings are waited for a little. */
static int check_identity(struct ub_btc *btc)
{
	int err = -EAGAIN, tries;

	for (tries = 0; tries < TRIES && err == -EAGAIN; tries++)
		err = ub_identity_check(btc);
	return err == -EAGAIN ? -ESTALE : err;
}

static int publish(struct ub_btc *btc, u32 replace_id)
{
	struct ub_session *session = btc->session;
	int err = -ESRCH;

	if (!mmget_not_zero(session->mm))
		return err;
	mutex_lock(&session->load_lock);
	err = check_identity(btc);
	if (err)
		goto unlock;
	btc->is_suspect = true;		/* the notifier did not know it yet */
	btc->loaded_ns = ktime_get_boottime_ns();
	err = ub_btc_add(btc, replace_id);
	if (!err && ub_identity_check(btc) == -ESTALE) {
		ub_btc_remove(btc);
		err = -ESTALE;
	}
unlock:
	mutex_unlock(&session->load_lock);
	mmput(session->mm);
	return err;
}

/* @btc is a fresh one. */
static int fill(struct ub_btc *btc, struct ub_load *arg, struct ub_log *log)
{
	struct ub_verified *verified;
	struct ub_block block;
	int err;

	err = copy_block(btc, arg);
	if (err)
		return err;
	block = (struct ub_block){
		.insns = btc->insns, .entries = btc->entries, .insn_cnt = btc->insn_cnt, .entry_cnt = btc->entry_cnt,
		.resident = btc->resident,
	};
	err = verify(btc, &block, log, &verified);
	if (err)
		return err;
	err = is_all_covered(btc) ? compile(btc, verified, log) : -EINVAL;
	ub_verified_free(verified);
	return err;
}

static int copy_log(struct ub_load *arg, const struct ub_log *log)
{
	u32 len = min(log->len + 1, arg->log_size);

	arg->log_len = log->len + 1;
	arg->refusal = log->refusal;
	arg->refusal_insn = log->insn_idx;
	arg->refusal_ip = log->user_ip;
	if (len && copy_to_user(u64_to_user_ptr(arg->log_buf), log->buf, len))
		return -EFAULT;
	return 0;
}

static int load(struct ub_session *session, struct ub_load *arg, struct ub_log *log)
{
	struct ub_btc *btc = kzalloc(sizeof(*btc), GFP_KERNEL_ACCOUNT);
	int err, log_err;

	if (!btc)
		return -ENOMEM;
	refcount_set(&btc->refs, 1);
	ub_session_get(session);
	btc->session = session;
	err = new_id(&btc->id);
	if (!err)
		err = fill(btc, arg, log);
	log_err = copy_log(arg, log);
	err = err ?: log_err;
	if (!err)
		err = ub_limit_charge(btc) ?: publish(btc, arg->replace_id);
	if (!err) {
		arg->block_id = btc->id;
		trace_ub_load(btc, pid_nr(session->pid));
	}
	ub_btc_put(btc);	/* it may be refused when threads are in it already, and others look at it */
	return err;
}

int ub_load(struct ub_load *arg)
{
	struct ub_session *session;
	struct ub_log log = { .size = arg->log_size, .level = arg->log_level };
	int err;

	err = check_sizes(arg);
	if (err)
		return err;
	session = ub_session_get_id(arg->session_id);
	if (!session)
		return -ESRCH;
	err = ub_session_may_load(session);
	if (err)
		goto put_session;
	err = -ENOMEM;
	log.buf = log.size ? ub_alloc(log.size, 1) : NULL;
	if (log.buf || !log.size)
		err = load(session, arg, &log);
	if (err)
		trace_ub_refuse(session->id, pid_nr(session->pid), err, log.refusal, log.insn_idx, log.user_ip);
	ub_free(log.buf);
put_session:
	ub_session_put(session);
	return err;
}
