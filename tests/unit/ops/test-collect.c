/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/ops/fixture.h"
#include "base/file.h"
#include "base/hasher.h"
#include "cache/database.h"
#include "cache/partial.h"
#include "ops/collect.h"
#include "ops/remove.h"
#include "ops/room.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DISK "<disk type='file'><source file='%s'/><target dev='vda' bus='virtio'/></disk>"
#define OTHER_UUID "5a1f9c1e-6d0f-4f5c-9f43-0e2f4f1a9b77"

/* What a collection removed, and what to do after the first deletion. */
typedef struct
{
  OpsFixture *f;
  GString *removed;
  void (*interfere) (OpsFixture *f);
} Log;

/* Returns "a", "c" or "e" for the layer of the fixture with that path. */
static const char *
get_name (const OpsFixture *f, const char *path)
{
  static const char *const names[] = { "a", "c", "e" };
  g_autofree char *wanted = NULL;
  gsize size, other;
  g_assert_true (g_file_get_contents (path, &wanted, &size, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *source = g_build_filename (f->top, names[i], NULL);
      g_autofree char *text = NULL;
      if (g_file_get_contents (source, &text, &other, NULL) && size == other && memcmp (text, wanted, size) == 0)
        return names[i];
    }
  return "?";
}

/* Returns the names of the layers in the cache, in alphabetical order. */
static char *
list_layers (const OpsFixture *f)
{
  g_autofree char *dir = g_build_filename (f->state_dir, "layers", NULL);
  g_autoptr (GPtrArray) files = lm_file_list_dir (dir, NULL);
  g_autoptr (GString) text = g_string_new (NULL);
  for (const char *name = "ace"; *name != '\0'; name++)
    for (guint i = 0; i < files->len; i++)
      {
        g_autofree char *path = g_build_filename (dir, g_ptr_array_index (files, i), NULL);
        if (get_name (f, path)[0] == *name)
          g_string_append_c (text, *name);
      }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
assert_layers (const OpsFixture *f, const char *expected)
{
  g_autofree char *layers = list_layers (f);
  g_assert_cmpstr (layers, ==, expected);
}

static void
on_removal (gpointer data, const LmCollectRemoval *removal)
{
  Log *log = data;
  g_string_append (log->removed, removal->item != NULL ? "file " : removal->part != NULL ? "part " : removal->lock != NULL ? "lock " : "orphan ");
  if (log->interfere != NULL)
    log->interfere (log->f);
  log->interfere = NULL;
}

/* Collects and returns the plan; *out_removed says what was removed. */
static LmCollectPlan *
collect (OpsFixture *f, const LmCollectLimits *limits, void (*interfere) (OpsFixture *f), char **out_removed, GError **error)
{
  Log log = { f, g_string_new (NULL), interfere };
  g_autoptr (LmCache) cache = lm_cache_open (f->state_dir, NULL, error);
  LmCollectPlan *plan = lm_collect_run (&f->host, f->virt, cache, limits, on_removal, &log, NULL, error);
  *out_removed = g_string_free (log.removed, FALSE);
  return plan;
}

/* Collects with @max_size; asserts what is removed, and what remains. */
static void
assert_collected (OpsFixture *f, guint64 max_size, const char *removed, const char *remaining)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  const LmCollectLimits limits = { .max_size = max_size };
  g_autoptr (LmCollectPlan) plan = collect (f, &limits, NULL, &text, &error);
  g_assert_no_error (error);
  g_assert_nonnull (plan);
  g_assert_cmpstr (text, ==, removed);
  assert_layers (f, remaining);
}

static void
launch_and_remove (OpsFixture *f, const char *layer)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) machine G_GNUC_UNUSED = fixture_launch (f, "m", layer);
  g_assert_true (lm_remove (&f->host, f->virt, "m", NULL, &error));
}

static LmCollectPlan *
make_plan (OpsFixture *f, const LmCollectLimits *limits)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCache) cache = lm_cache_open_readonly (f->state_dir, NULL, &error);
  const LmUsersScope scope = lm_host_scope (&f->host);
  LmCollectPlan *plan = lm_collect_plan_new (&f->host, &scope, f->virt, cache, limits, NULL, &error);
  g_assert_no_error (error);
  return plan;
}

