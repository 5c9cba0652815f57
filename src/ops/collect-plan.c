/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/collect-plan.h"
#include "base/size.h"
#include "ops/only-copy.h"

#include <string.h>

/* A transfer that was not continued for so long is given up. */
#define STALE_SECONDS (7 * 24 * 60 * 60)
#define HOLDERS_SHOWN 3
#define USERS_SHOWN 3

void
lm_collect_plan_free (LmCollectPlan *plan)
{
  if (plan == NULL)
    return;
  g_clear_pointer (&plan->victims, g_ptr_array_unref);
  g_clear_pointer (&plan->items, g_ptr_array_unref);
  g_clear_pointer (&plan->stale, g_ptr_array_unref);
  g_clear_pointer (&plan->parts, g_ptr_array_unref);
  g_clear_pointer (&plan->damaged, g_ptr_array_unref);
  g_clear_pointer (&plan->orphans, g_ptr_array_unref);
  lm_layer_users_free (plan->users);
  g_free (plan);
}

static guint64
get_excess (const LmCollectLimits *limits, guint64 size, guint64 available)
{
  const guint64 occupied = lm_size_add (size, limits->needed), wanted = lm_size_add (limits->min_free, limits->needed);
  guint64 excess = 0;
  if (limits->max_size != G_MAXUINT64 && occupied > limits->max_size)
    excess = occupied - limits->max_size;
  if (limits->min_free > 0 && available < wanted)
    excess = MAX (excess, wanted - available);
  return excess;
}

static guint64
add_sizes (const GPtrArray *entries, const GPtrArray *parts, const GPtrArray *damaged)
{
  guint64 size = 0;
  for (guint i = 0; i < entries->len; i++)
    size += ((LmCacheEntry *) g_ptr_array_index (entries, i))->allocated;
  for (guint i = 0; i < parts->len; i++)
    size += ((LmPartialEntry *) g_ptr_array_index (parts, i))->allocated;
  for (guint i = 0; i < damaged->len; i++)
    size += ((LmQuarantineEntry *) g_ptr_array_index (damaged, i))->allocated;
  return size;
}

gboolean
lm_collect_excess (LmCache *cache, const LmCollectLimits *limits, guint64 *out_size, guint64 *out_free, guint64 *out_excess,
                   GError **error)
{
  g_autoptr (GPtrArray) entries = lm_cache_list (cache, error);
  g_autoptr (GPtrArray) parts = entries != NULL ? lm_partial_list (cache, error) : NULL;
  g_autoptr (GPtrArray) damaged = parts != NULL ? lm_quarantine_list (cache, error) : NULL;
  if (damaged == NULL || !lm_cache_get_free (cache, out_free, error))
    return FALSE;
  *out_size = add_sizes (entries, parts, damaged);
  *out_excess = get_excess (limits, *out_size, *out_free);
  return TRUE;
}

/* @leaving: set of LmLayerUser that are going to be removed */
static gboolean
has_users (const LmLayerUse *use, GHashTable *leaving)
{
  for (guint i = 0; i < use->users->len; i++)
    if (!g_hash_table_contains (leaving, g_ptr_array_index (use->users, i)))
      return TRUE;
  return FALSE;
}

/* Why the file has to stay, apart from layers that were built on it; LM_COLLECT_ROOM if it has not. */
static LmCollectWhy
get_need (const LmCollectPlan *plan, const LmCollectItem *item, const LmCollectLimits *limits, GHashTable *leaving)
{
  const LmLayerUse *use = item->use;
  return has_users (use, leaving)          ? LM_COLLECT_USED
         : use->leased                     ? LM_COLLECT_LEASED
         : use->pinned                     ? LM_COLLECT_PINNED
         : plan->users->unknown->len > 0   ? LM_COLLECT_UNKNOWN
         : item->only_copy && !limits->only_copies ? LM_COLLECT_ONLY_COPY
                                                   : LM_COLLECT_ROOM;
}

static int
compare_items (gconstpointer a, gconstpointer b, gpointer data)
{
  const LmCollectItem *one = a, *other = b;
  const gint64 first = lm_layer_use_get_time (one->use), second = lm_layer_use_get_time (other->use);
  return first != second ? (first < second ? -1 : 1)
                         : lm_digest_compare (&one->use->entry->digest, &other->use->entry->digest);
}

static LmCollectItem *
get_item (const LmCollectPlan *plan, const LmLayerUse *use)
{
  return g_ptr_array_index (plan->items, use->index);
}

