/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The roles that the history of launches shows (cache/database.h), for grouping: each set of layers that
 * was selected together is one, and weighs as much as it was launched. What packages it asks for is what the recipes
 * of the layers say, or else what the catalogs record of their contents. */
#include "build/role.h"
#include "ops/host.h"

typedef enum
{
  LM_LAUNCH_ROLES_ERROR_NONE, /* the history shows none */
} LmLaunchRolesError;

#define LM_LAUNCH_ROLES_ERROR lm_launch_roles_error_quark ()
GQuark lm_launch_roles_error_quark (void);

/** lm_launch_roles_add: adds these roles to @roles. A set with a layer of which nobody knows the packages is left
 * out, with a warning to @host. Errors: LM_LAUNCH_ROLES_ERROR, those of lm_database_open(),
 * lm_source_load_all() and lm_recipe_dir_load(). */
gboolean lm_launch_roles_add (const LmHost *host, LmRoles *roles, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
