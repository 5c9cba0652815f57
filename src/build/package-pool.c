/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/package-pool.h"
#include "base/error.h"
#include "base/text.h"

#include <solv/evr.h>
#include <string.h>

/* In a message. */
#define MAX_VERSIONS 3
#define MAX_TEXT 200

void
lm_package_pool_prepare (LmPackages *packages)
{
  if (packages->prepared)
    return;
  if (!packages->is_debian)
    pool_addfileprovides (packages->pool);
  pool_createwhatprovides (packages->pool);
  packages->prepared = TRUE;
}

LmPackageExtra
lm_package_pool_extra (const LmPackages *packages, Id id)
{
  return packages->is_debian ? g_array_index (packages->extras, LmPackageExtra, (guint) id) : (LmPackageExtra){ 0 };
}

gboolean
lm_package_pool_is_installed (const LmPackages *packages, Id id)
{
  const Pool *pool = packages->pool;
  return pool->installed != NULL && pool->solvables[id].repo == pool->installed;
}

const Id *
lm_package_pool_deps (Solvable *s, Offset offset)
{
  static const Id none[] = { 0 };
  return offset ? s->repo->idarraydata + offset : none;
}

Id
lm_package_pool_name (Pool *pool, Id dep)
{
  while (ISRELDEP (dep))
    dep = GETRELDEP (pool, dep)->name;
  return dep;
}

int
lm_package_pool_compare (const LmPackages *packages, Id name, Id a, Id b)
{
  Pool *pool = packages->pool;
  Solvable *one = pool_id2solvable (pool, a), *other = pool_id2solvable (pool, b);
  int order = (one->name == name) - (other->name == name);
  if (order == 0 && one->name != name)
    order = (int) lm_package_pool_extra (packages, b).priority - (int) lm_package_pool_extra (packages, a).priority;
  if (order == 0)
    order = strcmp (pool_id2str (pool, other->name), pool_id2str (pool, one->name));
  if (order == 0)
    order = pool_evrcmp (pool, one->evr, other->evr, EVRCMP_COMPARE);
  return order != 0 ? order : b - a;
}

Id
lm_package_pool_prefer (const LmPackages *packages, Id dep)
{
  Pool *pool = packages->pool;
  Id best = 0, id, offset;
  for (; ISRELDEP (dep) && GETRELDEP (pool, dep)->flags == REL_OR; dep = GETRELDEP (pool, dep)->evr)
    if ((best = lm_package_pool_prefer (packages, GETRELDEP (pool, dep)->name)) != 0)
      return best;
  const Id name = lm_package_pool_name (pool, dep);
  FOR_PROVIDES (id, offset, dep)
    if (!lm_package_pool_is_installed (packages, id) && (best == 0 || lm_package_pool_compare (packages, name, id, best) > 0))
      best = id;
  return best;
}

/* The bits of the operator at *@text, behind which it then points. */
static int
parse_operator (const char **text)
{
  int flags = 0;
  for (; **text != '\0' && strchr ("<=>", **text) != NULL; (*text)++)
    flags |= **text == '<' ? REL_LT : **text == '=' ? REL_EQ : REL_GT;
  return flags;
}

/* The versions of the package @name, which may be 0, for a message. */
static char *
list_versions (Pool *pool, Id name)
{
  g_autoptr (GPtrArray) versions = g_ptr_array_new_with_free_func (g_free);
  Id id, offset;
  if (name != 0)
    FOR_PROVIDES (id, offset, name)
      {
        const Solvable *s = pool_id2solvable (pool, id);
        const char *version = pool_id2str (pool, s->evr);
        if (s->name == name && versions->len < MAX_VERSIONS
            && !g_ptr_array_find_with_equal_func (versions, version, g_str_equal, NULL))
          g_ptr_array_add (versions, lm_text_escape (version, MAX_TEXT));
      }
  g_ptr_array_add (versions, NULL);
  return g_strjoinv (", ", (char **) versions->pdata);
}

static Id
throw_unknown (Pool *pool, const char *wanted, Id name, GError **error)
{
  const char *where = pool->installed != NULL ? "in the package indexes or on the parent" : "in the package indexes";
  g_autofree char *safe = lm_text_escape (wanted, MAX_TEXT), *versions = list_versions (pool, name);
  (void) lm_throw (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_UNKNOWN, "there is no package %s %s%s%s", safe, where,
                   *versions != '\0' ? "; available: " : "", versions);
  return 0;
}

Id
lm_package_pool_parse (LmPackages *packages, const char *wanted, GError **error)
{
  Pool *pool = packages->pool;
  const gsize length = strcspn (wanted, " <=>");
  const char *rest = wanted + length;
  lm_package_pool_prepare (packages);
  const Id name = pool_strn2id (pool, wanted, (unsigned int) length, 0);
  rest += strspn (rest, " ");
  const int flags = parse_operator (&rest);
  rest += strspn (rest, " ");
  if (name == 0 || (flags == 0) != (*rest == '\0') || flags == (REL_LT | REL_GT) || flags == (REL_LT | REL_EQ | REL_GT))
    return throw_unknown (pool, wanted, name, error);
  const Id dep = flags != 0 ? pool_rel2id (pool, name, pool_str2id (pool, rest, 1), flags, 1) : name;
  return pool_whatprovides (pool, dep) > 1 ? dep : throw_unknown (pool, wanted, name, error);
}
