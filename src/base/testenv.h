/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The test seams, all of them: this is the only file that reads LAMINA_TEST_*
 * from the environment. HACKING has the table. Ignored in a set-uid process. */
#include <glib.h>

typedef enum
{
  LM_TESTENV_FAULT,     /* LAMINA_TEST_FAULT: see fault.h */
  LM_TESTENV_FREE,      /* LAMINA_TEST_FREE: bytes the cache believes to be free */
  LM_TESTENV_NO_DELAY,  /* LAMINA_TEST_NO_DELAY: retries do not wait */
  LM_TESTENV_LAST
} LmTestenv;

/** lm_testenv_get: the value of a seam, or NULL. Owned by the environment. */
const char *lm_testenv_get (LmTestenv seam);
