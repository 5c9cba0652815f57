/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Replaces readdir(3) and fstatat(2) in a test program, to simulate disk errors. */
#include <glib.h>

/* readdir() fails with EIO after so many more entries; negative for never. */
extern int faulty_readdir_after;

/* Whether fstatat() fails with EIO. */
extern gboolean faulty_fstatat;
