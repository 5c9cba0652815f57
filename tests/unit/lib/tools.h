/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Other programs for the tests of images. */
#include <glib.h>

/** tools_have: whether @program is installed; if not, the test is skipped. */
gboolean tools_have (const char *program);

/** tools_run: runs @argv, which must succeed. Returns its output, newly allocated. */
char *tools_run (const char *const *argv);

/** tools_mkqcow2: likewise for tests/lib/mkqcow2.py with these arguments, strings. */
char *tools_mkqcow2 (const char *first, ...) G_GNUC_NULL_TERMINATED;
