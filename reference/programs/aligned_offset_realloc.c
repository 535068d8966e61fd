/* _aligned_offset_realloc: resizes a block; the byte at the offset stays aligned. */
#include "check.h"
#include <malloc.h>
#include <stdint.h>

int main(void) {
    char *block = _aligned_offset_malloc(30, 128, 7);
    CHECK(block != NULL);
    block[29] = 'x';
    for (size_t size = 30; size < 1000000; size *= 5) {
        block = _aligned_offset_realloc(block, size, 128, 7);
        CHECK(block != NULL && ((uintptr_t)block + 7) % 128 == 0 && block[29] == 'x');
    }
    printf("byte 7 stayed at a multiple of 128\n");
    _aligned_free(block);
    return 0;
}
