/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/replace.h"
#include "base/error.h"
#include "base/fault.h"
#include "io/xml.h"
#include "ops/machine-domain.h"
#include "ops/usage.h"

#include <string.h>

G_DEFINE_QUARK (lm-replace-error-quark, lm_replace_error)

static gboolean
throw_lossy (const LmMachine *machine, const char *what, const char *how, GError **error)
{
  return lm_throw (error, LM_REPLACE_ERROR, LM_REPLACE_ERROR_LOSSY,
                   "%s has %s, which would be lost even if replacing it fails; %srun \"lamina rm %s\" first",
                   machine->name, what, how, machine->name);
}

static gboolean
attribute_equals (const LmXmlNode *node, const char *attribute, const char *value)
{
  g_autofree char *text = node != NULL ? lm_xml_attribute (node, attribute) : NULL;
  return g_strcmp0 (text, value) == 0;
}

/* If the template does not say where to store UEFI variables, libvirt derives the
 * path from the domain's name, and the next domain of that name would use them. The
 * definition need not contain that path. */
static gboolean
check_nvram (const LmMachine *machine, LmVirtDomain *domain, GError **error)
{
  g_autofree char *text = lm_virt_domain_xml (domain, error);
  g_autoptr (LmXml) xml = text != NULL ? lm_xml_parse (text, strlen (text), machine->name, error) : NULL;
  if (xml == NULL)
    return FALSE;
  const LmXmlNode *os = lm_xml_child (lm_xml_root (xml), NULL, "os");
  const LmXmlNode *nvram = os != NULL ? lm_xml_child (os, NULL, "nvram") : NULL;
  g_autofree char *path = nvram != NULL ? lm_xml_text (nvram) : NULL;
  g_autofree char *name = path != NULL ? g_path_get_basename (path) : NULL;
  g_autofree char *own = g_path_get_basename (machine->nvram);
  gboolean uefi = attribute_equals (os, "firmware", "efi")
                  || attribute_equals (os != NULL ? lm_xml_child (os, NULL, "loader") : NULL, "type", "pflash");
  if (path == NULL ? !uefi : strstr (path, machine->uuid) != NULL && strcmp (name, own) == 0)
    return TRUE;
  g_autofree char *what
    = g_strdup_printf ("its UEFI variables %s%s", path != NULL ? "in " : "under its name", path != NULL ? path : "");
  return throw_lossy (machine, what, "", error);
}

/* Gets whether the domain with the XML @text has a TPM whose state libvirt keeps. */
static gboolean
has_emulated_tpm (const LmMachine *machine, const char *text, gboolean *out_found, GError **error)
{
  g_autoptr (LmXml) xml = lm_xml_parse (text, strlen (text), machine->name, error);
  if (xml == NULL)
    return FALSE;
  const LmXmlNode *devices = lm_xml_child (lm_xml_root (xml), NULL, "devices");
  const LmXmlNode *tpm = devices != NULL ? lm_xml_child (devices, NULL, "tpm") : NULL;
  *out_found = tpm != NULL && attribute_equals (lm_xml_child (tpm, NULL, "backend"), "type", "emulator");
  return TRUE;
}

/* libvirt removes the state of an emulated TPM when a transient domain stops, and
 * when a domain is undefined unless told not to. */
static gboolean
check_tpm (const LmMachine *machine, LmVirtDomain *domain, GError **error)
{
  g_autofree char *text = lm_virt_domain_xml (domain, error);
  gboolean found = FALSE;
  gboolean keeps = FALSE;
  gboolean persistent = FALSE;
  if (text == NULL || !has_emulated_tpm (machine, text, &found, error))
    return FALSE;
  if (!found)
    return TRUE;
  if (!lm_virt_domain_keeps_tpm (domain, &keeps, error) || !lm_virt_domain_is_persistent (domain, &persistent, error))
    return FALSE;
  return (keeps && persistent) || throw_lossy (machine, "the state of its TPM", "", error);
}

gboolean
lm_replace_check (const LmHost *host, LmVirt *virt, const LmMachine *machine, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmVirtDomain) domain = NULL;
  gboolean saved = FALSE;
  /* What can change fastest is checked last. */
  if (!lm_machine_domain_find (virt, machine, &domain, error)
      || !lm_usage_check (host, virt, machine, cancellable, error))
    return FALSE;
  if (domain == NULL)
    return TRUE;
  if (strcmp (lm_virt_domain_name (domain), machine->name) != 0)
    return lm_throw (error, LM_REPLACE_ERROR, LM_REPLACE_ERROR_RENAMED,
                     "the domain of the machine %s was renamed to %s, and is kept", machine->name,
                     lm_virt_domain_name (domain));
  if (!check_nvram (machine, domain, error) || !check_tpm (machine, domain, error)
      || !lm_virt_domain_has_saved (domain, &saved, error))
    return FALSE;
  if (saved)
    return throw_lossy (machine, "a saved state, snapshots or checkpoints",
                        "remove them with virsh managedsave-remove, snapshot-delete and checkpoint-delete, or ", error);
  return TRUE;
}

