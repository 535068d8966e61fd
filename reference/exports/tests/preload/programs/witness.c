/* A library that LD_PRELOAD loads into each process, before the heap. At the end of
   the process it adds a line to the file $WITNESS_WRITES_TO: the name of the program,
   the bytes that glibc's heap took from the system, the result of _heapchk, and for
   each routine the file that the loader took it from. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const routines[] = {
    "malloc",        "calloc",   "realloc", "free",    "posix_memalign",
    "aligned_alloc", "memalign", "valloc",  "pvalloc", "reallocarray",
    "malloc_usable_size",
};

static size_t bytes_of_glibc(void) {
#if __GLIBC_PREREQ(2, 33)
    struct mallinfo2 all = mallinfo2();
#else
    struct mallinfo all = mallinfo();
#endif
    return all.arena + all.hblkhd;
}

static const char *file_of(const char *routine) {
    Dl_info info = {.dli_fname = NULL};
    ElfW(Sym) *symbol = NULL;
    void *address = dlsym(RTLD_DEFAULT, routine);
    if (address == NULL || dladdr1(address, &info, (void **)&symbol, RTLD_DL_SYMENT) == 0)
        return "nowhere";
    /* In a program at a fixed address, a pointer to the routine may point to a jump
       in the program. Calls go to the next file that has the routine itself. */
    if (symbol != NULL && symbol->st_shndx == SHN_UNDEF)
        dladdr(dlsym(RTLD_NEXT, routine), &info);
    return info.dli_fname;
}

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("WITNESS_WRITES_TO");
    if (path == NULL)
        return;
    static char line[65536]; /* not a block, so that the heap stays unchanged */
    int (*heapchk)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "_heapchk");
    int length = snprintf(line, sizeof line, "%s\t%zu\t", program_invocation_short_name,
                          bytes_of_glibc());
    length += heapchk == NULL ? snprintf(line + length, sizeof line - length, "nothing")
                              : snprintf(line + length, sizeof line - length, "%d", heapchk());
    for (size_t i = 0; i < sizeof routines / sizeof *routines; i++)
        length += snprintf(line + length, sizeof line - length, "\t%s=%s", routines[i],
                           file_of(routines[i]));
    line[length++] = '\n';
    /* One write, so that the lines of several processes do not mix. */
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || write(file, line, length) != length)
        perror(path);
    if (file >= 0)
        close(file);
}
