/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/selection.h"
#include "base/error.h"
#include "base/text.h"
#include "catalog/version.h"

#include <string.h>

G_DEFINE_QUARK (lm-selection-error-quark, lm_selection_error)

enum
{
  NAME_FIRST = 1 << 0,
  NAME_REST = 1 << 1,
  VERSION_FIRST = 1 << 2,
  VERSION_REST = 1 << 3,
};

/* A table, because a large catalog has several hundred thousand names to check. */
static const guint8 classes[256] = {
  ['0' ... '9'] = NAME_FIRST | NAME_REST | VERSION_FIRST | VERSION_REST,
  ['a' ... 'z'] = NAME_FIRST | NAME_REST | VERSION_FIRST | VERSION_REST,
  ['A' ... 'Z'] = VERSION_FIRST | VERSION_REST,
  ['+'] = NAME_REST | VERSION_REST,
  ['.'] = NAME_REST | VERSION_REST,
  ['-'] = NAME_REST | VERSION_REST,
  ['_'] = NAME_REST,
  ['~'] = VERSION_REST,
  [':'] = VERSION_REST,
};

static gboolean
has_character_classes (const char *text, guint8 first, guint8 rest, gsize max)
{
  if (text == NULL || !(classes[(guint8) *text] & first))
    return FALSE;
  gsize length = 1;
  while (length <= max && classes[(guint8) text[length]] & rest)
    length++;
  return length <= max && text[length] == '\0';
}

gboolean
lm_name_is_valid (const char *name)
{
  return has_character_classes (name, NAME_FIRST, NAME_REST, LM_NAME_MAX);
}

gboolean
lm_version_is_valid (const char *version)
{
  return has_character_classes (version, VERSION_FIRST, VERSION_REST, LM_VERSION_MAX);
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
  g_autofree char *safe = lm_text_escape (text ? text : "", 100);
  return lm_throw_null (error, LM_SELECTION_ERROR, LM_SELECTION_ERROR_INVALID,
                        "\"%s\" is not a selection; use [group=]name[@version], for example nginx or web=nginx@1.22.1",
                        safe);
}

char *
lm_selection_format (const LmSelection *selection)
{
  return g_strconcat (selection->group ? selection->group : "", selection->group ? "=" : "", selection->name,
                      selection->version ? "@" : NULL, selection->version, NULL);
}

gboolean
lm_selection_matches (const LmSelection *selection, const LmLayer *layer)
{
  return strcmp (selection->name, layer->name) == 0
         && (selection->group == NULL || strcmp (selection->group, layer->group) == 0)
         && (selection->version == NULL || lm_version_compare (selection->version, layer->version) == 0);
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
