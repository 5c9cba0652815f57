/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "upkeep/verification.h"
#include "base/error.h"
#include "base/size.h"
#include "base/trace.h"
#include "ops/only-copy.h"
#include "upkeep/repair.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

G_DEFINE_QUARK (lm-verification-error-quark, lm_verification_error)

#define PROGRESS_US (100 * 1000)

static void
verified_file_free (LmVerifiedFile *file)
{
  g_free (file->reason);
  g_free (file->aside);
  g_free (file);
}

void
lm_verification_free (LmVerification *verification)
{
  if (verification == NULL)
    return;
  g_clear_pointer (&verification->files, g_ptr_array_unref);
  lm_layer_users_free (verification->users);
  lm_layer_names_free (verification->names);
  g_clear_pointer (&verification->entries, g_ptr_array_unref);
  g_free (verification);
}

LmVerification *
lm_verification_new (const LmHost *host, LmCache *cache, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmVerification) verification = g_new0 (LmVerification, 1);
  g_autoptr (GError) nameless = NULL;
  verification->files = g_ptr_array_new_with_free_func ((GDestroyNotify) verified_file_free);
  verification->entries = lm_cache_list (cache, error);
  if (verification->entries == NULL)
    return NULL;
  /* Names are for people; a catalog that cannot be read must not prevent a verification. */
  verification->names = lm_layer_names_load (host, verification->entries, cancellable, &nameless);
  if (verification->names == NULL)
    host->warning (host->user_data, nameless->message);
  return g_steal_pointer (&verification);
}

/* One file that is being read in a thread. */
typedef struct
{
  LmCache *cache;
  const LmCacheEntry *entry;
  LmPace *pace;
  gboolean repair;
  GCancellable *cancellable;
  LmScrubResult result;
  GError *error; /* NULL on success */
  GMutex lock;   /* protects the next member */
  GCond ended;
  gboolean done;
} Reader;

/* Makes the present thread wait for everybody else. On Linux both apply to a thread. */
static void
be_idle (void)
{
  if (setpriority (PRIO_PROCESS, 0, 19) < 0
      || syscall (SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE (IOPRIO_CLASS_IDLE, 0)) < 0)
    lm_trace (LM_TRACE_CACHE, "the priority cannot be lowered: %s", lm_error_text_of_errno (errno));
}

static void
read_entry (Reader *reader)
{
  (void) !lm_scrub_file (reader->cache, reader->entry, reader->pace, reader->repair, &reader->result, reader->cancellable,
                         &reader->error);
}

static gpointer
read_in_thread (gpointer data)
{
  Reader *reader = data;
  be_idle ();
  read_entry (reader);
  g_mutex_lock (&reader->lock);
  reader->done = TRUE;
  g_cond_signal (&reader->ended);
  g_mutex_unlock (&reader->lock);
  return NULL;
}

/* A verification at work. */
typedef struct
{
  LmVerification *verification;
  const LmHost *host;
  LmCache *cache;
  LmPace *pace;
  GCancellable *cancellable;
  guint64 before; /* bytes of the files before the present one */
  guint64 total;
} Run;

static void
report_progress (const Run *run, const LmBlob *blob, LmFetchState state)
{
  const guint64 done = state == LM_FETCH_DONE ? blob->size : MIN (lm_pace_get_done (run->pace), blob->size);
  const LmFetchItemProgress item = { .blob = blob, .done = done, .state = state };
  const LmFetchProgress progress = { .items = &item,
                                     .n_items = 1,
                                     .done = lm_size_add (run->before, done),
                                     .total = run->total,
                                     .what = LM_FETCH_VERIFY };
  if (run->host->progress != NULL)
    run->host->progress (&progress, run->host->user_data);
}

static void
wait_for_reader (const Run *run, Reader *reader, const LmBlob *blob)
{
  g_mutex_lock (&reader->lock);
  while (!reader->done)
    {
      if (g_cond_wait_until (&reader->ended, &reader->lock, g_get_monotonic_time () + PROGRESS_US))
        continue;
      g_mutex_unlock (&reader->lock);
      report_progress (run, blob, LM_FETCH_VERIFYING);
      g_mutex_lock (&reader->lock);
    }
  g_mutex_unlock (&reader->lock);
}

static LmVerified
judge (const LmScrubResult *found)
{
  return found->state == LM_CACHE_MISSING   ? LM_VERIFIED_REMOVED
         : found->state == LM_CACHE_DAMAGED ? LM_VERIFIED_DAMAGED
         : found->left != 0                 ? LM_VERIFIED_EXPOSED
         : found->flaws != 0                ? LM_VERIFIED_REPAIRED
                                            : LM_VERIFIED_OK;
}

/* Returns the name of the file for people, newly allocated. */
static char *
describe_entry (const LmVerification *verification, const LmCacheEntry *entry)
{
  return verification->names != NULL ? lm_layer_names_describe (verification->names, entry->kind, &entry->digest)
                                     : lm_digest_to_string (&entry->digest);
}

