#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Creates small qcow2 files by writing their headers, good and hostile ones.

usage: mkqcow2.py KIND OUT [--parent HEX] [--size BYTES]
       mkqcow2.py --all DIR [--parent HEX] [--size BYTES]     DIR/KIND for each kind
       mkqcow2.py --list        one line per kind: name, "base" or "child" (as which
                                it must be vetted), why it must be refused ("good"
                                if it must be accepted)

Field names are those of QEMU's docs/interop/qcow2.txt.
"""
import argparse
import struct
import sys

CLUSTER = 65536
PARENT = "00" * 32
MAX64 = 2**64 - 1

BACKING_FORMAT = 0xE2792ACA
BITMAPS = 0x23852875
CRYPTO = 0x0537BE77
DATA_FILE = 0x44415441


class Image:
    """A valid image of an empty disk; the kinds below change it."""

    def __init__(self, version, backing, virtual_size):
        self.magic = 0x514649FB
        self.version = version
        self.backing = backing
        self.backing_file_offset = None  # None: directly after the extensions
        self.backing_file_size = None    # None: the length of the name
        self.cluster_bits = 16
        self.size = virtual_size
        self.crypt_method = 0
        self.l1_size = max(1, -(-virtual_size // (CLUSTER * CLUSTER // 8)))
        self.l1_table_offset = 3 * CLUSTER
        self.refcount_table_offset = CLUSTER
        self.refcount_table_clusters = 1
        self.nb_snapshots = 0
        self.snapshots_offset = 0
        self.incompatible_features = 0
        self.compatible_features = 0
        self.autoclear_features = 0
        self.refcount_order = 4
        self.header_length = 112 if version == 3 else 72
        self.compression_type = 0
        self.extensions = [(BACKING_FORMAT, b"qcow2")] if backing else []
        self.end_mark = True
        self.raw_tail = b""  # written directly after the extensions
        self.truncate = None

    def extension_bytes(self):
        out = b""
        for item in self.extensions:
            kind, data = item[:2]
            length = item[2] if len(item) > 2 else len(data)
            out += struct.pack(">II", kind, length) + data + bytes(-len(data) % 8)
        return out + (bytes(8) if self.end_mark else b"") + self.raw_tail

    def to_bytes(self):
        extensions = self.extension_bytes()
        offset = self.backing_file_offset
        if offset is None:
            offset = self.header_length + len(extensions) if self.backing is not None else 0
        length = self.backing_file_size
        if length is None:
            length = len(self.backing or b"")
        header = struct.pack(">IIQIIQIIQQIIQ", self.magic, self.version, offset, length, self.cluster_bits,
                             self.size & MAX64, self.crypt_method, self.l1_size, self.l1_table_offset,
                             self.refcount_table_offset, self.refcount_table_clusters, self.nb_snapshots,
                             self.snapshots_offset)
        if self.version != 2:
            header += struct.pack(">QQQII", self.incompatible_features, self.compatible_features,
                                  self.autoclear_features, self.refcount_order, self.header_length)
            header += bytes([self.compression_type]) + bytes(7)
        image = bytearray(4 * CLUSTER)
        image[0:len(header)] = header
        start = min(self.header_length, CLUSTER)
        image[start:start + len(extensions)] = extensions
        if self.backing and self.header_length <= offset <= len(image) - len(self.backing):
            image[offset:offset + len(self.backing)] = self.backing
        # The refcount table, its single block, and the four clusters in use.
        image[CLUSTER:CLUSTER + 8] = struct.pack(">Q", 2 * CLUSTER)
        image[2 * CLUSTER:2 * CLUSTER + 8] = struct.pack(">4H", 1, 1, 1, 1)
        return bytes(image[:self.truncate])


def name_of(parent):
    return b"sha256-" + parent.encode() + b".qcow2"


# name: (has a parent, why it is refused, version, changed fields)
KINDS = {}


def kind(name, why, child=False, version=3, **fields):
    KINDS[name] = (child, why, version, fields)


kind("good-v2", "good", version=2)
kind("good-v3", "good")
kind("good-v2-child", "good", child=True, version=2)
kind("good-v3-child", "good", child=True)
kind("good-no-end-mark", "good", child=True, end_mark=False)
kind("good-unknown-extension", "good", extensions=[(0x12345678, b"ignored")])
kind("good-lazy-refcounts", "good", compatible_features=1)

kind("not-qcow2", "not a qcow2", magic=0x51464900)
kind("vmdk", "not a qcow2", magic=0x4B444D56)
kind("version-1", "version 1 ", version=1)
kind("version-4", "version 4 ", version=4)
kind("empty", "not a qcow2", truncate=0)
for _at in (3, 4, 7, 8, 20, 24, 32, 36, 40, 48, 56, 60, 71):
    kind("cut-at-%d" % _at, "not a qcow2", truncate=_at)
for _at in (72, 80, 88, 96, 100, 103):
    kind("cut-at-%d" % _at, "ends within", truncate=_at)
kind("cut-at-104", "header_length", truncate=104)
kind("cut-at-112", "extensions are truncated", truncate=112)
kind("cut-v2-at-72", "extensions are truncated", version=2, truncate=72)
kind("cut-before-tables", "not inside the file", truncate=2 * CLUSTER - 1)
kind("cut-in-l1", "L1 table", truncate=3 * CLUSTER + 7)

kind("cluster-bits-0", "cluster_bits", cluster_bits=0)
kind("cluster-bits-8", "cluster_bits", cluster_bits=8)
kind("cluster-bits-22", "cluster_bits", cluster_bits=22)
kind("cluster-bits-63", "cluster_bits", cluster_bits=63)
kind("cluster-bits-max", "cluster_bits", cluster_bits=2**32 - 1)
kind("header-length-96", "header_length", header_length=96)
kind("header-length-105", "header_length", header_length=105)
kind("header-length-cluster", "header_length", header_length=CLUSTER + 8)
kind("header-length-max", "header_length", header_length=2**32 - 8)

kind("size-0", "virtual size", size=0, l1_size=1)
kind("size-odd", "virtual size", size=1000)
kind("size-65t", "virtual size", size=65 << 40, l1_size=133120)
kind("size-2-63", "virtual size", size=2**63)
kind("size-max", "virtual size", size=MAX64)

kind("data-file-bit", "external data file", incompatible_features=4)
kind("data-file", "external data file", incompatible_features=4, extensions=[(DATA_FILE, b"/etc/passwd")])
kind("data-file-json", "external data file", incompatible_features=4,
     extensions=[(DATA_FILE, b'json:{"driver":"quorum","rewrite-corrupted":true}')])
kind("data-file-name-only", "external data file", extensions=[(DATA_FILE, b"/etc/passwd")])
kind("data-file-raw-bit", "auto-clear", autoclear_features=2)
kind("dirty", "dirty or corrupt", incompatible_features=1)
kind("corrupt", "dirty or corrupt", incompatible_features=2)
kind("incompatible-5", "unknown incompatible", incompatible_features=1 << 5)
kind("incompatible-63", "unknown incompatible", incompatible_features=1 << 63)
kind("compatible-1", "unknown compatible", compatible_features=2)
kind("autoclear-2", "auto-clear", autoclear_features=4)
kind("bitmaps-bit", "bitmaps", autoclear_features=1)
kind("bitmaps", "bitmaps", autoclear_features=1, extensions=[(BITMAPS, struct.pack(">IIQQ", 65535, 0, 64, CLUSTER))])
kind("bitmaps-stale", "bitmaps", extensions=[(BITMAPS, struct.pack(">IIQQ", 1, 0, 64, CLUSTER))])
kind("compression-type-1", "compression type", compression_type=1)
kind("compression-type-2", "compression type", compression_type=2, incompatible_features=8)
kind("compression-bit-only", "compression type", incompatible_features=8)
kind("extended-l2-small", "too small for extended", incompatible_features=16, cluster_bits=13)
kind("encrypted-aes", "encrypted", crypt_method=1)
kind("encrypted-aes-v2", "encrypted", crypt_method=1, version=2)
kind("encrypted-luks", "encrypted", crypt_method=2, extensions=[(CRYPTO, struct.pack(">QQ", CLUSTER, 592))])
kind("encrypted-header-only", "encrypted", extensions=[(CRYPTO, struct.pack(">QQ", CLUSTER, 592))])
kind("encrypted-unknown", "encrypted", crypt_method=77)
kind("snapshots", "snapshots", nb_snapshots=1, snapshots_offset=3 * CLUSTER)
kind("snapshots-v2", "snapshots", version=2, nb_snapshots=1, snapshots_offset=3 * CLUSTER)
kind("snapshots-many", "snapshots", nb_snapshots=2**32 - 1, snapshots_offset=MAX64)

kind("l1-oversized", "too large", l1_size=2**32 - 1)
kind("l1-over-limit", "too large", l1_size=(32 << 20) // 8 + 1)
kind("l1-too-small", "too small for its virtual size", l1_size=0)
kind("l1-unaligned", "L1 table", l1_table_offset=3 * CLUSTER + 512)
kind("l1-at-0", "L1 table", l1_table_offset=0)
kind("l1-past-end", "L1 table", l1_table_offset=64 * CLUSTER)
kind("l1-at-max", "L1 table", l1_table_offset=2**64 - CLUSTER)
kind("l1-past-end-by-size", "L1 table", l1_size=8193)
kind("l1-overlaps", "overlap", l1_table_offset=CLUSTER)
kind("refcount-at-0", "refcount table", refcount_table_offset=0)
kind("refcount-unaligned", "refcount table", refcount_table_offset=CLUSTER + 8)
kind("refcount-past-end", "refcount table", refcount_table_offset=2**63)
kind("refcount-none", "refcount table", refcount_table_clusters=0)
kind("refcount-many", "refcount table", refcount_table_clusters=2**32 - 1)
kind("refcount-order-7", "order 7", refcount_order=7)
kind("refcount-order-max", "order", refcount_order=2**32 - 1)

kind("extension-overrun", "does not fit", extensions=[(0x12345678, b"x", 2**31)])
kind("extension-overrun-max", "does not fit", extensions=[(0x12345678, b"x", 2**32 - 1)])
kind("extension-into-name", "does not fit", child=True, extensions=[(BACKING_FORMAT, b"qcow2", 64)])
kind("extensions-cut", "truncated", child=True, end_mark=False, raw_tail=b"\1\2\3\4")
kind("extension-twice", "twice", child=True, extensions=[(BACKING_FORMAT, b"qcow2"), (BACKING_FORMAT, b"raw")])

kind("backing-json", "not its declared", child=True, backing=b'json:{"driver":"file","filename":"/etc/passwd"}')
kind("backing-nbd", "not its declared", child=True, backing=b"nbd://127.0.0.1:10809/x")
kind("backing-http", "not its declared", child=True, backing=b"http://127.0.0.1/x")
kind("backing-fd", "not its declared", child=True, backing=b"fd:0")
kind("backing-passwd", "not its declared", child=True, backing=b"/etc/passwd")
kind("backing-relative", "not its declared", child=True, backing=b"../layers/" + name_of(PARENT))
kind("backing-dot", "not its declared", child=True, backing=b"./" + name_of(PARENT))
kind("backing-file-protocol", "not its declared", child=True, backing=b"file:" + name_of(PARENT))
kind("backing-wrong-parent", "not its declared", child=True, backing=name_of("ff" * 32))
kind("backing-upper-case", "not its declared", child=True, backing=name_of("AA" * 32))
kind("backing-nul-inside", "NUL", child=True, backing=name_of(PARENT) + b"\0/etc/passwd")
kind("backing-nul-end", "NUL", child=True, backing=name_of(PARENT) + b"\0")
kind("backing-newline", "not its declared", child=True, backing=name_of(PARENT) + b"\n")
kind("backing-empty", "is empty", child=True, backing=b"")
kind("backing-long", "too long", child=True, backing=b"a" * 1024)
kind("backing-longest", "not its declared", child=True, backing=b"a" * 1023)
kind("backing-length-max", "first cluster", child=True, backing_file_size=2**32 - 1)
kind("backing-in-header", "first cluster", child=True, backing_file_offset=16)
kind("backing-past-cluster", "first cluster", child=True, backing_file_offset=CLUSTER - 4)
kind("backing-at-max", "first cluster", child=True, backing_file_offset=MAX64)
kind("backing-raw", "format is", child=True, extensions=[(BACKING_FORMAT, b"raw")])
kind("backing-format-none", "format is", child=True, extensions=[])
kind("backing-format-nul", "NUL", child=True, extensions=[(BACKING_FORMAT, b"qcow2\0")])
kind("backing-format-long", "too long", child=True, extensions=[(BACKING_FORMAT, b"qcow2" * 4)])
kind("parent-missing", "not its declared", child=True, backing=None, extensions=[])
kind("base-with-backing", "declared as a base", backing=name_of(PARENT), extensions=[(BACKING_FORMAT, b"qcow2")])
kind("base-with-json", "declared as a base", backing=b"json:{}")
kind("base-with-format", "no backing file", extensions=[(BACKING_FORMAT, b"qcow2")])


def make(name, parent=PARENT, virtual_size=1 << 20):
    """Returns the contents of a file of the kind @name."""
    child, _why, version, fields = KINDS[name]
    image = Image(3 if version in (1, 4) else version, name_of(parent) if child else None, virtual_size)
    image.version = version
    for key, value in fields.items():
        assert hasattr(image, key), key
        setattr(image, key, value)
    return image.to_bytes()


def main():
    parser = argparse.ArgumentParser(description="make a small qcow2 file, good or hostile")
    parser.add_argument("--list", action="store_true", help="print the kinds")
    parser.add_argument("kind", nargs="?", choices=sorted(KINDS), metavar="KIND")
    parser.add_argument("out", nargs="?", metavar="OUT")
    parser.add_argument("--all", metavar="DIR", help="make DIR/KIND of every kind")
    parser.add_argument("--parent", default=PARENT, metavar="HEX")
    parser.add_argument("--size", default=1 << 20, type=int, metavar="BYTES", help="of the disk")
    args = parser.parse_args()
    if args.list:
        for name, (child, why, _version, _fields) in KINDS.items():
            print("%s\t%s\t%s" % (name, "child" if child else "base", why))
        return 0
    if args.all:
        for name in KINDS:
            with open("%s/%s" % (args.all, name), "wb") as out:
                out.write(make(name, args.parent, args.size))
        return 0
    if args.kind is None or args.out is None:
        parser.error("KIND and OUT are needed")
    with open(args.out, "wb") as out:
        out.write(make(args.kind, args.parent, args.size))
    return 0


if __name__ == "__main__":
    sys.exit(main())
