/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/layer-result.h"
#include "base/json.h"
#include "base/size.h"

#include <stdio.h>

static const struct
{
  const char *word; /* NULL: what the verb says, for both */
  const char *text;
} actions[] = {
  [LM_LAYER_UNCHANGED] = { "unchanged", "is there already" },
  [LM_LAYER_UPDATED] = { "updated", "is there already; what the catalog says about it was updated" },
  [LM_LAYER_PULLED] = { "pulled", "pulled, because a catalog has it" },
  [LM_LAYER_MADE] = { NULL, NULL },
};

void
lm_layer_result_print (const LmLayerResult *result, const char *made)
{
  g_autofree char *size = lm_size_format (result->blob.size);
  g_autofree char *digest = lm_digest_to_string (&result->blob.digest);
  g_autofree char *chain = g_strjoinv (", ", result->chain);
  const char *text = actions[result->action].text != NULL ? actions[result->action].text : made;
  const guint n = result->packages != NULL ? g_strv_length (result->packages) : 0;
  printf ("%s@%s %s: %s, %u package%s, %s\n", result->name, result->version, text, size, n, n == 1 ? "" : "s", digest);
  if (*chain != '\0')
    printf ("  on %s\n", chain);
}

void
lm_layer_result_to_json (const LmLayerResult *result, const char *made, JsonBuilder *builder)
{
  const char *word = actions[result->action].word;
  lm_json_add_string (builder, "name", result->name);
  lm_json_add_string (builder, "version", result->version);
  lm_json_add_string (builder, "group", result->group);
  lm_json_add_string (builder, "action", word != NULL ? word : made);
  lm_json_add_digest (builder, "digest", &result->blob.digest);
  lm_json_add_uint (builder, "size", result->blob.size);
  lm_json_add_strv (builder, "chain", result->chain);
  lm_json_add_strv (builder, "packages", result->packages);
  lm_json_add_strv (builder, "removed", result->removed);
}
