/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's hook for QEMU, see libvirt.org/hooks.html. It runs for every operation
 * on every domain, so it is linked with the C library only. If a domain of lamina is
 * about to start, it runs qemu-prepare, which is next to it; otherwise it succeeds.
 * It never prints to standard output, which would replace the domain's XML. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define METADATA_URI "urn:lamina:domain:1"
/* As long as libvirt itself accepts. */
#define MAX_XML (16 * 1024 * 1024)

/* Reads the domain's XML; NULL if that fails. */
static char *
read_input (size_t *out_size)
{
  size_t size = 0, room = 64 * 1024;
  char *text = malloc (room);
  while (text != NULL && size < MAX_XML)
    {
      ssize_t n = read (STDIN_FILENO, text + size, room - size);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        break;
      if (n == 0)
        {
          *out_size = size;
          return text;
        }
      size += (size_t) n;
      if (size < room)
        continue;
      room *= 2;
      char *larger = realloc (text, room);
      if (larger == NULL)
        break;
      text = larger;
    }
  free (text);
  return NULL;
}

/* Makes @text what the next program reads. */
static int
set_input (const char *text, size_t size)
{
  int fd = memfd_create ("domain", 0);
  for (size_t done = 0; fd >= 0 && done < size;)
    {
      ssize_t n = write (fd, text + done, size - done);
      if (n < 0 && errno != EINTR)
        return -1;
      done += n > 0 ? (size_t) n : 0;
    }
  if (fd < 0 || lseek (fd, 0, SEEK_SET) < 0 || dup2 (fd, STDIN_FILENO) < 0)
    return -1;
  return close (fd);
}

/* The program with @name in the directory of this one; also if libvirt runs a
 * symbolic link to this one. */
static int
find_neighbour (const char *name, char *path, size_t size)
{
  ssize_t length = readlink ("/proc/self/exe", path, size - 1);
  if (length < 0)
    return -1;
  path[length] = '\0';
  char *slash = strrchr (path, '/');
  if (slash == NULL || (size_t) (slash + 1 - path) + strlen (name) >= size)
    return -1;
  memcpy (slash + 1, name, strlen (name) + 1);
  return 0;
}

int
main (int argc, char **argv)
{
  if (argc < 4 || strcmp (argv[2], "prepare") != 0 || strcmp (argv[3], "begin") != 0)
    return 0;
  size_t size = 0;
  char path[PATH_MAX];
  char *text = read_input (&size);
  if (text == NULL || memmem (text, size, METADATA_URI, strlen (METADATA_URI)) == NULL)
    {
      free (text);
      return 0;
    }
  if (find_neighbour ("qemu-prepare", path, sizeof path) == 0 && set_input (text, size) == 0)
    {
      argv[0] = path;
      execv (path, argv);
    }
  /* The layers may all be there; if not, QEMU says so. */
  free (text);
  fprintf (stderr, "lamina: the layers of %s are not checked: cannot run qemu-prepare: %s\n", argv[1], strerror (errno));
  return 0;
}
