//: helper pthread_create pthread_t pthread_key_t pthread_atfork pthread_barrier_t
#ifndef _WIN32
#include <pthread.h>
#endif
//: helper rlimit setrlimit
#ifndef _WIN32
#include <sys/resource.h>
#endif
//: helper FIND_IN
#define FIND_IN(pointer, file, name) (*(void **)&(pointer) = find(load(file), name))

//: helper ERRNO
#define ERRNO (*(p__errno ? p__errno() : &errno))
//: helper DOSERRNO
#define DOSERRNO (*p___doserrno())
//: helper count_parameter_call parameter_calls
static int parameter_calls;

static void count_parameter_call(const wchar_t *expression, const wchar_t *function,
                                 const wchar_t *file, unsigned int line, uintptr_t reserved)
{
    (void)expression, (void)function, (void)file, (void)line, (void)reserved;
    parameter_calls++;
}

//: helper is_all
/* Whether each byte has this value. */
static int is_all(const void *block, size_t size, int value)
{
    const unsigned char *bytes = block;
    return !size || (bytes[0] == (unsigned char)value && !memcmp(bytes, bytes + 1, size - 1));
}

//: helper mixed_size
/* 16 to 2048 bytes; one in sixteen is larger, up to 128 KiB. */
static size_t mixed_size(unsigned int index)
{
    unsigned int number = (index + 1) * 2654435761u >> 8;
    return number % 16 ? 16 + number / 16 % 2033 : 2048 + number / 16 % 129024;
}

//: helper resident
/* The resident memory of this process in bytes. */
static size_t resident(void)
{
#ifdef _WIN32
    struct { DWORD size, faults; SIZE_T peak, now, other[6]; } memory = { sizeof memory };
    BOOL (WINAPI *get)(HANDLE, void *, DWORD);
    *(void **)&get = find(LoadLibraryA("psapi.dll"), "GetProcessMemoryInfo");
    return get && get(GetCurrentProcess(), &memory, sizeof memory) ? memory.now : 0;
#else
    char line[256];
    long kib = 0, more;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "Rss: %ld", &more) == 1) kib += more;
        if (sscanf(line, "LazyFree: %ld", &more) == 1) kib -= more;
    }
    if (file) fclose(file);
    return (size_t)kib * 1024;
#endif
}

//: helper in_thread
/* Calls the function in another thread and waits for its end. */
#ifdef _WIN32
static DWORD WINAPI begin(void *call) { (*(void (**)(void))call)(); return 0; }
static void in_thread(void (*call)(void))
{
    WaitForSingleObject(CreateThread(NULL, 0, begin, &call, 0, NULL), INFINITE);
}
#else
static void *begin(void *call) { (*(void (**)(void))call)(); return NULL; }
static void in_thread(void (*call)(void))
{
    pthread_t thread;
    if (!pthread_create(&thread, NULL, begin, &call)) pthread_join(thread, NULL);
}
#endif

//: helper run_threads
/* Calls the function in several threads, with their numbers. */
enum { MOST_THREADS = 16 };
#ifdef _WIN32
static DWORD WINAPI start_one(void *place) { (*(void (**)(int))place)((int)(intptr_t)((void **)place)[1]); return 0; }
#else
static void *start_one(void *place) { (*(void (**)(int))place)((int)(intptr_t)((void **)place)[1]); return NULL; }
#endif
static void run_threads(int count, void (*call)(int))
{
    void *places[MOST_THREADS][2];
#ifdef _WIN32
    HANDLE threads[MOST_THREADS];
#else
    pthread_t threads[MOST_THREADS];
#endif
    for (int i = 0; i < count; i++) {
        *(void (**)(int))&places[i][0] = call, places[i][1] = (void *)(intptr_t)i;
#ifdef _WIN32
        threads[i] = CreateThread(NULL, 0, start_one, places[i], 0, NULL);
#else
        if (pthread_create(&threads[i], NULL, start_one, places[i])) _exit(1);
#endif
    }
#ifdef _WIN32
    WaitForMultipleObjects(count, threads, TRUE, INFINITE);
#else
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
#endif
}

