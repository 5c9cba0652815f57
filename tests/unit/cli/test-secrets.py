#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Credentials in URLs are sent to their host and to no other, and appear neither in any
output nor in a file that other users may read."""
import base64
import hashlib
import http.server
import json
import os
import stat
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ["G_TEST_SRCDIR"], "lib"))
from tap import done_testing, lamina, ok, state, work

SECRETS = ("word-of-pass", "token-of-query", "word-of-mirror")
WANTED = "Basic " + base64.b64encode(b"me:word-of-pass").decode()
said = []  # all output


def run(*words):
    done = subprocess.run([lamina, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
                          env={**os.environ, "LAMINA_STATE_DIR": state, "LAMINA_TRACE": "all", "LAMINA_TEST_NO_DELAY": "1"})
    said.append(f"{' '.join(words)}\n{done.stdout}\n{done.stderr}")
    return done


def digest(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def catalog(port):
    urls = ["base.qcow2", f"http://127.0.0.1:{port}/same.qcow2", f"http://localhost:{port}/other.qcow2",
            f"http://you:word-of-mirror@localhost:{port}/mirror.qcow2?sig=token-of-query", f"//localhost:{port}/lone.qcow2"]
    return json.dumps({"lamina-catalog": 1, "name": "lab", "groups": [{"name": "os"}], "lunch": 1, "layers": [
        {"name": "debian", "version": "12", "group": "os", "builds": [{"digest": digest("x"), "size": 1, "urls": urls}]}]})


class Server(http.server.BaseHTTPRequestHandler):
    """As 127.0.0.1 it requires a password; as localhost it has only /open."""
    asked = []  # (host, path, Authorization)

    def log_message(self, *_):
        pass

    def do_GET(self):
        host, port = self.headers["Host"].split(":")
        path = self.path.split("?")[0]
        word = self.headers.get("Authorization")
        self.asked.append((host, path, word))
        moved = {"/moved/lab.yaml": f"http://127.0.0.1:{port}/lab.yaml", "/away/lab.yaml": f"http://localhost:{port}/open/lab.yaml"}
        body = catalog(port).encode()
        if host == "127.0.0.1" and word != WANTED:
            self.send_response(401)
            body = b""
        elif path in moved:
            self.send_response(302)
            self.send_header("Location", moved[path])
            body = b""
        elif path == "/tag.yaml" and self.headers["If-None-Match"]:
            self.send_response(304)
            body = b""
        elif path in ("/lab.yaml", "/open/lab.yaml", "/tag.yaml"):
            self.send_response(200)
            if path == "/tag.yaml":
                self.send_header("ETag", '"1"')
        else:
            self.send_response(404)
            body = b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def asked(path):
    """Returns the Authorization of each request for @path since the last call."""
    found = [(host, word) for host, at, word in Server.asked if at == path]
    Server.asked[:] = [entry for entry in Server.asked if entry[1] != path]
    return found


def modes(name):
    files = [f"{state}/catalogs/{name}{suffix}" for suffix in (".catalog", ".json", ".index")]
    return [os.stat(file).st_mode & 0o777 for file in files if os.path.exists(file)]


def secrets_in(text):
    return [word for word in SECRETS if word in text]


def readable_by_others():
    for directory, names, files in os.walk(state):
        names[:] = [name for name in names if os.stat(os.path.join(directory, name)).st_mode & stat.S_IXOTH]
        for name in files:
            path = os.path.join(directory, name)
            if os.stat(path).st_mode & stat.S_IROTH:
                yield path


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
port = server.server_address[1]
good = f"http://me:word-of-pass@127.0.0.1:{port}"
mine = [("127.0.0.1", WANTED)]
alone = [("localhost", None)]

# Without secrets, files can be read by everybody.
plain = os.path.join(work, "plain.yaml")
with open(plain, "w", encoding="utf-8") as file:
    file.write(catalog(port).replace("you:word-of-mirror@", "").replace("?sig=token-of-query", ""))
run("catalog", "add", "plain", plain)
run("plan", "debian")
ok(modes("plain") == [0o644] * 3, "a catalog without secrets can be read by everybody", modes("plain"))
run("catalog", "remove", "plain")

done = run("catalog", "add", "lab", f"{good}/lab.yaml?t=token-of-query")
ok(done.returncode == 0, "a source with credentials is added", done.stderr)
ok(asked("/lab.yaml") == mine, "they are sent to its host")
done = run("catalog", "update", "lab")
ok(done.returncode == 0 and asked("/lab.yaml") == mine, "and again by an update", done.stderr)
urls = [source["url"] for source in json.loads(run("catalog", "list", "--json").stdout)["sources"]]
ok(urls == [f"http://127.0.0.1:{port}/lab.yaml"], "the list shows the rest of the URL", urls)
plan = json.loads(run("plan", "debian", "--json").stdout)
ok(modes("lab") == [0o600] * 3, "its files are accessible to their owner only", modes("lab"))
ok(plan["layers"][0]["urls"][0] == f"http://127.0.0.1:{port}/base.qcow2", "so does a plan", plan)
ok(plan["layers"][0]["urls"][3] == f"http://localhost:{port}/mirror.qcow2", "also for URLs with credentials in the catalog", plan)
for words in (["plan", "debian"], ["list", "--json"], ["list"], ["catalog", "list"], ["catalog", "update", "--json"]):
    ok(run(*words).returncode == 0, " ".join(words))

done = run("pull", "debian", "--progress=json")
ok(done.returncode == 5, "no URL has the layer", done.stderr)
ok(asked("/base.qcow2") == mine, "a relative URL keeps the credentials")
ok(asked("/same.qcow2") == mine, "as does an absolute one of the same host")
ok(asked("/other.qcow2") == alone and asked("/lone.qcow2") == alone, "another host does not get them")
ok([host for host, word in asked("/mirror.qcow2") if word not in (None, WANTED)] == ["localhost"], "but those for itself")

run("catalog", "add", "moved", f"{good}/moved/lab.yaml")
run("pull", "debian", "--catalog", f"{good}/moved/lab.yaml", "--progress=lines")
ok(set(asked("/base.qcow2")) == set(mine), "a redirect on the same host keeps them")
run("catalog", "remove", "moved", "lab")
asked("/base.qcow2"), asked("/open/lab.yaml")
done = run("catalog", "add", "away", f"{good}/away/lab.yaml")
ok(done.returncode == 0 and asked("/open/lab.yaml") == alone, "a redirect to another host drops them", done.stderr)
asked("/same.qcow2"), asked("/away/base.qcow2"), asked("/other.qcow2"), asked("/lone.qcow2")
run("pull", "debian")
ok(asked("/open/base.qcow2") == alone, "a URL relative to the URL after the redirect has none")
ok(asked("/away/base.qcow2") == mine, "a URL relative to the given URL has them")
ok(asked("/same.qcow2") == mine, "as does an absolute one of the given host")
ok(asked("/other.qcow2") == alone and asked("/lone.qcow2") == alone, "and one of the host after the redirect has none")
plan = json.loads(run("plan", "debian", "--json").stdout)
ok(plan["layers"][0]["urls"][:2] == [f"http://127.0.0.1:{port}/away/base.qcow2", f"http://localhost:{port}/open/base.qcow2"],
   "both are mirrors, in this order", plan)

# Failures
for words in (["catalog", "add", "gone", f"{good}/gone.yaml?t=token-of-query"],
              ["catalog", "add", "away", f"{good}/lab.yaml"], ["catalog", "add", "away", f"{good}/lab.yaml?token-of-query"],
              ["catalog", "add", "bad", f"http://me:word-of-pass@127.0.0.1:1/lab.yaml"],
              ["catalog", "add", "bad", f"http://me:word-of-pass@no host/lab.yaml"],
              ["catalog", "add", "bad", f"http://me:x/word-of-pass@127.0.0.1/lab.yaml"],
              ["catalog", "add", "bad", f"ftp://me:word-of-pass@127.0.0.1/lab.yaml"],
              ["catalog", "add", "bad", f"file://me:word-of-pass@127.0.0.1/lab.yaml"],
              ["plan", "debian", "--catalog", f"{good}/gone.yaml"], ["plan", "debian", "--catalog", "ftp://me:word-of-pass@h/x"],
              ["plan", "gone", "--catalog", f"{good}/lab.yaml?token-of-query"]):
    done = run(*words)
    ok(done.returncode not in (0, 2), f"fails: {' '.join(words[:2])}", done.stderr)
done = run("catalog", "add", "away", f"http://me:other@127.0.0.1:{port}/away/lab.yaml")
ok("other credentials" in done.stderr, "the message distinguishes other credentials from another URL", done.stderr)
run("plan", "debian", "--catalog", f"{good}/lab.yaml", "--json")
asked("/lab.yaml")

# A catalog in a file that only its owner can read, and with credentials in it.
private = os.path.join(work, "private.yaml")
with open(private, "w", encoding="utf-8") as file:
    file.write(catalog(port))
ok(run("catalog", "add", "private", private).returncode == 0, "a catalog with credentials in it")
run("plan", "debian")
ok(modes("private") == [0o600, 0o644, 0o600], "its copy is accessible to its owner only", modes("private"))

# Files of an older version: readable by everybody, and a base URL without the user.
def widen(name):
    for suffix in (".catalog", ".json", ".index"):
        if os.path.exists(f"{state}/catalogs/{name}{suffix}"):
            os.chmod(f"{state}/catalogs/{name}{suffix}", 0o644)


def forget_base(name):
    path = f"{state}/catalogs/{name}.json"
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    record["base_url"] = record["base_url"].replace("me:word-of-pass@", "")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(record, file)


run("catalog", "add", "tag", f"{good}/tag.yaml")
run("catalog", "add", "lab", f"{good}/lab.yaml")
for name in ("tag", "lab", "private"):
    widen(name)
    if name == "tag":
        forget_base(name)
    done = run("catalog", "update", name)
    ok(done.returncode == 0, f"{name} is updated", done.stderr)
    wanted = [0o600, 0o644 if name == "private" else 0o600, 0o600]
    ok(modes(name) == wanted[:len(modes(name))], f"an update without changes restricts the modes of {name}", modes(name))
run("catalog", "remove", "lab", "private")
asked("/base.qcow2")
run("pull", "debian")
ok(set(asked("/base.qcow2")) == set(mine), "and the base URL has its user again")
widen("tag")
os.unlink(f"{state}/catalogs/tag.index")
run("plan", "debian")
ok(modes("tag") == [0o600] * 3, "as does using the copy without the index", modes("tag"))
widen("tag")
run("plan", "debian")
ok(modes("tag") == [0o600] * 3, "and with the index", modes("tag"))
ok(run("catalog", "add", "private", private).returncode == 0 and run("plan", "debian").returncode == 0, "a catalog in a file")
os.chmod(f"{state}/catalogs/private.catalog", 0o644)
run("plan", "debian")
ok(modes("private") == [0o600, 0o644, 0o600], "also if the secrets are in its URLs", modes("private"))
run("catalog", "remove", "private")

# Files that a run left that was killed while writing.
def leave(*names):
    for name in names:
        with open(f"{state}/catalogs/{name}", "w", encoding="utf-8") as file:
            file.write("word-of-pass")
        os.chmod(f"{state}/catalogs/{name}", 0o600)


def there(*names):
    return [name for name in names if os.path.exists(f"{state}/catalogs/{name}")]


half = ("tag.json.lamina-tmp.A1b2C3", "tag.catalog.lamina-tmp.A1b2C3")
others = ("tag.json.lamina-tmp.A1b2C", "tag.notes.lamina-tmp.A1b2C3", "Tag.json.lamina-tmp.A1b2C3", "tag.json.lamina-tmp.A1.2C3",
          "tag.json.A1b2C3", "tag.json.backup", "tag.catalog.before")
leave(*half, *others)
run("catalog", "update", "tag")
ok(there(*half) == [], "an update removes what a killed one left")
leave(half[0])
run("catalog", "remove", "tag")
ok(there(half[0], "tag.json") == [], "as does removing the source")
ok(there(*others) == list(others), "other files are kept")
for name in others:
    os.unlink(f"{state}/catalogs/{name}")
ok(stat.S_IMODE(os.stat(f"{state}/catalogs/urls").st_mode) == 0o700, "the directory with the copies of URLs is private")

# A file that only its owner may read has no copy that others may read.
with open(private, "w", encoding="utf-8") as file:
    file.write(catalog(port).replace("you:word-of-mirror@", "").replace("?sig=token-of-query", ""))
os.chmod(private, 0o600)
run("catalog", "add", "private", private)
run("plan", "debian")
ok(modes("private") == [0o600, 0o644, 0o600], "a private file without secrets has a private copy", modes("private"))
widen("private")
run("catalog", "update", "private")
ok(modes("private") == [0o600, 0o644, 0o600], "also an existing copy", modes("private"))

# Words in the wrong place
url = "http://me:word-of-pass@127.0.0.1/x?sig=token-of-query"
for words in (["catalog", "add", url, "lab"], ["catalog", "update", url], ["catalog", "remove", url], ["plan", url],
              ["plan", f"debian={url}"], ["plan", f"debian@{url}"], ["launch", url, "debian"], ["rm", url], ["show", url], [url],
              ["help", url], [f"--bogus={url}"], ["plan", f"--json={url}"], ["ps", f"--progress={url}"],
              ["launch", "a", "debian", "--template", url], ["launch", "a", "debian", "--disk", "http://me:word-of-pass=1@h/x"],
              ["launch", "a", "debian", "--memory", url], ["launch", "a", "debian", "--network", url],
              ["launch", "a", "debian", "--publish", "http://me:a word-of-pass@h/x"], ["launch", "--file", url],
              ["launch", "a", "debian", "--connect", url], ["plan", "debian", "--catalog", "http:/me:word-of-pass@h/x"],
              ["catalog", "add", "bad", "http:/me:word-of-pass@h/x"], ["catalog", "add", "bad", "//me:word-of-pass@h/x"],
              ["plan", "debian", "--catalog", "//me:word-of-pass@h/x"], ["plan", "debian", "--catalog", "ftp:/me:word-of-pass@h/x"]):
    done = run(*words)
    ok(done.returncode != 0 and len(done.stderr) > 10, f"fails: {' '.join(words)}".replace("word-of-pass", "..."), done.stderr)

# URLs in a catalog that cannot be resolved
for wrong in ("//me:word-of-pass@h/my file", "my file?sig=token-of-query", "http:/me:word-of-pass@h/x", "http://h:1/a b#token-of-query",
              "http://me:12/word-of-pass@h/a b"):
    with open(private, "w", encoding="utf-8") as file:
        file.write(catalog(port).replace("base.qcow2", wrong))
    done = run("catalog", "update", "private")
    ok("is not a usable URL" in done.stderr, "text that is not a URL", done.stderr)

shown = []
for words in said:
    # Words of the command line that the shell shows anyway are not counted.
    head, _, rest = words.partition("\n")
    if secrets_in(rest):
        shown.append(f"{head}\n{rest}")
ok(not shown, f"none of {len(said)} runs prints a secret", "\n".join(shown))
leaks = []
for path in readable_by_others():
    with open(path, "rb") as file:
        if secrets_in(path + file.read().decode("latin-1")):
            leaks.append(path)
ok(leaks == [], "no file that others may read contains a secret", "\n".join(leaks))
ok(not any("urls/" in path for path in readable_by_others()), "nor a name that is derived from one")
server.shutdown()
done_testing()
