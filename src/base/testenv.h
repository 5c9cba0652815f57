/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The environment variables that change behaviour for tests. No other file reads
 * LAMINA_TEST_* from the environment. HACKING lists them. They are ignored in a
 * set-uid process. */
#include <glib.h>

typedef enum
{
  LM_TESTENV_FAULT,     /* LAMINA_TEST_FAULT: see fault.h */
  LM_TESTENV_FREE,      /* LAMINA_TEST_FREE: free space that the cache and publish assume, in bytes */
  LM_TESTENV_NO_DELAY,  /* LAMINA_TEST_NO_DELAY: retries do not wait; a pipe is waited for one second */
  LM_TESTENV_PROGRAM,   /* LAMINA_TEST_PROGRAM: the lamina that the hook runs */
  LM_TESTENV_LAST
} LmTestenv;

/** lm_testenv_get: returns the value of the variable, or NULL if it is unset. Owned
 * by the environment. */
const char *lm_testenv_get (LmTestenv variable);