/* A layer can only be removed when all that were built on it have been. */
static void
choose_victims (LmCollectPlan *plan, guint64 to_free)
{
  g_autoptr (GSequence) leaves = g_sequence_new (NULL);
  for (guint i = 0; to_free > 0 && i < plan->items->len; i++)
    {
      LmCollectItem *item = g_ptr_array_index (plan->items, i);
      if (item->why == LM_COLLECT_ROOM && item->use->children->len == 0)
        g_sequence_insert_sorted (leaves, item, compare_items, NULL);
    }
  while (to_free > 0 && !g_sequence_is_empty (leaves))
    {
      GSequenceIter *first = g_sequence_get_begin_iter (leaves);
      LmCollectItem *item = g_sequence_get (first);
      LmLayerUse *parent = item->use->parent;
      g_sequence_remove (first);
      item->why = LM_COLLECT_REMOVED;
      g_ptr_array_add (plan->victims, item);
      to_free -= MIN (to_free, item->use->entry->allocated);
      if (parent == NULL)
        continue;
      LmCollectItem *above = get_item (plan, parent);
      above->removed++;
      if (above->removed == parent->children->len && above->why == LM_COLLECT_ROOM)
        g_sequence_insert_sorted (leaves, above, compare_items, NULL);
    }
  plan->missing = to_free;
}

/* Notes which layers stay because of one that was built on them. */
static void
note_parents (LmCollectPlan *plan)
{
  for (guint i = 0; i < plan->items->len; i++)
    {
      LmCollectItem *item = g_ptr_array_index (plan->items, i);
      for (guint j = 0; item->why == LM_COLLECT_ROOM && j < item->use->children->len; j++)
        {
          LmLayerUse *child = g_ptr_array_index (item->use->children, j);
          if (get_item (plan, child)->why != LM_COLLECT_REMOVED)
            {
              item->why = LM_COLLECT_PARENT;
              item->child = child;
            }
        }
    }
}

static gboolean
is_wanted (const LmPartialEntry *part, LmLock *leases)
{
  return part->busy || leases == NULL || lm_lock_table_is_locked (leases, lm_digest_get_number (&part->digest));
}

/* Chooses transfers that nobody continues: old ones, those of which nothing was received, as
 * a killed pull leaves with its reservations, and all of them if there is not enough space. Returns how many bytes remain to be freed. */
static guint64
choose_parts (LmCollectPlan *plan, LmLock *leases)
{
  const gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  guint64 to_free = plan->excess;
  for (guint i = 0; i < plan->parts->len; i++)
    {
      LmPartialEntry *part = g_ptr_array_index (plan->parts, i);
      if (is_wanted (part, leases) || (to_free == 0 && part->received > 0 && now - part->mtime < STALE_SECONDS))
        continue;
      g_ptr_array_add (plan->stale, part);
      to_free -= MIN (to_free, part->allocated);
    }
  return to_free;
}

/* Chooses damaged files that were set aside, if there is not enough space. Returns how many
 * bytes remain to be freed. */
static guint64
choose_damaged (LmCollectPlan *plan, guint64 to_free)
{
  while (to_free > 0 && plan->forgotten < plan->damaged->len)
    {
      plan->forgotten++;
      const LmQuarantineEntry *entry = g_ptr_array_index (plan->damaged, plan->damaged->len - plan->forgotten);
      to_free -= MIN (to_free, entry->allocated);
    }
  return to_free;
}

/* Returns the users that are going to be removed, and adds to the free space what they occupy. */
static GHashTable *
list_leaving (LmCollectPlan *plan, const LmCollectLimits *limits)
{
  GHashTable *leaving = g_hash_table_new (NULL, NULL);
  for (guint i = 0; limits->orphans && i < plan->orphans->len; i++)
    {
      const LmOrphan *orphan = g_ptr_array_index (plan->orphans, i);
      if (orphan->refused != NULL)
        continue;
      g_hash_table_add (leaving, orphan->user);
      plan->free = lm_size_add (plan->free, orphan->bytes);
    }
  return leaving;
}

