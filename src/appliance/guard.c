/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "appliance/guard.h"
#include "base/fd.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#define LOOK_MS 50
#define ARGUMENTS_MAX (64 * 1024)
/* libguestfs names its directory so, and passes the socket in it to QEMU. */
#define SOCKET_NAME "/guestfsd.sock"
#define DIRECTORY_MARK "/libguestfs"

typedef struct
{
  pid_t worker;
  pid_t group; /* its process group; its own if lamina started it */
  int pidfd;  /* of QEMU; -1 as long as it is not known */
  char *directory; /* of its socket */
} Guard;

static char *
read_proc (const char *path, gsize *out_size)
{
  lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC);
  g_autofree char *text = g_malloc0 (ARGUMENTS_MAX + 1);
  if (fd < 0 || !lm_fd_read_full (fd, text, ARGUMENTS_MAX, out_size, NULL))
    return NULL;
  return g_steal_pointer (&text);
}

/* Returns the directory of the socket in the arguments of the process, if it is QEMU. */
static char *
find_directory (guint pid)
{
  gsize size = 0;
  g_autofree char *path = g_strdup_printf ("/proc/%u/cmdline", pid);
  g_autofree char *arguments = read_proc (path, &size);
  for (const char *at = arguments; at != NULL && at < arguments + size; at += strlen (at) + 1)
    {
      const char *start = strstr (at, "path=/"), *end = strstr (at, SOCKET_NAME);
      if (g_str_has_prefix (at, "socket,") && start != NULL && end != NULL && start < end)
        {
          char *directory = g_strndup (start + strlen ("path="), (gsize) (end - start) - strlen ("path="));
          if (g_str_has_prefix (strrchr (directory, '/'), DIRECTORY_MARK))
            return directory;
          g_free (directory);
        }
    }
  return NULL;
}

/* Notes the process @pid if it is QEMU. */
static void
examine_process (Guard *guard, guint pid)
{
  guard->directory = find_directory (pid);
  if (guard->directory != NULL)
    guard->pidfd = pidfd_open ((pid_t) pid, 0);
}

/* The worker is no more, and its children have another parent, but still its process group. In a group that it
 * shares with others, QEMU could be theirs. */
static void
look_in_group (Guard *guard)
{
  if (guard->group != guard->worker)
    return;
  g_autoptr (GDir) processes = g_dir_open ("/proc", 0, NULL);
  const char *name;
  while (guard->directory == NULL && processes != NULL && (name = g_dir_read_name (processes)) != NULL)
    {
      guint64 pid;
      if (g_ascii_string_to_unsigned (name, 10, 1, G_MAXINT, &pid, NULL) && getpgid ((pid_t) pid) == guard->group)
        examine_process (guard, (guint) pid);
    }
}

/* Looks for QEMU among the children of the worker. */
static void
look_for_qemu (Guard *guard)
{
  gsize size = 0;
  g_autofree char *path = g_strdup_printf ("/proc/%d/task/%d/children", (int) guard->worker, (int) guard->worker);
  g_autofree char *list = read_proc (path, &size);
  g_auto (GStrv) words = g_strsplit (list != NULL ? list : "", " ", -1);
  for (char **word = words; *word != NULL && guard->directory == NULL; word++)
    {
      guint64 pid;
      if (g_ascii_string_to_unsigned (*word, 10, 1, G_MAXINT, &pid, NULL))
        examine_process (guard, (guint) pid);
    }
}

/* The worker has ended. Its process group, which lamina made for it, still has its number if any
 * process is left in it. */
static void
clean_up (Guard *guard)
{
  if (guard->directory == NULL)
    look_in_group (guard);
  (void) kill (-guard->worker, SIGKILL);
  if (guard->pidfd >= 0)
    (void) pidfd_send_signal (guard->pidfd, SIGKILL, NULL, 0);
  if (guard->directory == NULL)
    return;
  g_autofree char *socket = g_strconcat (guard->directory, SOCKET_NAME, NULL);
  (void) unlink (socket);
  (void) rmdir (guard->directory);
}

static void
watch_worker (int fd, pid_t worker, pid_t group)
{
  Guard guard = { .worker = worker, .group = group, .pidfd = -1 };
  struct pollfd worker_end = { .fd = fd, .events = POLLIN };
  while (poll (&worker_end, 1, guard.directory == NULL ? LOOK_MS : -1) <= 0)
    if (guard.directory == NULL)
      look_for_qemu (&guard);
  clean_up (&guard);
  _exit (0);
}

void
lm_guard_start (void)
{
  int ends[2];
  pid_t worker = getpid (), group = getpgrp ();
  if (pipe2 (ends, O_CLOEXEC) < 0)
    return;
  pid_t pid = fork ();
  if (pid == 0)
    {
      (void) setsid ();
      /* Whoever waits for the end of the worker's output must not wait for this process. */
      int fd = dup2 (ends[0], STDIN_FILENO);
      closefrom (STDOUT_FILENO);
      watch_worker (fd, worker, group);
    }
  lm_fd_close (ends[0]);
  /* The other end stays open until this process ends, however it does. */
  if (pid < 0)
    lm_fd_close (ends[1]);
}
