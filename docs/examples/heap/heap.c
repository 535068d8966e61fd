/* A C runtime heap for Linux: the example of "Writing a C runtime heap" in the book.

   Memory comes in spans. A span begins at a multiple of 64 KiB, and its first page is its header.
   The blocks of a span have one size, a power of two up to 16 KiB, and a bit in the header for
   each block says whether it is live. A larger block has a span of its own. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE ((size_t)4096)
#define SPAN ((size_t)65536)
#define LARGEST ((size_t)16384) /* the largest block that shares its span */
#define WORDS ((SPAN - PAGE) / 16 / 64)

/* A span with room is in the list of its block size: 0 for 16 bytes, 10 for LARGEST. */
enum { FULL = 11, EMPTY, LISTS };

struct span {
    struct span *next, *previous;
    unsigned list;
    size_t length, size; /* bytes of the span, bytes of one block */
    size_t live, most;   /* number of live blocks, number of blocks */
    uint64_t bits[WORDS];
};

static struct span *lists[LISTS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void lock(void) { pthread_mutex_lock(&mutex); }
static void unlock(void) { pthread_mutex_unlock(&mutex); }
/* No other thread is inside the heap while the process forks, so the child's heap is whole. */
__attribute__((constructor)) static void start(void) { pthread_atfork(lock, unlock, unlock); }

static void enter(struct span *span, unsigned list) {
    span->list = list;
    span->previous = NULL;
    span->next = lists[list];
    if (span->next) span->next->previous = span;
    lists[list] = span;
}

static void leave(struct span *span) {
    if (span->previous) span->previous->next = span->next;
    else lists[span->list] = span->next;
    if (span->next) span->next->previous = span->previous;
}

static void move(struct span *span, unsigned list) {
    leave(span);
    enter(span, list);
}

static struct span *span_of(const void *block) { return (void *)((uintptr_t)block & -SPAN); }
static char *block_at(struct span *span, size_t n) { return (char *)span + PAGE + n * span->size; }
static size_t number_of(struct span *span, const void *address) {
    return (size_t)((const char *)address - block_at(span, 0)) / span->size;
}
static bool is_live(const struct span *span, size_t n) { return span->bits[n / 64] >> n % 64 & 1; }

/* Returns memory of this length at a multiple of SPAN, or NULL. */
static struct span *map(size_t length) {
    char *memory =
        mmap(NULL, length + SPAN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    char *first = (char *)(((uintptr_t)memory + SPAN - 1) & -SPAN);
    if (first > memory) munmap(memory, (size_t)(first - memory));
    munmap(first + length, (size_t)(memory + SPAN - first));
    return (struct span *)first;
}

/* Returns a span for blocks of this size, or NULL if the system has no memory. */
static struct span *span_for(size_t length, size_t size) {
    struct span *span = lists[EMPTY];
    while (span && span->length != length) span = span->next;
    if (span) leave(span);
    else if (!(span = map(length))) return NULL;
    *span = (struct span){.length = length, .size = size, .most = (length - PAGE) / size};
    return span;
}

/* Returns a block, or NULL. The bytes after the requested ones are 0, as _recalloc needs them. */
static void *take(size_t size) {
    if (size > PTRDIFF_MAX - 2 * SPAN) return NULL;
    unsigned class = 0;
    while (class < FULL && (size_t)16 << class < size) class++;
    struct span *span = class < FULL ? lists[class] : NULL;
    if (!span) {
        size_t pages = (size + PAGE - 1) / PAGE * PAGE;
        span = class < FULL ? span_for(SPAN, (size_t)16 << class) : span_for(PAGE + pages, pages);
        if (!span) return NULL;
        enter(span, class);
    }
    size_t word = 0;
    while (!~span->bits[word]) word++;
    size_t n = word * 64 + (size_t)__builtin_ctzll(~span->bits[word]);
    span->bits[word] |= (uint64_t)1 << n % 64;
    if (++span->live == span->most) move(span, FULL);
    char *block = block_at(span, n);
    memset(block + size, 0, span->size - size);
    return block;
}

static bool damaged; /* free was called with an address that is no live block */

static void give(void *block) {
    struct span *span = span_of(block);
    size_t n = number_of(span, block);
    if (!is_live(span, n)) {
        damaged = true;
        return;
    }
    span->bits[n / 64] &= ~((uint64_t)1 << n % 64);
    if (--span->live) {
        if (span->list == FULL) move(span, (unsigned)__builtin_ctzll(span->size) - 4);
        return;
    }
    leave(span);
    /* A large span goes back at once. What the system refuses waits for _heapmin. */
    if (span->length == SPAN || munmap(span, span->length)) enter(span, EMPTY);
}

/* Gives back each page of a span in which no live block is. Returns whether the system took all. */
static bool give_pages_back(struct span *span) {
    bool done = true;
    for (char *page = block_at(span, 0); page < (char *)span + SPAN; page += PAGE) {
        bool live = false;
        for (size_t n = number_of(span, page); n <= number_of(span, page + PAGE - 1); n++)
            live |= n < span->most && is_live(span, n);
        if (!live && madvise(page, PAGE, MADV_DONTNEED)) done = false;
    }
    return done;
}

/* The library's own errno, with Microsoft's numbers. */
enum { NO_MEMORY = 12, INVALID = 22, NOT_SUPPORTED = 40 };
static __thread int own_errno;
int *_errno(void) { return &own_errno; }

static void *fail(int number) {
    own_errno = number;
    return NULL;
}

void *malloc(size_t size) {
    lock();
    void *block = take(size);
    unlock();
    return block ? block : fail(NO_MEMORY);
}

void free(void *block) {
    if (!block) return;
    lock();
    give(block);
    unlock();
}

void *calloc(size_t count, size_t size) {
    size_t bytes;
    void *block = __builtin_mul_overflow(count, size, &bytes) ? fail(NO_MEMORY) : malloc(bytes);
    return block ? memset(block, 0, bytes) : NULL;
}

size_t _msize(void *block) {
    if (block) return span_of(block)->size;
    fail(INVALID);
    return (size_t)-1;
}

void *_expand(void *block, size_t size) {
    if (!block) return fail(INVALID);
    if (size > _msize(block)) return fail(NO_MEMORY);
    memset((char *)block + size, 0, _msize(block) - size);
    return block;
}

void *realloc(void *block, size_t size) {
    if (!block) return malloc(size);
    if (!size) {
        free(block);
        return NULL;
    }
    size_t room = _msize(block);
    if (size <= room && size > room / 4) return _expand(block, size);
    int before = own_errno;
    void *moved = malloc(size);
    if (moved) {
        memcpy(moved, block, size < room ? size : room);
        free(block);
    } else if (size <= room) {
        own_errno = before; /* A block can always become shorter where it is. */
        return _expand(block, size);
    }
    return moved;
}

void *_recalloc(void *block, size_t count, size_t size) {
    size_t bytes, room = block ? _msize(block) : 0;
    if (__builtin_mul_overflow(count, size, &bytes)) return fail(NO_MEMORY);
    char *resized = realloc(block, bytes);
    if (resized && bytes > room) memset(resized + room, 0, bytes - room);
    return resized;
}

int _heapmin(void) {
    bool done = true;
    lock();
    for (unsigned class = 0; class < FULL; class++)
        for (struct span *span = lists[class]; span; span = span->next)
            done &= give_pages_back(span);
    for (struct span *span = lists[EMPTY], *next; span; span = next) {
        next = span->next;
        leave(span);
        if (!munmap(span, span->length)) continue;
        enter(span, EMPTY);
        done = false;
    }
    unlock();
    if (done) return 0;
    fail(NOT_SUPPORTED);
    return -1;
}

enum { IS_EMPTY = -1, OK = -2, BAD_NODE = -4, END = -5, BAD_POINTER = -6 };

static struct span *first_from(unsigned list) {
    while (list < LISTS && !lists[list]) list++;
    return list < LISTS ? lists[list] : NULL;
}
static struct span *after(struct span *span) {
    return span->next ? span->next : first_from(span->list + 1);
}

int _heapchk(void) {
    lock();
    int status = damaged ? BAD_NODE : first_from(0) ? OK : IS_EMPTY;
    for (struct span *span = first_from(0); span; span = after(span)) {
        size_t live = 0;
        for (size_t word = 0; word < WORDS; word++)
            live += (size_t)__builtin_popcountll(span->bits[word]);
        if (live != span->live) status = BAD_NODE;
    }
    unlock();
    if (status == BAD_NODE) fail(NOT_SUPPORTED);
    return status;
}

struct entry {
    char *start;
    size_t size;
    int in_use;
};

int _heapwalk(struct entry *entry) {
    if (!entry) {
        fail(INVALID);
        return BAD_POINTER;
    }
    lock();
    struct span *span = first_from(0);
    int status = span ? OK : IS_EMPTY;
    size_t n = 0;
    if (entry->start) {
        while (span && span != span_of(entry->start)) span = after(span);
        n = span ? number_of(span, entry->start) : 0;
        if (!span || n >= span->most || entry->start != block_at(span, n)) status = BAD_POINTER;
        else if (++n == span->most) {
            n = 0;
            if (!(span = after(span))) status = END;
        }
    }
    if (status == OK) *entry = (struct entry){block_at(span, n), span->size, is_live(span, n)};
    unlock();
    if (status == BAD_POINTER) fail(NOT_SUPPORTED);
    return status;
}