static gboolean
verify_entry (Run *run, const LmCacheEntry *entry, GError **error)
{
  Reader reader = { .cache = run->cache, .entry = entry, .pace = run->pace, .repair = run->verification->repair,
                    .cancellable = run->cancellable };
  LmBlob blob = { .kind = entry->kind, .digest = entry->digest, .size = entry->size };
  g_autofree char *name = describe_entry (run->verification, entry);
  blob.name = name;
  g_mutex_init (&reader.lock);
  g_cond_init (&reader.ended);
  lm_pace_begin (run->pace);
  report_progress (run, &blob, LM_FETCH_VERIFYING);
  GThread *thread = g_thread_try_new ("verify", read_in_thread, &reader, NULL);
  if (thread != NULL)
    {
      wait_for_reader (run, &reader, &blob);
      g_thread_join (thread);
    }
  else
    read_entry (&reader);
  g_mutex_clear (&reader.lock);
  g_cond_clear (&reader.ended);
  if (g_error_matches (reader.error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, reader.error);
      return FALSE;
    }
  LmVerifiedFile *file = g_new0 (LmVerifiedFile, 1);
  file->entry = entry;
  file->found = reader.result;
  file->result = reader.error != NULL ? LM_VERIFIED_UNCHECKED : judge (&reader.result);
  file->reason = reader.error != NULL ? g_strdup (reader.error->message) : NULL;
  g_clear_error (&reader.error);
  g_ptr_array_add (run->verification->files, file);
  report_progress (run, &blob, LM_FETCH_DONE);
  run->before = lm_size_add (run->before, entry->size);
  run->verification->bytes
    = lm_size_add (run->verification->bytes, file->result == LM_VERIFIED_REMOVED ? 0 : entry->size);
  return TRUE;
}

/* Returns the damaged files (LmVerifiedFile). */
static GPtrArray *
list_damaged (const LmVerification *verification)
{
  GPtrArray *damaged = g_ptr_array_new ();
  for (guint i = 0; i < verification->files->len; i++)
    {
      LmVerifiedFile *file = g_ptr_array_index (verification->files, i);
      if (file->result == LM_VERIFIED_DAMAGED)
        g_ptr_array_add (damaged, file);
    }
  return damaged;
}

/* Finds out who uses the damaged files, and which were made here. That this is not known must not prevent a repair. */
static gboolean
find_users (Run *run, const GPtrArray *damaged, GError **error)
{
  g_autoptr (GError) failure = NULL;
  const LmUsersScope scope = lm_host_scope (run->host);
  LmLayerUsers *users = lm_layer_users_collect (&scope, NULL, run->cache, run->cancellable, &failure);
  run->verification->users = users;
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (users == NULL)
    run->host->warning (run->host->user_data, failure->message);
  g_autoptr (GHashTable) layers = g_hash_table_new (lm_digest_hash, lm_digest_equal_func); /* LmDigest -> LmLayerUse */
  g_autoptr (GHashTable) others = g_hash_table_new (lm_digest_hash, lm_digest_equal_func); /* likewise */
  for (guint i = 0; users != NULL && i < users->files->len; i++)
    {
      LmLayerUse *use = g_ptr_array_index (users->files, i);
      g_hash_table_insert (use->entry->kind == LM_BLOB_LAYER ? layers : others, (gpointer) &use->entry->digest, use);
    }
  for (guint i = 0; i < damaged->len; i++)
    {
      LmVerifiedFile *file = g_ptr_array_index (damaged, i);
      file->made_here = lm_only_copy_has (run->host, &file->entry->digest);
      file->use = g_hash_table_lookup (file->entry->kind == LM_BLOB_LAYER ? layers : others, &file->entry->digest);
    }
  return TRUE;
}

static int
compare_depths (gconstpointer a, gconstpointer b)
{
  const guint first = (*(LmVerifiedFile *const *) a)->depth, second = (*(LmVerifiedFile *const *) b)->depth;
  return first == second ? 0 : first < second ? -1 : 1;
}

static gboolean
repair_damaged (Run *run, GPtrArray *damaged, GError **error)
{
  g_autoptr (LmRepair) repair = lm_repair_new (run->host, run->cancellable, error);
  if (repair == NULL)
    return FALSE;
  for (guint i = 0; i < damaged->len; i++)
    {
      LmVerifiedFile *file = g_ptr_array_index (damaged, i);
      file->depth = lm_repair_get_depth (repair, file->entry->kind, &file->entry->digest);
    }
  g_ptr_array_sort (damaged, compare_depths);
  for (guint i = 0; i < damaged->len; i++)
    {
      LmVerifiedFile *file = g_ptr_array_index (damaged, i);
      g_autoptr (GError) failure = NULL;
      gboolean removed;
      if (lm_repair_file (repair, run->cache, file->entry, &file->aside, &removed, run->cancellable, &failure))
        {
          file->result = removed ? LM_VERIFIED_REMOVED : LM_VERIFIED_REPAIRED;
          continue;
        }
      if (g_cancellable_set_error_if_cancelled (run->cancellable, error))
        return FALSE;
      file->reason = g_strdup (failure->message);
    }
  return TRUE;
}

