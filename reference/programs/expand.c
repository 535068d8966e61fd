/* _expand: resizes a block in place, or fails. */
#include "check.h"
#include <errno.h>
#include <malloc.h>
#include <string.h>

int main(void) {
    char *block = malloc(70000);
    CHECK(block != NULL);
    memset(block, 'x', 70000);

    CHECK(_expand(block, 100000) == block);
    CHECK(_msize(block) >= 100000);
    CHECK(_expand(block, 10) == block);
    CHECK(block[0] == 'x' && block[9] == 'x');

    /* This heap puts the second block after the first. */
    char *other = malloc(70000);
    CHECK(other > block);
    errno = 0;
    CHECK(_expand(block, 1000000000) == NULL);
    CHECK(errno == ENOMEM);
    CHECK(block[0] == 'x' && block[9] == 'x');

    printf("the block grew and shrank in place\n");
    free(other);
    free(block);
    return 0;
}
