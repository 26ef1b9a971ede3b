// SPDX-License-Identifier: GPL-2.0
/*
 * identity: is the code that was lifted still the code that the process would execute?
 *
 * Promise: a block is entered only if, at that time, each stretch of its code lay in one private (or never writable)
 * executable mapping of a file, its pages were the page cache's own, nobody had the file open for writing, and the
 * bytes were those given at load.  Whatever changes the mapping passes the mm notifier: it makes blocks suspect, and
 * the next thread that wants to enter compares again.  Breakpoints and uprobes put a copy in place of the page, and a
 * copy is refused.  Writes to the file show as a writer while it is open, and in its change time afterwards.
 *
 * The vDSO is no file's; its pages must be those of the kernel's image, at the place where the kernel says that the
 * process has it.
 */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/timekeeping.h>
#include <asm/vdso.h>

#include "compat.h"
#include "module.h"
#include "trace.h"

/* The first stretch that ends behind @addr, or NULL.  Sound: load.c lets them through by address only, none overlapping. */
const struct ub_span *ub_span_behind(const struct ub_btc *btc, u64 addr)
{
	u32 low = 0, high = btc->span_cnt, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (btc->spans[mid].start + btc->spans[mid].len > addr)
			high = mid;
		else
			low = mid + 1;
	}
	return low < btc->span_cnt ? &btc->spans[low] : NULL;
}

static bool overlaps(const struct ub_btc *btc, u64 start, u64 end)
{
	const struct ub_span *span = ub_span_behind(btc, start);

	return span && span->start < end;
}

static int on_start(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	struct ub_session *session = container_of(notifier, struct ub_session, notifier);
	struct ub_btc *btc;

	spin_lock(&session->lock);
	session->notify_seq++;
	session->notify_active++;
	list_for_each_entry(btc, &session->blocks, node) {
		if (!overlaps(btc, range->start, range->end))
			continue;
		if (!btc->is_suspect)
			trace_ub_invalidate(btc->id, UB_LOSS_MAPPING);
		WRITE_ONCE(btc->is_suspect, true);
		ub_thread_kick(session, btc);
		if (range->event != MMU_NOTIFY_UNMAP || btc->is_dead)
			continue;
		/* Nothing to come back to; the block need not keep the file busy. */
		WRITE_ONCE(btc->is_dead, true);
		ub_session_get(session);
		if (!queue_work(ub_wq, &session->reap_work))
			ub_session_put(session);
	}
	spin_unlock(&session->lock);
	return 0;
}

static void on_end(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	struct ub_session *session = container_of(notifier, struct ub_session, notifier);

	spin_lock(&session->lock);
	session->notify_active--;
	spin_unlock(&session->lock);
}

const struct mmu_notifier_ops ub_identity_ops = {
	.invalidate_range_start = on_start,
	.invalidate_range_end = on_end,
};

static bool is_vdso(const struct mm_struct *mm, const struct vm_area_struct *vma)
{
	return !vma->vm_file && mm->context.vdso && mm->context.vdso_image &&
	       vma->vm_start == (unsigned long)mm->context.vdso &&
	       vma->vm_end - vma->vm_start <= mm->context.vdso_image->size;
}

static bool is_fit(const struct mm_struct *mm, const struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_EXEC) || vma->vm_flags & (VM_WRITE | VM_IO | VM_PFNMAP | VM_HUGETLB))
		return false;
	if (!vma->vm_file)
		return is_vdso(mm, vma);
	return (vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) != (VM_SHARED | VM_MAYWRITE);
}

/* The page that nobody but the file, or the kernel, has put at @addr. */
static bool is_own_page(struct mm_struct *mm, const struct vm_area_struct *vma, u64 addr, struct page *page)
{
	if (!vma->vm_file)
		return page == virt_to_page(mm->context.vdso_image->data + (addr - vma->vm_start));
	return !PageAnon(page) && page_folio(page)->mapping == vma->vm_file->f_mapping;
}

