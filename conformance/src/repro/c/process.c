//: test malloc.after-fork process.forks-from-threads
#ifndef _WIN32
static volatile int is_over;
static char *blocks[500];

static int use(void)
{
    for (int i = 0; i < 500; i++) {
        if (!is_all(blocks[i], mixed_size(i), i % 255 + 1)) return 1;
        p_free(blocks[i]);
        if (!(blocks[i] = p_malloc(mixed_size(i)))) return 2;
    }
    return 0;
}

static void work(int number)
{
    while (number && !is_over) p_free(p_malloc(16 + number));
    @after-fork int most = 20;
    @forks-from-threads int most = 8;
    for (int i = 0; !number && !is_over && i < most; i++) {
        int status = in_fork(use, 5);
        ok(status == 0, "child %d: %s\n", i, status == 1 ? "bytes lost" : status == 2 ? "no memory" : "no end within 5 s, or a crash");
        if (status) break;
    }
    is_over = 1;
}
@forks-from-threads static void many(int number) { work(number % 2); }

#endif
static void test(void)
{
#ifndef _WIN32
    for (int i = 0; i < 500; i++)
        if ((blocks[i] = p_malloc(mixed_size(i)))) memset(blocks[i], i % 255 + 1, mixed_size(i));
    @after-fork run_threads(3, work);
    @forks-from-threads run_threads(4, many);
#else
    (void)p_malloc, (void)p_free;
#endif
}
//: test process.fork-handlers-allocate
static int calls;

static void handler(void)
{
    if (!p_malloc) return; /* before the library was loaded */
    void *block = p_malloc(300);
    calls += block != NULL;
    p_free(block);
}

/* Before the library is loaded, as another library of the program may do. */
static void __attribute__((constructor)) early(void) { pthread_atfork(handler, handler, handler); }

static int use(void) { return calls == 2 ? 0 : 1; }

static int forks(void)
{
    calls = 0; /* the handler before the fork, and the one after it in each process */
    int status = in_fork(use, 5);
    return status || calls != 2;
}

static void test(void)
{
    void *block = p_malloc(3000);
    p_free(block);
    alarm(10); /* the first fork may already wait for ever */
    int status = in_fork(forks, 10);
    ok(status == 0, "a fork whose handlers allocate: %s\n", status < 0 ? "no end within 10 s" : "a handler got no block");
}
//: test process.not-cancelled
static volatile int is_over;

static void *work(void *unused)
{
    for (int i = 0; i < 20000; i++) {
        char *block = p_malloc(16 + i % 3000);
        block = p_realloc(block, 5000);
        p_free(p_calloc(1, 100));
        p_free(block);
    }
    is_over = 1;
    return unused;
}

static void test(void)
{
    pthread_t thread;
    void *result = NULL;
    if (pthread_create(&thread, NULL, work, NULL)) return;
    pthread_cancel(thread);
    pthread_join(thread, &result);
    ok(is_over && result != PTHREAD_CANCELED, "the thread was cancelled in a routine of the heap\n");
}
//: test process.usable-under-address-limit process.leaves-address-space process.usable-under-data-limit
@leaves-address-space static void *idle(void *unused) { pause(); return unused; }

