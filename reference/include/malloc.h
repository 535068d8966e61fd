/* <malloc.h> for programs on the reference heap. It includes the system's own and
   adds what Microsoft's has. A Windows compiler has most of it already. */
#ifndef HEAPMIN_MALLOC_H
#define HEAPMIN_MALLOC_H

#pragma GCC system_header
#include_next <malloc.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef _WIN32
_CRTIMP size_t __cdecl _aligned_msize(void *block, size_t alignment, size_t offset);
#else

#define _HEAP_MAXREQ (SIZE_MAX - 31)

/* Results of _heapchk, _heapset and _heapwalk. */
#define _HEAPEMPTY (-1)
#define _HEAPOK (-2)
#define _HEAPBADBEGIN (-3)
#define _HEAPBADNODE (-4)
#define _HEAPEND (-5)
#define _HEAPBADPTR (-6)

/* Values of _useflag. */
#define _FREEENTRY 0
#define _USEDENTRY 1

typedef struct _heapinfo {
    int *_pentry;
    size_t _size;
    int _useflag;
} _HEAPINFO;

size_t _msize(void *block);
void *_expand(void *block, size_t size);
void *_recalloc(void *block, size_t count, size_t size);

void *_aligned_malloc(size_t size, size_t alignment);
void *_aligned_realloc(void *block, size_t size, size_t alignment);
void *_aligned_recalloc(void *block, size_t count, size_t size, size_t alignment);
void *_aligned_offset_malloc(size_t size, size_t alignment, size_t offset);
void *_aligned_offset_realloc(void *block, size_t size, size_t alignment, size_t offset);
void *_aligned_offset_recalloc(void *block, size_t count, size_t size, size_t alignment,
                               size_t offset);
size_t _aligned_msize(void *block, size_t alignment, size_t offset);
void _aligned_free(void *block);

int _heapmin(void);
int _heapchk(void);
int _heapwalk(_HEAPINFO *entry);
int _heapset(unsigned int fill);
int _heapadd(void *memory, size_t size);

/* Programs written for Microsoft's runtime use it. */
#define printf_s printf
#endif

#ifdef __cplusplus
}
#endif

#endif
