/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What keeps a machine from starting. libvirt looks for it when the domain starts, after
 * everything else was made; a machine that is only defined can still be given it by then. */
#include "ops/host.h"
#include "ops/launch-request.h"
#include "virt/connect.h"

typedef enum
{
  LM_OBSTACLE_ERROR_MISSING, /* something that it is to start with is not there */
} LmObstacleError;

#define LM_OBSTACLE_ERROR lm_obstacle_error_quark ()
GQuark lm_obstacle_error_quark (void);

/** lm_obstacles_check: whether a network, bridge or CPU model of guests of @arch that
 * @request names is not there, or a network not active. What cannot be told is no
 * obstacle. The ports: lm_port_check(). Errors: LM_OBSTACLE_ERROR. */
gboolean lm_obstacles_check (LmVirt *virt, const LmLaunchRequest *request, const char *arch, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_obstacles_warn: warns @host of each of these, and of each address of a published
 * port that is not there. */
void lm_obstacles_warn (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, const char *arch);
