/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/lib/faulty.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>

int faulty_readdir_after = -1;
gboolean faulty_fstatat = FALSE;

int
fstatat (int fd, const char *path, struct stat *st, int flags)
{
  if (faulty_fstatat)
    {
      errno = EIO;
      return -1;
    }
  int (*real) (int, const char *, struct stat *, int)
    = (int (*) (int, const char *, struct stat *, int) ) dlsym (RTLD_NEXT, "fstatat");
  return real (fd, path, st, flags);
}

struct dirent *
readdir (DIR *dir)
{
  if (faulty_readdir_after == 0)
    {
      errno = EIO;
      return NULL;
    }
  if (faulty_readdir_after > 0)
    faulty_readdir_after--;
  struct dirent *(*real) (DIR *) = (struct dirent * (*) (DIR *) ) dlsym (RTLD_NEXT, "readdir");
  return real (dir);
}
