/* malloc: allocates a block, a distinct one even for 0 bytes, or returns NULL. */
#include "check.h"
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>

int main(void) {
    char *text = malloc(100);
    CHECK(text != NULL);
    strcpy(text, "a hundred bytes");
    CHECK((uintptr_t)text % 16 == 0);

    void *nothing = malloc(0), *nothing_else = malloc(0);
    CHECK(nothing != NULL && nothing_else != NULL && nothing != nothing_else);

    errno = 0;
    volatile size_t too_much = _HEAP_MAXREQ;
    CHECK(malloc(too_much + 1) == NULL);
    CHECK(errno == ENOMEM);

    printf("%s allocated, and NULL for too many\n", text);
    free(text);
    free(nothing);
    free(nothing_else);
    return 0;
}
