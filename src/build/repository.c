/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/repository.h"
#include "base/error.h"
#include "base/hasher.h"
#include "base/size.h"
#include "base/url.h"
#include "io/run.h"
#include "io/unpack.h"
#include "io/xml.h"
#include "store/store.h"

#include <string.h>

#define REPOMD_XMLNS "http://linux.duke.edu/metadata/repo"
#define REPOMD_PATH "repodata/repomd.xml"
#define REPOMD_SIZE_MAX LM_SIZE_MIB
/* The largest index of a distribution has about 100 MiB, 500 MiB when decompressed. */
#define INDEX_SIZE_MAX (512 * LM_SIZE_MIB)
#define UNPACKED_SIZE_MAX (2 * LM_SIZE_GIB)
#define READ_SECONDS 900

G_DEFINE_QUARK (lm-repository-error-quark, lm_repository_error)

static GBytes *
read_place (const char *url, gsize max_size, GCancellable *cancellable, GError **error)
{
  const LmStoreRead request = { .url = url, .max_size = max_size, .seconds = READ_SECONDS };
  g_autoptr (LmStoreObject) object = lm_store_read (&request, cancellable, error);
  return object ? g_steal_pointer (&object->body) : NULL;
}

static gboolean
add_index (LmPackages *packages, GBytes *index, const char *base, const char *shown, GError **error)
{
  g_autoptr (GBytes) unpacked = lm_unpack_bytes (index, shown, UNPACKED_SIZE_MAX, error);
  return unpacked != NULL && lm_packages_add (packages, unpacked, base, shown, error);
}

/* @base is NULL for what follows from @url. */
static gboolean
load_index (LmPackages *packages, const char *url, const char *base, GCancellable *cancellable, GError **error)
{
  g_autofree char *directory = lm_url_directory (url);
  char *dists = g_strrstr (directory, "/dists/");
  if (dists != NULL)
    dists[1] = '\0';
  g_autofree char *shown = lm_url_redact (url);
  g_autoptr (GBytes) index = read_place (url, INDEX_SIZE_MAX, cancellable, error);
  return index != NULL && add_index (packages, index, base ? base : directory, shown, error);
}

/* The entry of a repomd.xml for the index of packages. */
typedef struct
{
  char *location;
  LmDigest digest;
} Primary;

static gboolean
read_primary (const LmXmlNode *data, const char *shown, Primary *out_primary, GError **error)
{
  const LmXmlNode *location = lm_xml_child (data, REPOMD_XMLNS, "location");
  const LmXmlNode *checksum = lm_xml_child (data, REPOMD_XMLNS, "checksum");
  g_autofree char *href = location ? lm_xml_attribute (location, "href") : NULL;
  g_autofree char *type = checksum ? lm_xml_attribute (checksum, "type") : NULL;
  g_autofree char *value = checksum ? lm_xml_text (checksum) : NULL;
  g_autofree char *digest = g_strconcat ("sha256:", value ? g_strstrip (value) : "", NULL);
  if (href == NULL || g_strcmp0 (type, "sha256") != 0 || !lm_digest_parse (digest, &out_primary->digest, NULL))
    return lm_throw (error, LM_REPOSITORY_ERROR, LM_REPOSITORY_ERROR_INVALID,
                     "%s: the package index (\"primary\") has no location or no SHA-256 digest", shown);
  out_primary->location = g_steal_pointer (&href);
  return TRUE;
}

static gboolean
find_primary (GBytes *repomd, const char *shown, Primary *out_primary, GError **error)
{
  gsize size;
  const char *text = g_bytes_get_data (repomd, &size);
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmXml) xml = lm_xml_parse (text, size, shown, &failure);
  if (xml == NULL)
    return lm_throw (error, LM_REPOSITORY_ERROR, LM_REPOSITORY_ERROR_INVALID, "%s", failure->message);
  for (LmXmlNode *data = lm_xml_child (lm_xml_root (xml), REPOMD_XMLNS, "data"); data;
       data = lm_xml_next (data, REPOMD_XMLNS, "data"))
    {
      g_autofree char *type = lm_xml_attribute (data, "type");
      if (g_strcmp0 (type, "primary") == 0)
        return read_primary (data, shown, out_primary, error);
    }
  return lm_throw (error, LM_REPOSITORY_ERROR, LM_REPOSITORY_ERROR_INVALID, "%s: no package index (\"primary\") is listed", shown);
}

