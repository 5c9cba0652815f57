/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's hook for QEMU, see libvirt.org/hooks.html. It runs for every operation
 * on every domain, so it is linked with the C library only. For an operation at which
 * a domain of lamina needs something, it runs qemu-prepare, which is next to it;
 * otherwise it succeeds. It never prints to standard output, which would replace the
 * domain's XML. What nobody has to wait for goes on in the background: a start is noted. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
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

static int
contains (const char *text, size_t size, const char *word)
{
  return memmem (text, size, word, strlen (word)) != NULL;
}

#define STARTED "started"

/* The operations at which a domain of lamina may need something. */
static const struct
{
  const char *operation;
  const char *phase;
  const char *with;    /* only if the XML contains this; NULL if always */
  const char *without; /* and not this */
} operations[] = {
  { "prepare", "begin", NULL, NULL },
  { "migrate", "begin", NULL, NULL },
  /* It is noted; lamina's own XML keeps libvirt from giving layers to another user. If
   * another device has such a label, they are taken back in the background. */
  { STARTED, "begin", NULL, "relabel='no'" },
  { "release", "end", "ephemeral", NULL },
  { "restore", "begin", "ephemeral", NULL },
};

#define N_OPERATIONS (sizeof operations / sizeof operations[0])

/* Returns the index of the operation, N_OPERATIONS if it is none of these. */
static size_t
find_operation (const char *operation, const char *phase)
{
  size_t i = 0;
  while (i < N_OPERATIONS && (strcmp (operations[i].operation, operation) != 0 || strcmp (operations[i].phase, phase) != 0))
    i++;
  return i;
}

static int
needs_something (size_t operation, const char *text, size_t size)
{
  const char *with = operations[operation].with, *without = operations[operation].without;
  return (with == NULL || contains (text, size, with)) && (without == NULL || !contains (text, size, without));
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

/* Has the start of the domain noted by the program @path, which also takes back layers if
 * @take_back is set. libvirt does not wait for it, because that may have to wait for
 * other processes that use the database. */
static void
note_start (char *path, char *domain, const char *text, size_t size, int take_back)
{
  char now[24], operation[] = "note", also[] = "take-back";
  char *argv[] = { path, domain, operation, now, take_back ? also : NULL, NULL };
  snprintf (now, sizeof now, "%lld", (long long) time (NULL));
  if (fork () != 0)
    return;
  /* libvirt waits until nobody can print any more. */
  int null = open ("/dev/null", O_RDWR);
  if (setsid () >= 0 && dup2 (null, STDOUT_FILENO) >= 0 && dup2 (null, STDERR_FILENO) >= 0 && set_input (text, size) == 0)
    execv (path, argv);
  _exit (1);
}

int
main (int argc, char **argv)
{
  size_t operation = argc >= 4 ? find_operation (argv[2], argv[3]) : N_OPERATIONS;
  if (operation == N_OPERATIONS)
    return 0;
  size_t size = 0;
  char path[PATH_MAX];
  char *text = read_input (&size);
  if (text == NULL || !contains (text, size, METADATA_URI))
    {
      free (text);
      return 0;
    }
  int found = find_neighbour ("qemu-prepare", path, sizeof path) == 0;
  int needed = needs_something (operation, text, size);
  if (found && strcmp (operations[operation].operation, STARTED) == 0)
    note_start (path, argv[1], text, size, !needed);
  if (!needed)
    {
      free (text);
      return 0;
    }
  if (found && set_input (text, size) == 0)
    {
      argv[0] = path;
      execv (path, argv);
    }
  /* The layers may all be there; if not, QEMU says so. */
  free (text);
  fprintf (stderr, "lamina: the layers of %s are not checked: cannot run qemu-prepare: %s\n", argv[1], strerror (errno));
  return 0;
}
