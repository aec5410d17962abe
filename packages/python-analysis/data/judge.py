"""Says of each source that it is sent whether this Python compiles it. Run as PYTHON -I -S -B judge.py MEMORY_BYTES CPU_SECONDS.

A frame is a length (4 bytes, big endian) and so many bytes: a source on standard input, JSON on standard output. The first frame
out says who answers. Ends with its input. Never runs, imports or evaluates what it is sent: all that is done with it is compile().
"""

import _thread
import gc
import json
import os
import resource
import signal
import struct
import sys
import warnings

# As deep as CPython's own guards against recursion need it, in any version; only what is used is ever taken from the system.
STACK_BYTES = 256 << 20
# The address space may be larger than what is used of it: reserves of malloc, modules that a codec needs.
RESERVE_BYTES = 256 << 20
LENGTH = struct.Struct(">I")

MEMORY_BYTES, CPU_SECONDS = map(int, sys.argv[1:])


def limit(name, value, for_good=True):
    """Sets a limit where the platform knows it; one that is set for good cannot be raised again."""
    try:
        which = getattr(resource, name)
        resource.setrlimit(which, (value, value if for_good else resource.getrlimit(which)[1]))
    except (AttributeError, OSError, ValueError):
        # It is not to be had here, or there is a lower one already.
        pass


def die_with_parent():
    """Linux only; elsewhere the end of the input says so, or the limit on CPU time to one that does not come to read it."""
    try:
        import ctypes

        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    except Exception:
        pass


class Memory:
    """What this process has taken, in bytes, where /proc says so; 0 elsewhere. getrusage() counts what its parent had, too."""

    def __init__(self):
        try:
            self.status = os.open("/proc/self/status", os.O_RDONLY)
        except OSError:
            self.status = None
        self.first_data, self.peak = self.read(b"VmData:"), self.read(b"VmHWM:")

    def read(self, name, text=None):
        if self.status is None:
            return 0
        text = text or os.pread(self.status, 4096, 0)
        at = text.find(name)
        return 0 if at < 0 else int(text[at + len(name) :].split(None, 1)[0]) * 1024

    def limit(self):
        size = self.read(b"VmSize:")
        if self.first_data > 0:
            limit("RLIMIT_DATA", self.first_data + MEMORY_BYTES)
        if size > 0:
            limit("RLIMIT_AS", size + MEMORY_BYTES + RESERVE_BYTES)

    def grown(self):
        """Since the start; also remembers the peak."""
        if self.status is None:
            return 0
        text = os.pread(self.status, 4096, 0)
        self.peak = self.read(b"VmHWM:", text)
        return max(0, self.read(b"VmData:", text) - self.first_data)

    def was_short(self):
        """Whether a MemoryError is one of memory: CPython has others, for sources that nest too deeply."""
        return self.read(b"VmHWM:") - self.peak > MEMORY_BYTES // 4


def judge(source):
    try:
        compile(source, "<script>", "exec", dont_inherit=True)
    except SyntaxError as exc:
        return [type(exc).__name__, str(exc.msg), exc.lineno, exc.offset]
    except BaseException as exc:
        return [type(exc).__name__, str(exc), None, None]


def forget_encodings():
    """CPython remembers every name of an encoding that it was ever asked for, known or not."""
    cache = getattr(sys.modules.get("encodings"), "_cache", ())
    if len(cache) > 100:
        cache.clear()


def serve(memory):
    read = sys.stdin.buffer.read
    write = sys.stdout.buffer.write
    flush = sys.stdout.buffer.flush

    def say(value):
        text = json.dumps(value).encode()
        write(LENGTH.pack(len(text)))
        write(text)
        flush()

    say(
        {
            "implementation": sys.implementation.name,
            "version": sys.version.split()[0],
            "version_info": sys.version_info[:2],
        }
    )
    while True:
        header = read(LENGTH.size)
        if len(header) < LENGTH.size:
            return
        (length,) = LENGTH.unpack(header)
        source = read(length)
        if len(source) < length:
            return
        used = resource.getrusage(resource.RUSAGE_SELF)
        limit("RLIMIT_CPU", int(used.ru_utime + used.ru_stime) + 1 + CPU_SECONDS, False)
        error = judge(source)
        if error is not None and error[0] == "MemoryError" and memory.was_short():
            say({"lost": "memory"})
            # Its end must not be heard of before this is; whoever hears it kills this process.
            read()
            return
        # Of the source nothing stays behind while the next one is waited for.
        del source
        forget_encodings()
        say({"error": error, "grown": memory.grown()})


def main():
    status = 1
    try:
        limit("RLIMIT_NPROC", 0)
        memory = Memory()
        memory.limit()
        # What exists by now is never garbage: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        serve(memory)
        status = 0
    except Exception:
        sys.excepthook(*sys.exc_info())
    finally:
        # Not by way of an orderly end, for which there may be no memory.
        os._exit(status)


die_with_parent()
warnings.simplefilter("ignore")
limit("RLIMIT_CORE", 0)
limit("RLIMIT_FSIZE", 0)

_thread.stack_size(STACK_BYTES)
_thread.start_new_thread(main, ())
never = _thread.allocate_lock()
never.acquire()
never.acquire()
