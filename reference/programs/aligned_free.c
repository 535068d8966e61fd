/* _aligned_free: gives an aligned block back, ignores NULL, and keeps errno. */
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
    printf("1000 mebibytes, one after the other\n");
    return 0;
}
