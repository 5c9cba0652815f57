/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A user who interrupts what a test waits for. */
#include <gio/gio.h>

/** cancel_after: cancels @cancellable in @ms milliseconds, in a thread that the
 * caller joins. */
GThread *cancel_after (GCancellable *cancellable, guint ms);
