/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/lib/unlock.h"
#include "base/fd.h"
#include "base/immutable.h"

#include <fcntl.h>
#include <ftw.h>

const char *
unlock_file (const char *path)
{
  if (lm_immutable_get (AT_FDCWD, path) != LM_IMMUTABLE_YES)
    return path;
  lm_autofd int fd = open (path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  g_assert_true (lm_immutable_set (fd, FALSE));
  return path;
}

static int
unlock_one (const char *path, const struct stat *st, int type, struct FTW *walk)
{
  if (type == FTW_F)
    unlock_file (path);
  return 0;
}

const char *
unlock_tree (const char *path)
{
  g_assert_cmpint (nftw (path, unlock_one, 16, FTW_PHYS | FTW_MOUNT), ==, 0);
  return path;
}
