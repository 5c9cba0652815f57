/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/package-status.h"
#include "build/package-text.h"
#include "base/error.h"
#include "base/text.h"

#include <string.h>

/* Far more than real names and versions have. */
#define WORD_MAX 200

typedef enum
{
  STATE_ABSENT,
  STATE_INSTALLED,
  STATE_INCOMPLETE,
} State;

/* Strings point into the text that is read, without a NUL at the end. */
typedef struct
{
  const char *text;
  gsize size;
} Word;

typedef struct
{
  Word name, version, architecture, status;
} Record;

typedef struct
{
  const char *manager;     /* the package whose architecture is the guest's own */
  char *architecture;      /* of that; NULL until it is read */
  GPtrArray *records;      /* Entry */
} Reading;

typedef struct
{
  State state;
  char *name;
  char *architecture;
  char *version;
} Entry;

void
lm_package_status_clear (LmPackageStatus *status)
{
  g_clear_pointer (&status->installed, g_strfreev);
  g_clear_pointer (&status->incomplete, g_strfreev);
}

static void
entry_free (gpointer data)
{
  Entry *entry = data;
  g_free (entry->name);
  g_free (entry->architecture);
  g_free (entry->version);
  g_free (entry);
}

static void
clear_reading (Reading *reading)
{
  g_free (reading->architecture);
  g_ptr_array_unref (reading->records);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reading, clear_reading)

static gboolean
word_equals (Word word, const char *text)
{
  return word.size == strlen (text) && memcmp (word.text, text, word.size) == 0;
}

/* ---- entries */

static gboolean
throw_invalid (GError **error, const char *what, const char *text)
{
  g_autofree char *safe = lm_text_escape (text, 100);
  return lm_throw (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "the guest's list of packages has the %s \"%s\"", what, safe);
}

static char *
dup_word (Word word, const char *extra, const char *what, GError **error)
{
  g_autofree char *text = g_strndup (word.text ? word.text : "", MIN (word.size, WORD_MAX + 1));
  if (lm_text_is_word (text, extra, WORD_MAX))
    return g_steal_pointer (&text);
  (void) throw_invalid (error, what, text);
  return NULL;
}

static gboolean
add_entry (Reading *reading, State state, const Record *record, GError **error)
{
  Entry *entry = g_new0 (Entry, 1);
  g_ptr_array_add (reading->records, entry);
  entry->state = state;
  entry->name = dup_word (record->name, "+-._", "name of a package", error);
  entry->version = entry->name ? dup_word (record->version, "+-._~:^", "version of a package", error) : NULL;
  entry->architecture = entry->version ? dup_word (record->architecture, "-_", "architecture of a package", error) : NULL;
  if (entry->architecture == NULL)
    return FALSE;
  if (strcmp (entry->name, reading->manager) == 0 && reading->architecture == NULL)
    reading->architecture = g_strdup (entry->architecture);
  return TRUE;
}

static char **
list_entries (const Reading *reading, State state, const char *independent)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new ();
  for (guint i = 0; i < reading->records->len; i++)
    {
      const Entry *entry = reading->records->pdata[i];
      const gboolean own = strcmp (entry->architecture, reading->architecture) == 0 || strcmp (entry->architecture, independent) == 0;
      if (entry->state == state)
        g_ptr_array_add (texts, g_strconcat (entry->name, own ? "" : ":", own ? "" : entry->architecture, "=", entry->version, NULL));
    }
  g_ptr_array_sort (texts, lm_text_compare);
  g_ptr_array_add (texts, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&texts), FALSE);
}

static gboolean
finish (const Reading *reading, const char *independent, LmPackageStatus *out_status, GError **error)
{
  if (reading->architecture == NULL)
    return lm_throw (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                     "the guest's list of packages has no %s, whose architecture is the guest's own", reading->manager);
  out_status->installed = list_entries (reading, STATE_INSTALLED, independent);
  out_status->incomplete = list_entries (reading, STATE_INCOMPLETE, independent);
  return TRUE;
}

static gboolean
check_text (const char *text, gsize size, GError **error)
{
  if (size > LM_PACKAGE_STATUS_SIZE_MAX)
    return lm_throw (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "the guest's list of packages is larger than %d MiB",
                     LM_PACKAGE_STATUS_SIZE_MAX >> 20);
  return size == 0 || memchr (text, '\0', size) == NULL
         || lm_throw (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "the guest's list of packages has NUL bytes");
}

/* ---- dpkg */

/* Returns the next word of the @rest of a line. */
static Word
next_word (Word *rest)
{
  while (rest->size > 0 && (*rest->text == ' ' || *rest->text == '\t'))
    rest->text++, rest->size--;
  Word word = { rest->text, 0 };
  for (; rest->size > 0 && *rest->text != ' ' && *rest->text != '\t'; rest->text++, rest->size--)
    word.size++;
  return word;
}

