/* Blocks of up to 16 KiB are cut from chunks of 64 KiB, each for blocks of one size, a power of
   two. A larger block has a chunk of its own. The chunk of a block starts at the multiple of
   64 KiB below it. */
#define _GNU_SOURCE
#include "arena.h"
#include <stdint.h>

#ifdef _WIN32
#include <windows.h>
static SRWLOCK lock = SRWLOCK_INIT;
static void enter(void) { AcquireSRWLockExclusive(&lock); }
static void leave(void) { ReleaseSRWLockExclusive(&lock); }
#else
#include <pthread.h>
#include <sys/mman.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void enter(void) { pthread_mutex_lock(&lock); }
static void leave(void) { pthread_mutex_unlock(&lock); }
/* No fork while another thread has the lock: the child could never take it. */
__attribute__((constructor)) static void start(void) { pthread_atfork(enter, leave, leave); }
#endif

#define CHUNK ((size_t)65536)
#define LARGEST ((size_t)16384)
#define SIZES 11 /* 16 bytes to LARGEST */

struct chunk {
    struct chunk *next, *previous;
    struct block { struct block *next; } *free;
    size_t length, size, live, fresh; /* fresh: where the blocks begin that were never used */
};
#define HEAD ((sizeof(struct chunk) + 15) / 16 * 16)

static struct chunk *with_room[SIZES], *unused;

static void put(struct chunk **list, struct chunk *chunk) {
    chunk->next = *list;
    chunk->previous = NULL;
    if (*list) (*list)->previous = chunk;
    *list = chunk;
}

static void take_out(struct chunk **list, struct chunk *chunk) {
    if (chunk->previous) chunk->previous->next = chunk->next;
    else *list = chunk->next;
    if (chunk->next) chunk->next->previous = chunk->previous;
}

static int is_full(struct chunk *chunk) {
    return !chunk->free && chunk->fresh + chunk->size > chunk->length;
}

static struct chunk *map(size_t length) {
    for (struct chunk *chunk = unused; chunk; chunk = chunk->next)
        if (chunk->length == length) {
            take_out(&unused, chunk);
            return chunk;
        }
#ifdef _WIN32
    return VirtualAlloc(NULL, length, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
#else
    int access = PROT_READ | PROT_WRITE, kind = MAP_PRIVATE | MAP_ANONYMOUS;
    char *memory = mmap(NULL, length + CHUNK, access, kind, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    char *chunk = (char *)(((uintptr_t)memory + CHUNK - 1) & -CHUNK);
    if (chunk > memory) munmap(memory, (size_t)(chunk - memory));
    munmap(chunk + length, (size_t)(memory + CHUNK - chunk));
    return (struct chunk *)chunk;
#endif
}

static int unmap(struct chunk *chunk) {
#ifdef _WIN32
    if (VirtualFree(chunk, 0, MEM_RELEASE)) return 0;
#else
    if (!munmap(chunk, chunk->length)) return 0;
#endif
    put(&unused, chunk);
    return 1;
}

static struct chunk *chunk_for(size_t length, size_t size) {
    struct chunk *chunk = map(length);
    if (chunk) *chunk = (struct chunk){.length = length, .size = size, .fresh = HEAD};
    return chunk;
}

static struct chunk *chunk_of(void *block) { return (void *)((uintptr_t)block & -CHUNK); }

static unsigned number_of(size_t size) {
    unsigned number = 0;
    while ((size_t)16 << number < size) number++;
    return number;
}

void *arena_take(size_t size) {
    if (size > PTRDIFF_MAX - 2 * CHUNK) return NULL;
    enter();
    void *block = NULL;
    if (size > LARGEST) {
        size_t length = (size + HEAD + 4095) / 4096 * 4096;
        struct chunk *chunk = chunk_for(length, length - HEAD);
        if (chunk) block = (char *)chunk + HEAD;
    } else {
        unsigned number = number_of(size);
        struct chunk *chunk = with_room[number];
        if (!chunk && (chunk = chunk_for(CHUNK, (size_t)16 << number))) put(&with_room[number], chunk);
        if (chunk) {
            block = chunk->free;
            if (block) chunk->free = chunk->free->next;
            else block = (char *)chunk + chunk->fresh, chunk->fresh += chunk->size;
            chunk->live++;
            if (is_full(chunk)) take_out(&with_room[number], chunk);
        }
    }
    leave();
    return block;
}

void arena_give(void *block) {
    struct chunk *chunk = chunk_of(block);
    enter();
    if (chunk->size > LARGEST) unmap(chunk);
    else {
        if (is_full(chunk)) put(&with_room[number_of(chunk->size)], chunk);
        ((struct block *)block)->next = chunk->free;
        chunk->free = block;
        if (!--chunk->live) {
            take_out(&with_room[number_of(chunk->size)], chunk);
            put(&unused, chunk);
        }
    }
    leave();
}

size_t arena_room(void *block) { return chunk_of(block)->size; }

int arena_trim(size_t *bytes) {
    int is_refused = 0;
    *bytes = 0;
    enter();
    struct chunk *chunk = unused, *next;
    for (unused = NULL; chunk; chunk = next) {
        size_t length = chunk->length;
        next = chunk->next;
        if (unmap(chunk)) is_refused = 1;
        else *bytes += length;
    }
    leave();
    return is_refused;
}
