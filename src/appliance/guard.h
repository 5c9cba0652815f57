/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A process that ends QEMU and removes its socket when this one is killed. libguestfs has a process
 * that notices after two seconds, but it dies with the process group, leaves the socket, which is
 * not in the scratch directory, and waits for ever if nobody reaps this process. */
#include <glib.h>

/** lm_guard_start: starts that process, which ends with this one. Before any thread is created. */
void lm_guard_start (void);
