/* fork: the child of a program with threads can use the heap. */
#include "check.h"
#include <malloc.h>

#ifdef _WIN32
int main(void) {
    printf("skipped: Windows has no fork\n");
    return 0;
}
#else
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int stop;

static void *work(void *unused) {
    while (!stop)
        free(malloc(1000));
    return unused;
}

int main(void) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, work, NULL) == 0);
    for (int round = 0; round < 300; round++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(20); /* ends a child that waits forever */
            void *block = malloc(1000);
            free(block);
            _exit(block == NULL || _heapchk() != _HEAPOK);
        }
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(status == 0);
    }
    stop = 1;
    pthread_join(thread, NULL);
    printf("300 children used the heap\n");
    return 0;
}
#endif
