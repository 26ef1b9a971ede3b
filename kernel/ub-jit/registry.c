// SPDX-License-Identifier: GPL-2.0
/*
 * registry: the loaded blocks: by id for ioctls, by (session, ip) for threads.
 *
 * A block is freed when its last reference is gone and no reader of the table can still see it.  References: the
 * session's, until it is removed; one for each thread that runs in it then; one for each ioctl that looks at it.
 */
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "module.h"
#include "trace.h"

static DEFINE_XARRAY(blocks);

static bool has_room(const struct ub_session *session, const struct ub_btc *btc, const struct ub_btc *old)
{
	u32 cnt = session->block_cnt - !!old;
	u64 bytes = session->btc_bytes - (old ? old->text->size : 0);

	return cnt < UB_MAX_BLOCKS && bytes + btc->text->size <= UB_MAX_SESSION_BYTES;
}

static void unlink_btc(struct ub_btc *btc)
{
	struct ub_session *session = btc->session;
	u32 i;

	trace_ub_invalidate(btc->id, UB_LOSS_REMOVED);
	WRITE_ONCE(btc->is_dead, true);
	btc->is_live = false;
	list_del(&btc->node);
	session->block_cnt--;
	session->btc_bytes -= btc->text->size;
	for (i = 0; i < btc->entry_cnt; i++)
		hlist_del_rcu(&btc->slots[i].node);
	ub_thread_hold(session, btc);
	ub_thread_kick(session, btc);
}

static void link_btc(struct ub_btc *btc)
{
	struct ub_session *session = btc->session;
	u32 i;

	refcount_inc(&btc->refs);
	btc->is_live = true;
	list_add_tail(&btc->node, &session->blocks);
	session->block_cnt++;
	session->btc_bytes += btc->text->size;
	for (i = 0; i < btc->entry_cnt; i++)
		hlist_add_head_rcu(&btc->slots[i].node, ub_slot_bucket(session, btc->slots[i].ip));
}

/* In @btc's session under its lock, in place of block @replace_id if that is not 0. */
static int swap_in(struct ub_btc *btc, struct ub_btc *old)
{
	struct ub_session *session = btc->session;

	if (READ_ONCE(session->is_dying))
		return -ESRCH;
	if (old && !old->is_live)
		return -ENOENT;
	if (!has_room(session, btc, old))
		return -ENOSPC;
	if (old)
		unlink_btc(old);
	link_btc(btc);
	return 0;
}

/*
 * Threads may enter @btc from now on, if it is not suspect.  The session has a reference to it then; -ENOENT: no such
 * block to replace in this session.
 */
int ub_btc_add(struct ub_btc *btc, u32 replace_id)
{
	struct ub_session *session = btc->session;
	struct ub_btc *old = NULL;
	int err = -ENOENT;

	if (replace_id) {
		old = ub_btc_get_id(replace_id);
		if (!old || old->session != session)
			goto put_old;
	}
	err = xa_insert(&blocks, btc->id, btc, GFP_KERNEL_ACCOUNT);
	if (err)
		goto put_old;
	spin_lock(&session->lock);
	err = swap_in(btc, old);
	spin_unlock(&session->lock);
	if (err) {
		xa_erase(&blocks, btc->id);
	} else if (old) {
		xa_erase(&blocks, old->id);
		ub_btc_put(old);	/* the session's */
	}
put_old:
	if (old)
		ub_btc_put(old);
	return err;
}

/* No thread enters @btc any more; those in it leave soon. */
void ub_btc_remove(struct ub_btc *btc)
{
	struct ub_session *session = btc->session;
	bool was_live;

	spin_lock(&session->lock);
	was_live = btc->is_live;
	if (was_live)
		unlink_btc(btc);
	spin_unlock(&session->lock);
	if (was_live) {
		xa_erase(&blocks, btc->id);
		ub_btc_put(btc);
	}
}

