/* _aligned_malloc: allocates a block at a multiple of a power of two. */
#include "check.h"
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>

static void ignore(const wchar_t *expression, const wchar_t *function, const wchar_t *file,
                   unsigned int line, uintptr_t reserved) {
    (void)expression, (void)function, (void)file, (void)line, (void)reserved;
}

int main(void) {
    for (size_t alignment = 1; alignment <= 1 << 20; alignment *= 2) {
        char *block = _aligned_malloc(100, alignment);
        CHECK(block != NULL && (uintptr_t)block % alignment == 0);
        memset(block, 'x', 100);
        _aligned_free(block);
    }
    _set_invalid_parameter_handler(ignore);
    errno = 0;
    CHECK(_aligned_malloc(100, 48) == NULL);
    CHECK(errno == EINVAL);
    errno = 0;
    CHECK(_aligned_malloc(0, 16) == NULL);
    CHECK(errno == EINVAL);
    printf("blocks aligned to every power of two up to 1 MiB\n");
    return 0;
}
