/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/lib/faulty.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

int faulty_readdir_after = -1;

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
