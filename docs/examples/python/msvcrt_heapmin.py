"""What msvcrt.heapmin() does in this Windows Python, whose C runtime is ucrtbase."""

import ctypes
import msvcrt
import sys

runtime = ctypes.CDLL("ucrtbase")
errno = runtime._errno
errno.restype = ctypes.POINTER(ctypes.c_int)
path = ctypes.create_unicode_buffer(260)
kernel = ctypes.windll.kernel32
kernel.GetModuleFileNameW(ctypes.c_void_p(runtime._handle), path, 260)

runtime.malloc.restype = ctypes.c_void_p
runtime.free.argtypes = [ctypes.c_void_p]
blocks = [runtime.malloc(4096) for _ in range(8192)]
for block in blocks:
    ctypes.memset(block, 1, 4096)
for block in blocks[1:]:
    runtime.free(block)

print("Python", sys.version.split()[0], "with", path.value.rsplit("\\", 1)[0])
errno()[0] = 77  # an errno that no routine sets
try:
    print("msvcrt.heapmin() returned", msvcrt.heapmin(), "and errno is", errno()[0])
except OSError as error:
    print("msvcrt.heapmin() raised", repr(error))
