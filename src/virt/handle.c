/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lifetime of a connection: it exists as long as the caller, its domains or
 * running calls need it. */
#include "config.h"
#include "virt/private.h"

LmVirt *
lm_virt_ref (LmVirt *virt)
{
  g_atomic_ref_count_inc (&virt->references);
  return virt;
}

void
lm_virt_free (LmVirt *virt)
{
  if (virt == NULL || !g_atomic_ref_count_dec (&virt->references))
    return;
  if (virt->connection != NULL)
    {
      g_atomic_ref_count_init (&virt->references);
      virt->close (virt);
      lm_virt_free (virt);
      return;
    }
  g_clear_object (&virt->cancellable);
  g_free (virt->uri);
  g_free (virt);
}
