/* SPDX-License-Identifier: GPL-2.0 */
/* loop: the daemon at work. */
#ifndef UBD_LOOP_H
#define UBD_LOOP_H

#include "config.h"
#include "heat.h"
#include "session.h"

#define LOOP_MAX_PINS		64

struct loop {
	struct config config;
	const char *config_path;
	bool config_optional;		/* the default path may be missing */
	const char *socket_path;
	struct profile *profile;
	struct heat heat;
	struct sessions sessions;
	u32 pins[LOOP_MAX_PINS];	/* processes to be helped whatever their heat, 0: free */
	u64 burst_end_ns;		/* sampled at search_hz until then */
	bool is_burst;
	u64 next_sample_ns;
	u64 next_device_ns;
	u64 idle_since_ns;		/* nobody is helped */
	u64 device_identity;		/* of the device last seen, 0: none */
	bool has_tried;			/* to open it */
	u64 started_ns;
	int epoll_fd, timer_fd, signal_fd, listen_fd;
	bool is_done;
};

/* Runs until SIGTERM or SIGINT; 0 then, or -errno after having said what is missing.  @ready is called once. */
int loop_run(struct loop *loop, void (*ready)(void));

/* For control.c: */
int loop_device(struct loop *loop);	/* opens /dev/ub if need be; < 0 when it is not there */
int loop_reload(struct loop *loop, char *why, size_t why_size);
int loop_pin(struct loop *loop, u32 pid);	/* -ENOSPC */
void loop_unpin(struct loop *loop, u32 pid);

#endif
