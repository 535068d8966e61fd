/* calloc: a block for an array, all zero. */
#include "check.h"
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>

int main(void) {
    /* Somebody else's bytes, which calloc must not show. */
    long *before = malloc(40 * sizeof(long));
    CHECK(before != NULL);
    memset(before, 0xFF, 40 * sizeof(long));
    free(before);

    long *numbers = calloc(40, sizeof(long));
    CHECK(numbers != NULL);
    for (int i = 0; i < 40; i++)
        CHECK(numbers[i] == 0);

    errno = 0;
    volatile size_t many = SIZE_MAX / 2;
    CHECK(calloc(many, 3) == NULL);
    CHECK(errno == ENOMEM);

    printf("40 numbers, all of them 0\n");
    free(numbers);
    return 0;
}
