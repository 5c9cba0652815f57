/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "virt/storage.h"
#include "virt/private.h"

#include <libvirt/virterror.h>
#include <stdlib.h>

char *
lm_virt_pool_xml (LmVirt *virt, const char *name, GError **error)
{
  virStoragePoolPtr pool = virStoragePoolLookupByName (virt->connection, name);
  char *text = pool != NULL ? virStoragePoolGetXMLDesc (pool, 0) : NULL;
  char *xml = g_strdup (text);
  if (text == NULL && virGetLastErrorCode () == VIR_ERR_NO_STORAGE_POOL)
    lm_virt_throw_code (error, LM_VIRT_ERROR_NOT_FOUND, "storage pool \"%s\"", name);
  else if (text == NULL)
    lm_virt_throw (error, "storage pool \"%s\"", name);
  free (text);
  if (pool != NULL)
    virStoragePoolFree (pool);
  return xml;
}
