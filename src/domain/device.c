/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "domain/device.h"
#include "base/error.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

#define OPTION_MAX 1024
/* IFNAMSIZ - 1 */
#define BRIDGE_MAX 15
#define NETWORK_MAX 64
#define NAME_EXTRA "._+-"
#define ANY_ADDRESS "0.0.0.0"
#define GRAPHICS_PORT_MIN 5900

LmDomainNetwork *
lm_domain_network_new (void)
{
  return g_new0 (LmDomainNetwork, 1);
}

void
lm_domain_network_free (LmDomainNetwork *network)
{
  if (network == NULL)
    return;
  g_free (network->source);
  g_free (network->model);
  g_free (network->mac);
  g_free (network);
}

gpointer
lm_domain_network_copy (gconstpointer network, gpointer unused)
{
  const LmDomainNetwork *from = network;
  LmDomainNetwork *copy = lm_domain_network_new ();
  copy->kind = from->kind;
  copy->source = g_strdup (from->source);
  copy->model = g_strdup (from->model);
  copy->mac = g_strdup (from->mac);
  return copy;
}

LmDomainGraphics *
lm_domain_graphics_new (void)
{
  return g_new0 (LmDomainGraphics, 1);
}

void
lm_domain_graphics_free (LmDomainGraphics *graphics)
{
  if (graphics == NULL)
    return;
  g_free (graphics->listen);
  g_free (graphics);
}

gpointer
lm_domain_graphics_copy (gconstpointer graphics, gpointer unused)
{
  const LmDomainGraphics *from = graphics;
  LmDomainGraphics *copy = lm_domain_graphics_new ();
  copy->kind = from->kind;
  copy->listen = g_strdup (from->listen);
  copy->port = from->port;
  return copy;
}

LmDomainPublish *
lm_domain_publish_new (void)
{
  return g_new0 (LmDomainPublish, 1);
}

void
lm_domain_publish_free (LmDomainPublish *publish)
{
  if (publish == NULL)
    return;
  g_free (publish->address);
  g_free (publish);
}

gpointer
lm_domain_publish_copy (gconstpointer publish, gpointer unused)
{
  const LmDomainPublish *from = publish;
  LmDomainPublish *copy = lm_domain_publish_new ();
  copy->address = g_strdup (from->address);
  copy->port = from->port;
  copy->guest_port = from->guest_port;
  return copy;
}

/* Six pairs of hex digits. A multicast address (low bit of the first byte) or all
 * zeros is not the address of a network card. */
static gboolean
is_mac (const char *text)
{
  guint sum = 0;
  if (strlen (text) != 17)
    return FALSE;
  for (guint i = 0; i < 17; i++)
    {
      if (i % 3 == 2 ? text[i] != ':' : !g_ascii_isxdigit (text[i]))
        return FALSE;
      sum += i % 3 == 2 ? 0 : (guint) g_ascii_xdigit_value (text[i]);
    }
  return sum > 0 && (g_ascii_xdigit_value (text[1]) & 1) == 0;
}

static gboolean
is_ipv4 (const char *text)
{
  struct in_addr address;
  return inet_pton (AF_INET, text, &address) == 1;
}

static gboolean
is_numeric_address (const char *text)
{
  struct in6_addr address;
  return is_ipv4 (text) || inet_pton (AF_INET6, text, &address) == 1;
}

static gboolean
check_network (const LmDomainNetwork *network, GError **error)
{
  static const char *const models[] = { "virtio", "e1000e", "e1000", "rtl8139", NULL };
  const char *source = network->source ? network->source : "";
  if (network->kind == LM_DOMAIN_NETWORK_NETWORK && !lm_text_is_word (source, NAME_EXTRA, NETWORK_MAX))
    return lm_domain_throw_value (error, "network", source, "is not a valid network name");
  if (network->kind == LM_DOMAIN_NETWORK_BRIDGE && !lm_text_is_word (source, NAME_EXTRA, BRIDGE_MAX))
    return lm_domain_throw_value (error, "bridge", source, "is not a valid bridge name");
  if (network->model != NULL && !g_strv_contains (models, network->model))
    return lm_domain_throw_value (error, "network model", network->model, "must be virtio, e1000e, e1000 or rtl8139");
  if (network->mac != NULL && !is_mac (network->mac))
    return lm_domain_throw_value (error, "network mac", network->mac, "must be a unicast address such as 52:54:00:12:34:56");
  return TRUE;
}

