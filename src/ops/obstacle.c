/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/obstacle.h"
#include "base/error.h"
#include "ops/port.h"
#include "virt/cpu.h"
#include "virt/network.h"

#include <string.h>

#define INTERFACES "/sys/class/net"

G_DEFINE_QUARK (lm-obstacle-error-quark, lm_obstacle_error)

static void
add_missing_network (GPtrArray *missing, LmVirt *virt, const LmDomainNetwork *network)
{
  const char *name = network->source;
  gboolean exists = TRUE;
  gboolean active = TRUE;
  if (network->kind == LM_DOMAIN_NETWORK_NETWORK && lm_virt_network_find (virt, name, &exists, &active, NULL) && !active)
    g_ptr_array_add (missing, exists
                                ? g_strdup_printf ("the network %s is not active; \"virsh net-start %s\" starts it",
                                                   name, name)
                                : g_strdup_printf ("there is no network %s; \"virsh net-list --all\" lists the networks",
                                                   name));
  if (network->kind != LM_DOMAIN_NETWORK_BRIDGE || !lm_virt_is_local (virt))
    return;
  g_autofree char *path = g_build_filename (INTERFACES, name, NULL);
  if (g_file_test (INTERFACES, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_EXISTS))
    g_ptr_array_add (missing, g_strdup_printf ("there is no bridge %s; \"ip link show type bridge\" lists the bridges", name));
}

/* Returns a text (char *) about each thing that is missing. */
static GPtrArray *
list_missing (LmVirt *virt, const LmLaunchRequest *request, const char *arch)
{
  GPtrArray *missing = g_ptr_array_new_with_free_func (g_free);
  gboolean exists = TRUE;
  for (guint i = 0; request->networks != NULL && i < request->networks->len; i++)
    add_missing_network (missing, virt, g_ptr_array_index (request->networks, i));
  /* For other architectures libvirt accepts more models than it lists. */
  if (request->cpu != NULL && lm_domain_cpu_mode (request->cpu) == NULL && strcmp (arch, "x86_64") == 0
      && lm_virt_cpu_exists (virt, arch, request->cpu, &exists, NULL) && !exists)
    g_ptr_array_add (missing, g_strdup_printf ("there is no CPU model %s; \"virsh cpu-models %s\" lists the models",
                                               request->cpu, arch));
  return missing;
}

gboolean
lm_obstacles_check (LmVirt *virt, const LmLaunchRequest *request, const char *arch, GError **error)
{
  g_autoptr (GPtrArray) missing = list_missing (virt, request, arch);
  return missing->len == 0
         || lm_throw (error, LM_OBSTACLE_ERROR, LM_OBSTACLE_ERROR_MISSING, "%s cannot start: %s", request->name,
                      (const char *) g_ptr_array_index (missing, 0));
}

void
lm_obstacles_warn (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, const char *arch)
{
  g_autoptr (GPtrArray) missing = list_missing (virt, request, arch);
  for (guint i = 0; lm_virt_is_local (virt) && i < request->publish->len; i++)
    {
      const LmDomainPublish *publish = g_ptr_array_index (request->publish, i);
      if (!lm_port_has_address (publish))
        g_ptr_array_add (missing, g_strdup_printf ("--publish: %s is not an address of this host",
                                                   lm_domain_publish_address (publish)));
    }
  for (guint i = 0; i < missing->len; i++)
    {
      g_autofree char *text
        = g_strdup_printf ("%s cannot be started yet: %s", request->name,
                           (const char *) g_ptr_array_index (missing, i));
      host->warning (host->user_data, text);
    }
}
