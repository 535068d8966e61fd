/* _aligned_offset_recalloc: resizes an aligned array; new bytes are zero. */
#include "check.h"
#include <malloc.h>
#include <stdint.h>
#include <string.h>

int main(void) {
    char *block = _aligned_offset_malloc(30, 128, 7);
    CHECK(block != NULL);
    memset(block, 'x', 30);
    block = _aligned_offset_recalloc(block, 500, 10, 128, 7);
    CHECK(block != NULL && ((uintptr_t)block + 7) % 128 == 0 && block[29] == 'x');
    for (int i = 30; i < 5000; i++)
        CHECK(block[i] == 0);
    printf("30 bytes kept, 4970 new bytes are zero\n");
    _aligned_free(block);
    return 0;
}
