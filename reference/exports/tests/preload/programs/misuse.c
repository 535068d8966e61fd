/* Misuses a block in the way that the first argument names, after it has printed the
   block's address. Status 0 if the heap does not end the process. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef char *volatile block; /* so that the compiler does not remove or judge the misuse */

static int is_way(const char *way, const char *name)
{
    return strcmp(way, name) == 0;
}

static char *the(void *address)
{
    printf("%p\n", address);
    fflush(stdout);
    return address;
}

/* A block that is not the first of its size: the bytes before it are the heap's too. */
static char *new_block(size_t size)
{
    block other = malloc(size);
    (void)other;
    return the(malloc(size));
}

static void use_the_heap(int times)
{
    while (times-- > 0) {
        block other = malloc(100);
        free(other);
    }
}

static void call(const char *routine)
{
    int (*called)(void) = (int (*)(void))(uintptr_t)dlsym(RTLD_DEFAULT, routine);
    if (called)
        called();
}

static void handler(int number)
{
    (void)number;
    use_the_heap(1);
}

/* With more than 32 keys, the C library allocates when the heap sets a value for its own key. */
static void take_keys(int count)
{
    pthread_key_t key;
    while (count-- > 0)
        pthread_key_create(&key, NULL);
}

int main(int count, char **arguments)
{
    const char *way = count > 1 ? arguments[1] : "";
    if (is_way(way, "nothing, after many keys"))
        take_keys(40);
    setvbuf(stdout, NULL, _IONBF, 0); /* standard output needs no block */

    if (is_way(way, "free twice")) {
        block it = new_block(24);
        free(it);
        free(it);
    } else if (is_way(way, "free twice, large")) {
        block it = new_block(300000);
        free(it);
        free(it);
    } else if (is_way(way, "free twice, with others between")) {
        block it = new_block(24);
        free(it);
        use_the_heap(1000);
        free(it);
    } else if (is_way(way, "free twice, with a handler of SIGABRT")) {
        block it = new_block(24);
        signal(SIGABRT, handler);
        free(it);
        free(it);
    } else if (is_way(way, "free the stack")) {
        char on_stack[64];
        free(the(on_stack));
    } else if (is_way(way, "free the middle")) {
        free(the(new_block(256) + 64));
    } else if (is_way(way, "free the middle, large")) {
        free(the(new_block(300000) + 4096));
    } else if (is_way(way, "free one byte later")) {
        free(the(new_block(256) + 1));
    } else if (is_way(way, "resize after free")) {
        block it = new_block(24);
        free(it);
        it = realloc(it, 50);
    } else if (is_way(way, "resize the middle")) {
        block it = the(new_block(256) + 64);
        it = realloc(it, 50);
    } else if (is_way(way, "write past the end")) {
        block it = new_block(24);
        it[24] ^= 1;
        free(it);
    } else if (is_way(way, "write past the end, page")) {
        block it = new_block(4096);
        it[4096] ^= 1;
        free(it);
    } else if (is_way(way, "write past the end, large")) {
        block it = new_block(300000);
        it[300000] ^= 1;
        free(it);
    } else if (is_way(way, "write past the end, aligned")) {
        void *it = NULL;
        if (posix_memalign(&it, 64, 24) == 0) {
            block aligned = the(it);
            aligned[24] ^= 1;
            free(aligned);
        }
    } else if (is_way(way, "write past the end, resize")) {
        block it = new_block(24);
        it[24] ^= 1;
        it = realloc(it, 50);
    } else if (is_way(way, "write past the end, other call")) {
        block it = new_block(24);
        it[24] ^= 1;
        use_the_heap(1);
    } else if (is_way(way, "write past the end, _heapchk")) {
        block it = new_block(24);
        use_the_heap(100);
        it[24] ^= 1;
        call("_heapchk");
    } else if (is_way(way, "write past the end, _heapmin")) {
        block it = new_block(24);
        use_the_heap(100);
        it[24] ^= 1;
        call("_heapmin");
    } else if (is_way(way, "write past the end, exit")) {
        block it = new_block(24);
        use_the_heap(100);
        it[24] ^= 1;
    } else if (is_way(way, "write far past the end")) {
        block it = new_block(24);
        it[1 << 19] ^= 1;
    } else if (is_way(way, "write before the start")) {
        block it = new_block(24);
        it[-1] ^= 1;
        free(it);
    } else if (is_way(way, "write before the start, large")) {
        block it = new_block(300000);
        it[-1] ^= 1;
        free(it);
    } else if (is_way(way, "write before the start, aligned")) {
        void *it = NULL;
        if (posix_memalign(&it, 4096, 5000) == 0 && posix_memalign(&it, 4096, 5000) == 0) {
            block aligned = the(it);
            aligned[-1] ^= 1;
            free(aligned);
        }
    } else if (is_way(way, "write after free")) {
        block it = new_block(24);
        free(it);
        it[3] ^= 1;
        use_the_heap(1);
    } else if (is_way(way, "write after free, much later")) {
        block it = new_block(24);
        free(it);
        use_the_heap(100);
        it[3] ^= 1;
        use_the_heap(20000);
    } else if (is_way(way, "write after free, exit")) {
        block it = new_block(300000);
        free(it);
        use_the_heap(100);
        it[299999] ^= 1;
    } else if (is_way(way, "write to a block of size 0")) {
        block it = new_block(0);
        *it ^= 1;
    } else if (is_way(way, "read a block of size 0")) {
        block it = new_block(0);
        putchar(*it);
    } else if (strncmp(way, "nothing", 7) == 0) {
        block it = new_block(24);
        use_the_heap(20000);
        free(it);
        free(new_block(0));
    } else {
        fprintf(stderr, "unknown: %s\n", way);
        return 2;
    }
    if (!strstr(way, "exit"))
        _exit(0); /* the end of the process must not be what finds it */
    return 0;
}
