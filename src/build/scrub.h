/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a layer must not contain: traces of how it was made, and what makes a machine one of its
 * own (identity, keys, seeds), which all machines over the layer would share. scrub.c has the table. */
#include "build/appliance.h"

/** lm_scrub_append: appends to @job the steps that remove it, after those that install
 * something and before lm_appliance_add_trim(). They run no program of the guest. */
void lm_scrub_append (LmAppliance *job);
