/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "domain/device.h"
#include "base/error.h"

#include <arpa/inet.h>
#include <string.h>

#define OPTION_MAX 1024
/* IFNAMSIZ - 1 */
#define BRIDGE_MAX 15
#define NETWORK_MAX 64
#define ANY_ADDRESS "0.0.0.0"

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

void
lm_domain_graphics_free (LmDomainGraphics *graphics)
{
  if (graphics == NULL)
    return;
  g_free (graphics->listen);
  g_free (graphics);
}

static gboolean
throw_option (GError **error, const char *what, const char *text, const char *rule)
{
  g_autofree char *shown = g_strndup (text, 100);
  g_autofree char *safe = g_strescape (shown, NULL);
  return lm_throw (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID, "%s \"%s\": %s", what, safe, rule);
}

static gboolean
is_name (const char *text, gsize max)
{
  gsize length = strlen (text);
  if (length == 0 || length > max || !g_ascii_isalnum (text[0]))
    return FALSE;
  for (const char *c = text; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && strchr ("._+-", *c) == NULL)
      return FALSE;
  return TRUE;
}

/* Six hex pairs; a multicast address (low bit of the first byte) or all zero
 * is no address of a card. */
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
is_address (const char *text)
{
  struct in6_addr address;
  return is_ipv4 (text) || inet_pton (AF_INET6, text, &address) == 1;
}

static gboolean
set_network_option (LmDomainNetwork *network, const char *text, const char *key, const char *value, GError **error)
{
  static const char *const models[] = { "virtio", "e1000e", "e1000", "rtl8139", NULL };
  if (strcmp (key, "model") == 0)
    {
      if (!g_strv_contains (models, value))
        return throw_option (error, "network", text, "the model must be virtio, e1000e, e1000 or rtl8139");
      g_free (network->model);
      network->model = g_strdup (value);
      return TRUE;
    }
  if (strcmp (key, "mac") == 0)
    {
      if (!is_mac (value))
        return throw_option (error, "network", text, "the mac must be a unicast address such as 52:54:00:12:34:56");
      g_free (network->mac);
      network->mac = g_ascii_strdown (value, -1);
      return TRUE;
    }
  return throw_option (error, "network", text, "the options known are model= and mac=");
}

/* The first word: what kind of network, and its name. */
static gboolean
set_network_kind (LmDomainNetwork *network, const char *text, const char *word, GError **error)
{
  if (strcmp (word, "none") == 0)
    network->kind = LM_DOMAIN_NETWORK_NONE;
  else if (strcmp (word, "user") == 0)
    network->kind = LM_DOMAIN_NETWORK_USER;
  else if (strcmp (word, "default") == 0)
    {
      network->kind = LM_DOMAIN_NETWORK_NETWORK;
      network->source = g_strdup ("default");
    }
  else if (g_str_has_prefix (word, "network="))
    {
      network->kind = LM_DOMAIN_NETWORK_NETWORK;
      network->source = g_strdup (word + strlen ("network="));
      if (!is_name (network->source, NETWORK_MAX))
        return throw_option (error, "network", text, "this is no name of a network");
    }
  else if (g_str_has_prefix (word, "bridge="))
    {
      network->kind = LM_DOMAIN_NETWORK_BRIDGE;
      network->source = g_strdup (word + strlen ("bridge="));
      if (!is_name (network->source, BRIDGE_MAX))
        return throw_option (error, "network", text, "this is no name of a bridge");
    }
  else
    return throw_option (error, "network", text, "must be none, user, default, network=NAME or bridge=NAME");
  return TRUE;
}

/* Splits "WORD,key=value,..."; NULL when @text is absurd. */
static char **
split_option (const char *what, const char *text, const char *separator, GError **error)
{
  if (strlen (text) <= OPTION_MAX)
    return g_strsplit (text, separator, -1);
  throw_option (error, what, text, "is too long");
  return NULL;
}

