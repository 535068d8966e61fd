/* Which library a program's routines come from: all must come from the reference
   heap, none from the system. The names are the exports of the library. */
#ifndef _WIN32
#define _GNU_SOURCE
#include <dlfcn.h>
#endif
#include "check.h"
#include <errno.h>
#include <malloc.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>

/* Reads the import table, because a routine's name may be a jump inside the program. */
#define OURS(name)                                                                       \
    do {                                                                                 \
        extern void *__imp_##name;                                                       \
        HMODULE library = GetModuleHandleA("heapmin_crt.dll");                           \
        CHECK(library != NULL);                                                          \
        CHECK(__imp_##name == (void *)(uintptr_t)GetProcAddress(library, #name));        \
        count++;                                                                         \
    } while (0)
#else
#define OURS(name)                                                                       \
    do {                                                                                 \
        Dl_info info;                                                                    \
        CHECK(dladdr((void *)name, &info) != 0);                                         \
        CHECK(strstr(info.dli_fname, "heapmin_crt") != NULL);                            \
        count++;                                                                         \
    } while (0)
#endif

int main(void) {
    int count = 0;
    OURS(malloc);
    OURS(calloc);
    OURS(realloc);
    OURS(_recalloc);
    OURS(_expand);
    OURS(free);
    OURS(_msize);
    OURS(_aligned_malloc);
    OURS(_aligned_realloc);
    OURS(_aligned_recalloc);
    OURS(_aligned_offset_malloc);
    OURS(_aligned_offset_realloc);
    OURS(_aligned_offset_recalloc);
    OURS(_aligned_msize);
    OURS(_aligned_free);
    OURS(_heapmin);
    OURS(_heapchk);
    OURS(_heapwalk);
    OURS(_heapset);
    OURS(_heapadd);
    OURS(_errno);
    OURS(__doserrno);
    OURS(_get_errno);
    OURS(_set_errno);
    OURS(_get_doserrno);
    OURS(_set_doserrno);
    OURS(__sys_errlist);
    OURS(__sys_nerr);
    OURS(_set_invalid_parameter_handler);
    OURS(_get_invalid_parameter_handler);
    OURS(_set_thread_local_invalid_parameter_handler);
    OURS(_get_thread_local_invalid_parameter_handler);
    printf("%d routines, all from the reference heap\n", count);
    return 0;
}
