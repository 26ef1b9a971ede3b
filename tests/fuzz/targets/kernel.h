/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kernel: as much of a kernel as the module's files of requests and blocks need, in one thread.  What the real one
 * would only sometimes punish dies here at once: a lock taken twice or kept, sleeping under a spin lock, a reference too few.
 */
#ifndef UB_FUZZ_KERNEL_H
#define UB_FUZZ_KERNEL_H

#include <ub/port.h>

#define __user
#define asmlinkage
#define GFP_KERNEL_ACCOUNT	0
#define TASK_COMM_LEN		16
#define MCOUNT_INSN_SIZE	5
#define U16_MAX			0xffffu
#define U32_MAX			0xffffffffu
#define IS_ENABLED(option)	0
#define READ_ONCE(x)		(x)
#define array_index_nospec(idx, cnt)	(idx)
#define WRITE_ONCE(x, val)	((x) = (val))
#define min(a, b)		((a) < (b) ? (a) : (b))
#define container_of(ptr, type, member)	((type *)((char *)(ptr) - offsetof(type, member)))

static void must(bool is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "device: %s\n", what);
	abort();
}

/* --- errors in pointers --- */

static inline void *ERR_PTR(long err)
{
	return (void *)err;
}

static inline long PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
	return (unsigned long)ptr >= -4095ul;
}

/* --- locks and counters --- */

static u32 spin_cnt, mutex_cnt, mm_users;

typedef struct { bool is_held; } spinlock_t;
struct mutex { bool is_held; };
#define DEFINE_SPINLOCK(name)	spinlock_t name

static inline void might_sleep(void)
{
	must(!spin_cnt, "this may sleep, under a spin lock");
}

static inline void spin_lock(spinlock_t *lock)
{
	must(!lock->is_held, "a spin lock is taken twice");
	lock->is_held = true;
	spin_cnt++;
}

static inline void spin_unlock(spinlock_t *lock)
{
	must(lock->is_held, "a spin lock is given back that is free");
	lock->is_held = false;
	spin_cnt--;
}

static inline void mutex_lock(struct mutex *lock)
{
	might_sleep();
	must(!lock->is_held, "a mutex is taken twice");
	lock->is_held = true;
	mutex_cnt++;
}

static inline void mutex_unlock(struct mutex *lock)
{
	must(lock->is_held, "a mutex is given back that is free");
	lock->is_held = false;
	mutex_cnt--;
}

static inline void rcu_read_lock(void)
{
	spin_cnt++;
}

static inline void rcu_read_unlock(void)
{
	spin_cnt--;
}

typedef struct { int refs; } refcount_t;
typedef struct { s64 val; } atomic64_t;

static inline void refcount_set(refcount_t *count, int refs)
{
	count->refs = refs;
}

static inline void refcount_inc(refcount_t *count)
{
	must(count->refs > 0, "a reference to what has none");
	count->refs++;
}

static inline bool refcount_inc_not_zero(refcount_t *count)
{
	return count->refs && ++count->refs;
}

static inline bool refcount_dec_and_test(refcount_t *count)
{
	must(count->refs > 0, "a reference too few");
	return !--count->refs;
}

static inline s64 atomic64_read(const atomic64_t *count)
{
	return count->val;
}

/* --- lists --- */

struct list_head { struct list_head *next, *prev; };
struct hlist_node { struct hlist_node *next, **pprev; };
struct hlist_head { struct hlist_node *first; };
#define LIST_HEAD(name)	struct list_head name = { &name, &name }

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list->prev = list;
}

static inline void list_add(struct list_head *node, struct list_head *head)
{
	*node = (struct list_head){ head->next, head };
	head->next->prev = node;
	head->next = node;
}

static inline void list_add_tail(struct list_head *node, struct list_head *head)
{
	list_add(node, head->prev);
}

static inline void list_del(struct list_head *node)
{
	must(node->next && node->next->prev == node && node->prev->next == node, "a node that is in no list");
	node->next->prev = node->prev;
	node->prev->next = node->next;
	node->next = node->prev = NULL;
}

