/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/machine-domain.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/file.h"
#include "domain/metadata.h"
#include "domain/outline.h"
#include "image/overlay.h"
#include "image/qcow2.h"
#include "machine/ready.h"
#include "ops/port.h"

#include <stdlib.h>
#include <string.h>

/* More layers than QEMU opens. */
#define MAX_SNAPSHOTS 256

G_DEFINE_QUARK (lm-machine-domain-error-quark, lm_machine_domain_error)

/* A logical volume is a symbolic link to a device. */
static gboolean
read_disk (const char *path, LmQcow2Header *out_header)
{
  char *real = realpath (path, NULL);
  gboolean read = real != NULL && lm_qcow2_read_disk (real, out_header, NULL);
  free (real);
  return read;
}

/* Whether the disk @path is in the directory of @machine, or lies on top of the overlay there, as an external
 * snapshot does wherever it is. */
static gboolean
is_disk_of_machine (const LmMachine *machine, const char *path)
{
  g_autofree char *overlay = g_path_get_basename (machine->overlay);
  g_autofree char *now = g_strdup (path);
  for (guint i = 0; i < MAX_SNAPSHOTS; i++)
    {
      g_autofree char *dir = g_path_get_dirname (now);
      g_autofree char *neighbour = g_build_filename (dir, overlay, NULL);
      LmQcow2Header header;
      if (lm_file_is_same_path (neighbour, machine->overlay))
        return TRUE;
      if (!read_disk (now, &header) || header.backing_name[0] == '\0')
        return FALSE;
      g_free (now);
      now = g_canonicalize_filename (header.backing_name, dir);
    }
  return FALSE;
}

/* Whether the metadata in @xml refers to @machine. Metadata written by hand does not
 * name the overlay; then a disk must be the machine's. */
static gboolean
refers_to_machine (const char *xml, const LmMachine *machine)
{
  g_autoptr (LmDomainSpec) spec = lm_domain_metadata_parse (xml, NULL);
  if (spec == NULL || spec->overlay != NULL)
    return spec != NULL && lm_file_is_same_path (spec->overlay, machine->overlay);
  g_autoptr (LmDomainOutline) outline = lm_domain_outline_parse (xml, NULL);
  for (guint i = 0; outline != NULL && i < outline->disks->len; i++)
    if (is_disk_of_machine (machine, g_ptr_array_index (outline->disks, i)))
      return TRUE;
  return FALSE;
}

gboolean
lm_machine_domain_check (const LmMachine *machine, LmVirtDomain *domain, GError **error)
{
  g_autofree char *xml = lm_virt_domain_xml (domain, error);
  if (xml == NULL)
    return FALSE;
  if (refers_to_machine (xml, machine))
    return TRUE;
  return lm_throw (error, LM_MACHINE_DOMAIN_ERROR, LM_MACHINE_DOMAIN_ERROR_FOREIGN,
                   "the domain %s has the UUID of the machine %s (%s), but its metadata does not refer to that "
                   "machine; neither is changed", lm_virt_domain_name (domain), machine->name, machine->dir);
}

gboolean
lm_machine_domain_find (LmVirt *virt, const LmMachine *machine, LmVirtDomain **out_domain, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (virt, machine->uuid, &failure);
  if (domain == NULL && !g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (domain != NULL && !lm_machine_domain_check (machine, domain, &failure))
    {
      /* It may have disappeared in the meantime. */
      if (!g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      g_clear_pointer (&domain, lm_virt_domain_free);
    }
  *out_domain = g_steal_pointer (&domain);
  return TRUE;
}

static gboolean
is_stopped (const GError *failure)
{
  return g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND)
         || g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_STATE);
}

gboolean
lm_machine_domain_remove (LmVirtDomain *domain, gboolean keep, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (!lm_virt_domain_destroy (domain, &failure) && !is_stopped (failure))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  g_clear_error (&failure);
  /* A transient domain disappears with its process. */
  if (!lm_virt_domain_undefine (domain, keep, &failure)
      && !g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return TRUE;
}

gboolean
lm_machine_domain_is_active (LmVirtDomain *domain, gboolean *out_active, GError **error)
{
  g_autoptr (GError) failure = NULL;
  LmVirtState state;
  if (lm_virt_domain_state (domain, &state, &failure))
    *out_active = state == LM_VIRT_STATE_RUNNING || state == LM_VIRT_STATE_PAUSED;
  else if (g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND))
    *out_active = FALSE;
  else
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return TRUE;
}

gboolean
lm_machine_domain_has_run (LmVirt *virt, const LmMachine *machine, LmVirtDomain **out_domain, gboolean *out_ran, GError **error)
{
  g_autoptr (LmVirtDomain) domain = NULL;
  gboolean active = FALSE;
  gboolean pristine = TRUE;
  if (!lm_machine_domain_find (virt, machine, &domain, error)
      || (domain != NULL && !lm_machine_domain_is_active (domain, &active, error))
      || !lm_overlay_is_pristine (machine->overlay, &pristine, error))
    return FALSE;
  *out_ran = active || !pristine;
  *out_domain = g_steal_pointer (&domain);
  return TRUE;
}

gboolean
lm_machine_domain_throw_start (const LmHost *host, LmVirt *virt, const LmMachine *machine, GError *cause, GError **error)
{
  g_autoptr (GError) failure = cause;
  if (lm_virt_is_local (virt) && !lm_port_check (virt, host->state_dir, machine->publish, machine, FALSE, error))
    return FALSE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

gboolean
lm_machine_domain_start (const LmHost *host, LmVirt *virt, const LmMachine *machine, LmVirtDomain *domain,
                         gboolean *out_resumed, GError **error)
{
  gboolean saved = lm_virt_domain_has_saved_state (domain);
  g_autoptr (GError) failure = NULL;
  if (!lm_fault_point ("launch-before-start", error))
    return FALSE;
  LmConsolePosition before = { 0 };
  if (!saved)
    lm_ready_rotate_log (machine, &before);
  if (!lm_virt_domain_start (domain, &failure)
      && !(g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_STATE) && lm_virt_domain_is_active (domain)))
    return lm_machine_domain_throw_start (host, virt, machine, g_steal_pointer (&failure), error);
  *out_resumed = saved;
  lm_ready_check_log (machine, &before);
  g_autofree char *run = before.inode != 0 ? lm_virt_domain_run (domain, error) : NULL;
  if (before.inode != 0 && (run == NULL || !lm_ready_save (machine, run, &before, error)))
    return FALSE;
  return lm_fault_point ("launch-after-start", error);
}
