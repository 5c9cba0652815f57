/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* CPU models that libvirt knows. */
#include "virt/connect.h"

/** lm_virt_cpu_exists: gets whether libvirt knows the CPU @model for guests of
 * @arch; TRUE if it lists no models for @arch. One round trip. Errors:
 * LM_VIRT_ERROR. */
gboolean lm_virt_cpu_exists (LmVirt *virt, const char *arch, const char *model, gboolean *out_exists,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
