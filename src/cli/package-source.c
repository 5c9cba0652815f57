/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/package-source.h"
#include "build/repository.h"

LmPackages *
lm_package_source_load (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmPackages) packages = lm_packages_new ();
  const char *const *places = lm_args_get_all (invocation->args, "packages");
  if (*places == NULL && !lm_repository_load_apt (packages, invocation->cancellable, error))
    return NULL;
  for (; *places; places++)
    if (!lm_repository_load (packages, *places, invocation->cancellable, error))
      return NULL;
  return g_steal_pointer (&packages);
}