#define list_for_each_entry(pos, head, member)							\
	for (pos = container_of((head)->next, __typeof__(*pos), member); &pos->member != (head);	\
	     pos = container_of(pos->member.next, __typeof__(*pos), member))
#define list_for_each_entry_safe(pos, after, head, member)						\
	for (pos = container_of((head)->next, __typeof__(*pos), member),				\
	     after = container_of(pos->member.next, __typeof__(*pos), member); &pos->member != (head);	\
	     pos = after, after = container_of(after->member.next, __typeof__(*pos), member))

static inline void hlist_add_head_rcu(struct hlist_node *node, struct hlist_head *head)
{
	*node = (struct hlist_node){ head->first, &head->first };
	if (head->first)
		head->first->pprev = &node->next;
	head->first = node;
}

static inline void hlist_del_rcu(struct hlist_node *node)
{
	must(node->pprev && *node->pprev == node, "a node that is in no bucket");
	*node->pprev = node->next;
	if (node->next)
		node->next->pprev = node->pprev;
	node->pprev = NULL;
}

#define hlist_for_each_entry_rcu(pos, head, member)							\
	for (struct hlist_node *node_ = (head)->first;							\
	     node_ && (pos = container_of(node_, __typeof__(*pos), member)); node_ = node_->next)

static inline u32 hash_64(u64 val, u32 bits)
{
	return val * 0x61c8864680b583ebull >> (64 - bits);
}

/* By id, few. */
#define XA_PRESENT	0
struct xarray { void *items[64]; u32 ids[64]; u32 cnt; };
#define DEFINE_XARRAY(name)	struct xarray name

static inline u32 xa_at(const struct xarray *xa, u64 id)
{
	u32 i;

	for (i = 0; i < xa->cnt && xa->ids[i] != id; i++)
		;
	return i;
}

static inline int xa_insert(struct xarray *xa, u64 id, void *item, int gfp)
{
	(void)gfp;
	might_sleep();
	must(xa_at(xa, id) == xa->cnt, "an id is used twice");
	if (xa->cnt == ARRAY_SIZE(xa->ids))
		return -ENOMEM;
	xa->items[xa->cnt] = item;
	xa->ids[xa->cnt++] = id;
	return 0;
}

static inline void xa_erase(struct xarray *xa, u64 id)
{
	u32 at = xa_at(xa, id);

	if (at == xa->cnt)
		return;
	xa->cnt--;
	xa->items[at] = xa->items[xa->cnt];
	xa->ids[at] = xa->ids[xa->cnt];
}

static inline void *xa_load(const struct xarray *xa, u64 id)
{
	u32 at = xa_at(xa, id);

	return at < xa->cnt ? xa->items[at] : NULL;
}

static inline void *xa_find_after(const struct xarray *xa, unsigned long *id, u64 max, int filter)
{
	u32 i, best = xa->cnt;

	(void)filter;
	for (i = 0; i < xa->cnt; i++)
		if (xa->ids[i] > *id && xa->ids[i] <= max && (best == xa->cnt || xa->ids[i] < xa->ids[best]))
			best = i;
	if (best == xa->cnt)
		return NULL;
	*id = xa->ids[best];
	return xa->items[best];
}

/* --- memory and work --- */

#define kzalloc(size, gfp)	(might_sleep(), calloc(1, size))
#define kfree(mem)		free((void *)(mem))
#define kvfree(mem)		free((void *)(mem))

struct work_struct { void (*run)(struct work_struct *work); };
struct rcu_work { struct work_struct work; };
struct workqueue_struct;

/* What waits until no reader is left: until the request is over. */
static struct rcu_work *waiting[64];
static u32 waiting_cnt;

#define INIT_RCU_WORK(which, fn)	((which)->work.run = (fn))
#define to_rcu_work(which)		container_of(which, struct rcu_work, work)

