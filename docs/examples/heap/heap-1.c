/* A C runtime heap for Linux: the example of "Writing a C runtime heap" in the book.

   Memory comes in spans. A span begins at a multiple of 64 KiB, and its first page is its header.
   The blocks of a span have one size, a power of two up to 16 KiB, and a bit in the header for
   each block says whether it is live. A larger block has a span of its own. */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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

/* Returns a block, or NULL. */
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
    return block_at(span, n);
}

static void give(void *block) {
    struct span *span = span_of(block);
    size_t n = number_of(span, block);
    if (!is_live(span, n)) return;
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

void *malloc(size_t size) {
    return take(size);
}

void free(void *block) {
    if (block) give(block);
}

int _heapmin(void) {
    bool done = true;
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
    return done ? 0 : -1;
}
