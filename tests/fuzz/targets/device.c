// SPDX-License-Identifier: GPL-2.0
/*
 * device: requests to /dev/ub.  The module's own dev.c, load.c and registry.c, in a small kernel (kernel.h), are part of
 * this file, so that ids begin anew with each input.
 *
 * An input is a head, user memory, and requests, each with its argument.  In the end all is given back.
 */
#include "alloc.h"
#include "kernel.h"

/* What the caller may, and what goes wrong. */
static struct {
	u16 memory_len;
	u8 rights;
	u8 fail_at;		/* the allocation that fails */
	u8 identity[8];		/* what comparing code says, in turn */
	u32 pad;
} head;
#define bpf_capable()		(!(head.rights & 1))
#define capable(cap)		(!(head.rights & 2))

#include "../../../kernel/ub-jit/dev.c"
#include "../../../kernel/ub-jit/load.c"
#include "../../../kernel/ub-jit/registry.c"

#define MEMORY		0x10000ull		/* where user memory is, */
#define ARGUMENT	0x7fff00000000ull	/* and the request */
#define SESSION		1u
#define FAKE_CALL	0x7000u
#define IMAGE_ADDRESS	0x100000ull

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

u64 ub_limit = 0x7ffffffff000ull;
struct ub_calls ub_calls;
struct ub_barrier ub_barrier;
struct workqueue_struct *ub_wq;
static struct ub_session session;
static struct ub_thread thread;		/* runs in some block */
static u32 identity_turn;

/* --- the module's other files --- */

struct ub_session *ub_session_get_id(u32 id)
{
	if (id != SESSION)
		return NULL;
	refcount_inc(&session.refs);
	return &session;
}

void ub_session_get(struct ub_session *which)
{
	refcount_inc(&which->refs);
}

void ub_session_put(struct ub_session *which)
{
	must(!refcount_dec_and_test(&which->refs), "the session's last reference is gone");
}

int ub_session_may_load(struct ub_session *which)
{
	(void)which;
	might_sleep();
	return head.rights & 4 ? -EPERM : 0;
}

int ub_session_attach(struct ub_owner *owner, bool may_any, struct ub_attach *arg)
{
	(void)owner;
	(void)may_any;
	return arg->flags ? -EINVAL : -ESRCH;
}

int ub_session_detach(u32 id)
{
	if (id != SESSION)
		return -ESRCH;
	session.is_dying = true;
	return 0;
}

void ub_session_detach_owner(struct ub_owner *owner)
{
	(void)owner;
	session.is_dying = true;
}

int ub_session_next(u32 *id)
{
	if (*id >= SESSION)
		return -ENOENT;
	*id = SESSION;
	return 0;
}

int ub_session_info(struct ub_session *which, struct ub_session_info *info)
{
	*info = (struct ub_session_info){ .id = which->id, .block_cnt = which->block_cnt };
	return 0;
}

int ub_policy_set(const struct ub_cgroup *arg)
{
	return arg->flags ? -EINVAL : -EBADF;
}

int ub_limit_charge(struct ub_btc *btc __attribute__((unused)))
{
	return 0;
}

void ub_limit_uncharge(struct ub_btc *btc __attribute__((unused)))
{
}

int ub_policy_get(struct ub_cgroup *arg)
{
	return arg->flags ? -EINVAL : -EBADF;
}

void ub_thread_kick(struct ub_session *which, const struct ub_btc *btc)
{
	must(which->lock.is_held && btc, "threads are kicked without the lock");
}

void ub_thread_hold(struct ub_session *which, struct ub_btc *btc)
{
	must(which->lock.is_held && btc->is_dead, "threads are given what is alive");
	if (thread.in != (unsigned long)btc)
		return;
	refcount_inc(&btc->refs);
	thread.in |= UB_IN_HOLDS;
}

/* Whatever became of the block meanwhile. */
static void leave_block(void)
{
	unsigned long in = thread.in;

	must(!in || ub_thread_btc(&thread)->text->code_len, "a thread in a block that is gone");
	thread.in = 0;
	if (in & UB_IN_HOLDS)
		ub_btc_put((void *)(in & ~UB_IN_HOLDS));
}

