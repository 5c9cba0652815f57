/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/port.h"
#include "base/error.h"
#include "base/fd.h"
#include "domain/device.h"
#include "ops/emulator.h"
#include "virt/domain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

G_DEFINE_QUARK (lm-port-error-quark, lm_port_error)

#define FIRST_FREE_PORT "/proc/sys/net/ipv4/ip_unprivileged_port_start"

/* Returns 0 or the errno value of bind(). Uses SO_REUSEADDR like QEMU, so that
 * closed connections do not matter. */
static int
try_to_bind (const LmDomainPublish *publish)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (publish->port) };
  int reuse = 1;
  if (inet_pton (AF_INET, lm_domain_publish_address (publish), &address.sin_addr) != 1)
    return EINVAL;
  lm_autofd int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse) < 0
      || bind (fd, (const struct sockaddr *) &address, sizeof address) < 0)
    return errno;
  return 0;
}

static gboolean
publishes_port (const LmMachine *machine, const LmDomainPublish *publish)
{
  for (guint i = 0; i < machine->publish->len; i++)
    if (lm_domain_publish_clash (g_ptr_array_index (machine->publish, i), publish))
      return TRUE;
  return FALSE;
}

static gboolean
is_machine_running (LmVirt *virt, const LmMachine *machine)
{
  g_autoptr (LmVirtDomain) domain
    = g_strcmp0 (machine->uri, lm_virt_uri (virt)) == 0 ? lm_virt_find_uuid (virt, machine->uuid, NULL) : NULL;
  return domain != NULL && lm_virt_domain_is_active (domain);
}

/* Returns " (...)" with the other machine that publishes the port, or "". */
static char *
describe_owner (LmVirt *virt, const char *state_dir, const LmDomainPublish *publish, const LmMachine *replaced)
{
  g_autoptr (GPtrArray) list = lm_machine_list (state_dir, NULL, NULL);
  for (guint i = 0; list != NULL && i < list->len; i++)
    {
      const LmMachine *machine = g_ptr_array_index (list, i);
      if (publishes_port (machine, publish) && is_machine_running (virt, machine)
          && (replaced == NULL || strcmp (machine->uuid, replaced->uuid) != 0))
        return g_strdup_printf (" (the machine %s publishes it)", machine->name);
    }
  return g_strdup ("");
}

/* Returns the first port that needs no privileges. */
static guint
first_free_port (void)
{
  g_autofree char *text = NULL;
  guint64 port = IPPORT_RESERVED;
  if (g_file_get_contents (FIRST_FREE_PORT, &text, NULL, NULL))
    (void) g_ascii_string_to_unsigned (g_strchomp (text), 10, 0, G_MAXUINT16 + 1, &port, NULL);
  return (guint) port;
}

/* If this process is root it may use the port although QEMU may not. If QEMU's user
 * is root, it may have the capabilities. */
static gboolean
check_privileges (LmVirt *virt, const LmDomainPublish *publish, GError **error)
{
  if (!lm_virt_is_system (virt) && try_to_bind (publish) == EACCES)
    return lm_throw (error, LM_PORT_ERROR, LM_PORT_ERROR_ADDRESS,
                     "--publish: port %u is for root only; choose a higher one", publish->port);
  guint first = first_free_port ();
  guint uid;
  if (publish->port >= first || !lm_virt_is_system (virt) || (lm_emulator_user (virt, &uid) && uid == 0))
    return TRUE;
  return lm_throw (error, LM_PORT_ERROR, LM_PORT_ERROR_ADDRESS,
                   "--publish: port %u is for root only, and QEMU runs as another user; choose a port from %u on",
                   publish->port, first);
}

static gboolean
check_published_port (LmVirt *virt, const char *state_dir, const LmDomainPublish *publish, const LmMachine *replaced,
                      GError **error)
{
  if (!check_privileges (virt, publish, error))
    return FALSE;
  int failure = try_to_bind (publish);
  const char *address = lm_domain_publish_address (publish);
  if (failure == EADDRNOTAVAIL)
    return lm_throw (error, LM_PORT_ERROR, LM_PORT_ERROR_ADDRESS, "--publish: %s is not an address of this host", address);
  if (failure != EADDRINUSE)
    return TRUE;
  g_autofree char *who = describe_owner (virt, state_dir, publish, replaced);
  return lm_throw (error, LM_PORT_ERROR, LM_PORT_ERROR_BUSY,
                   "--publish: port %u of %s is in use%s; choose another port, or stop the program that uses it",
                   publish->port, address, who);
}

gboolean
lm_port_has_address (const LmDomainPublish *publish)
{
  return try_to_bind (publish) != EADDRNOTAVAIL;
}

gboolean
lm_port_check_rights (LmVirt *virt, const GPtrArray *publish, GError **error)
{
  for (guint i = 0; i < publish->len; i++)
    if (!check_privileges (virt, g_ptr_array_index (publish, i), error))
      return FALSE;
  return TRUE;
}

gboolean
lm_port_check (LmVirt *virt, const char *state_dir, const GPtrArray *publish, const LmMachine *replaced,
               gboolean replaced_is_active, GError **error)
{
  for (guint i = 0; i < publish->len; i++)
    {
      const LmDomainPublish *one = g_ptr_array_index (publish, i);
      if (replaced != NULL && replaced_is_active && publishes_port (replaced, one))
        continue;
      if (!check_published_port (virt, state_dir, one, replaced, error))
        return FALSE;
    }
  return TRUE;
}
