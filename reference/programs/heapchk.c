/* _heapchk: whether the heap is in order. */
#include "check.h"
#include <errno.h>
#include <malloc.h>

int main(void) {
    char *block = malloc(100);
    CHECK(block != NULL);
    errno = 0;
    CHECK(_heapchk() == _HEAPOK);
    CHECK(errno == 0);

    void (*volatile give_back)(void *) = free; /* so that the compiler does not complain */
    give_back(block);
    give_back(block); /* wrong: it is no block any more */
    CHECK(_heapchk() == _HEAPBADNODE);
    CHECK(errno == ENOSYS);

    block = malloc(100); /* the heap itself was not harmed */
    CHECK(block != NULL);
    free(block);
    printf("a block that was freed twice is noticed\n");
    return 0;
}
