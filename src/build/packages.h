/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The packages of a distribution: what they need, which of them can be installed
 * together, and their sizes. Only this file and its companion include libsolv in this
 * module. It reads the contents of package indexes; where they come from is
 * repository.h's business. Formats: "Packages" of Debian (deb-control(5)), and
 * primary.xml of rpm-md. The text of an index is untrusted.
 *
 * A package is known by its number, which is valid as long as the LmPackages. */
#include <glib.h>

typedef enum
{
  LM_PACKAGES_ERROR_INVALID,  /* not a package index, or of another kind than the first one */
  LM_PACKAGES_ERROR_UNKNOWN,  /* no package has this name or provides it */
  LM_PACKAGES_ERROR_CONFLICT, /* the packages cannot be installed together; the message says why */
} LmPackagesError;

#define LM_PACKAGES_ERROR lm_packages_error_quark ()
GQuark lm_packages_error_quark (void);

typedef struct _LmPackages LmPackages;

/* Strings are owned by the LmPackages and valid until the next call. */
typedef struct
{
  const char *name;
  const char *version;
  const char *architecture;
  guint64 download_size;  /* of the package's file in bytes; 0 if the index does not say */
  guint64 installed_size; /* in bytes, as the index says; 0 if it does not */
} LmPackage;

/** lm_packages_new: returns a set without packages; never NULL. */
LmPackages *lm_packages_new (void);
/** lm_packages_free: frees @packages; NULL is ignored. */
void lm_packages_free (LmPackages *packages);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmPackages, lm_packages_free)

/** lm_packages_add: adds the packages of an index, not compressed; the kind is
 * recognized. Messages call it @shown. All indexes of a set are of one kind. Of rpm-md, only
 * packages that this host's architecture can run are used.
 * CPU-bound, about 10 us a package. Errors: LM_PACKAGES_ERROR_INVALID. */
gboolean lm_packages_add (LmPackages *packages, GBytes *index, const char *shown, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_packages_get: describes the package with the number @id. */
LmPackage lm_packages_get (const LmPackages *packages, guint id);

/** lm_packages_find: returns the number of the package of @among, numbers in ascending
 * order, that has the name, or NAME=VERSION, @wanted, or else of one that provides it; 0 if
 * there is none. */
guint lm_packages_find (LmPackages *packages, const char *wanted, const GArray *among);

/** lm_packages_resolve: returns the packages that installing the @n @wanted (NAME or
 * NAME=VERSION) on an empty system would install, which includes what they need, as
 * numbers in ascending order. Of alternatives, one that is needed anyway is taken, then
 * the first, then the package of that name before others that provide it, then the one
 * with the higher priority; if that choice leads to a conflict, libsolv chooses.
 * @recommended: whether what packages recommend is installed too. CPU-bound, about a
 * millisecond, 40 times that if libsolv chooses. Errors: LM_PACKAGES_ERROR_UNKNOWN, _CONFLICT. */
GArray *lm_packages_resolve (LmPackages *packages, const char *const *wanted, guint n, gboolean recommended, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/** lm_packages_list_needs: returns those of the packages @among, numbers in ascending
 * order, that fulfil a dependency of the package @id, or with @recommended something that it
 * recommends; in ascending order, without @id. */
GArray *lm_packages_list_needs (LmPackages *packages, guint id, gboolean recommended, const GArray *among);

/** lm_packages_list_dependents: returns all packages with a dependency that the package
 * @id could fulfil, as numbers in ascending order. */
GArray *lm_packages_list_dependents (LmPackages *packages, guint id);

/** lm_packages_fits: whether the packages @among, numbers in ascending order, fulfil each
 * dependency of the package @id, and none of them conflicts with it, is obsoleted by it or is
 * another version of it. */
gboolean lm_packages_fits (LmPackages *packages, guint id, const GArray *among);
