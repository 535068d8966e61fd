/* calloc: allocates a block for an array, all zero. */
#include "check.h"
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>

int main(void) {
    /* calloc must not return the old bytes of this freed block. */
    long *old = malloc(40 * sizeof(long));
    CHECK(old != NULL);
    memset(old, 0xFF, 40 * sizeof(long));
    free(old);

    long *numbers = calloc(40, sizeof(long));
    CHECK(numbers != NULL);
    for (int i = 0; i < 40; i++)
        CHECK(numbers[i] == 0);

    errno = 0;
    volatile size_t many = SIZE_MAX / 2;
    CHECK(calloc(many, 3) == NULL);
    CHECK(errno == ENOMEM);

    printf("40 numbers, all 0\n");
    free(numbers);
    return 0;
}
