/* The names of a C runtime heap for the allocator arena. errno is that of the C library. */
#include "arena.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>

#ifdef _WIN32
#define PUBLIC __declspec(dllexport)
#else
#define PUBLIC __attribute__((visibility("default")))
#endif

/* 1. Blocks. The C runtime reports a failure in errno; arena does not know errno. */
static void *take(size_t size) {
    void *block = arena_take(size);
    if (!block) errno = ENOMEM;
    return block;
}

PUBLIC void *malloc(size_t size) { return take(size); }

PUBLIC void free(void *block) {
    int before = errno; /* munmap may change it, and free may not */
    if (block) arena_give(block);
    errno = before;
}

/* 2. What the allocator does not have. Nothing here calls malloc or free by its name: the
   loader might find those of another library. */
PUBLIC void *calloc(size_t count, size_t size) {
    if (size && count > SIZE_MAX / size) {
        errno = ENOMEM;
        return NULL;
    }
    void *block = take(count * size);
    return block ? memset(block, 0, count * size) : NULL;
}

PUBLIC void *realloc(void *block, size_t size) {
    if (!block) return take(size);
    if (!size) {
        free(block);
        return NULL;
    }
    size_t room = arena_room(block);
    if (size <= room && size > room / 4) return block;
    int before = errno;
    void *moved = arena_take(size);
    if (!moved && size <= room) { /* a shorter block always fits where it is */
        errno = before;
        return block;
    }
    if (!moved) {
        errno = ENOMEM;
        return NULL;
    }
    memcpy(moved, block, size < room ? size : room);
    arena_give(block);
    errno = before;
    return moved;
}

PUBLIC size_t _msize(void *block) {
    if (block) return arena_room(block);
    errno = EINVAL;
    return (size_t)-1;
}

/* 3. The release. arena_trim counts bytes; _heapmin returns 0, also if there were none, or -1
   with ENOSYS if the system refused. */
PUBLIC int _heapmin(void) {
    size_t bytes;
    int before = errno;
    int is_refused = arena_trim(&bytes);
    errno = is_refused ? ENOSYS : before;
    return is_refused ? -1 : 0;
}
