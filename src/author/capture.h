/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The use case "capture": what a machine that is shut off has changed becomes a layer on its chain, listed by the local
 * catalog (source/local.h). The machine stays as it is. Capturing the same disk again has no effect. */
#include "author/layer-result.h"
#include "build/appliance.h"
#include "ops/host.h"
#include "virt/connect.h"

typedef enum
{
  LM_CAPTURE_ERROR_REQUEST,   /* what is given as the group is no name */
  LM_CAPTURE_ERROR_UNLISTED,  /* no catalog lists a layer of the chain, so that nothing could be launched from the result */
  LM_CAPTURE_ERROR_DIFFERENT, /* a catalog lists another layer with this name and version on the same parent */
} LmCaptureError;

#define LM_CAPTURE_ERROR lm_capture_error_quark ()
GQuark lm_capture_error_quark (void);

/* What is NULL is not given: then what the catalog said before about the same name and version stays. */
typedef struct
{
  const char *machine;             /* its name */
  const char *as;                  /* "NAME@VERSION" */
  const char *group;               /* by default the name of the layer */
  const char *summary, *ready;     /* as in a catalog; "" for none */
  const char *const *provides;     /* NULL or an empty list: not given; only "": none */
  gboolean scrub;                  /* remove what a layer must not have, see build/scrub.h */
  LmApplianceSettings appliance;   /* program and virt_type */
} LmCaptureRequest;

/** lm_capture_run: does what @request says. After a failure nothing is listed and nothing is kept. Blocks, for a minute
 * and more. Errors: LM_CAPTURE_ERROR, LM_SELECTION_ERROR, LM_LOCAL_ENTRY_ERROR, those of lm_machine_disk_open(), lm_machine_disk_check(),
 * lm_chain_packages_find(), lm_scratch_publish() and lm_local_add(). */
LmLayerResult *lm_capture_run (const LmHost *host, LmVirt *virt, const LmCaptureRequest *request, GCancellable *cancellable,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
