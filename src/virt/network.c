/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "virt/network.h"
#include "virt/call.h"

static void
call_find_network (LmVirtCall *call)
{
  virNetworkPtr network = virNetworkLookupByName (call->virt->connection, call->text);
  call->number = network != NULL ? virNetworkIsActive (network) : 0;
  call->flags = network != NULL;
  call->status = network != NULL || virGetLastErrorCode () == VIR_ERR_NO_NETWORK ? 0 : -1;
  if (call->number < 0)
    call->status = -1;
  if (network != NULL)
    virNetworkFree (network);
}

gboolean
lm_virt_network_find (LmVirt *virt, const char *name, gboolean *out_exists, gboolean *out_active, GError **error)
{
  g_autoptr (LmVirtCall) call = lm_virt_call_new (virt, NULL, call_find_network);
  g_autofree char *what = g_strdup_printf ("look for the network \"%s\"", name);
  call->text = g_strdup (name);
  if (!lm_virt_call_run (call, LM_VIRT_CALL_QUERY, what, error))
    return FALSE;
  if (call->status < 0)
    return lm_virt_call_throw (call, error, "cannot %s", what);
  *out_exists = call->flags != 0;
  *out_active = call->number > 0;
  return TRUE;
}
