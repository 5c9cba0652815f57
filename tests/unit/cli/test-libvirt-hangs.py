#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A libvirtd that does not answer: each verb that needs it ends after the time limit in
lamina.conf, with exit status 4, and immediately when interrupted."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

LAMINA = os.environ["LAMINA"]
VERBS = [
    ["ps"],
    ["show", "m"],
    ["rm", "m"],
    ["launch", "m", "a"],
    ["define", "m", "a"],
    ["launch", "m", "a", "--replace", "--wait"],
]
failures = 0
number = 0


def result(good, what, *details):
    global failures, number
    number += 1
    print("%sok %d - %s" % ("" if good else "not ", number, what), flush=True)
    if not good:
        failures += 1
        for detail in details:
            print("# %s" % detail)


def start(work, uri, verb, *options):
    environment = dict(os.environ, XDG_CONFIG_HOME=work, LC_ALL="C.UTF-8")
    for name in ("LAMINA_CONFIG", "LAMINA_STATE_DIR", "LIBVIRT_DEFAULT_URI"):
        environment.pop(name, None)
    return subprocess.Popen([LAMINA, "--state-dir", os.path.join(work, "state"), "-c", uri, *options, *verb],
                            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)


def finish(process, seconds):
    """Returns its exit status and stderr; -1 if it had to be killed."""
    try:
        _out, err = process.communicate(timeout=seconds)
        return process.returncode, err
    except subprocess.TimeoutExpired:
        process.kill()
        return -1, process.communicate()[1]


def check_timed_out(work, uri, what):
    config = os.path.join(work, "short.conf")
    with open(config, "w") as file:
        file.write("[lamina]\nlibvirt-timeout = 1\n")
    processes = [(verb, start(work, uri, verb, "--config", config)) for verb in VERBS[:4]]
    for verb, process in processes:
        status, err = finish(process, 60)
        result(status == 4 and "libvirt did not answer within 1 s" in err and err.count("\n") == 1,
               "%s: %s ends in time, with status 4" % (what, " ".join(verb)), status, err)


def check_interrupted(work, uri, listener, what):
    for verb in VERBS:
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            process = start(work, uri, verb)
            # Once connected, it waits for an answer.
            connection, _address = listener.accept()
            connection.recv(1)
            begin = time.monotonic()
            process.send_signal(signal_number)
            status, err = finish(process, 20)
            connection.close()
            result(status == 1 and "interrupted" in err and time.monotonic() - begin < 20,
                   "%s: %s ends on signal %d" % (what, " ".join(verb), signal_number), status, err)


def main():
    work = tempfile.mkdtemp(prefix="lamina-hangs.")
    try:
        path = os.path.join(work, "sock")
        uri = "qemu+unix:///session?socket=" + path
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(64)
            listener.settimeout(60)
            check_interrupted(work, uri, listener, "a daemon that reads and sends nothing")
            check_timed_out(work, uri, "a daemon that does not accept connections")
    finally:
        shutil.rmtree(work)
    print("1..%d" % number)
    return 1 if failures else 0


sys.exit(main())
