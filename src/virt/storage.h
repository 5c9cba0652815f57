/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Storage pools, as far as domains refer to disks by them. */
#include "virt/connect.h"

/** lm_virt_pool_xml: returns the XML of the pool @name, active or not, newly
 * allocated. One or two round trips. Errors: LM_VIRT_ERROR (NOT_FOUND if there is
 * no such pool). */
char *lm_virt_pool_xml (LmVirt *virt, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