static void test(void)
{
    @!usable-under-data-limit struct rlimit limit = { 640 << 20, 640 << 20 };
    @!usable-under-data-limit if (setrlimit(RLIMIT_AS, &limit)) return;
    @usable-under-data-limit struct rlimit limit = { 96 << 20, 96 << 20 };
    @usable-under-data-limit if (setrlimit(RLIMIT_DATA, &limit)) return;
    int refused = 0;
    for (int i = 0; i < 1000; i++) {
        char *block = p_malloc(1024);
        if (block) memset(block, 1, 1024);
        refused += !block;
    }
    @!leaves-address-space ok(!refused, "%d of 1000 blocks of 1 KiB were refused\n", refused);
    @leaves-address-space int started = 0;
    @leaves-address-space pthread_attr_t stack;
    @leaves-address-space pthread_attr_init(&stack);
    @leaves-address-space pthread_attr_setstacksize(&stack, 40 << 20);
    @leaves-address-space for (pthread_t thread; started < 4 && !pthread_create(&thread, &stack, idle, NULL);) started++;
    @leaves-address-space ok(started == 4, "%d of 4 threads with stacks of 40 MiB started, %d blocks refused\n", started, refused);
}
//: test process.core-size
static void test(void)
{
    char line[300], rights[8], *block = p_malloc(1 << 20);
    unsigned long from, to;
    double written = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    if (!file || !block) return;
    memset(block, 1, 1 << 20);
    while (fgets(line, sizeof line, file)) /* a core file has the private mappings that can be written */
        if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) == 3 && !strcmp(rights, "rw-p")) written += to - from;
    fclose(file);
    ok(written <= 1024.0 * 1048576, "a core file would have %.0f MiB\n", written / 1048576);
}
//: test process.memory-can-be-locked process.usable-when-locked
//: keys lock
#include <sys/mman.h>

static int lock(int how, long most)
{
    struct rlimit limit = { most << 20, most << 20 };
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld", &pages) != 1) return 0;
    fclose(file);
    @memory-can-be-locked ok(pages <= most * 256, "mlockall would fail: %ld MiB of mappings, the limit is %ld MiB\n", pages / 256, most);
    if (pages > 262144) return 0;
    setrlimit(RLIMIT_MEMLOCK, &limit);
    if (!getuid() && setuid(65534)) return 0; /* root has no limit */
    return !mlockall(how);
}

static void test(void)
{
    @memory-can-be-locked for (int i = 0; i < 1000; i++) p_malloc(1000);
    @memory-can-be-locked if (lock(MCL_CURRENT, 256)) ok(p_malloc(100) != NULL, "NULL after mlockall\n");
    @usable-when-locked if (!lock(MCL_FUTURE, 8)) return;
    @usable-when-locked for (int i = 0; i < 1000; i++) ok(p_malloc(1000) != NULL, "NULL for 1000 bytes after mlockall(MCL_FUTURE)\n");
}
//: test process.unload-gives-back-addresses process.usable-after-unload
//: keys reload
static long mappings(long *mib)
{
    FILE *file = fopen("/proc/self/maps", "r");
    char line[4096];
    long count = 0;
    unsigned long from, to, all = 0;
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "%lx-%lx", &from, &to) == 2) count++, all += to - from;
    if (file) fclose(file);
    *mib = all >> 20;
    return count;
}
static void use(void) { p_free(p_malloc(3000)); }

static void test(void)
{
    char path[4096];
    long before = 0, mib = 0, more;
    int refused = 0;
    strncpy(path, ((struct link_map *)library)->l_name, sizeof path - 1);
    path[sizeof path - 1] = 0;
    for (int i = 0; i < 1000; i++) {
        dlclose(library);
        if (!(library = load(path))) return;
        FIND(p_malloc, "malloc");
        FIND(p_free, "free");
        void *block = p_malloc(1000);
        refused += !block;
        p_free(block);
        if (i % 50 == 0) in_thread(use);
        if (!i) before = mappings(&mib);
    }
    long now = mappings(&more);
    @usable-after-unload ok(!refused, "no block after %d of 1000 loads\n", refused);
    @unload-gives-back-addresses ok(more - mib <= 64 && now - before <= 64, "%ld MiB and %ld mappings more after 1000 loads\n", more - mib, now - before);
    (void)now, (void)before, (void)refused;
}
//: test process.interrupted-by-signals
#include <signal.h>

static volatile int handled, is_over, refused;
static void on_signal(int signal) { handled++, (void)signal; }

static void *work(void *unused)
{
    for (int i = 0; i < 200000 && handled < 20000; i++) {
        void *block = p_malloc(mixed_size(i));
        refused += !block;
        p_free(block);
    }
    is_over = 1;
    return unused;
}