void ub_runtime_env(struct ub_jit_env *env)
{
	static u64 stubs[512];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(stubs); i++)
		stubs[i] = i % 8 == 7 ? 0 : FAKE_CALL + i;
	*env = (struct ub_jit_env){
		.smap = true, .entry_is_call = true, .work_mask = 0x2300e, .work_off = 8, .work_exit_mask = 0x5a, .pagefault_off = 64,
		.pre_call = FAKE_CALL + 512, .post_call = FAKE_CALL + 513, .call_stubs = stubs, .call_stub_cnt = ARRAY_SIZE(stubs),
		.int_features = UB_INT_F_ALL, .vec_features = ~0u,
	};
}

/* As if it were to run at an address from which all that it calls can be reached. */
static int check_image(const struct ub_image *image, const struct ub_jit_env *env, struct ub_image_log *log)
{
	u8 *code = malloc(image->code_len);
	u32 i;
	int err;

	memcpy(code, image->code, image->code_len);
	for (i = 0; i < image->reloc_cnt; i++) {
		s32 rel = image->relocs[i].target - (IMAGE_ADDRESS + image->relocs[i].off + 4);

		memcpy(code + image->relocs[i].off, &rel, 4);
	}
	err = ub_image_check(image, code, IMAGE_ADDRESS, env, ub_limit, log);
	must(err != -EACCES, log->text);
	free(code);
	return err;
}

struct ub_text *ub_text_place(const struct ub_image *image, u32 id, const struct ub_jit_env *env, struct ub_image_log *log)
{
	struct ub_text *text;
	int err;

	if (head.rights & 8)
		return ERR_PTR(-ENOSPC);
	err = check_image(image, env, log);
	if (err)
		return ERR_PTR(err);
	text = kzalloc(sizeof(*text), 0);
	if (!text)
		return ERR_PTR(-ENOMEM);
	text->code = malloc(image->code_len);
	memcpy(text->code, image->code, image->code_len);
	text->code_len = image->code_len;
	text->size = image->code_len + 4096;
	return text;
}

void ub_text_free(struct ub_text *text)
{
	if (text)
		free(text->code);
	free(text);
}

const struct ub_span *ub_span_behind(const struct ub_btc *btc, u64 addr)
{
	u32 i;

	for (i = 0; i < btc->span_cnt; i++)
		if (btc->spans[i].start + btc->spans[i].len > addr)
			return &btc->spans[i];
	return NULL;
}

/* Reads all that is to be compared. */
int ub_identity_check(struct ub_btc *btc)
{
	u8 turn = head.identity[identity_turn++ % ARRAY_SIZE(head.identity)];
	u64 sum = 0;
	u32 i, k;

	might_sleep();
	for (i = 0; i < btc->span_cnt; i++) {
		must(btc->spans[i].start < ub_limit && btc->spans[i].len <= ub_limit - btc->spans[i].start &&
		     (!i || btc->spans[i].start >= btc->spans[i - 1].start + btc->spans[i - 1].len), "stretches out of order");
		for (k = 0; k < btc->spans[i].len; k++)
			sum += btc->spans[i].bytes[k];
	}
	/* Where threads can find it already, one may be in it when it is refused. */
	if (btc->is_live && !thread.in)
		thread.in = (unsigned long)btc;
	return turn < 16 ? -EAGAIN : turn < 32 || sum == 0x5a5a ? -ESTALE : 0;
}

/* --- an input --- */

static void run_waiting(void)
{
	u32 i, cnt = waiting_cnt;

	for (i = 0; i < cnt; i++)
		waiting[i]->work.run(&waiting[i]->work);
	must(waiting_cnt == cnt, "what is freed frees what was freed before");
	waiting_cnt = 0;
}

/* What a thread that comes along relies on; it leaves by every other exit. */
static void pass_through(struct ub_btc *btc)
{
	const struct ub_slot *slot;
	u32 i;

	must(btc->is_live && !btc->is_dead && btc->refs.refs == 1 && xa_load(&blocks, btc->id) == btc, "a block in two states");
	for (i = 0; i < btc->entry_cnt; i++) {
		slot = ub_slot_find(&session, btc->entries[i].ip);
		must(slot && slot->btc->is_live && (const u8 *)slot->code >= slot->btc->text->code &&
		     (const u8 *)slot->code < slot->btc->text->code + slot->btc->text->code_len, "an entry leads nowhere");
	}
	for (i = 0; i < btc->image->exit_cnt; i += 2)
		btc->exit_counts[i].val++;
	thread.in = (unsigned long)btc;
}