static inline void queue_rcu_work(struct workqueue_struct *queue, struct rcu_work *work)
{
	(void)queue;
	must(waiting_cnt < ARRAY_SIZE(waiting), "too many blocks are freed at once");
	waiting[waiting_cnt++] = work;
}

/* --- user space: two stretches --- */

struct stretch {
	u64 start;
	u8 *mem;
	u64 len;
};
static struct stretch user[2];

#define u64_to_user_ptr(addr)	((void *)(addr))

static inline u8 *user_at(const void *ptr, u64 len)
{
	u64 addr = (u64)ptr;
	u32 i;

	might_sleep();
	for (i = 0; i < ARRAY_SIZE(user); i++)
		if (addr >= user[i].start && addr - user[i].start <= user[i].len &&
		    len <= user[i].len - (addr - user[i].start))
			return user[i].mem + (addr - user[i].start);
	return NULL;
}

static inline u64 copy_from_user(void *to, const void *from, u64 len)
{
	const u8 *mem = user_at(from, len);

	if (mem)
		memcpy(to, mem, len);
	return mem ? 0 : len;
}

static inline u64 copy_to_user(void *to, const void *from, u64 len)
{
	u8 *mem = user_at(to, len);

	if (mem)
		memcpy(mem, from, len);
	return mem ? 0 : len;
}

static inline int copy_struct_from_user(void *to, size_t known, const void *from, size_t size)
{
	const u8 *mem = user_at(from, size);
	size_t i;

	if (!mem)
		return -EFAULT;
	for (i = known; i < size; i++)
		if (mem[i])
			return -E2BIG;
	memset(to, 0, known);
	memcpy(to, mem, min(size, known));
	return 0;
}

/* --- the rest is there --- */

struct cred;
struct file { void *private_data; };
struct inode;
struct mm_struct;
struct task_struct;
struct pid;
struct bpf_prog_aux;
struct pt_regs;
struct rcu_head { void *next; };
struct callback_head { void *next; };
struct preempt_notifier { void *ops; };
struct mmu_notifier { void *ops; };
struct mmu_notifier_ops;
struct timespec64 { s64 tv_sec, tv_nsec; };
struct user_namespace;
struct file_operations {
	void *owner;
	int (*open)(struct inode *inode, struct file *file);
	int (*release)(struct inode *inode, struct file *file);
	long (*unlocked_ioctl)(struct file *file, unsigned int cmd, unsigned long user);
	void *llseek;
};
struct miscdevice {
	int minor;
	const char *name;
	int mode;
	const struct file_operations *fops;
};
#define THIS_MODULE		NULL
#define MISC_DYNAMIC_MINOR	255
#define noop_llseek		NULL
#define misc_register(device)	((void)(device), 0)
#define misc_deregister(device)	((void)(device))
#define DECLARE_PER_CPU(type, name)	extern type name
#define X86_FEATURE_SMAP		0
#define X86_FEATURE_CLEAR_BHB_LOOP	1
#define X86_FEATURE_CLEAR_BHB_HW	2
#define boot_cpu_has(feature)	((feature) != X86_FEATURE_CLEAR_BHB_HW)
#define CAP_SYS_ADMIN		21
#define CAP_SYS_PTRACE		19
#define file_ns_capable(file, ns, cap)	((void)(file), true)
#define current_cred()		NULL
#define pr_warn_ratelimited(...)	((void)0)
#define fput(file)		((void)(file))
#define ktime_get_ns()		1000ull
#define ktime_get_boottime_ns()	2000ull
#define mmget_not_zero(mm)	((void)(mm), ++mm_users)
#define mmput(mm)		((void)(mm), must(mm_users--, "an mm is given back twice"))

/* symbols.h */
#define UB_SYMBOLS_H
#define UB_TRACE_H
#define trace_ub_load(btc, pid)		((void)(btc))
#define trace_ub_refuse(session, ...)	((void)(session))
#define trace_ub_invalidate(block, why)	((void)(block))
#define ub_sym(name)		name
#define kallsyms_show_value(cred)	((void)(cred), true)

#endif
