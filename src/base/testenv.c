/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/testenv.h"

#include <stdlib.h>

static const char *const names[LM_TESTENV_LAST] = {
  [LM_TESTENV_FAULT] = "LAMINA_TEST_FAULT",
  [LM_TESTENV_FREE] = "LAMINA_TEST_FREE",
  [LM_TESTENV_NO_DELAY] = "LAMINA_TEST_NO_DELAY",
  [LM_TESTENV_PROGRAM] = "LAMINA_TEST_PROGRAM",
};

const char *
lm_testenv_get (LmTestenv variable)
{
  g_return_val_if_fail (variable < LM_TESTENV_LAST, NULL);
  return secure_getenv (names[variable]);
}
