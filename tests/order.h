/* SPDX-License-Identifier: GPL-2.0 */
/*
 * order: the verifier, running a block's labels in another order than its own.
 */
#ifndef UB_TESTS_ORDER_H
#define UB_TESTS_ORDER_H

#include "../verifier/verify.h"

/* The verifier's own; always the first label that has changed, or the last one; any. */
enum order { ORDER_OWN, ORDER_FIRST, ORDER_LAST, ORDER_ANY, ORDER_COUNT };
const char *order_name(enum order order);

/* Is the verdict on @block in that order the one of @err and @refusal?  *ret_refusal is what it is. */
bool order_agrees(enum order order, const struct ub_block *block, u64 limit, int err, enum ub_refusal refusal,
		  enum ub_refusal *ret_refusal);

#endif
