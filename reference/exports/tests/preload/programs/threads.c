/* Twenty threads, more than the heap has shards, allocate blocks with all routines and
   exchange them through an array. They resize and free each other's blocks and check
   that every byte is as it was written. Meanwhile the process forks, and calls
   _heapmin if a library has it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                            \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
            _exit(1);                                                               \
        }                                                                           \
    } while (0)

enum { THREADS = 20, PLACES = 2000, MIN_STEPS = 1000, FORKS = 50, CHILD_STEPS = 100 };

/* The beginning of each block. The other bytes follow from it. */
struct head {
    size_t size;
    uint64_t seed;
};

static struct head *places[PLACES];
static int (*heapmin)(void);
static int stop;

static uint64_t next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static unsigned char byte_at(uint64_t seed, size_t index) {
    return (unsigned char)(seed >> (index % 8 * 8)) ^ (unsigned char)(index >> 3);
}

static void fill(struct head *block, size_t size, uint64_t seed) {
    unsigned char *bytes = (unsigned char *)block;
    block->size = size;
    block->seed = seed;
    for (size_t i = sizeof *block; i < size; i++)
        bytes[i] = byte_at(seed, i);
    /* The program may write to the usable bytes after the size too. */
    size_t usable = malloc_usable_size(block);
    CHECK(usable >= size);
    memset(bytes + size, 0xee, usable - size);
}

/* Checks that the first `size` bytes are as they were written. After a block shrank,
   these are the bytes that it kept. */
static void verify(const struct head *block, size_t size, uint64_t seed) {
    const unsigned char *bytes = (const unsigned char *)block;
    CHECK(block->seed == seed);
    for (size_t i = sizeof *block; i < size; i++)
        CHECK(bytes[i] == byte_at(seed, i));
}

/* A size: mostly small, sometimes of many pages. */
static size_t some_size(uint64_t *state) {
    size_t limit = (size_t)200 << (next(state) % 6);
    if (next(state) % 64 == 0)
        limit = (size_t)600 << 10;
    return sizeof(struct head) + next(state) % limit;
}

static struct head *make(uint64_t *state) {
    size_t size = some_size(state), alignment = (size_t)16 << (next(state) % 10);
    void *block = NULL;
    switch (next(state) % 7) {
    case 0:
        CHECK(posix_memalign(&block, alignment, size) == 0);
        CHECK((uintptr_t)block % alignment == 0);
        break;
    case 1:
        block = aligned_alloc(alignment, size);
        CHECK(block != NULL && (uintptr_t)block % alignment == 0);
        break;
    case 2:
        block = calloc(size, 1);
        CHECK(block != NULL);
        for (size_t i = 0; i < size; i++)
            CHECK(((unsigned char *)block)[i] == 0);
        break;
    case 3:
        block = reallocarray(NULL, (size + 7) / 8, 8);
        break;
    default:
        block = malloc(size);
    }
    CHECK(block != NULL && (uintptr_t)block % 16 == 0);
    fill(block, size, next(state));
    return block;
}

static struct head *resize(struct head *block, uint64_t *state) {
    size_t old = block->size, size = some_size(state);
    uint64_t seed = block->seed;
    block = next(state) % 2 ? realloc(block, size) : reallocarray(block, (size + 15) / 16, 16);
    CHECK(block != NULL);
    verify(block, old < size ? old : size, seed);
    fill(block, size, next(state));
    return block;
}

static struct head *swap(struct head *block, uint64_t *state) {
    return __atomic_exchange_n(&places[next(state) % PLACES], block, __ATOMIC_ACQ_REL);
}

static void one_step(uint64_t *state) {
    struct head *other = swap(make(state), state);
    if (other == NULL)
        return;
    verify(other, other->size, other->seed);
    if (next(state) % 3 == 0)
        other = resize(other, state);
    if (next(state) % 4 == 0)
        other = swap(other, state);
    free(other);
}

/* Requests that the heap must refuse. */
static void refuse(void) {
    volatile size_t most = SIZE_MAX / 2;
    void *block = malloc(16);
    errno = 0;
    CHECK(malloc(most) == NULL && errno == ENOMEM);
    errno = 0;
    /* 16 bytes more than a size_t can hold. */
    CHECK(reallocarray(block, most / 8 + 2, 16) == NULL && errno == ENOMEM);
    void *aligned = block;
    CHECK(posix_memalign(&aligned, 24, 16) == EINVAL && aligned == block);
    free(block);
}

static void *work(void *number) {
    uint64_t state = 0x9e3779b97f4a7c15u * ((uintptr_t)number + 1);
    for (int step = 0; step < MIN_STEPS || !__atomic_load_n(&stop, __ATOMIC_ACQUIRE); step++) {
        one_step(&state);
        if (step % 500 == 0)
            refuse();
        if (step % 400 == 0 && heapmin != NULL)
            CHECK(heapmin() == 0);
    }
    return NULL;
}

static void *free_it(void *block) {
    free(block);
    return NULL;
}

/* The child has one thread and a copy of all blocks. */
static void run_child(uint64_t state) {
    alarm(60); /* ends a child that waits forever */
    for (int i = 0; i < CHILD_STEPS; i++)
        one_step(&state);
    if (heapmin != NULL)
        CHECK(heapmin() == 0);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, free_it, malloc(100)) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    _exit(0);
}

int main(void) {
    pthread_t threads[THREADS];
    heapmin = (int (*)(void))dlsym(RTLD_DEFAULT, "_heapmin");
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, (void *)i) == 0);
    for (int round = 0; round < FORKS; round++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0)
            run_child(round + 1);
        if (heapmin != NULL)
            CHECK(heapmin() == 0);
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(status == 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < PLACES; i++)
        if (places[i] != NULL) {
            verify(places[i], places[i]->size, places[i]->seed);
            free(places[i]);
        }
    if (heapmin != NULL)
        CHECK(heapmin() == 0);
    printf("%d threads, %d children: every block as it was written\n", THREADS, FORKS);
    return 0;
}