/* Compares the part of @span that lies in the page of @addr.  mmap_lock is held. */
static int compare_page(struct mm_struct *mm, const struct vm_area_struct *vma, const struct ub_span *span, u64 addr)
{
	u32 off = offset_in_page(addr);
	u32 len = min_t(u64, PAGE_SIZE - off, span->start + span->len - addr);
	struct page *page;
	void *mem;
	int err = -ESTALE;

	if (ub_get_page(mm, addr, &page) != 1)
		return -ESTALE;
	if (is_own_page(mm, vma, addr, page)) {
		mem = kmap_local_page(page);
		if (!memcmp(mem + off, span->bytes + (addr - span->start), len))
			err = 0;
		kunmap_local(mem);
	}
	put_page(page);
	return err;
}

/* The file that @span shall lie in from now on. */
static void take_file(struct ub_btc *btc, struct ub_span *span, struct file *file)
{
	u32 i;

	span->file = get_file(file);
	for (i = 0; i < btc->file_cnt; i++)
		if (btc->files[i].inode == file_inode(file))
			return;
	span->heads = &btc->files[btc->file_cnt++];
	span->heads->inode = file_inode(file);
}

/* @file is what @span lies in now, NULL: the vDSO.  It may not change. */
static int compare_file(struct ub_btc *btc, struct ub_span *span, struct file *file)
{
	if (!span->file && !span->is_vdso) {
		span->is_vdso = !file;
		if (file)
			take_file(btc, span, file);
	}
	if (span->is_vdso)
		return file ? -ESTALE : 0;
	if (!file || file_inode(span->file) != file_inode(file))
		return -ESTALE;
	span->ctime = inode_get_ctime(file_inode(file));
	/* The first span in a file is compared first: what was written behind that must differ. */
	if (span->heads)
		span->heads->ctime = span->ctime;
	return inode_is_open_for_write(file_inode(file)) ? -ESTALE : 0;
}

static int compare_span(struct mm_struct *mm, struct ub_btc *btc, struct ub_span *span)
{
	struct vm_area_struct *vma = find_vma(mm, span->start);
	u64 addr;
	int err;

	if (!vma || vma->vm_start > span->start || vma->vm_end < span->start + span->len || !is_fit(mm, vma))
		return -ESTALE;
	err = compare_file(btc, span, vma->vm_file);
	if (err)
		return err;
	for (addr = span->start; addr < span->start + span->len; addr = (addr & PAGE_MASK) + PAGE_SIZE) {
		err = compare_page(mm, vma, span, addr);
		if (err)
			return err;
	}
	return 0;
}

static int compare_all(struct mm_struct *mm, struct ub_btc *btc)
{
	int err = 0;
	u32 i;

	mmap_read_lock(mm);
	for (i = 0; i < btc->span_cnt && !err; i++)
		err = compare_span(mm, btc, &btc->spans[i]);
	mmap_read_unlock(mm);
	return err;
}

/* A change in the clock tick of the last one would not show in the change time. */
static bool is_settled(const struct ub_btc *btc, const struct timespec64 *before)
{
	u32 i;

	for (i = 0; i < btc->span_cnt; i++)
		if (timespec64_compare(&btc->spans[i].ctime, before) >= 0)
			return false;
	return true;
}

/*
 * False: mappings are changing.  Nobody enters @btc before it has been compared, since its change times are taken before
 * its bytes, and nobody afterwards if these do not settle.
 */
static bool begin(struct ub_btc *btc, u64 *seq)
{
	struct ub_session *session = btc->session;
	bool is_quiet;

	spin_lock(&session->lock);
	WRITE_ONCE(btc->is_suspect, true);
	*seq = session->notify_seq;
	is_quiet = !session->notify_active;
	spin_unlock(&session->lock);
	return is_quiet;
}

/*
 * 0: the code was as lifted at one moment during the call.  -ESTALE: it is not, or may not be lifted.  -EAGAIN:
 * mappings are changing.  The caller holds mm_users and serialises calls for @btc by load_lock.
 */
int ub_identity_check(struct ub_btc *btc)
{
	struct ub_session *session = btc->session;
	struct timespec64 before;
	u64 seq, seq_after;
	bool is_same;
	int err;

	ktime_get_coarse_real_ts64(&before);
	if (!begin(btc, &seq))
		return -EAGAIN;
	err = compare_all(session->mm, btc);
	if (err)
		return err;
	spin_lock(&session->lock);
	seq_after = session->notify_seq;
	is_same = seq == seq_after;
	if (is_same && is_settled(btc, &before))
		WRITE_ONCE(btc->is_suspect, false);
	spin_unlock(&session->lock);
	return is_same ? 0 : -EAGAIN;
}
