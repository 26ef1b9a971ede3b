/* SPDX-License-Identifier: GPL-2.0 */
/* control: the verbs that ubtool sends, see libub/ub.h. */
#ifndef UBD_CONTROL_H
#define UBD_CONTROL_H

#include "loop.h"

/* Answers one message of a client; false when the connection is at its end. */
bool control_serve(struct loop *loop, int client_fd);

#endif
