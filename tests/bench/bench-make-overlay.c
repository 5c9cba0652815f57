/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-make-overlay BACKING OVERLAY: creates an overlay as a launch does. */
#include "config.h"
#include "image/overlay.h"

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  if (argc != 3)
    {
      g_printerr ("usage: %s BACKING OVERLAY\n", argv[0]);
      return 2;
    }
  if (lm_overlay_create (argv[1], argv[2], 0, NULL, NULL, &error))
    return 0;
  g_printerr ("%s: %s\n", argv[0], error->message);
  return 1;
}
