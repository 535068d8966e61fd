/* How long the release of a C library takes, and how long the heap is slower afterwards.

   cost            measures glibc: the release is malloc_trim(0)
   cost LIBRARY    measures a library with malloc, free and _heapmin */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT (2 << 20)
#define SIZE 64

static void *(*allocate)(size_t);
static void (*deallocate)(void *);
static char *blocks[COUNT];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* Allocates and writes 128 MiB. Returns the milliseconds. */
static double fill(void) {
    double begin = now();
    for (int i = 0; i < COUNT; i++) memset(blocks[i] = allocate(SIZE), 1, SIZE);
    return now() - begin;
}

static void empty(void) {
    for (int i = 0; i < COUNT; i++) deallocate(blocks[i]);
}

int main(int count, char **arguments) {
    void *library = count > 1 ? dlopen(arguments[1], RTLD_NOW | RTLD_DEEPBIND)
                              : dlopen("libc.so.6", RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    allocate = dlsym(library, "malloc");
    deallocate = dlsym(library, "free");
    int (*heapmin)(void) = dlsym(library, "_heapmin");
    int (*trim)(size_t) = dlsym(library, "malloc_trim");
    memset(blocks, 1, sizeof blocks);

    double first = fill();
    empty();
    double again = fill();
    empty();
    double begin = now();
    if (heapmin) heapmin();
    else trim(0);
    double release = now() - begin;
    double after = fill();

    printf("fill 128 MiB for the first time:   %5.0f ms\n", first);
    printf("fill it again, nothing released:   %5.0f ms\n", again);
    printf("release:                           %5.0f ms\n", release);
    printf("fill it again, after the release:  %5.0f ms\n", after);
    return 0;
}
