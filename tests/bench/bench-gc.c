/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What anybody who wants to know the users of files has to do at least: lists all
 * domains with their XML, and stats each file of a directory.
 *   bench-gc URI DIRECTORY */
#include <dirent.h>
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int
main (int argc, char **argv)
{
  virConnectPtr connection = argc == 3 ? virConnectOpen (argv[1]) : NULL;
  DIR *dir = argc == 3 ? opendir (argv[2]) : NULL;
  virDomainPtr *domains = NULL;
  int count = connection != NULL ? virConnectListAllDomains (connection, &domains, 0) : -1;
  if (count < 0 || dir == NULL)
    return 1;
  for (int i = 0; i < count; i++)
    {
      char *xml = virDomainGetXMLDesc (domains[i], 0);
      if (xml == NULL)
        return 1;
      free (xml);
      virDomainFree (domains[i]);
    }
  free (domains);
  struct dirent *entry;
  struct stat st;
  int files = 0;
  while ((entry = readdir (dir)) != NULL)
    files += fstatat (dirfd (dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0;
  closedir (dir);
  virConnectClose (connection);
  printf ("%d domains, %d files\n", count, files);
  return 0;
}
