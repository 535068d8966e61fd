/* _aligned_msize: returns the size of an aligned block. */
#include "check.h"
#include <malloc.h>
#include <string.h>

int main(void) {
    for (size_t size = 1; size < 10000000; size *= 7) {
        char *block = _aligned_offset_malloc(size, 512, 0);
        CHECK(block != NULL);
        size_t usable = _aligned_msize(block, 512, 0);
        CHECK(usable >= size);
        memset(block, 'x', usable); /* the program may use all of it */
        _aligned_free(block);
    }
    CHECK(_heapchk() == _HEAPOK);
    printf("every block has at least the requested size\n");
    return 0;
}
