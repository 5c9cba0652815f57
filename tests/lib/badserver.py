#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A loopback HTTP server that serves the files of a directory with faults.

badserver.py DIR [LOG]

Prints its port as one line, serves until its standard input is closed (so it
never outlives the test that started it), and appends one line per request to LOG:
    METHOD PATH RANGE-OR-DASH AUTH-OR-DASH STATUS

The first part of the path selects how FILE is served, "BEHAVIOUR[:ARG...]/FILE":
    ok                  with ranges and a strong ETag; honours If-Range
    fail:CODE:N[:S]     CODE (with Retry-After: S) for the first N requests, then ok
    status:CODE         always CODE
    cut:OFFSET:N        closes the connection at byte OFFSET, the first N times
    every:SIZE          closes the connection after SIZE bytes, each time
    cutwhole:SIZE       closes the connection after SIZE bytes; no ranges
    length:DELTA        announces a size that is wrong by DELTA
    chunked             no length, no ranges
    chunkshort          likewise, and ends cleanly in the middle of the file
    noranges            answers any range with the whole file
    badrange            206 with a range that begins one byte after the requested one
    before:N            206 with a range that begins N bytes before the requested one
    newcut:PERCENT      a new ETag for each request, honours If-Range, and closes the
                        connection after PERCENT of the file
    one:CODE[:S]        one request at a time for all files, which takes 0.2 s; other requests
                        get CODE (0: no answer; with Retry-After: S; S "date": in 1 s, as a date)
    encoded             compressed by gzip, with Content-Encoding, without being asked
    encoded0            likewise, without a time in the gzip header
    as:KIND             gzip, xz, zstd, bzip2, html or raw data instead of the file
    otherbytes          206 with the right range in the header, but other bytes
    newetag             a new ETag for each request
    ignoreifrange       206 regardless of If-Range, with a new ETag each time
    flip[:N]            one wrong bit in the middle (only the first N times)
    stall:OFFSET:N      sends nothing after byte OFFSET, the first N times
    drip:BYTES:MS       BYTES every MS milliseconds
    rate:BYTES          about BYTES per second
    endless             sends without end, no length
    biglength:SIZE      announces SIZE bytes and sends without end
    loop                redirects to itself
    tofile              redirects to the file:// URL of the file
    tohost:HOST         redirects to ok/FILE on HOST, same port
    close               closes the connection without an answer
    garbage             answers with something that is not HTTP
