/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "virt/storage.h"
#include "virt/call.h"

static void
call_pool_xml (LmVirtCall *call)
{
  virStoragePoolPtr pool = virStoragePoolLookupByName (call->virt->connection, call->text);
  call->number = pool != NULL || virGetLastErrorCode () != VIR_ERR_NO_STORAGE_POOL;
  call->out_text = pool != NULL ? virStoragePoolGetXMLDesc (pool, 0) : NULL;
  if (pool != NULL)
    virStoragePoolFree (pool);
}

char *
lm_virt_pool_xml (LmVirt *virt, const char *name, GError **error)
{
  g_autoptr (LmVirtCall) call = lm_virt_call_new (virt, NULL, call_pool_xml);
  g_autofree char *what = g_strdup_printf ("look for storage pool \"%s\"", name);
  call->text = g_strdup (name);
  if (!lm_virt_call_run (call, LM_VIRT_CALL_QUERY, what, error))
    return NULL;
  if (call->out_text == NULL && call->number == 0)
    lm_virt_call_throw_code (call, error, LM_VIRT_ERROR_NOT_FOUND, "cannot %s", what);
  else if (call->out_text == NULL)
    lm_virt_call_throw (call, error, "cannot %s", what);
  return g_steal_pointer (&call->out_text);
}
