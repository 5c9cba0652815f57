/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Calls of libvirt, each in a thread of its own: they block until the daemon
 * answers and cannot be cancelled, so the caller waits for the thread, and not
 * for ever. A call that is given up goes on until the daemon answers or the
 * process ends; it owns all that it uses. For the files of src/virt only. */
#include "virt/private.h"

#include <libvirt/virterror.h>

typedef enum
{
  LM_VIRT_CALL_QUERY,  /* changes nothing: given up at once when cancelled */
  LM_VIRT_CALL_CHANGE, /* when cancelled it has LM_VIRT_GRACE_SECONDS to end, so that what it did is known */
  LM_VIRT_CALL_START,  /* a change that may take LM_VIRT_START_FACTOR times as long */
} LmVirtCallKind;

#define LM_VIRT_GRACE_SECONDS 5
#define LM_VIRT_START_FACTOR 10

typedef struct _LmVirtCall LmVirtCall;
typedef void (*LmVirtCallFunc) (LmVirtCall *call);

struct _LmVirtCall
{
  /* Arguments, and what @func leaves behind: owned by the call. */
  LmVirt *virt;
  virDomainPtr domain;
  char *text;
  unsigned int flags;
  int number;
  int status; /* negative: libvirt failed */
  virConnectPtr connection; /* closed with the call, unless it was taken */
  char *out_text;
  GPtrArray *out_list;
  /* Of call.c. */
  LmVirtCallFunc func;
  gatomicrefcount references;
  GMutex mutex;
  GCond changed;
  gboolean done;
  gboolean given_up;
  gboolean asking; /* the user is asked for credentials: the time does not run */
  virErrorPtr error; /* libvirt's, of the call's thread; NULL or VIR_ERR_OK: none */
};

/** lm_virt_call_new: a call that will run @func. @virt and @domain may be NULL;
 * references to them are kept. */
LmVirtCall *lm_virt_call_new (LmVirt *virt, virDomainPtr domain, LmVirtCallFunc func);
void lm_virt_call_unref (LmVirtCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmVirtCall, lm_virt_call_unref)

/** lm_virt_call_run: runs @call to its end, within the limits of its connection.
 * TRUE: it ended, well or not. FALSE: it was given up, with LM_VIRT_ERROR_TIMED_OUT,
 * LM_VIRT_ERROR_INTERRUPTED or, of a query, G_IO_ERROR_CANCELLED; @what names it
 * in the message ("cannot @what"), and nothing in @call may be used. A call
 * begun after the cancellation belongs to undoing: only the time limits it.
 * While an earlier call is unanswered, the time is LM_VIRT_GRACE_SECONDS. Where
 * no thread can be had it runs in the caller's, without limit. */
gboolean lm_virt_call_run (LmVirtCall *call, LmVirtCallKind kind, const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_call_set_asking: tells the waiting caller that the user is being asked. */
void lm_virt_call_set_asking (LmVirtCall *call, gboolean asking);

/** lm_virt_call_throw: sets @error to libvirt's error of @call, which has ended,
 * its message after "format: "; returns FALSE. */
gboolean lm_virt_call_throw (const LmVirtCall *call, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);

/** lm_virt_call_throw_code: the same with the code given. */
gboolean lm_virt_call_throw_code (const LmVirtCall *call, GError **error, LmVirtError code, const char *format,
                                  ...) G_GNUC_PRINTF (4, 5);
