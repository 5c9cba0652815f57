/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Takes the place of readdir(3) and fstatat(2) in a test program, so that disk
 * errors can be had. */
#include <glib.h>

/* After so many more entries readdir() fails with EIO; negative: never. */
extern int faulty_readdir_after;

/* fstatat() fails with EIO. */
extern gboolean faulty_fstatat;