/* Removes all blocks of @session, or only the dead ones. */
static void remove_some(struct ub_session *session, bool is_reaping)
{
	struct ub_btc *btc, *next;
	LIST_HEAD(removed);

	spin_lock(&session->lock);
	list_for_each_entry_safe(btc, next, &session->blocks, node) {
		if (is_reaping && !btc->is_dead)
			continue;
		unlink_btc(btc);
		list_add(&btc->node, &removed);
	}
	spin_unlock(&session->lock);
	list_for_each_entry_safe(btc, next, &removed, node) {
		xa_erase(&blocks, btc->id);
		ub_btc_put(btc);
	}
}

void ub_btc_remove_all(struct ub_session *session)
{
	remove_some(session, false);
}

void ub_btc_reap(struct ub_session *session)
{
	remove_some(session, true);
}

struct ub_btc *ub_btc_get_id(u32 id)
{
	struct ub_btc *btc;

	rcu_read_lock();
	btc = xa_load(&blocks, id);
	if (btc && !refcount_inc_not_zero(&btc->refs))
		btc = NULL;
	rcu_read_unlock();
	return btc;
}

int ub_btc_next(u32 *id)
{
	unsigned long index = *id;

	if (!xa_find_after(&blocks, &index, U32_MAX, XA_PRESENT))
		return -ENOENT;
	*id = index;
	return 0;
}

static void free_btc(struct ub_btc *btc)
{
	u32 i;

	for (i = 0; i < btc->span_cnt; i++)
		if (btc->spans[i].file)
			fput(btc->spans[i].file);
	ub_limit_uncharge(btc);
	ub_text_free(btc->text);
	if (btc->image)
		ub_image_free(btc->image);
	ub_session_put(btc->session);
	kvfree(btc->insns);
	kvfree(btc->entries);
	kvfree(btc->spans);
	kvfree(btc->bytes);
	kvfree(btc->files);
	kvfree(btc->slots);
	kvfree(btc->exit_counts);
	kvfree(btc->last_targets);
	kfree(btc);
}

static void on_free(struct work_struct *work)
{
	free_btc(container_of(to_rcu_work(work), struct ub_btc, free_work));
}

static void discard(struct ub_btc *btc)
{
	INIT_RCU_WORK(&btc->free_work, on_free);
	queue_rcu_work(ub_wq, &btc->free_work);
}

void ub_btc_put(struct ub_btc *btc)
{
	if (refcount_dec_and_test(&btc->refs))
		discard(btc);
}

int ub_btc_info(struct ub_btc *btc, struct ub_block_info *info)
{
	struct ub_session *session = btc->session;
	struct ub_thread *thread;
	u32 i;

	*info = (struct ub_block_info){
		.id = btc->id,
		.session_id = session->id,
		.insn_cnt = btc->insn_cnt,
		.entry_cnt = btc->entry_cnt,
		.resident = btc->resident,
		.exit_cnt = btc->image->exit_cnt,
		.code_len = btc->text->code_len,
		.loaded_ns = btc->loaded_ns,
		.verify_ns = btc->verify_ns,
		.jit_ns = btc->jit_ns,
		.state = READ_ONCE(btc->is_dead) ? UB_BLOCK_DEAD :
			 READ_ONCE(btc->is_suspect) ? UB_BLOCK_SUSPECT : UB_BLOCK_LIVE,
	};
	snprintf(info->tag, sizeof(info->tag), "ub_btc_%u", btc->id);
	for (i = 0; i < btc->image->exit_cnt; i++) {
		u64 cnt = atomic64_read(&btc->exit_counts[i]);

		info->exits[btc->image->exits[i].kind] += cnt;
		info->runs += cnt;
	}
	spin_lock(&session->lock);
	info->calls = atomic64_read(&btc->calls);
	info->ns = atomic64_read(&btc->ns);
	list_for_each_entry(thread, &session->threads, node) {
		if (ub_thread_btc(thread) != btc)
			continue;
		info->running++;
		info->runs++;
	}
	ub_thread_kick(session, btc);
	spin_unlock(&session->lock);
	return 0;
}
