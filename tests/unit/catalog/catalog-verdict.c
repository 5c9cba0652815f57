/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints for each file given as an argument whether the parser accepts it as a
 * catalog: "good" or "bad: MESSAGE", one line each. For test-catalog-schema.py. */
#include "config.h"
#include "base/file.h"
#include "catalog/catalog.h"

#include <stdio.h>

int
main (int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) text = lm_file_read (argv[i], 1 << 20, NULL, &error);
      gsize size = 0;
      const char *data = text ? g_bytes_get_data (text, &size) : NULL;
      g_autoptr (LmCatalog) catalog
        = data ? lm_catalog_parse ("test", NULL, "http://lab.example/c.yaml", data, size, NULL, &error) : NULL;
      printf (catalog ? "good\n" : "bad: %s\n", catalog ? "" : error->message);
    }
  return 0;
}
