/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What will keep a machine that is only defined from starting. libvirt looks for it when
 * the domain starts; told now, it can still be put right by then. */
#include "ops/host.h"
#include "ops/launch-request.h"
#include "virt/connect.h"

/** lm_obstacles_warn: warns @host of each network, bridge, CPU model of guests of @arch
 * and address of a published port that is not there. What cannot be told is no obstacle. */
void lm_obstacles_warn (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, const char *arch);