static void test(void)
{
    pthread_t thread;
    struct sigaction action = { .sa_flags = 0 };
    action.sa_handler = on_signal;
    sigaction(SIGUSR1, &action, NULL);
    if (pthread_create(&thread, NULL, work, NULL)) return;
    while (!is_over) {
        pthread_kill(thread, SIGUSR1);
        usleep(20);
    }
    pthread_join(thread, NULL);
    if (handled) ok(!refused, "NULL %d times while %d signals came\n", refused, handled);
}
//: test process.first-calls-at-once
static pthread_barrier_t barrier;
static int wrong_blocks;

static void work(int number)
{
    char *blocks[12];
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 12; i++)
        if ((blocks[i] = p_malloc(24 << i))) memset(blocks[i], number + 1, 24 << i);
        else wrong_blocks++;
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 12; i++) wrong_blocks += blocks[i] && !is_all(blocks[i], 24 << i, number + 1);
}

static int begin_all(void)
{
    pthread_barrier_init(&barrier, NULL, 8);
    run_threads(8, work);
    return wrong_blocks ? 1 : 0;
}

static void test(void)
{
    for (int i = 0; i < 20; i++) {
        int status = in_fork(begin_all, 10);
        ok(status == 0, "first calls of eight threads: %s\n", status == 1 ? "NULL, or bytes lost" : "a crash or a hang");
    }
}
//: test process.thread-destructors
static pthread_key_t key;
static int refused;

static void destroy(void *round)
{
    char *block = p_malloc(3000);
    refused += !block;
    if (block) memset(block, 1, 3000);
    p_free(block);
    if (round != (void *)3) pthread_setspecific(key, (char *)round + 1);
}

static void work(void)
{
    pthread_setspecific(key, (void *)1);
    p_free(p_malloc(100));
}

static void test(void)
{
    long before = 0;
    pthread_key_create(&key, destroy);
    for (int i = 0; i < 220; i++) {
        in_thread(work);
        if (i == 19) before = resident();
    }
    long more = (long)resident() - before;
    ok(!refused && more <= 1048576, "NULL %d times in destructors, %ld KiB more after 200 threads\n", refused, more / 1024);
}
//: test process.free-keeps-errno process.success-keeps-errno
//: keys host-errno
static void test(void)
{
    static char *blocks[10000];
    for (int refuses = 0; refuses < 2 && refuse(refuses); refuses++) {
        for (int i = 0; i < 10000; i++) {
            size_t size = i % 50 ? 64 : 200000;
            errno = 77;
            blocks[i] = i % 3 ? p_malloc(size) : p_calloc(size / 2, 2);
            int after = errno;
            @success-keeps-errno ok(!blocks[i] || after == 77, "errno %d after %lu bytes were allocated\n", after, (unsigned long)size);
            if (i % 3 == 1) {
                errno = 77;
                blocks[i] = p_realloc(blocks[i], size + size / 2);
                after = errno;
                @success-keeps-errno ok(!blocks[i] || after == 77, "errno %d after realloc to %lu bytes\n", after, (unsigned long)(size + size / 2));
            }
            (void)after;
        }
        for (int i = 0; i < 10000; i++) {
            errno = 77;
            p_free(blocks[i]);
            int after = errno;
            @free-keeps-errno ok(after == 77, "errno %d after a block was freed\n", after);
            (void)after;
        }
    }
}
//: test process.names-of-one-heap
static const char *const names[] = { "malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign",
    "memalign", "valloc", "pvalloc", "reallocarray", "malloc_usable_size", "free_sized", "free_aligned_sized" };

static int preloaded(void)
{
    const char *path = ((struct link_map *)library)->l_name;
    setenv("LD_PRELOAD", path, 1);
    execl("/proc/self/exe", "repro", path, (char *)NULL);
    return 77;
}

