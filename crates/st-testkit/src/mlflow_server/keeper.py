"""Runs a server for tests and ends it, whatever becomes of those who asked for it.

One argument, JSON: `command`, `folder` (none: a temporary one that is removed at the end), `variables`, and for a
server that several test processes share `socket` and `lock`.

Without `socket` the server lives until stdin is closed, which the system does for a test that dies. With it, the
server lives while anybody holds a connection to the socket, and LINGER seconds longer, because tests follow each
other. The first line on stdout is the folder, or `!` and the folder's log if the server ended instead of starting.
"""

import fcntl
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

LINGER = 15
# Of uvicorn, gunicorn, Werkzeug (moto) and Azurite.
READY = (b"Uvicorn running on", b"Listening at:", b"Running on http", b"successfully listens on")


def main():
    settings = json.loads(sys.argv[1])
    folder = settings["folder"] or tempfile.mkdtemp(prefix="mlflow-server-")
    command = [word.replace("{folder}", folder) for word in settings["command"]]
    variables = {name: value.replace("{folder}", folder) for name, value in settings["variables"].items()}
    # What the user's own MLflow is told is not for this one.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    server = subprocess.Popen(
        command, cwd=folder, env={**inherited, **variables}, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    try:
        if wait_until_ready(server, os.path.join(folder, "server.log")):
            listener = listen(settings.get("socket"))
            say(folder)
            hold(server, listener, settings)
        else:
            with open(os.path.join(folder, "server.log"), errors="replace") as log:
                say("!" + json.dumps(log.read()))
    finally:
        try:
            os.killpg(server.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        # The end of its output is the end of its workers as well.
        server.wait()
        for thread in threading.enumerate():
            if thread is not threading.main_thread():
                thread.join()
        if not settings["folder"]:
            shutil.rmtree(folder, ignore_errors=True)


def say(line):
    print(line, flush=True)
    # Whoever waits for the end of our output waits no longer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def wait_until_ready(server, path):
    """True when the server listens, False when it ended; its output goes on into the log."""
    log = open(path, "ab", buffering=0)
    for line in server.stdout:
        log.write(line)
        if any(mark in line for mark in READY):
            threading.Thread(target=lambda: [log.write(line) for line in server.stdout]).start()
            return True
    return False


def listen(path):
    if not path:
        return None
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    return listener


def hold(server, listener, settings):
    if listener is None:
        while os.read(0, 1024):
            pass
        return
    holders, idle_since = [], time.monotonic()
    while server.poll() is None:
        readable, _, _ = select.select([listener, *holders], [], [], 1)
        for one in readable:
            if one is listener:
                holders.append(listener.accept()[0])
            elif not one.recv(1024):
                one.close()
                holders.remove(one)
        if holders:
            idle_since = time.monotonic()
        elif time.monotonic() - idle_since > LINGER and leave(listener, settings):
            return
    os.unlink(settings["socket"])


def leave(listener, settings):
    """Takes the socket away, unless somebody connected just now; nobody connects without the lock."""
    with open(settings["lock"], "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if select.select([listener], [], [], 0)[0]:
            return False
        os.unlink(settings["socket"])
        return True


if __name__ == "__main__":
    main()
