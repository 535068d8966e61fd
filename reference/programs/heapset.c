/* _heapset: fills free entries, so that a program can detect writes to them. */
#include "check.h"
#include <malloc.h>
#include <string.h>

int main(void) {
    char *blocks[100];
    for (int i = 0; i < 100; i++) {
        blocks[i] = malloc(200);
        CHECK(blocks[i] != NULL);
        memset(blocks[i], 'x', 200);
    }
    for (int i = 0; i < 100; i += 2)
        free(blocks[i]);
    CHECK(_heapset('Z') == _HEAPOK);

    _HEAPINFO entry = {NULL, 0, 0};
    size_t free_bytes = 0;
    while (_heapwalk(&entry) == _HEAPOK) {
        if (entry._useflag == _FREEENTRY) {
            for (size_t i = 0; i < entry._size; i++)
                CHECK(((char *)entry._pentry)[i] == 'Z');
            free_bytes += entry._size;
        }
    }
    CHECK(free_bytes >= 50 * 200);
    for (int i = 1; i < 100; i += 2) {
        CHECK(blocks[i][0] == 'x' && blocks[i][199] == 'x');
        free(blocks[i]);
    }
    printf("every free byte holds Z, and live blocks are unchanged\n");
    return 0;
}
