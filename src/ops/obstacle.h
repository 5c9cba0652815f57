/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What will prevent a machine from starting. libvirt checks it only when the domain
 * starts, after everything else has been created. If a machine is only defined, it
 * can still be provided before the start. */
#include "ops/host.h"
#include "ops/launch-request.h"
#include "virt/connect.h"

typedef enum
{
  LM_OBSTACLE_ERROR_MISSING, /* something that the machine needs to start does not exist */
} LmObstacleError;

#define LM_OBSTACLE_ERROR lm_obstacle_error_quark ()
GQuark lm_obstacle_error_quark (void);

/** lm_obstacles_check: checks that each network, bridge and CPU model (for guests
 * of @arch) that @request names exists, and that the networks are active. What
 * cannot be determined is accepted. Ports are checked by lm_port_check(). Errors:
 * LM_OBSTACLE_ERROR. */
gboolean lm_obstacles_check (LmVirt *virt, const LmLaunchRequest *request, const char *arch, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_obstacles_warn: reports a warning to @host for each of these that
 * lm_obstacles_check() would refuse, and for each published address that the host
 * does not have. */
void lm_obstacles_warn (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, const char *arch);
