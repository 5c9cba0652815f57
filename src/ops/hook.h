/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* lamina's file among libvirt's hooks: a short script that runs the hook. It is a file
 * and not a link to the hook, because libvirtd's AppArmor profile lets it run only
 * what is itself in the directory of the hooks, and SELinux leaves libvirtd's domain
 * only there; a link would make every start of every domain fail. If the script may not
 * run the hook, or lamina is no longer installed, it succeeds.
 *
 * libvirtd notes whether there are hooks for QEMU when it starts, and from then on
 * lists the directory at each call. Users' daemons have the same directory. */
#include "virt/daemon.h"

/* Where things are. */
typedef struct
{
  const char *dir;     /* libvirt's directory of hooks */
  const char *program; /* the hook; absolute */
  const char *run_dir; /* of the system's daemon, see virt/daemon.h */
  const char *user_run_dir; /* of the user's */
} LmHookPlaces;

typedef enum
{
  LM_HOOK_ERROR_FOREIGN,  /* lamina did not create the file that has its name */
  LM_HOOK_ERROR_INACTIVE, /* for the verb: libvirt does not run the hook, or that is not known */
} LmHookError;

#define LM_HOOK_ERROR lm_hook_error_quark ()
GQuark lm_hook_error_quark (void);

typedef enum
{
  LM_HOOK_ABSENT,
  LM_HOOK_FOREIGN, /* the file is not lamina's */
  LM_HOOK_BROKEN,  /* it runs another program than it should, or one that cannot be run */
  LM_HOOK_UNSEEN,  /* the daemon has been running since before there were hooks */
  LM_HOOK_STOPPED, /* the daemon is not running; it will see the hook */
  LM_HOOK_UNKNOWN, /* installed here, but it cannot be determined whether the daemon sees it */
  LM_HOOK_ACTIVE,
} LmHookState;

/** lm_hook_find_daemon: gets the daemon of @scope, which is not OTHER, see
 * lm_virt_daemon_find(). */
gboolean lm_hook_find_daemon (const LmHookPlaces *places, LmVirtScope scope, LmVirtDaemon *out_daemon,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_hook_service: returns the command that does @verb ("start", "restart") with the
 * system's daemon @name, newly allocated. */
char *lm_hook_service (const LmHookPlaces *places, const char *verb, const char *name);

/** lm_hook_state_name: returns "absent", "foreign", "broken", "unseen", "stopped", "unknown" or "active". */
const char *lm_hook_state_name (LmHookState state);

typedef struct
{
  LmHookState state;
  char *path;          /* of the file */
  LmVirtDaemon daemon; /* name is NULL if it was not looked for */
  char *text;          /* a sentence about the state without a full stop */
  char *command;       /* what makes it active; NULL if nothing is to be done or known */
} LmHookStatus;

/** lm_hook_status_free: frees @status; NULL is ignored. */
void lm_hook_status_free (LmHookStatus *status);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmHookStatus, lm_hook_status_free)

/** lm_hook_install: creates the file, and its directory if missing. *out_changed is
 * whether it was not there, or differed (then it is replaced). A file that lamina did
 * not create is kept: LM_HOOK_ERROR_FOREIGN. Other errors: G_IO_ERROR. */
gboolean lm_hook_install (const LmHookPlaces *places, gboolean *out_changed, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_hook_remove: removes the file if lamina created it; *out_removed is whether it
 * was there. Errors: as for lm_hook_install(). */
gboolean lm_hook_remove (const LmHookPlaces *places, gboolean *out_removed, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_hook_examine: returns whether the daemon of @scope runs the hook. Changes
 * nothing and does not ask the daemon. Errors: G_IO_ERROR. */
LmHookStatus *lm_hook_examine (const LmHookPlaces *places, LmVirtScope scope, GError **error) G_GNUC_WARN_UNUSED_RESULT;
