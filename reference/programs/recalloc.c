/* _recalloc: resizes an array; new items are zero. */
#include "check.h"
#include <malloc.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

int main(void) {
    char *items = calloc(20, 1);
    CHECK(items != NULL);
    memset(items, 'x', 20);

    items = _recalloc(items, 30, 1);
    CHECK(items != NULL && items[19] == 'x');
    for (int i = 20; i < 30; i++)
        CHECK(items[i] == 0);

    items = _recalloc(items, 3000, 100);
    CHECK(items != NULL && items[0] == 'x');
    for (int i = 20; i < 300000; i++)
        CHECK(items[i] == 0);

    errno = 0;
    CHECK(_recalloc(items, SIZE_MAX / 2, 3) == NULL);
    CHECK(errno == ENOMEM && items[0] == 'x');

    printf("the array grew from 20 to 300000 bytes\n");
    CHECK(_recalloc(items, 0, 100) == NULL); /* size 0 frees the block */
    return 0;
}