gboolean
lm_verification_run (LmVerification *verification, const LmHost *host, LmCache *cache, guint64 rate, gboolean repair,
                     GCancellable *cancellable, GError **error)
{
  g_autoptr (LmPace) pace = lm_pace_new (rate);
  Run run = { .verification = verification, .host = host, .cache = cache, .pace = pace, .cancellable = cancellable };
  verification->repair = repair;
  for (guint i = 0; i < verification->entries->len; i++)
    run.total = lm_size_add (run.total, ((const LmCacheEntry *) g_ptr_array_index (verification->entries, i))->size);
  for (guint i = 0; i < verification->entries->len; i++)
    if (!verify_entry (&run, g_ptr_array_index (verification->entries, i), error))
      return FALSE;
  if (repair && !lm_scrub_remove_notes (cache, error))
    return FALSE;
  g_autoptr (GPtrArray) damaged = list_damaged (verification);
  return damaged->len == 0 || (find_users (&run, damaged, error) && (!repair || repair_damaged (&run, damaged, error)));
}

guint
lm_verification_count (const LmVerification *verification, LmVerified result)
{
  guint count = 0;
  for (guint i = 0; i < verification->files->len; i++)
    count += ((const LmVerifiedFile *) g_ptr_array_index (verification->files, i))->result == result ? 1 : 0;
  return count;
}

static char *
describe_flaws (LmScrubFlaws flaws)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const struct
  {
    LmScrubFlaws flaw;
    const char *text;
  } texts[] = { { LM_SCRUB_OWNER, "it belonged to another user" }, { LM_SCRUB_MODE, "its mode was not 0444" },
                { LM_SCRUB_FLAG, "it was not immutable" } };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    if ((flaws & texts[i].flaw) != 0)
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", texts[i].text);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Returns "; used by machine web1 (shut off)", or "" if nobody uses the file. */
static char *
describe_users (const LmLayerUse *use)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; use != NULL && i < use->users->len; i++)
    {
      g_autofree char *user = lm_layer_user_to_text (g_ptr_array_index (use->users, i));
      g_string_append_printf (text, "%s%s", i > 0 ? ", " : "; used by ", user);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Returns "; machine web1 (running) still has the damaged file open, until it is shut off and
 * started", or "". */
static char *
describe_holders (const LmLayerUse *use)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; use != NULL && i < use->users->len; i++)
    {
      const LmLayerUser *user = g_ptr_array_index (use->users, i);
      g_autofree char *name = lm_layer_user_to_text (user);
      if (g_strcmp0 (user->state, "running") == 0 || g_strcmp0 (user->state, "paused") == 0)
        g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "; until shut off and started again, still read by ", name);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
lm_verified_file_to_text (const LmVerifiedFile *file)
{
  g_autofree char *flaws = describe_flaws (file->found.flaws);
  g_autofree char *users = describe_users (file->use);
  g_autofree char *holders = describe_holders (file->use);
  const char *what = file->found.unreadable ? "the disk cannot read it" : "its contents do not match its digest";
  const char *made_here = "; it was made on this host, so import or build it again unless a catalog has a URL for it";
  switch (file->result)
    {
    case LM_VERIFIED_OK:
      return g_strdup ("ok");
    case LM_VERIFIED_DAMAGED:
      return file->reason != NULL ? g_strdup_printf ("damaged: %s, and it cannot be pulled again: %s%s", what, file->reason, users)
                                  : g_strdup_printf ("damaged: %s%s%s", what, file->made_here ? made_here : "", users);
    case LM_VERIFIED_EXPOSED:
      return g_strdup_printf ("exposed: %s", flaws);
    case LM_VERIFIED_REPAIRED:
      if (file->found.state != LM_CACHE_DAMAGED)
        return g_strdup_printf ("repaired: %s", flaws);
      return g_strdup_printf ("repaired: %s%s%s%s", what, file->aside != NULL ? "; it was moved to " : "; another process pulled it",
                              file->aside != NULL ? file->aside : "", holders);
    case LM_VERIFIED_REMOVED:
      return g_strdup ("removed meanwhile");
    default:
      return g_strdup_printf ("not checked: %s", file->reason);
    }
}

gboolean
lm_verification_throw (const LmVerification *verification, GError **error)
{
  const guint damaged = lm_verification_count (verification, LM_VERIFIED_DAMAGED);
  const guint exposed = lm_verification_count (verification, LM_VERIFIED_EXPOSED);
  const guint unchecked = lm_verification_count (verification, LM_VERIFIED_UNCHECKED);
  if (damaged + exposed > 0)
    return lm_throw (error, LM_VERIFICATION_ERROR, LM_VERIFICATION_ERROR_DAMAGED, "%u of %u files %s damaged or exposed%s",
                     damaged + exposed, verification->files->len, damaged + exposed == 1 ? "is" : "are",
                     verification->repair ? " and could not be repaired" : "; run \"lamina cache verify --repair\"");
  if (unchecked > 0)
    return lm_throw (error, LM_VERIFICATION_ERROR, LM_VERIFICATION_ERROR_UNCHECKED, "%u of %u files could not be checked",
                     unchecked, verification->files->len);
  return TRUE;
}
