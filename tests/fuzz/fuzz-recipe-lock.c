/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Input: a file of locked packages. */
#include "config.h"
#include "fuzz.h"
#include "build/recipe-lock.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What is accepted can be words of a command and parts of a file name. */
static void
check_names (const LmRecipeLock *lock)
{
  for (guint i = 0; i < lock->packages->len; i++)
    {
      const LmLockedPackage *package = g_ptr_array_index (lock->packages, i);
      const char *const texts[] = { package->name, package->version, package->architecture };
      for (gsize j = 0; j < G_N_ELEMENTS (texts); j++)
        g_assert_true (texts[j][0] != '\0' && texts[j][0] != '-' && texts[j][0] != '.' && strpbrk (texts[j], "/ \t\n'\"$`\\;&|<>*?(){}") == NULL);
    }
  for (char **name = lock->removed; *name != NULL; name++)
    g_assert_true ((*name)[0] != '\0' && (*name)[0] != '-' && strpbrk (*name, "/ \t\n'\"$`\\;&|<>*?(){}") == NULL);
}

static void
check_lock (const GPtrArray *locks, const LmRecipeLock *lock)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmRecipeLock) copy = lm_recipe_lock_copy (lock);
  const LmDigest identity = lm_recipe_lock_get_identity (lock, NULL), same = lm_recipe_lock_get_identity (copy, NULL);
  g_assert_true (lm_digest_equal (&identity, &same));
  g_assert_nonnull (lm_recipe_lock_find (locks, &lock->recipe, &lock->parent_contents));
  for (guint i = 0; i < lock->packages->len; i++)
    {
      const LmLockedPackage *package = g_ptr_array_index (lock->packages, i);
      g_assert_true (package->blob.size <= LM_BLOB_SIZE_MAX && g_strv_length (package->blob.urls) == 1);
    }
  if (lm_recipe_lock_check (lock, &error))
    check_names (lock);
  else
    {
      g_assert_error (error, LM_RECIPE_LOCK_ERROR, LM_RECIPE_LOCK_ERROR_INVALID);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  const int fd = memfd_create ("lock", MFD_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, data, size), ==, (gssize) size);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autoptr (GPtrArray) locks = lm_recipe_lock_load (path, NULL, &error);
  close (fd);
  if (locks == NULL)
    {
      g_assert_error (error, LM_RECIPE_LOCK_ERROR, LM_RECIPE_LOCK_ERROR_INVALID);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      return 0;
    }
  for (guint i = 0; i < locks->len; i++)
    check_lock (locks, g_ptr_array_index (locks, i));
  return 0;
}