static guint64
get_size (OpsFixture *f)
{
  const LmCollectLimits limits = { .max_size = G_MAXUINT64 };
  g_autoptr (LmCollectPlan) plan = make_plan (f, &limits);
  return plan->size;
}

/* Notes that the layer was last used at @time, and pulled long before. */
static void
set_used (OpsFixture *f, const char *name, gint64 time)
{
  g_autofree char *path = g_build_filename (f->top, name, NULL);
  g_autofree char *database = g_build_filename (f->state_dir, "lamina.db", NULL);
  g_autofree char *text = NULL;
  gsize size;
  LmDigest digest;
  sqlite3 *handle = NULL;
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  g_assert_true (g_file_get_contents (path, &text, &size, NULL));
  lm_hasher_update (hasher, text, size);
  lm_hasher_peek (hasher, &digest);
  g_autofree char *hex = lm_digest_to_string (&digest);
  g_autofree char *sql = g_strdup_printf ("UPDATE use SET time = %" G_GINT64_FORMAT " WHERE lower(hex(digest)) = '%s'", time,
                                          hex + strlen ("sha256:"));
  g_assert_cmpint (sqlite3_open (database, &handle), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (handle, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_changes (handle), ==, 1);
  sqlite3_close (handle);
  const struct timespec times[] = { { .tv_sec = 500 }, { .tv_sec = 500 } };
  g_autofree char *cached = g_strdup_printf ("%s/layers/sha256-%s.qcow2", f->state_dir, hex + strlen ("sha256:"));
  g_assert_cmpint (utimensat (AT_FDCWD, cached, times, 0), ==, 0);
}

/* Without a limit nothing goes; leaves go first, the least recently used before others; then what they were built on. */
static void
test_order (OpsFixture *f, gconstpointer data)
{
  const gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  launch_and_remove (f, "c");
  launch_and_remove (f, "e");
  set_used (f, "c", now + 100000); /* in the future, which counts as now */
  set_used (f, "e", now - 100);
  assert_collected (f, G_MAXUINT64, "", "ace");
  assert_collected (f, get_size (f) - 1, "file ", "ac");
  launch_and_remove (f, "e");
  assert_collected (f, 1, "file file file ", "");
}

static void
test_used (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) machine G_GNUC_UNUSED = fixture_launch (f, "kept", "c");
  launch_and_remove (f, "e");
  const LmCollectLimits limits = { .max_size = 1 };
  g_autofree char *removed = NULL;
  g_autoptr (LmCollectPlan) plan = collect (f, &limits, NULL, &removed, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (removed, ==, "file ");
  assert_layers (f, "ac");
  g_assert_false (lm_collect_throw (plan, &limits, &error));
  g_assert_error (error, LM_COLLECT_ERROR, LM_COLLECT_ERROR_NO_SPACE);
  g_assert_nonnull (strstr (error->message, "machine kept (running)"));
  for (guint i = 0; i < plan->items->len; i++)
    {
      const LmCollectItem *item = g_ptr_array_index (plan->items, i);
      g_autofree char *reason = lm_collect_item_reason (plan, item, NULL);
      if (item->why != LM_COLLECT_REMOVED)
        g_assert_cmpstr (reason, ==, "machine kept (running)");
    }
}

static void
pin_c (OpsFixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmDatabase) database = lm_database_open (f->state_dir, NULL, &error);
  g_autoptr (LmCache) cache = lm_cache_open_readonly (f->state_dir, NULL, &error);
  g_autoptr (GPtrArray) entries = lm_cache_list (cache, &error);
  gboolean changed = FALSE;
  for (guint i = 0; i < entries->len; i++)
    {
      const LmCacheEntry *entry = g_ptr_array_index (entries, i);
      if (strcmp (get_name (f, entry->path), "c") == 0)
        g_assert_true (lm_database_set_pinned (database, &entry->digest, TRUE, &changed, &error));
    }
  g_assert_true (changed);
}