//: helper in_fork
#ifndef _WIN32
/* Calls the function in a child process. Returns its result, or -1 for a crash or a hang. */
static int in_fork(int (*call)(void), int seconds)
{
    int status;
    pid_t process = fork();
    if (!process) {
        alarm(seconds);
        _exit(call());
    }
    waitpid(process, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
#endif

//: helper given_block expanded_block measured_block walked_block check_all check_block
/* The blocks of the sequence. Each byte of a block has the block's value. */
static struct { unsigned char *at; size_t size; } block[16];

static void check_block(int slot, const char *when)
{
    ok(!block[slot].at || is_all(block[slot].at, block[slot].size, slot + 1), "%s: bytes of the block %c changed\n", when, 'a' + slot);
}
static void fill_block(int slot, size_t size)
{
    block[slot].size = size;
    memset(block[slot].at, slot + 1, size);
}

//: helper given_block
/* Checks the block that a call returned, and writes it. */
static void given_block(int slot, const char *call, void *at, size_t size, size_t alignment, size_t offset, int zeroes)
{
    int error = ERRNO;
    size_t old = block[slot].at ? block[slot].size : 0;
    if (size >> 30) { /* more than any heap has to give; a block that was resized stays */
        ok(!at && error == LIBRARY_ENOMEM, "%s returned %p, errno %d\n", call, at, error);
    } else if (!at) {
        ok(!size && block[slot].at, "%s returned NULL\n", call);
        block[slot].at = NULL;
    } else {
        block[slot].at = at;
        ok(((uintptr_t)at + offset) % (alignment ? alignment : 2 * sizeof(void *)) == 0, "%s returned %p\n", call, at);
        ok(is_all(at, old < size ? old : size, slot + 1), "%s: bytes changed\n", call);
        ok(!zeroes || old >= size || is_all((char *)at + old, size - old, 0), "%s: new bytes are not 0\n", call);
        fill_block(slot, size);
    }
}

//: helper expanded_block
static void expanded_block(int slot, const char *call, void *at, size_t size)
{
    ok(!at || at == block[slot].at, "%s moved the block\n", call);
    if (at != block[slot].at) return;
    ok(is_all(at, size < block[slot].size ? size : block[slot].size, slot + 1), "%s: bytes changed\n", call);
    fill_block(slot, size);
}

//: helper measured_block
static void measured_block(int slot, const char *call, size_t size)
{
    ok(size >= block[slot].size, "%s returned %lu of %lu bytes\n", call, (unsigned long)size, (unsigned long)block[slot].size);
    check_block(slot, call);
    if (size >= block[slot].size && size != (size_t)-1) fill_block(slot, size);
}

//: helper walked_block
static void walked_block(int slot)
{
    struct heap_info entry = { NULL, 0, 0 };
    int found = 0, entries = 0;
    ERRNO = 0;
    while (p__heapwalk(&entry) == -2) {
        entries++;
        if (entry.entry == block[slot].at && entry.in_use == 1 && entry.size >= block[slot].size) found++;
    }
    if (entries || ERRNO != LIBRARY_ENOSYS) ok(found == 1, "_heapwalk found the block %c %d times\n", 'a' + slot, found);
}

//: helper status_of
static void status_of(const char *call, int status, int one, int other)
{
    ok(status == one || status == other, "%s returned %d\n", call, status);
}

//: helper check_all
static void check_all(const char *when)
{
    for (int slot = 0; slot < 16; slot++) check_block(slot, when);
}

//: helper churn
static void churn(int count, size_t size)
{
    unsigned char *held[8] = { NULL }, *found;
    for (int i = 0; i < count; i++) {
        size_t wanted = 1 + (size_t)i * 7919 % (2 * size + 1);
        if ((found = held[i % 8])) ok(found[0] == i % 8 + 1, "a block of churn changed\n");
        p_free(found);
        found = p_calloc && i % 3 == 1 ? p_calloc(1, wanted) : p_malloc(wanted);
        if (p_realloc && i % 3 == 2) found = p_realloc(found, wanted += size);
        if ((held[i % 8] = found)) memset(found, i % 8 + 1, wanted);
    }
    for (int i = 0; i < 8; i++) p_free(held[i]);
}

