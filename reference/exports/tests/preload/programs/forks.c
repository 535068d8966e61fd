/* Forks while another thread holds the lock of fork_lock.c and allocates. If the heap takes
 * its locks first, the fork waits for that thread, and the thread for the heap. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

void take(void);
void give(void);

static volatile int ends;

static void *allocate(void *unused) {
    while (!ends) {
        take();
        void *blocks[64];
        for (int i = 0; i < 64; i++) blocks[i] = malloc(48);
        for (int i = 0; i < 64; i++) free(blocks[i]);
        give();
    }
    return unused;
}

int main(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, allocate, NULL)) return 1;
    int right = 0;
    for (int i = 0; i < 200; i++) {
        pid_t child = fork();
        if (child == 0) {
            void *block = malloc(1000);
            take();
            free(block);
            give();
            _exit(block ? 0 : 1);
        }
        int status;
        right += child > 0 && waitpid(child, &status, 0) == child && status == 0;
    }
    ends = 1;
    pthread_join(thread, NULL);
    printf("%d of 200 forks\n", right);
    return right != 200;
}