/* A pin keeps a layer and what it was built on; also one that is set during the collection. */
static void
test_pinned (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *removed = NULL;
  const LmCollectLimits limits = { .max_size = 1 };
  launch_and_remove (f, "c");
  launch_and_remove (f, "e");
  set_used (f, "e", 1000);
  g_autoptr (LmCollectPlan) plan = collect (f, &limits, pin_c, &removed, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (removed, ==, "file ");
  assert_layers (f, "ac");
  g_assert_cmpuint (plan->items->len, ==, 2);
  for (guint i = 0; i < 2; i++)
    {
      const LmCollectItem *item = g_ptr_array_index (plan->items, i);
      g_autofree char *reason = lm_collect_item_reason (plan, item, NULL);
      if (item->use->parent != NULL)
        g_assert_cmpstr (reason, ==, "pinned");
      else
        g_assert_true (g_str_has_suffix (reason, " was built on it"));
    }
}

static void
launch_c (OpsFixture *f)
{
  g_autoptr (LmMachine) machine G_GNUC_UNUSED = fixture_launch (f, "late", "c");
}

/* A machine that is launched during the collection keeps its layers. */
static void
test_launched_meanwhile (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *removed = NULL;
  const LmCollectLimits limits = { .max_size = 1 };
  launch_and_remove (f, "c");
  launch_and_remove (f, "e");
  set_used (f, "e", 1000);
  g_autoptr (LmCollectPlan) plan G_GNUC_UNUSED = collect (f, &limits, launch_c, &removed, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (removed, ==, "file ");
  assert_layers (f, "ac");
}

/* What a process has leased is kept; so is everything if somebody cannot be asked. */
static void
test_leased_and_unknown (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *removed = NULL;
  const LmCollectLimits limits = { .max_size = 1 };
  const char *connections[] = { "test:///no/such/node.xml", NULL };
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  g_autoptr (GPtrArray) blobs = g_ptr_array_new ();
  g_assert_true (lm_remove (&f->host, f->virt, "m", NULL, &error));
  g_ptr_array_add (blobs, &((LmDomainLayer *) g_ptr_array_index (machine->layers, 1))->blob);
  g_autoptr (LmCache) cache = lm_cache_open (f->state_dir, NULL, &error);
  LmLock *lease = lm_cache_lease (cache, blobs, NULL, &error);
  assert_collected (f, 1, "", "ac");
  lm_lock_release (lease);
  f->host.connections = connections;
  g_autoptr (LmCollectPlan) plan = collect (f, &limits, NULL, &removed, &error);
  g_assert_no_error (error);
  assert_layers (f, "ac");
  g_assert_false (lm_collect_throw (plan, &limits, &error));
  g_assert_error (error, LM_COLLECT_ERROR, LM_COLLECT_ERROR_UNKNOWN);
  g_assert_nonnull (strstr (error->message, "no/such/node.xml"));
  f->host.connections = NULL;
  assert_collected (f, 1, "file file ", "");
}

static void
undefine (OpsFixture *f, const char *uuid)
{
  g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (f->virt, uuid, NULL);
  (void) !lm_virt_domain_destroy (domain, NULL);
  g_assert_true (lm_virt_domain_undefine (domain, FALSE, NULL));
}

/* Returns what @plan would remove. */
static char *
dry_run (OpsFixture *f, const LmCollectPlan *plan, const LmCollectLimits *limits)
{
  Log log = { f, g_string_new (NULL), NULL };
  lm_collect_dry_run (&f->host, plan, limits, on_removal, &log);
  return g_string_free (log.removed, FALSE);
}

/* Machines without a domain go only if that is requested, and then their layers are not needed any more. */
static void
test_orphans (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *removed = NULL;
  LmCollectLimits limits = { .max_size = 1 };
  g_autoptr (LmMachine) machine = fixture_launch (f, "gone", "c");
  g_autoptr (LmMachine) other = fixture_launch (f, "kept", "e");
  undefine (f, machine->uuid);
  assert_collected (f, 1, "", "ace");
  g_assert_true (g_file_test (machine->overlay, G_FILE_TEST_EXISTS));
  limits.orphans = TRUE;
  /* A dry run knows what the real one refuses, and that this needs its layers. */
  g_autofree char *devices = g_strdup_printf (DISK, machine->overlay);
  fixture_define (f->virt, "other", OTHER_UUID, devices);
  g_autoptr (LmCollectPlan) refused = make_plan (f, &limits);
  g_assert_cmpuint (refused->orphans->len, ==, 1);
  const LmOrphan *orphan = g_ptr_array_index (refused->orphans, 0);
  g_assert_nonnull (strstr (orphan->refused, "the domain other"));
  g_assert_cmpuint (refused->victims->len, ==, 0);
  g_autofree char *none = dry_run (f, refused, &limits);
  g_assert_cmpstr (none, ==, "");
  g_autoptr (LmCollectPlan) kept G_GNUC_UNUSED = collect (f, &limits, NULL, &removed, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (removed, ==, "");
  g_clear_pointer (&removed, g_free);
  undefine (f, OTHER_UUID);
  g_autoptr (LmCollectPlan) dry = make_plan (f, &limits);
  g_assert_cmpuint (dry->orphans->len, ==, 1);
  g_assert_cmpuint (dry->victims->len, ==, 1);
  orphan = g_ptr_array_index (dry->orphans, 0);
  g_assert_cmpuint (orphan->bytes, >, 0);
  g_assert_null (orphan->refused);
  g_autofree char *planned = dry_run (f, dry, &limits);
  g_assert_cmpstr (planned, ==, "orphan file ");
  g_autoptr (LmCollectPlan) plan G_GNUC_UNUSED = collect (f, &limits, NULL, &removed, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (removed, ==, "orphan file ");
  g_assert_false (g_file_test (machine->dir, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (other->overlay, G_FILE_TEST_EXISTS));
  assert_layers (f, "ae");
}

static char *
write_part (OpsFixture *f, const char *content, gint64 mtime)
{
  LmDigest digest = lm_digest_of_text (content);
  g_autofree char *name = lm_digest_file_name (&digest, ".part");
  char *path = g_build_filename (f->state_dir, "partial", name, NULL);
  const struct timespec times[] = { { .tv_sec = mtime }, { .tv_sec = mtime } };
  g_assert_true (lm_file_write (path, content, strlen (content), 0600, NULL));
  g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
  return path;
}

/* Two pulls at once do not take the same room; what is reserved is given back. */
static void
test_reserved (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const guint64 size = 1 << 20;
  g_autoptr (LmCache) one = lm_cache_open (f->state_dir, NULL, &error), other = lm_cache_open (f->state_dir, NULL, &error);
  LmBlob blob = { .kind = LM_BLOB_FILE, .size = size, .digest = lm_digest_of_text ("one") }, wrong = blob, huge = blob;
  g_autoptr (GPtrArray) first = g_ptr_array_new (), second = g_ptr_array_new ();
  wrong.digest = lm_digest_of_text ("other");
  huge.digest = lm_digest_of_text ("huge");
  huge.size = G_MAXUINT64;
  g_ptr_array_add (first, &blob);
  g_ptr_array_add (second, &wrong);
  LmLock *lease = lm_cache_lease (one, first, NULL, &error);
  f->host.max_size = get_size (f) + size + size / 2;
  g_assert_true (lm_room_make (&f->host, one, first, NULL, &error));
  g_assert_false (lm_room_make (&f->host, other, second, NULL, &error));
  g_assert_error (error, LM_COLLECT_ERROR, LM_COLLECT_ERROR_NO_SPACE);
  g_clear_error (&error);
  /* The same file needs no more room. */
  g_assert_true (lm_room_make (&f->host, other, first, NULL, &error));
  /* What is reserved for several stays until the last one gives it up, whoever tried to write it. */
  lm_room_release (one, first);
  g_assert_false (lm_room_make (&f->host, one, second, NULL, &error));
  g_assert_error (error, LM_COLLECT_ERROR, LM_COLLECT_ERROR_NO_SPACE);
  g_clear_error (&error);
  lm_partial_close (lm_partial_open (one, &blob.digest, &error));
  lm_partial_close (lm_partial_open (other, &blob.digest, &error));
  g_assert_no_error (error);
  g_assert_false (lm_room_make (&f->host, one, second, NULL, &error));
  g_clear_error (&error);
  lm_room_release (other, first);
  g_assert_true (lm_room_make (&f->host, other, second, NULL, &error));
  g_ptr_array_add (first, &huge);
  g_ptr_array_add (first, &huge);
  g_assert_false (lm_room_make (&f->host, one, first, NULL, &error));
  g_assert_error (error, LM_COLLECT_ERROR, LM_COLLECT_ERROR_NO_SPACE);
  lm_room_release (other, second);
  g_autofree char *dir = g_build_filename (f->state_dir, "partial", NULL);
  g_autoptr (GPtrArray) left = lm_file_list_dir (dir, NULL);
  for (guint i = 0; i < left->len; i++)
    g_assert_false (g_str_has_suffix (g_ptr_array_index (left, i), ".part"));
  lm_lock_release (lease);
  f->host.max_size = 0;
}

/* Whether all of them fit is known before the first byte, also without limits. */
static void
test_full (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCache) cache = lm_cache_open (f->state_dir, NULL, &error);
  LmBlob one = { .kind = LM_BLOB_FILE, .size = 700000, .digest = lm_digest_of_text ("one") }, other = one;
  g_autoptr (GPtrArray) both = g_ptr_array_new ();
  other.digest = lm_digest_of_text ("other");
  g_ptr_array_add (both, &one);
  g_ptr_array_add (both, &other);
  g_setenv ("LAMINA_TEST_FREE", "1399999", TRUE);
  g_assert_false (lm_room_make (&f->host, cache, both, NULL, &error));
  g_assert_error (error, LM_CACHE_ERROR, LM_CACHE_ERROR_NO_SPACE);
  g_assert_true (g_str_has_suffix (error->message, " has 1.3 MiB free, but 1.3 MiB are needed"));
  g_clear_error (&error);
  g_setenv ("LAMINA_TEST_FREE", "1400000", TRUE);
  g_assert_true (lm_room_make (&f->host, cache, both, NULL, &error));
  g_unsetenv ("LAMINA_TEST_FREE");
  lm_room_release (cache, both);
}

/* Transfers that nobody continues, and locks of names that no machine or source has. */
static void
test_debris (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  const LmDigest busy = lm_digest_of_text ("busy");
  launch_and_remove (f, "c");
  g_autofree char *old = write_part (f, "old", now - 8 * 86400);
  g_autofree char *recent = write_part (f, "recent", now - 86400);
  g_autofree char *reserved = write_part (f, "", now);
  g_autofree char *written = write_part (f, "busy", now - 8 * 86400);
  g_autofree char *lock = g_build_filename (f->state_dir, "machines", "nobody.lock", NULL);
  g_assert_true (lm_file_write (lock, "", 0, 0600, NULL));
  g_autofree char *catalogs = g_build_filename (f->state_dir, "catalogs", NULL);
  g_autofree char *stale = g_build_filename (catalogs, "gone.lock", NULL);
  g_autofree char *held = g_build_filename (catalogs, "held.lock", NULL);
  g_autofree char *known = g_build_filename (catalogs, "known.lock", NULL);
  g_autofree char *record = g_build_filename (catalogs, "known.json", NULL);
  g_assert_true (lm_file_make_dir (catalogs, 0755, NULL));
  g_assert_true (lm_file_write (stale, "", 0, 0600, NULL) && lm_file_write (known, "", 0, 0600, NULL)
                 && lm_file_write (record, "{}", 2, 0600, NULL));
  g_autoptr (LmLock) holder G_GNUC_UNUSED = lm_lock_acquire (held, LM_LOCK_EXCLUSIVE, 0, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (LmCache) cache = lm_cache_open (f->state_dir, NULL, &error);
  g_autoptr (LmPartial) partial G_GNUC_UNUSED = lm_partial_open (cache, &busy, &error);
  g_assert_no_error (error);
  assert_collected (f, G_MAXUINT64, "lock lock part part ", "ac");
  g_assert_false (g_file_test (stale, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (held, G_FILE_TEST_EXISTS) && g_file_test (known, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (old, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (reserved, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (lock, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (recent, G_FILE_TEST_EXISTS));
  assert_collected (f, get_size (f) - 1, "part ", "ac");
  g_assert_false (g_file_test (recent, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (written, G_FILE_TEST_EXISTS));
}

static LmCache *continuing;
static LmPartial *continued;

static void
continue_transfer (OpsFixture *f)
{
  const LmDigest digest = lm_digest_of_text ("old");
  continuing = lm_cache_open (f->state_dir, NULL, NULL);
  continued = lm_partial_open (continuing, &digest, NULL);
}

/* A transfer that is continued once its file was chosen keeps it, and it counts as kept. */
static void
test_continued (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *removed = NULL;
  launch_and_remove (f, "c");
  g_autofree char *old = write_part (f, "old", 0);
  g_autofree char *lock = g_build_filename (f->state_dir, "machines", "nobody.lock", NULL);
  g_assert_true (lm_file_write (lock, "", 0, 0600, NULL));
  const guint64 size = get_size (f);
  const LmCollectLimits limits = { .max_size = size };
  g_autoptr (LmCollectPlan) plan = collect (f, &limits, continue_transfer, &removed, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (removed, ==, "lock ");
  g_assert_cmpuint (plan->size, ==, size);
  g_assert_true (g_file_test (old, G_FILE_TEST_EXISTS));
  lm_partial_close (continued);
  lm_cache_close (continuing);
}

/* A pull makes room, but not in vain, and not by removing what it needs itself. */
static void
test_room (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  launch_and_remove (f, "c");
  const guint64 both = get_size (f);
  launch_and_remove (f, "e");
  f->host.max_size = get_size (f);
  assert_collected (f, both, "file ", "ae");
  f->host.max_size = both;
  launch_and_remove (f, "c"); /* e goes, the base is needed */
  assert_layers (f, "ac");
  g_autoptr (LmMachine) machine G_GNUC_UNUSED = fixture_launch (f, "kept", "c");
  g_autoptr (LmLaunchRequest) request = fixture_request (f, "m", "e");
  g_autoptr (LmLaunchResult) result = lm_launch (&f->host, f->virt, request, NULL, &error);
  g_assert_null (result);
  g_assert_error (error, LM_COLLECT_ERROR, LM_COLLECT_ERROR_NO_SPACE);
  g_assert_nonnull (strstr (error->message, "machine kept (running)"));
  assert_layers (f, "ac");
  g_clear_error (&error);
  f->host.max_size = 0;
  f->host.min_free = G_MAXINT64 / 4;
  g_autoptr (LmLaunchResult) again G_GNUC_UNUSED = lm_launch (&f->host, f->virt, request, NULL, &error);
  g_assert_error (error, LM_COLLECT_ERROR, LM_COLLECT_ERROR_NO_SPACE);
  g_assert_nonnull (strstr (error->message, "min-free"));
}

/* Damaged or deleted, the database holds nothing, and nothing that is needed goes. */
static void
test_database_lost (OpsFixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->state_dir, "lamina.db", NULL);
  g_autofree char *log = g_strconcat (path, "-wal", NULL);
  g_autoptr (LmMachine) machine G_GNUC_UNUSED = fixture_launch (f, "kept", "c");
  launch_and_remove (f, "e");
  g_assert_cmpint (unlink (log), ==, 0);
  g_autofree char *noise = g_strnfill (8192, 'x');
  g_assert_true (g_file_set_contents (path, noise, 8192, NULL));
  assert_collected (f, G_MAXUINT64, "", "ace");
  g_assert_cmpuint (f->warnings->len, ==, 1);
  g_assert_nonnull (strstr (f->warnings->pdata[0], "lamina.db.damaged"));
  g_assert_cmpint (unlink (path), ==, 0);
  assert_collected (f, 1, "file ", "ac");
}

/* Without the immutable flag, so that times and links of cached files can be changed. */
static void
set_up (OpsFixture *f, gconstpointer data)
{
  fixture_setup (f, data);
  f->host.cache.without_flag = TRUE;
}

#define ADD(name) g_test_add ("/collect/" #name, OpsFixture, NULL, set_up, test_##name, fixture_teardown)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (order);
  ADD (used);
  ADD (pinned);
  ADD (launched_meanwhile);
  ADD (leased_and_unknown);
  ADD (orphans);
  ADD (reserved);
  ADD (full);
  ADD (debris);
  ADD (continued);
  ADD (room);
  ADD (database_lost);
  return g_test_run ();
}
