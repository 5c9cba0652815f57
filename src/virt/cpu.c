/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "virt/cpu.h"
#include "virt/call.h"

#include <stdlib.h>

static void
call_list_models (LmVirtCall *call)
{
  char **models = NULL;
  call->status = virConnectGetCPUModelNames (call->virt->connection, call->text, &models, 0);
  call->out_list = g_ptr_array_new_with_free_func (g_free);
  for (char **model = models; model != NULL && *model != NULL; model++)
    {
      g_ptr_array_add (call->out_list, g_strdup (*model));
      free (*model);
    }
  free (models);
}

gboolean
lm_virt_cpu_exists (LmVirt *virt, const char *arch, const char *model, gboolean *out_exists, GError **error)
{
  g_autoptr (LmVirtCall) call = lm_virt_call_new (virt, NULL, call_list_models);
  call->text = g_strdup (arch);
  if (!lm_virt_call_run (call, LM_VIRT_CALL_QUERY, "list the CPU models", error))
    return FALSE;
  if (call->status < 0)
    return lm_virt_call_throw (call, error, "cannot list the CPU models");
  *out_exists = call->out_list->len == 0 || g_ptr_array_find_with_equal_func (call->out_list, model, g_str_equal, NULL);
  return TRUE;
}
