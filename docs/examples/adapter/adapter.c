/* glibc's heap as a candidate: _heapmin is malloc_trim. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static void *(*the_malloc)(size_t);
static void *(*the_calloc)(size_t, size_t);
static void *(*the_realloc)(void *, size_t);
static void (*the_free)(void *);
static size_t (*the_size)(void *);
static int (*the_trim)(size_t);

static void *find(void *library, const char *name) {
    void *routine = dlsym(library, name);
    if (!routine) {
        fprintf(stderr, "adapter: %s\n", dlerror());
        abort();
    }
    return routine;
}

/* Runs when the adapter is loaded, before any of its routines. */
__attribute__((constructor)) static void start(void) {
    void *library = dlopen("libc.so.6", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fprintf(stderr, "adapter: %s\n", dlerror());
        abort();
    }
    the_malloc = find(library, "malloc");
    the_calloc = find(library, "calloc");
    the_realloc = find(library, "realloc");
    the_free = find(library, "free");
    the_size = find(library, "malloc_usable_size");
    the_trim = find(library, "malloc_trim");
}

void *malloc(size_t size) { return the_malloc(size); }
void *calloc(size_t count, size_t size) { return the_calloc(count, size); }
void *realloc(void *block, size_t size) { return the_realloc(block, size); }
void free(void *block) { the_free(block); }

/* The page demands -1 and EINVAL for NULL. malloc_usable_size returns 0. */
size_t _msize(void *block) {
    if (block) return the_size(block);
    errno = EINVAL;
    return (size_t)-1;
}

/* malloc_trim returns whether it released anything, and not whether it failed. */
int _heapmin(void) {
    the_trim(0);
    return 0;
}
