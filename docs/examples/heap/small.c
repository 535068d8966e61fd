/* The smallest heap that heapmin takes. A block begins with a header. Freed blocks wait in a list
   for each size. */
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>

struct block {
    size_t class;       /* its size with this header is 1 << class */
    struct block *next; /* while it is free */
};

static struct block *freed[48];
static char *from, *to; /* memory that is in no block yet */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static void lock(void) { pthread_mutex_lock(&mutex); }
static void unlock(void) { pthread_mutex_unlock(&mutex); }
__attribute__((constructor)) static void start(void) { pthread_atfork(lock, unlock, unlock); }

/* Cuts a block from memory that is in none, or returns NULL. */
static struct block *cut(size_t class) {
    size_t length = (size_t)1 << class, more = length < 1 << 20 ? 1 << 20 : length;
    if (!from || (size_t)(to - from) < length) {
        from = mmap(NULL, more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (from == MAP_FAILED) return (struct block *)(from = NULL);
        to = from + more;
    }
    struct block *block = (struct block *)from;
    from += length;
    block->class = class;
    return block;
}

void *malloc(size_t size) {
    size_t class = 5;
    while (class < 47 && ((size_t)1 << class) - sizeof(struct block) < size) class++;
    lock();
    struct block *block = freed[class];
    if (block) freed[class] = block->next;
    else block = cut(class);
    unlock();
    if (block) return block + 1;
    return NULL;
}

void free(void *memory) {
    if (!memory) return;
    struct block *block = (struct block *)memory - 1;
    lock();
    block->next = freed[block->class];
    freed[block->class] = block;
    unlock();
}

int _heapmin(void) { return 0; }
