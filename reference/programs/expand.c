/* _expand: another size in the same place, or none. */
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

    /* Behind the first one, in this heap. */
    char *other = malloc(70000);
    CHECK(other > block);
    errno = 0;
    CHECK(_expand(block, 1000000000) == NULL);
    CHECK(errno == ENOMEM);
    CHECK(block[0] == 'x' && block[9] == 'x');

    printf("larger and smaller, and never elsewhere\n");
    free(other);
    free(block);
    return 0;
}
