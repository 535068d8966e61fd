/* _aligned_realloc: resizes a block; alignment and contents stay. */
#include "check.h"
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>

int main(void) {
    char *text = _aligned_realloc(NULL, 10, 4096);
    CHECK(text != NULL);
    strcpy(text, "aligned");
    for (size_t size = 10; size < 10000000; size *= 3) {
        text = _aligned_realloc(text, size, 4096);
        CHECK(text != NULL && (uintptr_t)text % 4096 == 0);
        CHECK(strcmp(text, "aligned") == 0);
    }
    errno = 0;
    CHECK(_aligned_realloc(text, _HEAP_MAXREQ, 4096) == NULL);
    CHECK(errno == ENOMEM && strcmp(text, "aligned") == 0);
    printf("%s at every size\n", text);
    CHECK(_aligned_realloc(text, 0, 4096) == NULL); /* size 0 frees the block */
    return 0;
}