static gboolean
set_source (LmDomainNetwork *network, LmDomainNetworkKind kind, const char *source, GError **error)
{
  if (network->source != NULL)
    return lm_domain_throw_value (error, "network", source, "a card can have only one network or bridge");
  network->kind = kind;
  network->source = g_strdup (source);
  return check_network (network, error);
}

gboolean
lm_domain_network_set (LmDomainNetwork *network, const char *key, const char *value, GError **error)
{
  if (network->kind == LM_DOMAIN_NETWORK_NONE)
    return lm_domain_throw_value (error, "network", key, "\"none\" has no options");
  if (strcmp (key, "network") == 0)
    return set_source (network, LM_DOMAIN_NETWORK_NETWORK, value, error);
  if (strcmp (key, "bridge") == 0)
    return set_source (network, LM_DOMAIN_NETWORK_BRIDGE, value, error);
  if (strcmp (key, "model") == 0)
    {
      g_free (network->model);
      network->model = g_strdup (value);
    }
  else if (strcmp (key, "mac") == 0)
    {
      g_free (network->mac);
      network->mac = g_ascii_strdown (value, -1);
    }
  else
    return lm_domain_throw_value (error, "network", key, "unknown option; use network=, bridge=, model= or mac=");
  return check_network (network, error);
}

/* Splits "WORD,key=value,...". NULL if @text is too long. */
static char **
split_option (const char *what, const char *text, const char *separator, GError **error)
{
  if (strlen (text) <= OPTION_MAX)
    return g_strsplit (text, separator, -1);
  lm_domain_throw_value (error, what, text, "is too long");
  return NULL;
}

/* Splits "KEY=VALUE" in place and returns VALUE; NULL if @pair does not have that form. */
static char *
split_value (char *pair)
{
  char *equals = strchr (pair, '=');
  if (equals == NULL)
    return NULL;
  *equals = '\0';
  return equals + 1;
}

/* Checks that the key @parts[@i] is not among those from @first on that came before it. */
static gboolean
check_once (const char *what, char **parts, guint first, guint i, GError **error)
{
  for (guint j = first; j < i; j++)
    if (strcmp (parts[j], parts[i]) == 0)
      return lm_domain_throw_value (error, what, parts[i], "is given twice");
  return TRUE;
}

LmDomainNetwork *
lm_domain_network_parse (const char *text, GError **error)
{
  g_auto (GStrv) parts = split_option ("network", text, ",", error);
  if (parts == NULL)
    return NULL;
  g_autoptr (LmDomainNetwork) network = lm_domain_network_new ();
  const char *first = parts[0] ? parts[0] : "";
  gboolean pair = g_str_has_prefix (first, "network=") || g_str_has_prefix (first, "bridge=");
  if (strcmp (first, "none") == 0)
    network->kind = LM_DOMAIN_NETWORK_NONE;
  else if (strcmp (first, "default") == 0)
    network->kind = LM_DOMAIN_NETWORK_NETWORK;
  else if (!pair && strcmp (first, "user") != 0)
    {
      lm_domain_throw_value (error, "network", text, "must be none, user, default, network=NAME or bridge=NAME");
      return NULL;
    }
  if (network->kind == LM_DOMAIN_NETWORK_NETWORK)
    network->source = g_strdup ("default");
  for (guint i = pair ? 0 : 1; parts[0] != NULL && parts[i] != NULL; i++)
    {
      const char *value = split_value (parts[i]);
      if (value == NULL || (i > 0 && (strcmp (parts[i], "network") == 0 || strcmp (parts[i], "bridge") == 0)))
        {
          lm_domain_throw_value (error, "network", text,
                                 "the first comma must be followed by model=MODEL or mac=ADDRESS");
          return NULL;
        }
      if (!check_once ("network", parts, pair ? 0 : 1, i, error)
          || !lm_domain_network_set (network, parts[i], value, error))
        return NULL;
    }
  return g_steal_pointer (&network);
}

