/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Lets tests change and remove cached files, which are immutable if the tests run as root. */
#include <glib.h>

/** unlock_file: lifts the immutable flag of @path and returns @path. */
const char *unlock_file (const char *path);

/** unlock_tree: lifts the immutable flag of every file in the directory @path and
 * below, and returns @path. */
const char *unlock_tree (const char *path);
