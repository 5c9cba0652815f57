/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks that records, disks and domains of machines belong together. */
#include "config.h"
#include "doctor/check.h"
#include "domain/metadata.h"
#include "ops/machine-domain.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Returns whether the machine is as it should be. */
static gboolean
examine_machine (LmDoctor *doctor, const LmMachine *machine)
{
  struct stat st;
  g_autoptr (GError) error = NULL;
  g_autoptr (LmVirtDomain) domain = NULL;
  if (stat (machine->overlay, &st) < 0)
    {
      const char *reason = g_strerror (errno);
      lm_check_add (doctor, LM_DIAGNOSIS_ERROR, lm_check_quote ("lamina rm", machine->name), "the disk of %s, %s, is missing: %s",
                    machine->name, machine->overlay, reason);
      return FALSE;
    }
  if (!lm_machine_domain_find (doctor->virt, machine, &domain, &error))
    lm_check_add (doctor, LM_DIAGNOSIS_ERROR, NULL, "%s", error->message);
  else if (domain == NULL)
    lm_check_add (doctor, LM_DIAGNOSIS_WARNING, lm_check_quote ("lamina rm", machine->name),
                  "the machine %s has no domain in libvirt, but still its disk, which a domain with the UUID %s would use and the "
                  "command removes", machine->name, machine->uuid);
  else
    return TRUE;
  return FALSE;
}

void
lm_check_machines (LmDoctor *doctor)
{
  guint others = 0, examined = 0;
  gboolean good = doctor->records != NULL && doctor->problems->len == 0;
  for (guint i = 0; i < doctor->problems->len; i++)
    lm_check_add (doctor, LM_DIAGNOSIS_ERROR, NULL, "%s", (const char *) doctor->problems->pdata[i]);
  if (doctor->records == NULL)
    lm_check_add (doctor, LM_DIAGNOSIS_ERROR, NULL, "the records of the machines cannot be read");
  else if (doctor->virt == NULL)
    lm_check_add (doctor, LM_DIAGNOSIS_WARNING, NULL, "not examined: libvirt cannot be reached");
  if (doctor->records == NULL || doctor->virt == NULL)
    return;
  for (guint i = 0; i < doctor->records->len; i++)
    {
      const LmMachine *machine = doctor->records->pdata[i];
      if (g_strcmp0 (machine->uri, lm_virt_uri (doctor->virt)) != 0)
        others++;
      else if (machine->state == LM_MACHINE_STATE_COMPLETE)
        {
          examined++;
          good = examine_machine (doctor, machine) && good;
        }
    }
  if (good)
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "%u %s a disk and a domain; %u on other connections were not examined", examined,
                  examined == 1 ? "machine has" : "machines have", others);
}

static gboolean
has_record (const LmDoctor *doctor, const char *uuid)
{
  for (guint i = 0; i < doctor->records->len; i++)
    if (strcmp (((LmMachine *) doctor->records->pdata[i])->uuid, uuid) == 0)
      return TRUE;
  return FALSE;
}

/* Returns whether @domain is not a machine of this state directory, or has its record. A
 * domain from "lamina xml" that has not been started looks like a machine whose files are
 * lost, so the advice is not to remove it. */
static gboolean
examine_domain (LmDoctor *doctor, LmVirtDomain *domain, const LmHookStatus *hook)
{
  g_autofree char *xml = lm_virt_domain_xml (domain, NULL);
  g_autoptr (LmDomainSpec) spec = xml != NULL ? lm_domain_metadata_parse (xml, NULL) : NULL;
  g_autofree char *machines = lm_check_directory (doctor, "machines");
  g_autofree char *dir = g_build_filename (machines, lm_virt_domain_uuid (domain), NULL);
  g_autofree char *prefix = g_strconcat (dir, "/", NULL);
  if (spec == NULL || spec->overlay == NULL || !g_str_has_prefix (spec->overlay, prefix)
      || has_record (doctor, lm_virt_domain_uuid (domain)) || g_file_test (dir, G_FILE_TEST_EXISTS))
    return TRUE; /* a record that cannot be read is reported elsewhere */
  const gboolean hooked = hook != NULL && hook->state >= LM_HOOK_STOPPED;
  lm_check_add (doctor, LM_DIAGNOSIS_WARNING, hooked || hook == NULL ? NULL : g_strdup (hook->command),
                "the domain %s has not been started yet, or its files (%s) were removed; %s", lm_virt_domain_name (domain), dir,
                hooked ? "when it starts, the hook creates a new disk" : "only the hook creates a new disk, and libvirt does not run it");
  return FALSE;
}

void
lm_check_domains (LmDoctor *doctor)
{
  if (doctor->virt == NULL || doctor->records == NULL)
    {
      lm_check_add (doctor, LM_DIAGNOSIS_WARNING, NULL, "not examined: %s cannot be %s", doctor->virt == NULL ? "libvirt" : "the records",
                    doctor->virt == NULL ? "reached" : "read");
      return;
    }
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) domains = lm_virt_list_domains (doctor->virt, &error);
  if (domains == NULL)
    {
      lm_check_add (doctor, LM_DIAGNOSIS_ERROR, NULL, "%s", error->message);
      return;
    }
  g_autoptr (LmHookStatus) hook = lm_hook_examine (&doctor->places->hook, doctor->scope, NULL);
  gboolean good = TRUE;
  for (guint i = 0; i < domains->len; i++)
    good = examine_domain (doctor, domains->pdata[i], hook) && good;
  if (good)
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "no domain of %u has lost its machine", domains->len);
}
