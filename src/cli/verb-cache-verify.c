/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/host.h"
#include "cli/output.h"
#include "upkeep/verification.h"

#include <stdio.h>

static const char *const result_names[] = {
  [LM_VERIFIED_OK] = "ok",
  [LM_VERIFIED_DAMAGED] = "damaged",
  [LM_VERIFIED_EXPOSED] = "exposed",
  [LM_VERIFIED_REPAIRED] = "repaired",
  [LM_VERIFIED_REMOVED] = "removed",
  [LM_VERIFIED_UNCHECKED] = "unchecked",
};

static char *
describe_file (const LmVerification *verification, const LmCacheEntry *entry)
{
  return verification->names != NULL ? lm_layer_names_describe (verification->names, entry->kind, &entry->digest)
                                     : lm_digest_to_string (&entry->digest);
}

static const char *
get_kind (const LmVerification *verification, const LmCacheEntry *entry)
{
  return lm_layer_names_get_kind (verification->names, entry->kind, &entry->digest);
}

static void
print_results (const LmVerification *verification)
{
  LmTable *table = lm_table_new ((const char *const[]){ "KIND", "NAME", ">SIZE", "RESULT", NULL });
  for (guint i = 0; i < verification->files->len; i++)
    {
      const LmVerifiedFile *file = g_ptr_array_index (verification->files, i);
      g_autofree char *name = describe_file (verification, file->entry);
      g_autofree char *size = lm_size_format (file->entry->size);
      g_autofree char *result = lm_verified_file_to_text (file);
      lm_table_add (table, (const char *const[]){ get_kind (verification, file->entry), name, size, result });
    }
  lm_table_print (table);
  g_autofree char *bytes = lm_size_format (verification->bytes);
  printf ("%u of %u files verified, %s: %u ok, %u repaired, %u damaged or exposed\n",
          verification->files->len - lm_verification_count (verification, LM_VERIFIED_UNCHECKED), verification->entries->len, bytes,
          lm_verification_count (verification, LM_VERIFIED_OK), lm_verification_count (verification, LM_VERIFIED_REPAIRED),
          lm_verification_count (verification, LM_VERIFIED_DAMAGED) + lm_verification_count (verification, LM_VERIFIED_EXPOSED));
}

static void
add_flaws (JsonBuilder *builder, LmScrubFlaws flaws)
{
  json_builder_set_member_name (builder, "flaws");
  json_builder_begin_array (builder);
  if ((flaws & LM_SCRUB_OWNER) != 0)
    json_builder_add_string_value (builder, "owner");
  if ((flaws & LM_SCRUB_MODE) != 0)
    json_builder_add_string_value (builder, "mode");
  if ((flaws & LM_SCRUB_FLAG) != 0)
    json_builder_add_string_value (builder, "immutable");
  json_builder_end_array (builder);
}

static void
add_file (JsonBuilder *builder, const LmVerification *verification, const LmVerifiedFile *file)
{
  LmLayerName name = { 0 };
  if (verification->names != NULL)
    (void) lm_layer_names_find (verification->names, file->entry->kind, &file->entry->digest, &name);
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "kind", get_kind (verification, file->entry));
  lm_json_add_string (builder, "name", name.name);
  lm_json_add_string (builder, "version", name.version);
  lm_json_add_digest (builder, "digest", &file->entry->digest);
  lm_json_add_uint (builder, "size", file->entry->size);
  lm_json_add_string (builder, "path", file->entry->path);
  lm_json_add_string (builder, "result", result_names[file->result]);
  lm_json_add_bool (builder, "damaged", file->found.state == LM_CACHE_DAMAGED);
  add_flaws (builder, file->found.flaws);
  lm_json_add_string (builder, "reason", file->reason);
  lm_json_add_string (builder, "quarantine", file->aside);
  if (file->use != NULL)
    lm_layer_use_users_to_json (file->use, builder);
  json_builder_end_object (builder);
}

static void
print_results_json (const LmVerification *verification, gboolean complete)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "files");
  json_builder_begin_array (builder);
  for (guint i = 0; i < verification->files->len; i++)
    add_file (builder, verification, g_ptr_array_index (verification->files, i));
  json_builder_end_array (builder);
  lm_json_add_bool (builder, "complete", complete);
  lm_json_add_bool (builder, "repair", verification->repair);
  lm_json_add_uint (builder, "bytes", verification->bytes);
  lm_output_json (builder);
}

static gboolean
get_rate (const LmInvocation *invocation, guint64 *out_rate, GError **error)
{
  const char *text = lm_args_get (invocation->args, "rate");
  g_autoptr (GError) failure = NULL;
  *out_rate = invocation->settings->verify_rate;
  if (text == NULL || lm_size_parse (text, LM_SIZE_MIB, out_rate, &failure))
    return TRUE;
  return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--rate: %s", failure->message);
}

static gboolean
run_cache_verify (const LmInvocation *invocation, GError **error)
{
  guint64 rate;
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  if (host == NULL || !get_rate (invocation, &rate, error))
    return FALSE;
  g_autoptr (LmCache) cache = lm_cache_open (host->host.state_dir, &host->host.cache, error);
  g_autoptr (LmVerification) verification
    = cache != NULL ? lm_verification_new (&host->host, cache, invocation->cancellable, error) : NULL;
  if (verification == NULL)
    return FALSE;
  const gboolean complete = lm_verification_run (verification, &host->host, cache, rate, lm_args_has (invocation->args, "repair"),
                                                 invocation->cancellable, error);
  /* Also if it was interrupted: what it found so far may have taken hours. */
  if (lm_args_has (invocation->args, "json"))
    print_results_json (verification, complete);
  else
    print_results (verification);
  return complete && lm_verification_throw (verification, error);
}

static const LmOption options[] = {
  { "repair", 0, LM_OPTION_FLAG, NULL, "pull damaged files again; correct owner, mode and flag", LM_COMPLETE_NONE },
  { "rate", 0, LM_OPTION_VALUE, "SIZE", "bytes to read per second (default unit: MiB; 0: no limit)", LM_COMPLETE_NONE },
  { NULL },
};

const LmVerb lm_verb_cache_verify = {
  .name = "cache verify",
  .page = "lamina-cache",
  .summary = "read all files of the cache and compare their digests",
  .options = options,
  .run = run_cache_verify,
};
