/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "users/layer-user.h"
#include "base/json.h"

LmLayerUser *
lm_layer_user_new (LmLayerUserKind kind, const char *name, const char *uuid, const char *uri)
{
  LmLayerUser *user = g_new0 (LmLayerUser, 1);
  user->kind = kind;
  user->name = g_strdup (name);
  user->uuid = g_strdup (uuid);
  user->uri = g_strdup (uri);
  return user;
}

void
lm_layer_user_free (LmLayerUser *user)
{
  g_free (user->name);
  g_free (user->recorded);
  g_free (user->uuid);
  g_free (user->uri);
  g_free (user);
}

char *
lm_layer_user_to_text (const LmLayerUser *user)
{
  if (user->kind == LM_LAYER_USER_DISK)
    return g_strdup_printf ("disk %s, whose record is lost", user->name);
  const gboolean is_machine = user->kind == LM_LAYER_USER_MACHINE;
  g_autofree char *snapshots
    = user->snapshots > 0 ? g_strdup_printf (", %u snapshot%s", user->snapshots, user->snapshots == 1 ? "" : "s") : g_strdup ("");
  return g_strconcat (is_machine ? "machine " : "domain ", user->name, " (", user->state, user->transient ? ", transient" : "",
                      snapshots, is_machine ? "" : ", on ", is_machine ? "" : user->uri, ")", NULL);
}

void
lm_layer_user_to_json (const LmLayerUser *user, JsonBuilder *builder)
{
  static const char *const kind_names[] = { [LM_LAYER_USER_MACHINE] = "machine", [LM_LAYER_USER_DOMAIN] = "domain",
                                            [LM_LAYER_USER_DISK] = "disk" };
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "kind", kind_names[user->kind]);
  lm_json_add_string (builder, "name", user->name);
  lm_json_add_string (builder, "uuid", user->uuid);
  lm_json_add_url (builder, "uri", user->uri);
  lm_json_add_string (builder, "state", user->state);
  lm_json_add_bool (builder, "transient", user->transient);
  lm_json_add_uint (builder, "snapshots", user->snapshots);
  json_builder_end_object (builder);
}