static void test(void)
{
    if (!getenv("LD_PRELOAD")) { /* a child does the rest, with the library preloaded */
        int status = in_fork(preloaded, 30);
        if (status != 77) ok(status == 0, "with the library preloaded: status %d\n", status);
        return;
    }
    for (int i = 0; i < 13; i++) {
        void *at = dlsym(RTLD_DEFAULT, names[i]);
        ok(!at || at == find(library, names[i]), "%s is of another library\n", names[i]);
    }
}
//: test process.sized-free
//: optional free_sized free_aligned_sized aligned_alloc
static void test(void)
{
    ok(p_free_sized && p_free_aligned_sized, "free_sized or free_aligned_sized is missing\n");
    if (!p_free_sized || !p_free_aligned_sized) return;
    p_free_sized(NULL, 0);
    p_free_aligned_sized(NULL, 16, 0);
    p_free(p_malloc(1 << 20));
    long before = resident();
    for (int i = 0; i < 200; i++) {
        char *block = p_malloc(1 << 20), *other = p_aligned_alloc ? p_aligned_alloc(64, 1 << 20) : NULL;
        if (block) memset(block, 1, 1 << 20), p_free_sized(block, 1 << 20);
        if (other) memset(other, 1, 1 << 20), p_free_aligned_sized(other, 64, 1 << 20);
    }
    long more = (long)resident() - before;
    ok(more <= 16 << 20, "%ld KiB more after 400 blocks of 1 MiB were freed\n", more / 1024);
}
//: test process.aligned-blocks
//: optional aligned_alloc memalign posix_memalign valloc pvalloc
static void test(void)
{
    for (size_t alignment = 8; alignment <= 65536; alignment *= 2)
        for (int i = 0; i < 5; i++) {
            size_t size = alignment * (1 + i % 3), needed = i < 3 ? alignment : 4096;
            void *block = NULL;
            if (i == 0 && p_aligned_alloc) block = p_aligned_alloc(alignment, size);
            else if (i == 1 && p_memalign) block = p_memalign(alignment, size);
            else if (i == 2 && p_posix_memalign) p_posix_memalign(&block, alignment, size);
            else if (i == 3 && p_valloc) block = p_valloc(size);
            else if (i == 4 && p_pvalloc) block = p_pvalloc(size);
            else continue;
            ok(block && (uintptr_t)block % needed == 0, "%p for the alignment %lu\n", block, (unsigned long)needed);
            if (block) memset(block, 1, size);
            p_free(block);
        }
}
//: test process.posix-memalign-errors
static void test(void)
{
    static const size_t alignments[] = { 0, 3, sizeof(void *) / 2, 24, 64 };
    for (int i = 0; i < 5; i++) {
        void *block;
        errno = 77;
        int status = p_posix_memalign(&block, alignments[i], i < 4 ? 100 : SIZE_MAX / 2), after = errno;
        ok(status == (i < 4 ? EINVAL : ENOMEM) && after == 77, "alignment %lu: status %d, errno %d\n", (unsigned long)alignments[i], status, after);
    }
}
//: test process.reallocarray-overflow
static void test(void)
{
    static const size_t counts[] = { SIZE_MAX, SIZE_MAX / 8 + 2 }, sizes[] = { 2, 8 };
    char *block = p_malloc(2000);
    if (!block) return;
    memset(block, 4, 2000);
    for (int i = 0; i < 2; i++) {
        errno = 77;
        void *got = p_reallocarray(block, counts[i], sizes[i]);
        int after = errno;
        ok(!got && after == ENOMEM, "reallocarray(block, 0x%lx, %lu) returned %p, errno %d\n", (unsigned long)counts[i], (unsigned long)sizes[i], got, after);
        if (got) return;
    }
    ok(is_all(block, 2000, 4), "the block changed\n");
}
//: test process.usable-size
static void test(void)
{
    static char *blocks[300];
    size_t usable[300];
    ok(!p_malloc_usable_size(NULL), "malloc_usable_size(NULL) is not 0\n");
    for (int i = 0; i < 300; i++) {
        if (!(blocks[i] = p_malloc(1 + i * i))) return;
        usable[i] = p_malloc_usable_size(blocks[i]);
        ok(usable[i] >= (size_t)(1 + i * i), "%lu usable of %d bytes\n", (unsigned long)usable[i], 1 + i * i);
        memset(blocks[i], i % 255 + 1, usable[i]);
    }
    for (int i = 0; i < 300; i++)
        ok(is_all(blocks[i], usable[i], i % 255 + 1), "a live block of %d bytes changed\n", 1 + i * i);
}