/* @root is the URL of the directory that contains "repodata", with a '/' at its end. */
static gboolean
load_rpmmd (LmPackages *packages, const char *root, GCancellable *cancellable, GError **error)
{
  g_autofree char *url = lm_url_resolve (root, REPOMD_PATH, error);
  g_autofree char *shown = url ? lm_url_redact (url) : NULL;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) repomd = url ? read_place (url, REPOMD_SIZE_MAX, cancellable, &failure) : NULL;
  Primary primary = { NULL };
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) || g_error_matches (failure, LM_HTTP_ERROR, LM_HTTP_ERROR_NOT_FOUND))
    return lm_throw (error, failure->domain, failure->code, "%s; a directory is taken for a repository of RPM, of Debian's give the Packages file",
                     failure->message);
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (repomd == NULL || !find_primary (repomd, shown, &primary, error))
    return FALSE;
  g_autofree char *location = primary.location;
  g_autofree char *index_url = lm_url_resolve (root, location, NULL);
  if (index_url == NULL)
    return lm_throw (error, LM_REPOSITORY_ERROR, LM_REPOSITORY_ERROR_INVALID,
                     "%s: the location of the package index cannot be used; a repository on a server has no local files", shown);
  g_autofree char *index_shown = lm_url_redact (index_url);
  g_autoptr (GBytes) index = read_place (index_url, INDEX_SIZE_MAX, cancellable, error);
  if (index == NULL)
    return FALSE;
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  LmDigest digest;
  lm_hasher_update (hasher, g_bytes_get_data (index, NULL), g_bytes_get_size (index));
  lm_hasher_peek (hasher, &digest);
  if (!lm_digest_equal (&digest, &primary.digest))
    return lm_throw (error, LM_REPOSITORY_ERROR, LM_REPOSITORY_ERROR_DIGEST,
                     "%s does not have the digest that %s gives; the repository may have changed meanwhile: try again",
                     index_shown, shown);
  return add_index (packages, index, root, index_shown, error);
}

/* The URL for @place; a directory gets a '/' at its end. */
static char *
url_of_place (const char *place, GError **error)
{
  if (lm_store_knows (place))
    return lm_url_check_base (place, error) ? g_strdup (place) : NULL;
  g_autofree char *path = g_canonicalize_filename (place, NULL);
  g_autofree char *url = g_filename_to_uri (path, NULL, error);
  return url && g_file_test (path, G_FILE_TEST_IS_DIR) ? g_strconcat (url, "/", NULL) : g_steal_pointer (&url);
}

gboolean
lm_repository_load (LmPackages *packages, const char *place, GCancellable *cancellable, GError **error)
{
  g_autofree char *url = url_of_place (place, error);
  if (url == NULL)
    return FALSE;
  if (g_str_has_suffix (url, "/" REPOMD_PATH))
    url[strlen (url) - strlen (REPOMD_PATH)] = '\0';
  return g_str_has_suffix (url, "/") ? load_rpmmd (packages, url, cancellable, error)
                                     : load_index (packages, url, NULL, cancellable, error);
}

/* @line is an index as apt lists it: architecture, base URL, file. A flat repository has no
 * architecture, so that apt leaves the name of the field. */
static gboolean
load_target (LmPackages *packages, const char *line, const char *native, guint *loaded, GCancellable *cancellable, GError **error)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 3);
  if (g_strv_length (words) != 3 || (strcmp (words[0], native) != 0 && strcmp (words[0], "$(ARCHITECTURE)") != 0))
    return TRUE;
  /* apt writes "file:/path". */
  g_autofree char *base = g_str_has_prefix (words[1], "file:/") && !g_str_has_prefix (words[1], "file://")
                            ? g_strconcat ("file://", words[1] + strlen ("file:"), NULL) : g_strdup (words[1]);
  g_autofree char *url = url_of_place (words[2], error);
  (*loaded)++;
  return url != NULL && load_index (packages, url, base, cancellable, error);
}

gboolean
lm_repository_load_apt (LmPackages *packages, GCancellable *cancellable, GError **error)
{
  static const char *const native_argv[] = { "dpkg", "--print-architecture", NULL };
  static const char *const argv[] = { "apt-get", "indextargets", "--format", "$(ARCHITECTURE) $(REPO_URI) $(FILENAME)",
                                      "Created-By: Packages", NULL };
  g_autofree char *native = NULL, *output = NULL;
  guint loaded = 0;
  g_autoptr (GError) failure = NULL;
  if (!lm_run (native_argv, NULL, &native, cancellable, &failure) || !lm_run (argv, NULL, &output, cancellable, &failure))
    {
      if (g_error_matches (failure, LM_RUN_ERROR, LM_RUN_ERROR_NOT_FOUND))
        return lm_throw (error, LM_REPOSITORY_ERROR, LM_REPOSITORY_ERROR_NONE,
                         "this machine has no apt; give a package index with --packages");
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  g_strstrip (native);
  g_auto (GStrv) lines = g_strsplit (output, "\n", -1);
  for (char **line = lines; *line; line++)
    if (!load_target (packages, *line, native, &loaded, cancellable, error))
      return FALSE;
  return loaded > 0
         || lm_throw (error, LM_REPOSITORY_ERROR, LM_REPOSITORY_ERROR_NONE,
                      "apt has no package index; run \"apt-get update\" or give an index with --packages");
}
