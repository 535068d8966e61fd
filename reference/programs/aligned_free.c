/* _aligned_free: frees an aligned block, ignores NULL, and leaves errno unchanged. */
#include "check.h"
#include <errno.h>
#include <malloc.h>

int main(void) {
    errno = EBADF;
    for (int round = 0; round < 1000; round++) {
        void *block = _aligned_malloc(1 << 20, 1 << 20);
        CHECK(block != NULL);
        _aligned_free(block);
    }
    _aligned_free(NULL);
    CHECK(errno == EBADF);
    printf("1000 blocks of 1 MiB allocated and freed\n");
    return 0;
}
