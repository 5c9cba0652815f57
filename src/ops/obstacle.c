/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/obstacle.h"
#include "ops/port.h"
#include "virt/cpu.h"
#include "virt/network.h"

#include <string.h>

#define INTERFACES "/sys/class/net"

static void G_GNUC_PRINTF (3, 4)
warn (const LmHost *host, const LmLaunchRequest *request, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree char *text = g_strdup_printf ("%s will not start before there is %s", request->name, what);
  host->warning (host->user_data, text);
}

static void
warn_of_network (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, const LmDomainNetwork *network)
{
  gboolean exists = TRUE;
  if (network->kind == LM_DOMAIN_NETWORK_NETWORK && lm_virt_network_exists (virt, network->source, &exists, NULL)
      && !exists)
    warn (host, request, "a network %s; \"virsh net-list --all\" lists them", network->source);
  if (network->kind != LM_DOMAIN_NETWORK_BRIDGE || !lm_virt_is_local (virt))
    return;
  g_autofree char *path = g_build_filename (INTERFACES, network->source, NULL);
  if (g_file_test (INTERFACES, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_EXISTS))
    warn (host, request, "a bridge %s; \"ip link\" lists them", network->source);
}

void
lm_obstacles_warn (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, const char *arch)
{
  gboolean exists = TRUE;
  for (guint i = 0; request->networks != NULL && i < request->networks->len; i++)
    warn_of_network (host, virt, request, g_ptr_array_index (request->networks, i));
  /* Of other architectures libvirt lists fewer models than it takes. */
  if (request->cpu != NULL && lm_domain_cpu_mode (request->cpu) == NULL && strcmp (arch, "x86_64") == 0
      && lm_virt_cpu_exists (virt, arch, request->cpu, &exists, NULL) && !exists)
    warn (host, request, "a CPU model %s; \"virsh cpu-models %s\" lists them", request->cpu, arch);
  for (guint i = 0; lm_virt_is_local (virt) && i < request->publish->len; i++)
    {
      const LmDomainPublish *publish = g_ptr_array_index (request->publish, i);
      if (!lm_port_has_address (publish))
        warn (host, request, "an address %s on this host (--publish)", lm_domain_publish_address (publish));
    }
}
