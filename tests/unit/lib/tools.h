/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Other programs that the tests of images use. */
#include <glib.h>

/** tools_have: whether @program is installed; if not, the test is skipped. */
gboolean tools_have (const char *program);

/** tools_run: runs @argv, which must succeed; its output, newly allocated. */
char *tools_run (const char *const *argv);

/** tools_mkqcow2: the same for tests/lib/mkqcow2.py with these arguments, strings. */
char *tools_mkqcow2 (const char *first, ...) G_GNUC_NULL_TERMINATED;
