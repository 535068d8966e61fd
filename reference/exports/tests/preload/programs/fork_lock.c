/* A library that keeps its lock usable in the child of a fork: it takes the lock before the
 * fork and releases it after. Its handlers are registered when it is loaded. */
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void take(void) { pthread_mutex_lock(&lock); }
void give(void) { pthread_mutex_unlock(&lock); }

__attribute__((constructor)) static void load(void) { pthread_atfork(take, give, give); }
