/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/version.h"

#include <solv/evr.h>
#include <solv/pool.h>

int
lm_version_compare (const char *a, const char *b)
{
  /* The order is a property of a pool; an empty one costs some microseconds,
   * those who compare many versions have a pool of their own. */
  Pool *pool = pool_create ();
  pool_setdisttype (pool, DISTTYPE_DEB);
  int order = pool_evrcmp_str (pool, a, b, EVRCMP_COMPARE);
  pool_free (pool);
  return order;
}
