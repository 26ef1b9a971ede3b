/* SPDX-License-Identifier: GPL-2.0 */
/* say: the daemon's log.  main.c has the one definition; priorities are syslog's. */
#ifndef UBD_SAY_H
#define UBD_SAY_H

enum { SAY_ERROR = 3, SAY_WARNING = 4, SAY_NOTE = 6, SAY_DEBUG = 7 };

void ubd_say(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
