/* _heapmin: gives unused memory back to the system. */
#include "check.h"
#include <errno.h>
#include <malloc.h>
#include <string.h>

int main(void) {
    char *kept = malloc(1000);
    CHECK(kept != NULL);
    memset(kept, 'x', 1000);
    for (int round = 0; round < 3; round++) {
        char *large = malloc(32 << 20);
        CHECK(large != NULL);
        memset(large, round, 32 << 20);
        free(large);
        errno = 0;
        if (_heapmin() != 0) {
            CHECK(errno == ENOSYS);
            printf("the system refused to take memory back\n");
            return 0;
        }
    }
    for (int i = 0; i < 1000; i++)
        CHECK(kept[i] == 'x');
    printf("three times, 32 MiB went back to the system\n");
    free(kept);
    return 0;
}
