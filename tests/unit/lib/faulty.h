/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Takes the place of readdir(3) in a test program, so that a disk error in a
 * directory can be had. */

/* After so many more entries readdir() fails with EIO; negative: never. */
extern int faulty_readdir_after;