static void check_session(void)
{
	struct ub_btc *btc;
	u64 bytes = 0;
	u32 cnt = 0;

	leave_block();
	run_waiting();
	list_for_each_entry(btc, &session.blocks, node) {
		pass_through(btc);
		bytes += btc->text->size;
		cnt++;
	}
	must(cnt == session.block_cnt && cnt == blocks.cnt && bytes == session.btc_bytes, "blocks are counted wrongly");
	must(cnt <= UB_MAX_BLOCKS && bytes <= UB_MAX_SESSION_BYTES, "more blocks than a session may have");
	must(session.refs.refs == 1 + (int)cnt, "references to the session are counted wrongly");
}

struct request {
	u8 nr;
	u8 more;		/* bytes that the argument is longer than known; the highest bit: shorter */
	u8 bend;		/* of the number */
	u8 where;		/* the argument */
};

static u32 command_of(const struct request *request, u32 *ret_len)
{
	u32 cmd = commands[request->nr % ARRAY_SIZE(commands)].cmd, len = _IOC_SIZE(cmd);

	len += request->more & 0x80 ? -(request->more & 0x7f) % (len + 1) : request->more & 0x7f;
	*ret_len = len;
	cmd = _IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd), len);
	return request->bend & 0x80 ? cmd ^ 1u << (request->bend & 31) : cmd;
}

/* How much of an argument is in the input: the rest of those that are only an answer is zero. */
static u32 given_len(u32 cmd, u32 len)
{
	return _IOC_NR(cmd) == _IOC_NR(UB_IOC_LOAD) ? len : min(len, 24u);
}

static void make_request(const u8 **data, size_t *size)
{
	struct file file = { 0 };
	struct request request;
	u32 cmd, len, given;
	long err;

	memcpy(&request, *data, sizeof(request));
	cmd = command_of(&request, &len);
	given = given_len(cmd, len);
	if (given > *size - sizeof(request))
		given = *size - sizeof(request);
	user[1] = (struct stretch){ ARGUMENT, malloc(len + 1), len };
	memset(user[1].mem, 0, len);
	memcpy(user[1].mem, *data + sizeof(request), given);
	*data += sizeof(request) + given;
	*size -= sizeof(request) + given;
	err = on_ioctl(&file, cmd, request.where & 0x80 ? ARGUMENT + (request.where & 0x7f) : ARGUMENT);
	must(err <= 0 && err > -4096, "an answer that is no error");
	must(!spin_cnt && !mutex_cnt && !mm_users, "something is kept");
	run_waiting();
	free(user[1].mem);
	check_session();
}

static void begin(void)
{
	memset(&session, 0, sizeof(session));
	session.id = SESSION;
	refcount_set(&session.refs, 1);
	INIT_LIST_HEAD(&session.threads);
	INIT_LIST_HEAD(&session.blocks);
	list_add(&thread.node, &session.threads);
	last_id = 0;
	identity_turn = 0;
}

static void end(void)
{
	u32 i;

	ub_btc_remove_all(&session);
	leave_block();
	run_waiting();
	must(!blocks.cnt, "blocks stay behind");
	must(session.refs.refs == 1, "references to the session stay behind");
	must(!session.block_cnt && !session.btc_bytes, "blocks are counted that are gone");
	for (i = 0; i < ARRAY_SIZE(session.slots); i++)
		must(!session.slots[i].first, "a way into a block stays behind");
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	data += sizeof(head);
	size -= sizeof(head);
	user[0] = (struct stretch){ MEMORY, NULL, min((size_t)head.memory_len, size) };
	user[0].mem = malloc(user[0].len + 1);
	memcpy(user[0].mem, data, user[0].len);
	data += user[0].len;
	size -= user[0].len;
	begin();
	alloc_fail_at(head.fail_at);
	while (size >= sizeof(struct request))
		make_request(&data, &size);
	end();
	free(user[0].mem);
	return 0;
}
