/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/blueprint.h"
#include "domain/osinfo.h"
#include "domain/xml.h"

#include <string.h>

/* Gets the URL of the operating system; *out_osinfo is NULL if it is not known. */
static gboolean
find_osinfo (const LmHost *host, const LmLaunchRequest *request, const LmPlan *plan, char **out_osinfo, GError **error)
{
  g_autoptr (GError) unknown = NULL;
  const char *wanted = request->osinfo ? request->osinfo : plan->osinfo;
  *out_osinfo = wanted ? lm_osinfo_find (host->osinfo_dirs, wanted, &unknown) : NULL;
  /* A catalog may name operating systems that this host's database does not contain. */
  if (!request->osinfo || *out_osinfo != NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&unknown));
  return FALSE;
}

LmMachine *
lm_blueprint_machine (const LmHost *host, const char *uri, const LmLaunchRequest *request, char **requested,
                      const LmPlan *plan)
{
  LmMachine *machine = lm_machine_new (host->state_dir, request->name, NULL);
  machine->uri = g_strdup (uri);
  machine->transient = request->transient;
  machine->ephemeral = request->ephemeral;
  machine->requested = g_strdupv (requested);
  machine->resolved = g_strdupv (plan->selections);
  g_ptr_array_unref (machine->layers);
  machine->layers = lm_launch_request_layers (plan);
  for (guint i = 0; i < plan->blobs->len; i++)
    {
      const LmBlob *blob = &((LmPlanItem *) g_ptr_array_index (plan->blobs, i))->blob;
      *(strcmp (blob->name, "kernel") == 0 ? &machine->kernel_blob : &machine->initrd_blob) = lm_blob_dup (blob);
    }
  g_ptr_array_extend (machine->publish, request->publish, lm_domain_publish_copy, NULL);
  machine->ready = g_strdup (plan->ready);
  return machine;
}

char *
lm_blueprint_xml (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, const LmPlan *plan,
                  const LmMachine *machine, GCancellable *cancellable, GError **error)
{
  g_autofree char *osinfo = NULL;
  if (!find_osinfo (host, request, plan, &osinfo, error))
    return NULL;
  const char *virt_type = request->virt_type                                       ? request->virt_type
                          : virt != NULL && lm_virt_offers_kvm (virt, plan->arch) ? "kvm"
                                                                                  : "qemu";
  g_autoptr (LmDomainSpec) spec = lm_launch_request_spec (request, plan, machine, virt_type, osinfo);
  return lm_domain_xml (spec, host->template_dirs, request->template, cancellable, error);
}
