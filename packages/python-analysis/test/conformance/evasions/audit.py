"""Runs scripts under an audit hook and says what each of them tried to do.

Reads one JSON object a line, ``{"id": 1, "source": "..."}``, and answers each with ``{"id": 1, "events": [...], "error": ...}``.
Every script runs in a process of its own, in an empty directory, for a limited time. An event whose arguments hold the mark is
recorded; it and everything else that could act on the world is stopped by raising from the hook.
"""

import asyncio, atexit, collections, concurrent.futures, contextlib, contextvars, copy, ctypes, dataclasses  # noqa: E401
import enum, functools, gc, glob, importlib.util, inspect, itertools, json, operator, os, pathlib, pickle  # noqa: E401
import pkgutil, queue, re, resource, sched, select, shutil, signal, socket, string, subprocess, sys, tempfile  # noqa: E401
import textwrap, threading, types, typing, unittest.mock, weakref, argparse, logging, codecs, base64, math  # noqa: E401, F401
import warnings

MARK = "SLUICE_MARK"
SECONDS = 5
#: Events that count, and the mode that tells reading from writing.
RECORDED = {
    "os.system": "process.spawn",
    "subprocess.Popen": "process.spawn",
    "os.exec": "process.spawn",
    "os.posix_spawn": "process.spawn",
    "os.remove": "filesystem.delete",
    "os.rmdir": "filesystem.delete",
    "shutil.rmtree": "filesystem.delete",
    "os.mkdir": "filesystem.write",
    "os.rename": "filesystem.write",
    "open": "open",
    "compile": "code.execute",
    "exec": "code.execute",
    "ctypes.dlopen": "native.load",
    "pickle.find_class": "data.deserialize",
    "socket.connect": "network.client",
    "socket.bind": "network.server",
    "os.putenv": "environment.write",
}
#: Stopped, whatever the arguments.
STOPPED = set(RECORDED) - {"open", "compile", "exec", "pickle.find_class"} | {
    "os.fork", "os.forkpty", "os.spawn", "os.startfile", "os.kill", "os.killpg", "os.chmod", "os.chown", "os.link",
    "os.symlink", "os.truncate", "os.unsetenv", "os.chdir", "os.setxattr", "os.removexattr", "shutil.move",
    "shutil.copyfile", "shutil.chown", "shutil.copytree", "socket.sendto", "socket.sendmsg", "socket.sethostname",
    "pty.spawn", "ctypes.dlsym", "ctypes.call_function", "sqlite3.connect", "urllib.Request", "webbrowser.open",
    "ftplib.connect", "smtplib.connect", "telnetlib.Telnet.open", "resource.setrlimit", "signal.pthread_kill",
    "syslog.syslog", "winreg.CreateKey",
}  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


class Stopped(BaseException):
    """Raised instead of what a script tried to do."""


def audit(events):
    def hook(event, args):
        if event not in RECORDED and event not in STOPPED:
            return
        if event == "socket.connect" or event == "socket.bind":
            marked = isinstance(args[1], tuple) and 47811 in args[1]
        else:
            marked = MARK in repr(args)
        if marked:
            capability = RECORDED.get(event, event)
            if capability == "open":
                mode, flags = args[1], args[2]
                writes = set(mode) & set("wax+") if isinstance(mode, str) else flags & WRITING
                capability = "filesystem.write" if writes else "filesystem.read"
            os.write(events, capability.encode() + b"\n")
            raise Stopped(event)
        if event in STOPPED:
            raise Stopped(event)
        if event == "open" and (set(args[1]) & set("wax+") if isinstance(args[1], str) else args[2] & WRITING):
            raise Stopped(event)

    return hook


def child(source, events):
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(0, 1)
    os.dup2(0, 2)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    warnings.simplefilter("ignore")
    sys.argv = ["script.py"]
    main = types.ModuleType("__main__")
    main.__builtins__ = sys.modules["builtins"]
    sys.modules["__main__"] = main
    error = ""
    try:
        code = compile(source, "script.py", "exec")
        sys.addaudithook(audit(events))
        exec(code, main.__dict__)
    except BaseException as caught:
        error = f"{type(caught).__name__}: {caught}"
    try:
        main.__dict__.clear()
        gc.collect()
        atexit._run_exitfuncs()
    except BaseException:
        pass
    os.write(events, b"!" + error[:300].replace("\n", " ").encode("utf-8", "replace") + b"\n")


def run(source, directory):
    receive, send = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(receive)
            os.chdir(directory)
            child(source, send)
        finally:
            os._exit(0)
    os.close(send)
    data = b""
    timed_out = False
    while True:
        ready, _, _ = select.select([receive], [], [], SECONDS)
        if not ready:
            os.kill(pid, signal.SIGKILL)
            timed_out = True
            break
        part = os.read(receive, 65536)
        if not part:
            break
        data += part
    os.close(receive)
    os.waitpid(pid, 0)
    lines = data.decode("utf-8", "replace").splitlines()
    errors = [line[1:] for line in lines if line.startswith("!")]
    events = sorted({line for line in lines if not line.startswith("!")})
    return {"events": events, "error": "took too long" if timed_out else errors[0] if errors else "ended early"}


def main():
    # Not a TemporaryDirectory, whose finalizer would run in the children, too.
    directory = tempfile.mkdtemp()
    try:
        for line in sys.stdin:
            request = json.loads(line)
            print(json.dumps({"id": request["id"], **run(request["source"], directory)}), flush=True)
    finally:
        shutil.rmtree(directory)


main()
