/* _set_invalid_parameter_handler: who hears of a parameter that makes no sense. */
#include "check.h"
#include <errno.h>
#include <malloc.h>
#include <stdint.h>

static int heard, heard_by_thread;

static void listen(const wchar_t *expression, const wchar_t *function, const wchar_t *file,
                   unsigned int line, uintptr_t reserved) {
    (void)expression, (void)function, (void)file, (void)line, (void)reserved;
    heard++;
}

static void listen_in_thread(const wchar_t *expression, const wchar_t *function,
                             const wchar_t *file, unsigned int line, uintptr_t reserved) {
    (void)expression, (void)function, (void)file, (void)line, (void)reserved;
    heard_by_thread++;
}

int main(void) {
    _invalid_parameter_handler before = _set_invalid_parameter_handler(listen);
    CHECK(_get_invalid_parameter_handler() == listen);

    errno = 0;
    CHECK(_heapwalk(NULL) == _HEAPBADPTR);
    CHECK(heard == 1 && errno == EINVAL);
    CHECK(_msize(NULL) == (size_t)-1);
    CHECK(_expand(NULL, 10) == NULL);
    CHECK(heard == 3);

    CHECK(_set_thread_local_invalid_parameter_handler(listen_in_thread) == NULL);
    CHECK(_get_thread_local_invalid_parameter_handler() == listen_in_thread);
    CHECK(_aligned_malloc(10, 3) == NULL);
    CHECK(heard == 3 && heard_by_thread == 1);

    CHECK(_set_thread_local_invalid_parameter_handler(NULL) == listen_in_thread);
    CHECK(_set_invalid_parameter_handler(before) == listen);
    printf("four calls made no sense, and somebody heard of each\n");
    return 0;
}
