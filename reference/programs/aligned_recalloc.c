/* _aligned_recalloc: resizes an aligned array; new items are zero. */
#include "check.h"
#include <malloc.h>
#include <stdint.h>
#include <string.h>

int main(void) {
    char *items = _aligned_malloc(20, 256);
    CHECK(items != NULL);
    memset(items, 'x', 20);
    for (size_t count = 30; count < 1000000; count *= 4) {
        items = _aligned_recalloc(items, count, 1, 256);
        CHECK(items != NULL && (uintptr_t)items % 256 == 0 && items[19] == 'x');
        for (size_t i = 20; i < count; i++)
            CHECK(items[i] == 0);
    }
    printf("20 items kept, all new items are 0\n");
    _aligned_free(items);
    return 0;
}