/* Records how to restore @domain. */
static gboolean
record_domain (LmVirtDomain *domain, LmMachine *machine, GError **error)
{
  g_autofree char *xml = lm_virt_domain_xml (domain, error);
  gboolean persistent = FALSE;
  gboolean autostart = FALSE;
  gboolean active = FALSE;
  if (xml == NULL || !lm_virt_domain_is_persistent (domain, &persistent, error)
      || !lm_machine_domain_is_active (domain, &active, error)
      || (persistent && !lm_virt_domain_get_autostart (domain, &autostart, error)))
    return FALSE;
  g_free (machine->replaced_xml);
  machine->replaced_xml = g_steal_pointer (&xml);
  machine->replaced_autostart = autostart;
  machine->replaced_active = active;
  return lm_machine_change_state (machine, LM_MACHINE_STATE_REPLACED, error);
}

gboolean
lm_replace_begin (LmVirt *virt, LmMachine *machine, const char *by, GError **error)
{
  g_autoptr (LmVirtDomain) domain = NULL;
  g_free (machine->replaced_by);
  machine->replaced_by = g_strdup (by);
  if (!lm_machine_domain_find (virt, machine, &domain, error))
    return FALSE;
  if (domain == NULL)
    return lm_machine_change_state (machine, LM_MACHINE_STATE_REPLACED, error);
  return record_domain (domain, machine, error) && lm_fault_point ("replace-before-undefine", error)
         && lm_machine_domain_remove (domain, TRUE, error) && lm_fault_point ("replace-after-undefine", error);
}

/* Returns the domain XML @xml with the name changed to @name. */
static char *
rename_domain (const char *xml, const char *name)
{
  const char *old = strstr (xml, "<name>");
  const char *end = old != NULL ? strstr (old, "</name>") : NULL;
  return end != NULL ? g_strdup_printf ("%.*s<name>%s%s", (int) (old - xml), xml, name, end) : g_strdup (xml);
}

gboolean
lm_replace_remove_tpm_state (LmVirt *virt, const LmMachine *machine, GError **error)
{
  gboolean found = FALSE;
  if (machine->replaced_xml == NULL)
    return TRUE;
  if (!has_emulated_tpm (machine, machine->replaced_xml, &found, error))
    return FALSE;
  if (!found)
    return TRUE;
  /* If this run is killed while the domain exists, the next one must not take the machine for restored. */
  if (machine->state != LM_MACHINE_STATE_REMOVING)
    return lm_throw (error, G_IO_ERROR, G_IO_ERROR_FAILED, "its record cannot be changed to \"removing\"");
  /* Another machine has its name now. */
  g_autofree char *xml = rename_domain (machine->replaced_xml, machine->uuid);
  g_autoptr (LmVirtDomain) domain = lm_virt_define (virt, xml, machine->uuid, machine->uuid, error);
  return domain != NULL && lm_virt_domain_undefine (domain, FALSE, error);
}

/* Starts the domain again if it was running; everything essential has been restored by then. */
static void
restart_domain (const LmHost *host, LmVirt *virt, const LmMachine *machine, LmVirtDomain *domain)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmVirtDomain) made = NULL;
  if (domain == NULL)
    made = lm_virt_create (virt, machine->replaced_xml, machine->name, machine->uuid, &failure);
  else if (!lm_virt_domain_is_active (domain))
    (void) !lm_virt_domain_start (domain, &failure);
  if (failure == NULL)
    return;
  g_autofree char *text = g_strdup_printf ("%s was restored with its disk, but not started: %s", machine->name, failure->message);
  host->warning (host->user_data, text);
}

static gboolean
restore_domain (const LmHost *host, LmVirt *virt, const LmMachine *machine, GError **error)
{
  /* The domain may not have been undefined, or not completely restored. */
  g_autoptr (LmVirtDomain) domain = NULL;
  if (!lm_machine_domain_find (virt, machine, &domain, error))
    return FALSE;
  if (domain == NULL && !machine->transient)
    domain = lm_virt_define (virt, machine->replaced_xml, machine->name, machine->uuid, error);
  if (!machine->transient
      && (domain == NULL
          || (machine->replaced_autostart && !lm_virt_domain_set_autostart (domain, TRUE, error))))
    return FALSE;
  if (machine->replaced_active)
    restart_domain (host, virt, machine, domain);
  return TRUE;
}

gboolean
lm_replace_roll_back (const LmHost *host, LmVirt *virt, LmMachine *machine, GError **error)
{
  if (machine->state != LM_MACHINE_STATE_REPLACED)
    return TRUE;
  if (machine->replaced_xml != NULL && !restore_domain (host, virt, machine, error))
    return FALSE;
  if (lm_machine_change_state (machine, LM_MACHINE_STATE_COMPLETE, error))
    return TRUE;
  g_prefix_error (error, "it was restored, but its record does not say so: ");
  return FALSE;
}
