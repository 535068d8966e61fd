/* _aligned_msize: how large an aligned block is. */
#include "check.h"
#include <malloc.h>
#include <string.h>

int main(void) {
    for (size_t size = 1; size < 10000000; size *= 7) {
        char *block = _aligned_offset_malloc(size, 512, 0);
        CHECK(block != NULL);
        size_t there = _aligned_msize(block, 512, 0);
        CHECK(there >= size);
        memset(block, 'x', there); /* all of it may be used */
        _aligned_free(block);
    }
    CHECK(_heapchk() == _HEAPOK);
    printf("no block was smaller than was asked for\n");
    return 0;
}
