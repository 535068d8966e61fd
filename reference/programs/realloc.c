/* realloc: resizes a block; on failure the old block stays. */
#include "check.h"
#include <errno.h>
#include <malloc.h>
#include <string.h>

int main(void) {
    char *text = realloc(NULL, 6);
    CHECK(text != NULL);
    strcpy(text, "short");

    text = realloc(text, 100000);
    CHECK(text != NULL && strcmp(text, "short") == 0);

    errno = 0;
    volatile size_t too_much = _HEAP_MAXREQ;
    CHECK(realloc(text, too_much + 1) == NULL);
    CHECK(errno == ENOMEM);
    CHECK(strcmp(text, "short") == 0);

    text = realloc(text, 6);
    CHECK(text != NULL && strcmp(text, "short") == 0);
    printf("still %s\n", text);

    CHECK(realloc(text, 0) == NULL); /* size 0 frees the block */
    return 0;
}
