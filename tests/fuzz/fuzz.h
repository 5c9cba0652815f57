/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a fuzz target offers; libFuzzer's interface. Linked with libFuzzer by
 * --enable-fuzzing, else with standalone.c, which runs the corpus as a test. */
#include <stddef.h>
#include <stdint.h>

/** LLVMFuzzerTestOneInput: handles one input of hostile bytes; returns 0, and
 * aborts where a promise is broken. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
