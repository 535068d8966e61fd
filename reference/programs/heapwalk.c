/* _heapwalk: lists the heap's entries one by one. */
#include "check.h"
#include <errno.h>
#include <malloc.h>

int main(void) {
    int *block = malloc(59);
    CHECK(block != NULL);
    int found = 0, entries = 0, status;
    _HEAPINFO entry = {NULL, 0, 0};

    errno = 0;
    while ((status = _heapwalk(&entry)) == _HEAPOK) {
        entries++;
        if (entry._pentry == block) {
            CHECK(entry._useflag == _USEDENTRY && entry._size >= 59);
            found++;
        }
    }
    CHECK(status == _HEAPEND && errno == 0);
    CHECK(found == 1);

    entry._pentry = (int *)&entry; /* not an entry of the heap */
    CHECK(_heapwalk(&entry) == _HEAPBADPTR);
    printf("the block was one of %d entries\n", entries);
    free(block);
    return 0;
}