LmDomainNetwork *
lm_domain_network_parse (const char *text, GError **error)
{
  g_auto (GStrv) parts = split_option ("network", text, ",", error);
  if (parts == NULL)
    return NULL;
  g_autoptr (LmDomainNetwork) network = g_new0 (LmDomainNetwork, 1);
  network->model = g_strdup ("virtio");
  if (!set_network_kind (network, text, parts[0] ? parts[0] : "", error))
    return NULL;
  for (guint i = 1; parts[0] != NULL && parts[i] != NULL; i++)
    {
      char *equals = strchr (parts[i], '=');
      if (equals == NULL || network->kind == LM_DOMAIN_NETWORK_NONE)
        {
          throw_option (error, "network", text, "has an option that it cannot have");
          return NULL;
        }
      *equals = '\0';
      if (!set_network_option (network, text, parts[i], equals + 1, error))
        return NULL;
    }
  return g_steal_pointer (&network);
}

static gboolean
set_graphics_option (LmDomainGraphics *graphics, const char *text, const char *option, GError **error)
{
  guint64 port;
  if (g_str_has_prefix (option, "listen="))
    {
      if (!is_address (option + strlen ("listen=")))
        return throw_option (error, "graphics", text, "listen= takes a numeric address");
      g_free (graphics->listen);
      graphics->listen = g_strdup (option + strlen ("listen="));
      return TRUE;
    }
  if (strcmp (option, "port=-1") == 0)
    {
      graphics->port = 0;
      return TRUE;
    }
  if (g_str_has_prefix (option, "port="))
    {
      /* QEMU counts displays from port 5900. */
      if (!g_ascii_string_to_unsigned (option + strlen ("port="), 10, 5900, G_MAXUINT16, &port, NULL))
        return throw_option (error, "graphics", text, "port= takes a number from 5900 to 65535, or -1");
      graphics->port = (guint16) port;
      return TRUE;
    }
  return throw_option (error, "graphics", text, "the options known are listen= and port=");
}

LmDomainGraphics *
lm_domain_graphics_parse (const char *text, GError **error)
{
  g_auto (GStrv) parts = split_option ("graphics", text, ",", error);
  if (parts == NULL)
    return NULL;
  g_autoptr (LmDomainGraphics) graphics = g_new0 (LmDomainGraphics, 1);
  if (g_strcmp0 (parts[0], "vnc") == 0)
    graphics->kind = LM_DOMAIN_GRAPHICS_VNC;
  else if (g_strcmp0 (parts[0], "spice") == 0)
    graphics->kind = LM_DOMAIN_GRAPHICS_SPICE;
  else if (strcmp (text, "none") != 0)
    {
      throw_option (error, "graphics", text, "must be none, vnc or spice");
      return NULL;
    }
  for (guint i = 1; parts[0] != NULL && parts[i] != NULL; i++)
    if (!set_graphics_option (graphics, text, parts[i], error))
      return NULL;
  return g_steal_pointer (&graphics);
}

static gboolean
read_port (const char *text, guint16 *out_port)
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
    return lm_throw (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID, "a published port is 0");
  if (publish->address == NULL || is_ipv4 (publish->address))
    return TRUE;
  return throw_option (error, "publish address", publish->address, "must be a numeric IPv4 address");
}

LmDomainPublish *
lm_domain_publish_parse (const char *text, GError **error)
{
  g_auto (GStrv) words = split_option ("publish", text, ":", error);
  if (words == NULL)
    return NULL;
  guint count = g_strv_length (words);
  g_autoptr (LmDomainPublish) publish = lm_domain_publish_new ();
  if ((count != 2 && count != 3) || !read_port (words[count - 2], &publish->port)
      || !read_port (words[count - 1], &publish->guest_port))
    {
      throw_option (error, "publish", text, "must be [ADDR:]PORT:GUESTPORT, ports from 1 to 65535");
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
        if (lm_domain_publish_clash (g_ptr_array_index (list, j), publish))
          return lm_throw (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID, "port %u of %s is published twice",
                           publish->port, lm_domain_publish_address (publish));
    }
  return TRUE;
}