gboolean
lm_domain_network_check (const GPtrArray *list, GError **error)
{
  for (guint i = 0; i < list->len; i++)
    {
      const LmDomainNetwork *network = g_ptr_array_index (list, i);
      if (!check_network (network, error))
        return FALSE;
      if (network->kind == LM_DOMAIN_NETWORK_NONE && list->len > 1)
        return lm_throw (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID,
                         "network \"none\" cannot be combined with another network");
      for (guint j = 0; network->mac != NULL && j < i; j++)
        {
          const LmDomainNetwork *other = g_ptr_array_index (list, j);
          if (other->mac != NULL && g_ascii_strcasecmp (other->mac, network->mac) == 0)
            return lm_throw (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID,
                             "two network cards have the address %s; give each a different one", network->mac);
        }
    }
  return TRUE;
}

const char *
lm_domain_network_model (const LmDomainNetwork *network)
{
  return network->model ? network->model : "virtio";
}

gboolean
lm_domain_graphics_check (const LmDomainGraphics *graphics, GError **error)
{
  if (graphics->kind == LM_DOMAIN_GRAPHICS_NONE && (graphics->listen != NULL || graphics->port != 0))
    return lm_domain_throw_value (error, "graphics", "none", "has no options");
  if (graphics->listen != NULL && !is_numeric_address (graphics->listen))
    return lm_domain_throw_value (error, "graphics listen", graphics->listen, "must be a numeric address");
  /* QEMU numbers displays from port 5900. */
  if (graphics->port != 0 && graphics->port < GRAPHICS_PORT_MIN)
    return lm_throw (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID, "graphics port %u: must be from %d to 65535, or -1",
                     graphics->port, GRAPHICS_PORT_MIN);
  return TRUE;
}

static gboolean
set_graphics_kind (LmDomainGraphics *graphics, const char *text, GError **error)
{
  static const char *const kinds[] = { "none", "vnc", "spice" };
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (strcmp (text, kinds[i]) == 0)
      {
        graphics->kind = i;
        return TRUE;
      }
  return lm_domain_throw_value (error, "graphics", text, "must be none, vnc or spice");
}

gboolean
lm_domain_graphics_set (LmDomainGraphics *graphics, const char *key, const char *value, GError **error)
{
  guint64 port = 0;
  if (strcmp (key, "type") == 0)
    return set_graphics_kind (graphics, value, error);
  if (strcmp (key, "listen") == 0)
    {
      g_free (graphics->listen);
      graphics->listen = g_strdup (value);
    }
  else if (strcmp (key, "port") == 0)
    {
      if (strcmp (value, "-1") != 0 && !g_ascii_string_to_unsigned (value, 10, GRAPHICS_PORT_MIN, G_MAXUINT16, &port, NULL))
        return lm_domain_throw_value (error, "graphics port", value, "must be from 5900 to 65535, or -1");
      graphics->port = (guint16) port;
    }
  else
    return lm_domain_throw_value (error, "graphics", key, "unknown option; use type=, listen= or port=");
  return TRUE;
}

