"""Calls _heapmin of each library given, and prints what it does.

    python3 heapmin.py LIBRARY…

Each library is loaded by ctypes. It gets 32 MiB of blocks and frees them, and then releases what
is unused. Works on Linux with any C runtime heap, and in a Windows Python."""

import ctypes
import os
import sys

BLOCKS, SIZE = 8192, 4096
BEFORE = 77  # an errno that no routine sets


def errno_of(library):
    """The place of the library's errno. That of ctypes (get_errno) is the C library's."""
    address = library._errno
    address.restype = ctypes.POINTER(ctypes.c_int)
    return address


def resident():
    """The resident memory of this process in MiB, without pages of files."""
    if sys.platform == "win32":
        class Counters(ctypes.Structure):
            _fields_ = [("size", ctypes.c_ulong), ("faults", ctypes.c_ulong)] + [
                (name, ctypes.c_size_t) for name in "peak now a b c d e f".split()]
        counters = Counters()
        counters.size = ctypes.sizeof(counters)
        kernel = ctypes.windll.kernel32
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        measure = kernel.K32GetProcessMemoryInfo
        measure.argtypes = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong
        measure(kernel.GetCurrentProcess(), ctypes.byref(counters), counters.size)
        return counters.now / 2**20
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) / 1024


def fill_and_free(library):
    library.malloc.restype = ctypes.c_void_p
    library.malloc.argtypes = [ctypes.c_size_t]
    library.free.argtypes = [ctypes.c_void_p]
    library.free.restype = None
    blocks = [library.malloc(SIZE) for _ in range(BLOCKS)]
    for block in blocks:
        ctypes.memset(block, 1, SIZE)
    for block in blocks[1:]:
        library.free(block)
    return blocks[0]  # one block stays, so that the heap is in use


def show(name):
    try:
        # use_errno keeps the C library's errno for ctypes alone.
        library = ctypes.CDLL(name, use_errno=True)
        heapmin = library._heapmin
    except (OSError, AttributeError) as error:
        return print(f"{os.path.basename(name)}: cannot be used: {error}")
    kept = fill_and_free(library)
    has_errno = hasattr(library, "_errno")
    set_errno = lambda value: (
        ctypes.memmove(errno_of(library)(), ctypes.byref(ctypes.c_int(value)), 4)
        if has_errno else ctypes.set_errno(value))
    before = resident()
    set_errno(BEFORE)
    result = heapmin()
    errno = errno_of(library)()[0] if has_errno else ctypes.get_errno()
    after = resident()
    whose = "its own errno" if has_errno else "the C library's errno"
    print(f"{os.path.basename(name)}:")
    print(f"  _heapmin() returned {result}; {whose} was {BEFORE} and is {errno}")
    print(f"  resident memory was {before:.0f} MiB and is {after:.0f} MiB")
    library.free(kept)


if len(sys.argv) < 2:
    sys.exit(__doc__)
for argument in sys.argv[1:]:
    show(argument)
