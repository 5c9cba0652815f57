/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The packages of a distribution: what they need, which of them can be installed
 * together, where their files are, and what changes if some are installed on a parent. It reads the contents of package indexes; where they come from is
 * repository.h's business. Formats: "Packages" of Debian (deb-control(5)), and
 * primary.xml of rpm-md. The text of an index is untrusted.
 *
 * A package is known by its number, which is valid as long as the LmPackages. */
#include "base/blob.h"

typedef enum
{
  LM_PACKAGES_ERROR_INVALID,  /* not a package index, of another kind than the first one, or without what is needed */
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
 * recognized. @base is the URL of the directory that the index gives locations of files relative
 * to; NULL if it is not known, then lm_packages_dup_blob() fails. It may contain a password.
 * Messages call the index @shown. All indexes of a set are of one kind. Of rpm-md, only
 * packages that this host's architecture can run are used.
 * CPU-bound, about 10 us a package. Errors: LM_PACKAGES_ERROR_INVALID. */
gboolean lm_packages_add (LmPackages *packages, GBytes *index, const char *base, const char *shown, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/** lm_packages_get: describes the package with the number @id. */
LmPackage lm_packages_get (const LmPackages *packages, guint id);

/** lm_packages_dup_blob: returns the file of the package with the number @id, of an index:
 * LM_BLOB_FILE, with the name of the file (such as "nginx_1.22.1-9_amd64.deb"), the digest and
 * the size that the index gives (0 if none), and one URL, which contains the password that the
 * base has. The location must be below the base, and have no ".."; with rpm-md, the index may
 * name another base (xml:base), but not a local one if it is not local itself. Newly
 * allocated. Errors: LM_PACKAGES_ERROR_INVALID: no location, a location or base that cannot be
 * used, or no SHA-256 digest. */
LmBlob *lm_packages_dup_blob (LmPackages *packages, guint id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_packages_find: returns the number of the package of @among, numbers in ascending
 * order, that is @wanted, as for lm_packages_resolve(), or else of one that provides it; 0 if
 * there is none. */
guint lm_packages_find (LmPackages *packages, const char *wanted, const GArray *among);

/** lm_packages_resolve: returns the packages that installing the @n @wanted (NAME, or
 * NAME=VERSION, or "NAME >= VERSION" with one of < <= = >= >) on an empty system would install,
 * which includes what they need, as numbers in ascending order. Not for packages with a parent. Of alternatives, one that is needed anyway is taken, then
 * the first, then the package of that name before others that provide it, then the one
 * with the higher priority; if that choice leads to a conflict, libsolv chooses.
 * @recommended: whether what packages recommend is installed too. CPU-bound, about a
 * millisecond, 40 times that if libsolv chooses. Errors: LM_PACKAGES_ERROR_UNKNOWN, _CONFLICT. */
GArray *lm_packages_resolve (LmPackages *packages, const char *const *wanted, guint n, gboolean recommended, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/** lm_packages_set_installed: says what the parent of a layer holds: "NAME=VERSION" or
 * "NAME:ARCH=VERSION", as lm_package_status_read_dpkg() and lm_package_status_read_rpm() return
 * it. All indexes must have been added. What was said before is forgotten, also after an error.
 *
 * Only names and versions of these packages are known, so that their relations are those of
 * the same package in the indexes. If the indexes do not have that version, they are those of
 * the next newer one, or else of the next older one, in which the package's own version is put
 * for that of the index; needs that the parent does not fulfil are not held against it. A
 * package that the indexes do not have by name has no relations. Debian's packages of another
 * architecture (with ARCH) fulfil nothing; that they must keep the version of the parent's own
 * architecture is checked. CPU-bound, a few milliseconds, and some 50 the next time that
 * packages are looked up. Errors: LM_PACKAGES_ERROR_INVALID. */
gboolean lm_packages_set_installed (LmPackages *packages, const char *const *installed, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What is done to the packages of a parent. The order of installation is the package manager's. */
typedef struct
{
  GArray *install; /* numbers, in ascending order, of packages that the parent does not have by name */
  GArray *upgrade; /* the same of those that it has in another version, mostly an older one */
  char **remove;   /* names, in alphabetical order */
} LmPackagesChange;

/** lm_packages_change_clear: frees what @change owns and zeroes it. */
void lm_packages_change_clear (LmPackagesChange *change);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LmPackagesChange, lm_packages_change_clear)

/** lm_packages_resolve_change: finds out what has to change for the @n @wanted, as for
 * lm_packages_resolve(), to be on the parent, with the same preferences. A wanted package that
 * the parent has in a version that is asked for is no change. Nothing else is upgraded than what
 * something needs in another version, or conflicts with as it is; nothing is downgraded unless
 * NAME=VERSION asks for it; nothing is removed unless it and a new package conflict, it is not
 * essential, and nothing that stays needs it. @recommended: also what the new packages, but not
 * the upgraded ones, recommend. Without lm_packages_set_installed() the parent is empty.
 * CPU-bound, some milliseconds, or some hundred if libsolv chooses or finds the reasons.
 * Errors: LM_PACKAGES_ERROR_UNKNOWN, _CONFLICT. */
gboolean lm_packages_resolve_change (LmPackages *packages, const char *const *wanted, guint n, gboolean recommended,
                                     LmPackagesChange *out_change, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_packages_list_essential: returns the names of the packages that the indexes mark as essential,
 * each once, in alphabetical order; newly allocated. None for RPM's packages, which know no such mark. */
char **lm_packages_list_essential (const LmPackages *packages);

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