LmDomainGraphics *
lm_domain_graphics_parse (const char *text, GError **error)
{
  g_auto (GStrv) parts = split_option ("graphics", text, ",", error);
  if (parts == NULL)
    return NULL;
  g_autoptr (LmDomainGraphics) graphics = lm_domain_graphics_new ();
  if (!set_graphics_kind (graphics, parts[0] ? parts[0] : "", error))
    return NULL;
  for (guint i = 1; parts[0] != NULL && parts[i] != NULL; i++)
    {
      const char *value = split_value (parts[i]);
      if (value == NULL)
        {
          lm_domain_throw_value (error, "graphics", text, "the first comma must be followed by KEY=VALUE");
          return NULL;
        }
      if (strcmp (parts[i], "type") == 0)
        {
          lm_domain_throw_value (error, "graphics", "type", "is given twice");
          return NULL;
        }
      if (!check_once ("graphics", parts, 1, i, error) || !lm_domain_graphics_set (graphics, parts[i], value, error))
        return NULL;
    }
  return lm_domain_graphics_check (graphics, error) ? g_steal_pointer (&graphics) : NULL;
}

static gboolean
parse_port (const char *text, guint16 *out_port)
{
  guint64 port;
  if (!g_ascii_string_to_unsigned (text, 10, 1, G_MAXUINT16, &port, NULL))
    return FALSE;
  *out_port = (guint16) port;
  return TRUE;
}

static gboolean
check_publish (const LmDomainPublish *publish, GError **error)
{
  if (publish->port == 0 || publish->guest_port == 0)
    return lm_throw (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID, "a published port must not be 0");
  if (publish->address == NULL || is_ipv4 (publish->address))
    return TRUE;
  return lm_domain_throw_value (error, "publish address", publish->address, "must be a numeric IPv4 address");
}

LmDomainPublish *
lm_domain_publish_parse (const char *text, GError **error)
{
  g_auto (GStrv) words = split_option ("publish", text, ":", error);
  if (words == NULL)
    return NULL;
  guint count = g_strv_length (words);
  g_autoptr (LmDomainPublish) publish = lm_domain_publish_new ();
  if (strchr (text, '[') != NULL || count > 4)
    {
      lm_domain_throw_value (error, "publish", text, "ADDR must be an IPv4 address; IPv6 cannot be published");
      return NULL;
    }
  if ((count != 2 && count != 3) || (count == 3 && strchr (words[0], '.') == NULL) || !parse_port (words[count - 2], &publish->port)
      || !parse_port (words[count - 1], &publish->guest_port))
    {
      lm_domain_throw_value (error, "publish", text, "must be [ADDR:]PORT:GUESTPORT, ports from 1 to 65535");
      return NULL;
    }
  publish->address = count == 3 ? g_strdup (words[0]) : NULL;
  return check_publish (publish, error) ? g_steal_pointer (&publish) : NULL;
}

const char *
lm_domain_publish_address (const LmDomainPublish *publish)
{
  return publish->address ? publish->address : "127.0.0.1";
}

gboolean
lm_domain_publish_clash (const LmDomainPublish *a, const LmDomainPublish *b)
{
  const char *one = lm_domain_publish_address (a), *other = lm_domain_publish_address (b);
  return a->port == b->port && (strcmp (one, other) == 0 || strcmp (one, ANY_ADDRESS) == 0 || strcmp (other, ANY_ADDRESS) == 0);
}

gboolean
lm_domain_publish_check (const GPtrArray *list, GError **error)
{
  for (guint i = 0; i < list->len; i++)
    {
      const LmDomainPublish *publish = g_ptr_array_index (list, i);
      if (!check_publish (publish, error))
        return FALSE;
      for (guint j = 0; j < i; j++)
        {
          const LmDomainPublish *other = g_ptr_array_index (list, j);
          const char *address = lm_domain_publish_address (publish), *first = lm_domain_publish_address (other);
          if (lm_domain_publish_clash (other, publish))
            return lm_throw (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID, "port %u is published twice, on %s%s%s",
                             publish->port, first, strcmp (first, address) == 0 ? "" : " and on ",
                             strcmp (first, address) == 0 ? "" : address);
        }
    }
  return TRUE;
}