/* @status is what is wanted, whether a reinstallation is needed, and the state. */
static State
parse_status (Word status)
{
  (void) next_word (&status);
  const Word flag = next_word (&status), state = next_word (&status);
  if (status.text == NULL || (word_equals (flag, "ok") && (word_equals (state, "not-installed") || word_equals (state, "config-files"))))
    return STATE_ABSENT;
  return word_equals (flag, "ok") && word_equals (state, "installed") ? STATE_INSTALLED : STATE_INCOMPLETE;
}

static void
read_field (const char *line, gsize length, Record *record)
{
  static const char *const names[] = { "Package", "Version", "Architecture", "Status" };
  Word *const words[] = { &record->name, &record->version, &record->architecture, &record->status };
  while (length > 0 && g_ascii_isspace (line[length - 1]))
    length--;
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      gsize size = length;
      const char *value = lm_package_text_field (line, &size, names[i]);
      if (value != NULL)
        *words[i] = (Word){ value, size };
    }
}

/* A record without a name, such as one that is empty, is nothing. */
static gboolean
end_record (Reading *reading, Record *record, GError **error)
{
  const State state = parse_status (record->status);
  /* What is not unpacked yet may have no version. */
  if (state == STATE_INCOMPLETE && record->version.text == NULL)
    record->version = (Word){ "0", 1 };
  const gboolean ok = record->name.text == NULL || state == STATE_ABSENT || add_entry (reading, state, record, error);
  *record = (Record){ { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };
  return ok;
}

static int
compare_entries (gconstpointer a, gconstpointer b)
{
  const Entry *one = *(const Entry *const *) a, *other = *(const Entry *const *) b;
  const int order = strcmp (one->name, other->name);
  return order != 0 ? order : strcmp (one->architecture, other->architecture);
}

/* dpkg has one record of each package. */
static gboolean
check_unique (Reading *reading, GError **error)
{
  g_ptr_array_sort (reading->records, compare_entries);
  for (guint i = 1; i < reading->records->len; i++)
    if (compare_entries (&reading->records->pdata[i - 1], &reading->records->pdata[i]) == 0)
      return throw_invalid (error, "same package twice,", ((const Entry *) reading->records->pdata[i])->name);
  return TRUE;
}

gboolean
lm_package_status_read_dpkg (const char *text, gsize size, LmPackageStatus *out_status, GError **error)
{
  g_auto (Reading) reading = { "dpkg", NULL, g_ptr_array_new_with_free_func (entry_free) };
  Record record = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };
  if (!check_text (text, size, error))
    return FALSE;
  for (const char *line = text, *end = text + size; line < end;)
    {
      const char *newline = memchr (line, '\n', (gsize) (end - line));
      const gsize length = (gsize) ((newline ? newline : end) - line);
      read_field (line, length, &record);
      line += length + 1;
      if ((length == 0 || line >= end) && !end_record (&reading, &record, error))
        return FALSE;
    }
  return check_unique (&reading, error) && finish (&reading, "all", out_status, error);
}

/* ---- rpm */

static gboolean
read_rpm_line (Reading *reading, const char *line, gsize length, GError **error)
{
  const char *tab = memchr (line, '\t', length);
  const char *second = tab ? memchr (tab + 1, '\t', length - (gsize) (tab + 1 - line)) : NULL;
  if (second == NULL)
    {
      g_autofree char *start = g_strndup (line, MIN (length, WORD_MAX));
      return throw_invalid (error, "line", start);
    }
  Record record = { .name = { line, (gsize) (tab - line) },
                    .version = { tab + 1, (gsize) (second - tab - 1) },
                    .architecture = { second + 1, length - (gsize) (second + 1 - line) } };
  if (record.version.size > 2 && memcmp (record.version.text, "0:", 2) == 0)
    record.version = (Word){ record.version.text + 2, record.version.size - 2 };
  return word_equals (record.name, "gpg-pubkey") || add_entry (reading, STATE_INSTALLED, &record, error);
}

gboolean
lm_package_status_read_rpm (const char *text, gsize size, LmPackageStatus *out_status, GError **error)
{
  g_auto (Reading) reading = { "rpm", NULL, g_ptr_array_new_with_free_func (entry_free) };
  if (!check_text (text, size, error))
    return FALSE;
  for (const char *line = text, *end = text + size; line < end;)
    {
      const char *newline = memchr (line, '\n', (gsize) (end - line));
      const gsize length = (gsize) ((newline ? newline : end) - line);
      if (length > 0 && !read_rpm_line (&reading, line, length, error))
        return FALSE;
      line += length + 1;
    }
  return finish (&reading, "noarch", out_status, error);
}