"""
import bz2
import email.utils
import gzip
import http.server
import lzma
import os
import sys
import threading
import time


class State:
    def __init__(self, root, log):
        self.root = root
        self.log = log
        self.lock = threading.Lock()
        self.counts = {}
        self.alone = threading.Lock()

    def count(self, path):
        with self.lock:
            self.counts[path] = self.counts.get(path, 0) + 1
            return self.counts[path]

    def write(self, line):
        if self.log:
            with self.lock, open(self.log, "a", encoding="ascii", errors="replace") as out:
                out.write(line + "\n")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state = None

    def log_message(self, *args):
        pass

    def log_request(self, code="-", size="-"):
        code = int(code)
        self.state.write(" ".join([self.command, self.path, self.headers.get("Range") or "-",
                                   self.headers.get("Authorization", "-").replace(" ", "_"), str(code)]))

    def plain(self, code, headers=()):
        body = b"no\n"
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        try:
            self.serve()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def serve(self):
        parts = self.path.lstrip("/").split("/", 1)
        behaviour, *args = parts[0].split(":")
        name = parts[1] if len(parts) > 1 else ""
        path = os.path.join(self.state.root, os.path.basename(name))
        method = getattr(self, "b_" + behaviour, None)
        if method is None or not os.path.isfile(path):
            return self.plain(404)
        self.seen = self.state.count(self.path)
        with open(path, "rb") as file:
            self.data = file.read()
        self.file = path
        self.name = name
        method(*args)

    # The parts of a correct response; each behaviour uses them or makes one of them wrong.

    def etag(self):
        return '"%x-%x"' % (len(self.data), hash(self.data[:4096]) & 0xFFFFFFFF)

    def wanted(self, etag, honour_if_range=True):
        """Returns the offset of the requested range, or None."""
        value = self.headers.get("Range")
        if not value or not value.startswith("bytes=") or not value.endswith("-"):
            return None
        condition = self.headers.get("If-Range")
        if honour_if_range and condition and condition != etag:
            return None
        return int(value[6:-1])

    def start(self, offset, etag, total=None):
        """Sends status and headers for a body that starts at offset (None: the whole file)."""
        total = len(self.data) if total is None else total
        if offset is not None and offset >= total:
            self.plain(416, [("Content-Range", "bytes */%d" % total)])
            return False
        self.send_response(200 if offset is None else 206)
        if offset is not None:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (offset, total - 1, total))
        self.send_header("Content-Length", str(total - (offset or 0)))
        self.send_header("ETag", etag)
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        return True

    def hang_up(self):
        self.close_connection = True
        self.wfile.flush()

    def wait_for_client(self):
        """Sends nothing until the client closes the connection, at most 30 seconds."""
        self.wfile.flush()
        self.connection.settimeout(30)
        try:
            self.connection.recv(1)
        except OSError:
            pass
        self.close_connection = True

    def b_ok(self):
        etag = self.etag()
        if self.headers.get("If-None-Match") == etag:
            self.send_response(304)
            self.send_header("ETag", etag)
            self.end_headers()
            return
        offset = self.wanted(etag)
        if self.start(offset, etag):
            self.wfile.write(self.data[offset or 0:])

    def b_fail(self, code, times, seconds=None):
        if self.seen <= int(times):
            return self.plain(int(code), [("Retry-After", seconds)] if seconds else [])
        self.b_ok()

    def b_status(self, code):
        self.plain(int(code))

    def b_cut(self, end, times):
        if self.seen > int(times):
            return self.b_ok()
        offset = self.wanted(self.etag())
        if self.start(offset, self.etag()):
            self.wfile.write(self.data[offset or 0:int(end)])
            self.hang_up()

    def b_every(self, size):
        offset = self.wanted(self.etag())
        if self.start(offset, self.etag()):
            self.wfile.write(self.data[offset or 0:(offset or 0) + int(size)])
            self.hang_up()

    def b_cutwhole(self, size):
        if self.start(None, self.etag()):
            self.wfile.write(self.data[:int(size)])
            self.hang_up()

    def b_length(self, delta):
        offset = self.wanted(self.etag())
        if self.start(offset, self.etag(), len(self.data) + int(delta)):
            self.wfile.write((self.data + b"x" * max(0, int(delta)))[offset or 0:len(self.data) + int(delta)])

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def start_chunked(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def b_chunked(self, end=None):
        self.start_chunked()
        data = self.data[:end]
        for i in range(0, len(data), 50000):
            self.chunk(data[i:i + 50000])
        self.wfile.write(b"0\r\n\r\n")

    def b_chunkshort(self):
        self.b_chunked(len(self.data) // 2)

    def b_noranges(self):
        if self.start(None, self.etag()):
            self.wfile.write(self.data)

    def b_badrange(self, shift="1"):
        offset = self.wanted(self.etag(), False)
        if offset:
            offset = max(0, offset + int(shift))
        if self.start(offset, self.etag()):
            self.wfile.write(self.data[offset or 0:])

    def b_before(self, size):
        self.b_badrange("-" + size)

    def b_newcut(self, percent):
        etag = '"v%d"' % self.seen
        offset = self.wanted(etag)
        if self.start(offset, etag):
            self.wfile.write(self.data[offset or 0:(offset or 0) + len(self.data) * int(percent) // 100])
            self.hang_up()

    def b_one(self, code, seconds=None):
        if not self.state.alone.acquire(blocking=False):
            if code == "0":
                return self.b_close()
            if seconds == "date":
                seconds = email.utils.formatdate(time.time() + 1.5, usegmt=True)
            return self.plain(int(code), [("Retry-After", seconds)] if seconds else [])
        try:
            offset = self.wanted(self.etag())
            if self.start(offset, self.etag()):
                rest = self.data[offset or 0:]
                for i in range(0, len(rest), len(rest) // 10 + 1):
                    self.wfile.write(rest[i:i + len(rest) // 10 + 1])
                    self.wfile.flush()
                    time.sleep(0.02)
        finally:
            self.state.alone.release()

    def whole(self, data, headers=()):
        self.send_response(200)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def b_encoded(self):
        self.whole(gzip.compress(self.data), [("Content-Encoding", "gzip")])

    def b_encoded0(self):
        self.whole(gzip.compress(self.data, mtime=0), [("Content-Encoding", "x-gzip")])

    def b_as(self, kind):
        self.whole({"gzip": gzip.compress(self.data), "xz": lzma.compress(self.data), "bzip2": bz2.compress(self.data),
                    "zstd": b"\x28\xb5\x2f\xfd" + self.data, "raw": bytes(510) + b"\x55\xaa" + self.data,
                    "html": b"\n<!DOCTYPE html>\n<html><body>no</body></html>\n"}[kind])

    def b_otherbytes(self):
        offset = self.wanted(self.etag(), False)
        if self.start(offset, self.etag()):
            data = self.data[offset or 0:]
            self.wfile.write(data if not offset else bytes(b ^ 255 for b in data))

    def b_newetag(self):
        etag = '"v%d"' % self.seen
        offset = self.wanted(etag)
        if self.start(offset, etag):
            self.wfile.write(self.data[offset or 0:])

    def b_ignoreifrange(self):
        offset = self.wanted("", False)
        if self.start(offset, '"v%d"' % self.seen):
            self.wfile.write(self.data[offset or 0:])

    def b_flip(self, times=None):
        if times is None or self.seen <= int(times):
            data = bytearray(self.data)
            data[len(data) // 2] ^= 1
            self.data = bytes(data)
        offset = self.wanted(self.etag(), False)
        if self.start(offset, self.etag()):
            self.wfile.write(self.data[offset or 0:])

    def b_stall(self, end, times):
        if self.seen > int(times):
            return self.b_ok()
        offset = self.wanted(self.etag())
        if self.start(offset, self.etag()):
            self.wfile.write(self.data[offset or 0:int(end)])
            self.wait_for_client()

    def b_drip(self, size, milliseconds):
        offset = self.wanted(self.etag())
        if self.start(offset, self.etag()):
            for i in range(offset or 0, len(self.data), int(size)):
                self.wfile.write(self.data[i:i + int(size)])
                self.wfile.flush()
                time.sleep(int(milliseconds) / 1000)

    def b_rate(self, speed):
        self.b_drip(str(max(1, int(speed) // 20)), "50")

    def b_endless(self):
        self.start_chunked()
        while True:
            self.chunk(b"e" * 65536)

    def b_biglength(self, size):
        self.start(None, self.etag(), int(size))
        while True:
            self.wfile.write(b"e" * 65536)

    def b_loop(self):
        self.plain(302, [("Location", self.path)])

    def b_tofile(self):
        self.plain(302, [("Location", "file://" + os.path.abspath(self.file))])

    def b_tohost(self, host):
        port = self.server.server_address[1]
        self.plain(302, [("Location", "http://%s:%d/ok/%s" % (host, port, self.name))])

    def b_close(self):
        self.state.write("GET %s - - 0" % self.path)
        self.hang_up()

    def b_garbage(self):
        self.state.write("GET %s - - 0" % self.path)
        self.wfile.write(b"this is no HTTP\r\n\r\n" * 10)
        self.hang_up()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


def main():
    Handler.state = State(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
