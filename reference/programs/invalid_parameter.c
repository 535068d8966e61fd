/* _set_invalid_parameter_handler: sets the function to call for an invalid parameter. */
#include "check.h"
#include <errno.h>
#include <malloc.h>
#include <stdint.h>

static int calls, calls_in_thread;

static void count(const wchar_t *expression, const wchar_t *function, const wchar_t *file,
                  unsigned int line, uintptr_t reserved) {
    (void)expression, (void)function, (void)file, (void)line, (void)reserved;
    calls++;
}

static void count_in_thread(const wchar_t *expression, const wchar_t *function,
                            const wchar_t *file, unsigned int line, uintptr_t reserved) {
    (void)expression, (void)function, (void)file, (void)line, (void)reserved;
    calls_in_thread++;
}

int main(void) {
    _invalid_parameter_handler before = _set_invalid_parameter_handler(count);
    CHECK(_get_invalid_parameter_handler() == count);

    errno = 0;
    CHECK(_heapwalk(NULL) == _HEAPBADPTR);
    CHECK(calls == 1 && errno == EINVAL);
    CHECK(_msize(NULL) == (size_t)-1);
    CHECK(_expand(NULL, 10) == NULL);
    CHECK(calls == 3);

    CHECK(_set_thread_local_invalid_parameter_handler(count_in_thread) == NULL);
    CHECK(_get_thread_local_invalid_parameter_handler() == count_in_thread);
    CHECK(_aligned_malloc(10, 3) == NULL);
    CHECK(calls == 3 && calls_in_thread == 1);

    CHECK(_set_thread_local_invalid_parameter_handler(NULL) == count_in_thread);
    CHECK(_set_invalid_parameter_handler(before) == count);
    printf("four invalid parameters, four calls of a handler\n");
    return 0;
}
