/* _heapchk: checks that the heap is consistent. */
#include "check.h"
#include <errno.h>
#include <malloc.h>

int main(void) {
    char *block = malloc(100);
    CHECK(block != NULL);
    errno = 0;
    CHECK(_heapchk() == _HEAPOK);
    CHECK(errno == 0);

    void (*volatile hidden_free)(void *) = free; /* avoids a compiler warning */
    hidden_free(block);
    hidden_free(block); /* an error: the block is already free */
    CHECK(_heapchk() == _HEAPBADNODE);
    CHECK(errno == ENOSYS);

    block = malloc(100); /* the heap is still usable */
    CHECK(block != NULL);
    free(block);
    printf("_heapchk reported the second free\n");
    return 0;
}
