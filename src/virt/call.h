/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Calls of libvirt, each in its own thread. A call of libvirt blocks until the
 * daemon answers and cannot be cancelled; so the caller waits for the thread, for a
 * limited time. A call that was given up continues until the daemon answers or the
 * process ends, and owns everything that it uses. Only for the files in src/virt. */
#include "virt/private.h"

#include <libvirt/virterror.h>

typedef enum
{
  LM_VIRT_CALL_QUERY,  /* changes nothing; given up immediately when cancelled */
  LM_VIRT_CALL_CHANGE, /* when cancelled, has LM_VIRT_GRACE_SECONDS to end, so that its effect is known */
  LM_VIRT_CALL_START,  /* a change with a time limit LM_VIRT_START_FACTOR times as long */
} LmVirtCallKind;

#define LM_VIRT_GRACE_SECONDS 5
#define LM_VIRT_START_FACTOR 10

typedef struct _LmVirtCall LmVirtCall;
typedef void (*LmVirtCallFunc) (LmVirtCall *call);

struct _LmVirtCall
{
  /* Arguments and results of @func; owned by the call. */
  LmVirt *virt;
  virDomainPtr domain;
  char *text;
  unsigned int flags;
  int number;
  int status; /* negative if libvirt failed */
  virConnectPtr connection; /* closed with the call, unless it was stolen */
  char *out_text;
  GPtrArray *out_list;
  virErrorPtr error; /* libvirt's; from the thread of the call, unless @func set it; none if NULL or VIR_ERR_OK */
  /* Used by call.c only. */
  LmVirtCallFunc func;
  gatomicrefcount references;
  GMutex mutex;
  GCond changed;
  gboolean done;
  gboolean given_up;
  gboolean asking; /* the user is being asked for credentials; no time limit applies */
};

/** lm_virt_call_new: returns a call that will run @func; never NULL. It holds
 * references to @virt and @domain; @domain may be NULL. */
LmVirtCall *lm_virt_call_new (LmVirt *virt, virDomainPtr domain, LmVirtCallFunc func);
/** lm_virt_call_unref: releases a reference to @call; NULL is ignored. */
void lm_virt_call_unref (LmVirtCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmVirtCall, lm_virt_call_unref)

/** lm_virt_call_run: runs @call within the limits of its connection. TRUE if it
 * ended, successfully or not. FALSE if it was given up, with
 * LM_VIRT_ERROR_TIMED_OUT, LM_VIRT_ERROR_INTERRUPTED or, for a query,
 * G_IO_ERROR_CANCELLED; then nothing in @call may be used. @what describes it in
 * the message ("cannot @what"). A call that begins after the cancellation undoes
 * earlier work and is limited only in time. While an earlier call is unanswered,
 * the time limit is LM_VIRT_GRACE_SECONDS. If no thread can be created, the call
 * runs in the caller's thread without limit. */
gboolean lm_virt_call_run (LmVirtCall *call, LmVirtCallKind kind, const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_call_set_asking: tells the waiting caller whether the user is being asked for credentials. */
void lm_virt_call_set_asking (LmVirtCall *call, gboolean asking);

/** lm_virt_call_throw: sets @error to libvirt's error in @call, which has ended,
 * with "format: " before the message; returns FALSE. */
gboolean lm_virt_call_throw (const LmVirtCall *call, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);

/** lm_virt_call_throw_code: like lm_virt_call_throw(), with the given code. */
gboolean lm_virt_call_throw_code (const LmVirtCall *call, GError **error, LmVirtError code, const char *format,
                                  ...) G_GNUC_PRINTF (4, 5);
