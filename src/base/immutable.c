/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/immutable.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

LmImmutable
lm_immutable_get (int dir_fd, const char *name)
{
  struct statx st;
  if (statx (dir_fd, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) < 0
      || (st.stx_attributes_mask & STATX_ATTR_IMMUTABLE) == 0)
    return LM_IMMUTABLE_UNKNOWN;
  return (st.stx_attributes & STATX_ATTR_IMMUTABLE) != 0 ? LM_IMMUTABLE_YES : LM_IMMUTABLE_NO;
}

gboolean
lm_immutable_set (int fd, gboolean on)
{
  /* An int, although the number of the request says long: ioctl_iflags(2). */
  int flags;
  if (ioctl (fd, FS_IOC_GETFLAGS, &flags) < 0)
    return FALSE;
  const int wanted = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
  return wanted == flags || ioctl (fd, FS_IOC_SETFLAGS, &wanted) == 0;
}
