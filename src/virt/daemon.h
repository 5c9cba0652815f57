/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The daemon behind a local connection, known by its pid file rather than by asking
 * it: libvirt tells nobody since when it runs. The daemon holds a lock on the file as
 * long as it runs, so a stale file is recognized. */
#include <gio/gio.h>

/* Whose daemon. */
typedef enum
{
  LM_VIRT_SCOPE_OTHER,   /* on another host, without a daemon, or not for QEMU */
  LM_VIRT_SCOPE_SYSTEM,  /* qemu:///system */
  LM_VIRT_SCOPE_SESSION, /* qemu:///session */
} LmVirtScope;

/** lm_virt_scope_of_uri: returns whose daemon serves connections to @uri, which has
 * the form that lm_virt_uri() returns. */
LmVirtScope lm_virt_scope_of_uri (const char *uri);

typedef struct
{
  const char *name; /* "libvirtd" or "virtqemud"; static */
  gboolean running;
  gint pid;         /* the following only if running; 0 if it cannot be determined */
  guint64 started;  /* when it wrote the file, in nanoseconds since 1970 by the clock of file systems */
} LmVirtDaemon;

/** lm_virt_daemon_find: gets the daemon that serves QEMU's domains for @scope, which
 * is not OTHER. As in libvirt, it is virtqemud if that has a socket. @run_dir is
 * where both have their files: /run, or the user's runtime directory. Errors:
 * G_IO_ERROR. */
gboolean lm_virt_daemon_find (LmVirtScope scope, const char *run_dir, LmVirtDaemon *out_daemon, GError **error) G_GNUC_WARN_UNUSED_RESULT;
