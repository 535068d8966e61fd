/* Threads that allocate, resize, check and free blocks of each other, by every
 * name that a program of Linux may use, while one of them forks and has memory
 * given back. It prints the same on any sound heap. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 40000, SHELF = 512, FORKS = 50 };

struct block {
    unsigned char *bytes;
    size_t size;
    unsigned char fill;
};

static struct block shelf[SHELF];
static pthread_mutex_t shelf_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int finished;

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    abort();
}

static uint64_t next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 16;
}

static struct block make(uint64_t *state) {
    uint64_t kind = next(state) % 100;
    size_t size = next(state) % (kind < 2 ? 600000 : kind < 10 ? 40000 : 900) + 1;
    size_t alignment = (size_t)16 << next(state) % 9;
    void *bytes = NULL;
    switch (next(state) % 8) {
    case 0: if (posix_memalign(&bytes, alignment, size)) bytes = NULL; break;
    case 1: bytes = aligned_alloc(alignment, size); break;
    case 2: bytes = memalign(alignment, size); break;
    case 3:
        bytes = calloc(size, 1);
        for (size_t i = 0; bytes && i < size; i++)
            if (((unsigned char *)bytes)[i]) fail("calloc gave bytes other than 0");
        alignment = 16;
        break;
    case 4: bytes = reallocarray(NULL, size, 1); alignment = 16; break;
    case 5: bytes = valloc(size); alignment = 4096; break;
    default: bytes = malloc(size); alignment = 16;
    }
    if (!bytes || (uintptr_t)bytes % alignment) fail("no block, or not aligned");
    if (malloc_usable_size(bytes) < size) fail("fewer bytes than were asked for");
    struct block block = {bytes, size, (unsigned char)next(state)};
    memset(bytes, block.fill, size);
    return block;
}

static void check(struct block block, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (block.bytes[i] != block.fill) fail("a byte was lost");
}

static struct block resize(struct block block, uint64_t *state) {
    size_t size = next(state) % (block.size * 2 + 100) + 1;
    block.bytes = realloc(block.bytes, size);
    if (!block.bytes) fail("no memory");
    check(block, size < block.size ? size : block.size);
    memset(block.bytes, block.fill, size);
    block.size = size;
    return block;
}

static void *work(void *number) {
    uint64_t state = (uintptr_t)number + 1;
    for (int round = 0; round < ROUNDS; round++) {
        struct block block = make(&state);
        if (next(&state) % 4 == 0) block = resize(block, &state);
        struct block *place = &shelf[next(&state) % SHELF];
        pthread_mutex_lock(&shelf_lock);
        struct block other = *place;
        *place = block;
        pthread_mutex_unlock(&shelf_lock);
        if (other.bytes) check(other, other.size);
        free(other.bytes);
    }
    finished++;
    return NULL;
}

/* The child has this thread only, and must find the heap whole. */
static void fork_once(uint64_t *state) {
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        for (int i = 0; i < 200; i++) {
            struct block block = make(state);
            check(block, block.size);
            free(block.bytes);
        }
        _exit(0);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status != 0) fail("a child did not end well");
}

int main(void) {
    pthread_t threads[THREADS];
    uint64_t state = 99;
    int (*heapmin)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "_heapmin");
    int forks = 0;
    for (uintptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i)) fail("pthread_create");
    while (finished < THREADS || forks < FORKS) {
        if (forks < FORKS) {
            fork_once(&state);
            forks++;
        }
        if (heapmin ? heapmin() : malloc_trim(0) < 0) fail("memory was not given back");
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < SHELF; i++) {
        if (shelf[i].bytes) check(shelf[i], shelf[i].size);
        free(shelf[i].bytes);
    }
    puts("every byte was there, in every thread and child");
    return 0;
}