LmCollectPlan *
lm_collect_plan_new (const LmHost *host, const LmUsersScope *scope, LmVirt *virt, LmCache *cache, const LmCollectLimits *limits,
                     GCancellable *cancellable, GError **error)
{
  g_autoptr (LmCollectPlan) plan = g_new0 (LmCollectPlan, 1);
  plan->items = g_ptr_array_new_with_free_func (g_free);
  plan->victims = g_ptr_array_new ();
  plan->stale = g_ptr_array_new ();
  plan->users = lm_layer_users_collect (scope, virt, cache, cancellable, error);
  LmLayerUsers *users = plan->users;
  plan->parts = users != NULL ? lm_layer_users_list (users, cache, lm_partial_list, "incomplete files", error) : NULL;
  plan->damaged = plan->parts != NULL ? lm_layer_users_list (users, cache, lm_quarantine_list, "damaged files", error) : NULL;
  g_autoptr (GHashTable) only = plan->damaged != NULL ? lm_only_copy_list (host, error) : NULL;
  if (only == NULL || !lm_cache_get_free (cache, &plan->free, error))
    return NULL;
  /* That this user may not read them has been noted. */
  g_autoptr (LmLock) leases = lm_cache_get_fd (cache) >= 0 ? lm_cache_open_leases (cache, NULL) : NULL;
  plan->orphans = lm_orphan_list (host, virt, plan->users, limits->orphans, cancellable, error);
  if (plan->orphans == NULL)
    return NULL;
  g_autoptr (GHashTable) leaving = list_leaving (plan, limits);
  plan->size = add_sizes (plan->users->entries, plan->parts, plan->damaged);
  plan->excess = get_excess (limits, plan->size, plan->free);
  for (guint i = 0; i < plan->users->files->len; i++)
    {
      LmCollectItem *item = g_new0 (LmCollectItem, 1);
      item->use = g_ptr_array_index (plan->users->files, i);
      item->only_copy = g_hash_table_contains (only, &item->use->entry->digest);
      item->why = get_need (plan, item, limits, leaving);
      g_ptr_array_add (plan->items, item);
    }
  choose_victims (plan, choose_damaged (plan, choose_parts (plan, leases)));
  note_parents (plan);
  return g_steal_pointer (&plan);
}

static char *
format_date (gint64 seconds)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (seconds);
  return time != NULL ? g_date_time_format (time, "%Y-%m-%d") : g_strdup ("?");
}

static char *
describe_users (const LmLayerUse *use)
{
  if (use->users->len == 1)
    return lm_layer_user_to_text (g_ptr_array_index (use->users, 0));
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < MIN (use->users->len, USERS_SHOWN); i++)
    {
      g_autofree char *user = lm_layer_user_to_text (g_ptr_array_index (use->users, i));
      g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", user);
    }
  if (use->users->len > USERS_SHOWN)
    g_string_append_printf (text, " and %u more", use->users->len - USERS_SHOWN);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
describe_layer (const LmLayerUse *use, const LmLayerNames *names)
{
  return names != NULL ? lm_layer_names_describe (names, use->entry->kind, &use->entry->digest)
                       : lm_digest_to_string (&use->entry->digest);
}

char *
lm_collect_item_reason (const LmCollectPlan *plan, const LmCollectItem *item, const LmLayerNames *names)
{
  const gint64 time = item->use->used > 0 ? item->use->used : item->use->entry->mtime;
  g_autofree char *date = item->why == LM_COLLECT_ROOM || item->why == LM_COLLECT_REMOVED ? format_date (time) : NULL;
  g_autofree char *child = NULL;
  switch (item->why)
    {
    case LM_COLLECT_PINNED:
      return g_strdup ("pinned");
    case LM_COLLECT_LEASED:
      return g_strdup ("needed by a lamina process at work");
    case LM_COLLECT_USED:
      return describe_users (item->use);
    case LM_COLLECT_PARENT:
      child = describe_layer (item->child, names);
      return g_strdup_printf ("%s was built on it", child);
    case LM_COLLECT_UNKNOWN:
      return g_strdup_printf ("it cannot be determined who needs it: %s", (char *) g_ptr_array_index (plan->users->unknown, 0));
    case LM_COLLECT_ONLY_COPY:
      return g_strdup ("made on this host; --only-copies removes it");
    case LM_COLLECT_ROOM:
      return g_strdup_printf ("not needed, but there is room (%s %s)", item->use->used > 0 ? "last used" : "pulled", date);
    default:
      return item->only_copy       ? g_strdup ("made on this host, and lost unless another copy of it is kept elsewhere")
             : item->use->used > 0 ? g_strdup_printf ("not used since %s", date)
                                   : g_strdup_printf ("not used since it was pulled on %s", date);
    }
}

