/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Roles: what people want to run, as named lists of packages. A file of roles is YAML or
 * JSON; lamina-group(7) describes it. */
#include <glib.h>

typedef struct
{
  char *name;
  double weight;   /* >= 0; how often it is launched, relative to the others */
  char **packages; /* NAME or NAME=VERSION, as for lm_packages_resolve() */
} LmRole;

typedef struct
{
  char **base;      /* packages that every role has besides its own */
  GPtrArray *roles; /* LmRole, at least one, by name, so that their order in the file does not matter */
} LmRoles;

/** lm_roles_parse: parses the @size bytes at @text, a file that messages call @name.
 * Errors: LM_YAML_ERROR, with the line. */
LmRoles *lm_roles_parse (const char *name, const char *text, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_roles_new: returns an empty list; never NULL. */
LmRoles *lm_roles_new (void);
/** lm_roles_add: adds a role, at its place. Its name is @name, with a number if there is one of that name. Of @packages, copied, there is at least one. */
void lm_roles_add (LmRoles *roles, const char *name, double weight, char *const *packages);
/** lm_roles_free: frees @roles; NULL is ignored. */
void lm_roles_free (LmRoles *roles);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmRoles, lm_roles_free)
