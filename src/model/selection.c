/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "model/selection.h"
#include "base/error.h"

#include <string.h>

G_DEFINE_QUARK (lm-selection-error-quark, lm_selection_error)

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static gboolean
is_word (const char *text, const char *first, const char *rest, gsize max)
{
  if (text == NULL || *text == '\0' || strchr (first, *text) == NULL)
    return FALSE;
  gsize length = strspn (text, rest);
  return length <= max && text[length] == '\0';
}

gboolean
lm_name_is_valid (const char *name)
{
  return is_word (name, LOWER DIGITS, LOWER DIGITS "+._-", LM_NAME_MAX);
}

gboolean
lm_version_is_valid (const char *version)
{
  return is_word (version, LOWER UPPER DIGITS, LOWER UPPER DIGITS ".+~:-", LM_VERSION_MAX);
}

LmSelection *
lm_selection_parse (const char *text, GError **error)
{
  g_autoptr (LmSelection) selection = g_new0 (LmSelection, 1);
  const char *rest = text ? text : "";
  const char *equals = strchr (rest, '=');
  if (equals != NULL)
    {
      selection->group = g_strndup (rest, (gsize) (equals - rest));
      rest = equals + 1;
    }
  const char *at = strchr (rest, '@');
  selection->name = at ? g_strndup (rest, (gsize) (at - rest)) : g_strdup (rest);
  selection->version = at ? g_strdup (at + 1) : NULL;
  if ((selection->group == NULL || lm_name_is_valid (selection->group)) && lm_name_is_valid (selection->name)
      && (selection->version == NULL || lm_version_is_valid (selection->version)))
    return g_steal_pointer (&selection);
  g_autofree char *shown = g_strndup (text ? text : "", 100);
  g_autofree char *safe = g_strescape (shown, NULL);
  return lm_throw_null (error, LM_SELECTION_ERROR, LM_SELECTION_ERROR_INVALID,
                        "\"%s\" is not a selection; write [group=]name[@version], for example nginx or web=nginx@1.22.1",
                        safe);
}

char *
lm_selection_format (const LmSelection *selection)
{
  return g_strconcat (selection->group ? selection->group : "", selection->group ? "=" : "", selection->name,
                      selection->version ? "@" : NULL, selection->version, NULL);
}

void
lm_selection_free (LmSelection *selection)
{
  if (selection == NULL)
    return;
  g_free (selection->group);
  g_free (selection->name);
  g_free (selection->version);
  g_free (selection);
}
