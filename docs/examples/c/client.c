/* A program on the reference heap: its malloc, free and errno are those of libheapmin_crt. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS 8192
#define SIZE 4096

static long resident_mib(void) {
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;
    while (status && fgets(line, sizeof line, status)) sscanf(line, "RssAnon: %ld", &kib);
    if (status) fclose(status);
    return kib / 1024;
}

int main(void) {
    static char *blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(SIZE);
        if (!blocks[i]) return 1;
        memset(blocks[i], 1, SIZE);
    }
    for (int i = 1; i < BLOCKS; i++) free(blocks[i]);

    long before = resident_mib();
    errno = 0;
    int result = _heapmin();
    if (result == -1 && errno == ENOSYS) puts("the system refused");
    printf("_heapmin() returned %d; resident memory was %ld MiB and is %ld MiB\n", result, before,
           resident_mib());
    free(blocks[0]);
    return 0;
}
