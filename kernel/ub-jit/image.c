// SPDX-License-Identifier: GPL-2.0
/*
 * image: puts native code where it can run.
 *
 * The memory is BPF's pack of read-only executable pages, written through a temporary alias: no page is ever writable
 * and executable at once, and all that is not code is int3.  The exception table stands behind the code, since its
 * entries reach 2 GiB, and is found by the kernel through the name that BPF programs register.
 */
#include <linux/extable.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "compat.h"
#include "module.h"
#include "symbols.h"

#define HEADER_LEN	64u		/* BPF's header: the size, for freeing */
#define TABLE_ALIGN	8u

static u32 max_btc_mb = 64;
module_param(max_btc_mb, uint, 0444);
MODULE_PARM_DESC(max_btc_mb, "MiB of machine code of all blocks (64)");

static atomic64_t total_bytes;

static bool charge(u32 size)
{
	if (atomic64_add_return(size, &total_bytes) <= (u64)max_btc_mb << 20)
		return true;
	atomic64_sub(size, &total_bytes);
	return false;
}

static void fill_int3(void *area, unsigned int size)
{
	memset(area, 0xcc, size);
}

static int reloc_all(u8 *code, const void *final, const struct ub_image *image)
{
	u32 i;

	for (i = 0; i < image->reloc_cnt; i++) {
		const struct ub_image_reloc *reloc = &image->relocs[i];
		s64 rel = reloc->target - ((u64)final + reloc->off + 4);
		s32 rel32 = rel;

		if (ub_bug_if(rel32 != rel || reloc->off + 4 > image->code_len, "a relocation is out of range"))
			return -ERANGE;
		memcpy(code + reloc->off, &rel32, 4);
	}
	return 0;
}

/* @table will be at @final; sorted, since the faults are. */
static void make_table(struct exception_table_entry *table, const struct exception_table_entry *final,
		       const u8 *code, const struct ub_image *image)
{
	u32 i;

	for (i = 0; i < image->fault_cnt; i++) {
		table[i].insn = (long)(code + image->faults[i].insn_off) - (long)&final[i].insn;
		table[i].fixup = (long)(code + image->faults[i].fixup_off) - (long)&final[i].fixup;
		table[i].data = EX_TYPE_DEFAULT_MCE_SAFE;
	}
}

/* Makes the kernel know the code: its name, that it is text, its exception table. */
static int publish(struct ub_text *text, struct exception_table_entry *table, u32 fault_cnt, u32 id)
{
	struct bpf_prog_aux *aux = kzalloc(sizeof(*aux), GFP_KERNEL_ACCOUNT);
	struct bpf_prog *prog = kzalloc(sizeof(*prog), GFP_KERNEL_ACCOUNT);

	if (!aux || !prog) {
		kfree(aux);
		kfree(prog);
		return -ENOMEM;
	}
	prog->aux = aux;
	aux->prog = prog;
#ifdef UB_HAS_MAIN_PROG_AUX
	aux->main_prog_aux = aux;
#endif
	aux->extable = table;
	aux->num_exentries = fault_cnt;
	aux->ksym.start = (unsigned long)text->code;
	aux->ksym.end = (unsigned long)text->code + text->code_len;
	aux->ksym.prog = true;
	snprintf(aux->ksym.name, sizeof(aux->ksym.name), id ? "ub_btc_%u" : "ub_calls", id);
	INIT_LIST_HEAD(&aux->ksym.lnode);
	text->aux = aux;
	ub_sym(bpf_ksym_add)(&aux->ksym);
	return 0;
}

/*
 * A text of its own for @image, named after block @id; 0: the call stubs, which nobody checks; or ERR_PTR(), -EACCES if the
 * checker refuses it, see @log.  It sees the bytes as they will run, where they will run, before they can.
 */
struct ub_text *ub_text_place(const struct ub_image *image, u32 id, const struct ub_jit_env *env, struct ub_image_log *log)
{
	u32 table_off = ALIGN(HEADER_LEN + image->code_len, TABLE_ALIGN);
	u32 size = table_off + image->fault_cnt * sizeof(struct exception_table_entry);
	struct ub_text *text;
	u8 *draft, *base;
	int err = -ENOMEM;

	if (image->code_len > UB_MAX_IMAGE || image->fault_cnt > UB_MAX_IMAGE)
		return ERR_PTR(-E2BIG);
	if (!charge(size))
		return ERR_PTR(-ENOSPC);
	text = kzalloc(sizeof(*text), GFP_KERNEL_ACCOUNT);
	draft = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!text || !draft)
		goto free_draft;
	base = ub_pack_alloc(size, fill_int3);
	if (!base)
		goto free_draft;
	text->base = base;
	text->code = base + HEADER_LEN;
	text->code_len = image->code_len;
	text->size = size;

	memset(draft, 0xcc, size);
	*(u32 *)draft = size;
	memcpy(draft + HEADER_LEN, image->code, image->code_len);
	err = reloc_all(draft + HEADER_LEN, text->code, image);
	if (!err && id)
		err = ub_image_check(image, draft + HEADER_LEN, (u64)text->code, env, ub_limit, log);
	make_table((void *)(draft + table_off), (void *)(base + table_off), text->code, image);
	/* Even a failed one: freeing reads the header. */
	ub_sym(text_poke_copy)(base, draft, size);
	if (!err)
		err = publish(text, (void *)(base + table_off), image->fault_cnt, id);
	if (err)
		goto free_base;
	kvfree(draft);
	return text;

free_base:
	ub_pack_free(base, size);
free_draft:
	kvfree(draft);
	kfree(text);
	atomic64_sub(size, &total_bytes);
	return ERR_PTR(err);
}

/* Nobody runs in it any more.  May sleep. */
void ub_text_free(struct ub_text *text)
{
	if (!text)
		return;
	ub_sym(bpf_ksym_del)(&text->aux->ksym);
	synchronize_rcu();	/* others may walk past its exception table */
	kfree(text->aux->prog);
	kfree(text->aux);
	ub_pack_free(text->base, text->size);
	atomic64_sub(text->size, &total_bytes);
	kfree(text);
}
