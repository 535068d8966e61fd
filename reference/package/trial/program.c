/* A program that is linked with the reference heap: its blocks are of that heap, and _heapmin
   gives their pages back. .ci/archive-check builds it with pkg-config and with CMake. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    void *block = malloc(1000);
    if (block == NULL || _msize(block) < 1000)
        return 1;
    /* The C library beneath does not know this block. */
    _HEAPINFO entry = {NULL, 0, 0};
    int found = 0;
    while (_heapwalk(&entry) == _HEAPOK)
        found += entry._pentry == block && entry._useflag == _USEDENTRY;
    free(block);
    errno = 77;
    int result = _heapmin();
    printf("found %d, _heapmin %d, errno %d, ENOSYS %d\n", found, result, errno, ENOSYS);
    return !(found == 1 && result == 0 && errno == 77 && ENOSYS == 40);
}
