/* _msize: returns the size of a block. */
#include "check.h"
#include <malloc.h>

int main(void) {
    size_t sizes[] = {0, 1, 20, 1000, 100000, 10000000};
    for (int i = 0; i < 6; i++) {
        void *block = malloc(sizes[i]);
        CHECK(block != NULL);
        CHECK(_msize(block) >= sizes[i]);
        printf("%lu bytes requested, the block has %lu\n", (unsigned long)sizes[i],
               (unsigned long)_msize(block));
        free(block);
    }
    return 0;
}