/* Somebody who needs a part of the cache. */
typedef struct
{
  char *text;
  guint64 bytes;
} Holder;

static void
holder_free (Holder *holder)
{
  g_free (holder->text);
  g_free (holder);
}

static int
compare_holders (gconstpointer a, gconstpointer b)
{
  const Holder *one = *(Holder *const *) a, *other = *(Holder *const *) b;
  return one->bytes == other->bytes ? strcmp (one->text, other->text) : one->bytes > other->bytes ? -1 : 1;
}

static void
add_holder (GPtrArray *holders, char *text, guint64 bytes)
{
  Holder *holder = g_new0 (Holder, 1);
  holder->text = text;
  holder->bytes = bytes;
  g_ptr_array_add (holders, holder);
}

/* Returns why @item stays; for a parent, why its child does. */
static LmCollectWhy
get_cause (const LmCollectPlan *plan, const LmCollectItem *item)
{
  while (item->why == LM_COLLECT_PARENT)
    item = get_item (plan, item->child);
  return item->why;
}

/* Adds the bytes of the files that stay for the reason @why. */
static void
add_holder_of (const LmCollectPlan *plan, GPtrArray *holders, LmCollectWhy why, const char *text)
{
  guint64 bytes = 0;
  for (guint i = 0; i < plan->items->len; i++)
    {
      const LmCollectItem *item = g_ptr_array_index (plan->items, i);
      bytes += get_cause (plan, item) == why ? item->use->entry->allocated : 0;
    }
  if (bytes > 0)
    add_holder (holders, g_strdup (text), bytes);
}

static void
add_users_as_holders (const LmCollectPlan *plan, GPtrArray *holders)
{
  g_autoptr (GHashTable) by_user = g_hash_table_new_full (NULL, NULL, NULL, g_free); /* LmLayerUser -> guint64 */
  GHashTableIter iter;
  gpointer user, bytes;
  for (guint i = 0; i < plan->items->len; i++)
    {
      const LmLayerUse *use = ((LmCollectItem *) g_ptr_array_index (plan->items, i))->use;
      for (guint j = 0; j < use->users->len; j++)
        {
          guint64 *sum = g_hash_table_lookup (by_user, g_ptr_array_index (use->users, j));
          if (sum == NULL)
            g_hash_table_insert (by_user, g_ptr_array_index (use->users, j), sum = g_new0 (guint64, 1));
          *sum += use->entry->allocated;
        }
    }
  g_hash_table_iter_init (&iter, by_user);
  while (g_hash_table_iter_next (&iter, &user, &bytes))
    add_holder (holders, lm_layer_user_to_text (user), *(guint64 *) bytes);
}

char *
lm_collect_plan_holders (const LmCollectPlan *plan)
{
  g_autoptr (GPtrArray) holders = g_ptr_array_new_with_free_func ((GDestroyNotify) holder_free);
  g_autoptr (GString) text = g_string_new (NULL);
  guint64 incomplete = 0;
  add_users_as_holders (plan, holders);
  add_holder_of (plan, holders, LM_COLLECT_PINNED, "pinned files");
  add_holder_of (plan, holders, LM_COLLECT_ONLY_COPY, "layers made on this host");
  add_holder_of (plan, holders, LM_COLLECT_LEASED, "lamina processes at work");
  add_holder_of (plan, holders, LM_COLLECT_UNKNOWN, "files whose users cannot be determined");
  for (guint i = 0; i < plan->parts->len; i++)
    incomplete += ((LmPartialEntry *) g_ptr_array_index (plan->parts, i))->allocated;
  for (guint i = 0; i < plan->stale->len; i++)
    incomplete -= ((LmPartialEntry *) g_ptr_array_index (plan->stale, i))->allocated;
  if (incomplete > 0)
    add_holder (holders, g_strdup ("transfers"), incomplete);
  g_ptr_array_sort (holders, compare_holders);
  for (guint i = 0; i < MIN (holders->len, HOLDERS_SHOWN); i++)
    {
      const Holder *holder = g_ptr_array_index (holders, i);
      g_autofree char *size = lm_size_format (holder->bytes);
      g_string_append_printf (text, "%s%s: %s", i > 0 ? ", " : "", holder->text, size);
    }
  if (holders->len > HOLDERS_SHOWN)
    g_string_append_printf (text, ", and %u more", holders->len - HOLDERS_SHOWN);
  return g_string_free (g_steal_pointer (&text), FALSE);
}
