/* free: frees a block, ignores NULL, and leaves errno unchanged. */
#include "check.h"
#include <errno.h>
#include <malloc.h>
#include <string.h>

int main(void) {
    void *blocks[100];
    for (int i = 0; i < 100; i++) {
        blocks[i] = malloc(1000 * (i + 1));
        CHECK(blocks[i] != NULL);
        memset(blocks[i], i, 1000 * (i + 1));
    }
    errno = EBADF;
    for (int i = 0; i < 100; i++)
        free(blocks[i]);
    free(NULL);
    CHECK(errno == EBADF);

    /* Freed memory can be allocated again. */
    void *large = malloc(5000000);
    CHECK(large != NULL);
    free(large);
    printf("100 blocks allocated and freed\n");
    return 0;
}
