/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/replace.h"
#include "base/fault.h"
#include "ops/remove.h"

#include <string.h>
#include <unistd.h>

/* Whether the variables of UEFI are in the machine's own directory, which stays
 * while it is set aside. Where libvirt keeps them they have the machine's name,
 * and the next one of that name would get them. */
static gboolean
has_own_nvram (const LmInstance *instance)
{
  return access (instance->nvram, F_OK) == 0;
}

/* How to put @domain back, into the record. */
static gboolean
note (LmVirtDomain *domain, LmInstance *instance, GError **error)
{
  g_autofree char *xml = lm_virt_domain_xml (domain, error);
  gboolean persistent = FALSE;
  gboolean autostart = FALSE;
  if (xml == NULL || !lm_virt_domain_is_persistent (domain, &persistent, error)
      || (persistent && !lm_virt_domain_get_autostart (domain, &autostart, error)))
    return FALSE;
  g_free (instance->aside);
  instance->aside = g_steal_pointer (&xml);
  instance->aside_autostart = autostart;
  return lm_instance_save (instance, error);
}

gboolean
lm_replace_set_aside (LmVirt *virt, LmInstance *instance, gboolean *out_ran, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (virt, instance->uuid, &failure);
  if (domain == NULL && !g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  *out_ran = FALSE;
  if (domain == NULL)
    {
      g_free (instance->aside);
      instance->aside = g_strdup ("");
      return lm_instance_save (instance, error);
    }
  gboolean ran = lm_virt_domain_is_active (domain);
  if (!note (domain, instance, error))
    return FALSE;
  *out_ran = ran;
  return lm_fault_point ("replace-before-undefine", error) && lm_remove_domain (domain, has_own_nvram (instance), error)
         && lm_fault_point ("replace-after-undefine", error);
}

static gboolean
bring_back (LmVirt *virt, const LmInstance *instance, gboolean start, GError **error)
{
  /* It may not have gone, or only half. */
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (virt, instance->uuid, &failure);
  if (domain == NULL && !g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (instance->transient)
    {
      if (domain == NULL && start)
        domain = lm_virt_create (virt, instance->aside, instance->name, instance->uuid, error);
      return domain != NULL || !start;
    }
  if (domain == NULL)
    domain = lm_virt_define (virt, instance->aside, instance->name, instance->uuid, error);
  if (domain == NULL || (instance->aside_autostart && !lm_virt_domain_set_autostart (domain, TRUE, error)))
    return FALSE;
  return !start || lm_virt_domain_is_active (domain) || lm_virt_domain_start (domain, error);
}

gboolean
lm_replace_put_back (LmVirt *virt, LmInstance *instance, gboolean start, GError **error)
{
  if (instance->aside == NULL)
    return TRUE;
  if (*instance->aside != '\0' && !bring_back (virt, instance, start, error))
    return FALSE;
  g_clear_pointer (&instance->aside, g_free);
  instance->aside_autostart = FALSE;
  return lm_instance_save (instance, error);
}

/* Of @name on @virt's connection; the rest leave the list. */
static void
keep_matching (GPtrArray *list, LmVirt *virt, const char *name)
{
  for (guint i = list->len; i > 0; i--)
    {
      const LmInstance *instance = g_ptr_array_index (list, i - 1);
      if (strcmp (instance->name, name) != 0 || g_strcmp0 (instance->uri, lm_virt_uri (virt)) != 0)
        g_ptr_array_remove_index (list, i - 1);
    }
}

gboolean
lm_replace_settle (const LmHost *host, LmVirt *virt, const char *name, GError **error)
{
  lm_instance_sweep (host->state_dir);
  g_autoptr (GPtrArray) list = lm_instance_list (host->state_dir, NULL, error);
  if (list == NULL)
    return FALSE;
  keep_matching (list, virt, name);
  gboolean won = FALSE;
  for (guint i = 0; i < list->len; i++)
    {
      LmInstance *instance = g_ptr_array_index (list, i);
      won = won || (instance->complete && instance->aside == NULL);
      if (!instance->complete && !lm_remove_instance (virt, instance, error))
        return FALSE;
    }
  for (guint i = 0; i < list->len; i++)
    {
      LmInstance *instance = g_ptr_array_index (list, i);
      if (!instance->complete || instance->aside == NULL)
        continue;
      if (won ? !lm_remove_instance (virt, instance, error) : !lm_replace_put_back (virt, instance, FALSE, error))
        return FALSE;
    }
  return TRUE;
}
