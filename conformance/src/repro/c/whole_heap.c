//: test heapchk.sound-heap heapchk.success-keeps-errno heapchk.combinations
//: optional _heapmin
static void look(const char *when)
{
    ERRNO = 77;
    int status = p__heapchk(), error = ERRNO;
    @sound-heap|combinations ok(status == -2 || status == -1, "_heapchk %s returned %d\n", when, status);
    @success-keeps-errno ok(error == 77, "_heapchk %s returned %d, errno %d\n", when, status, error);
    @!success-keeps-errno (void)error;
}

static void test(void)
{
    static void *blocks[3000];
    look("before the first block");
    for (int i = 0; i < 3000; i++) blocks[i] = p_malloc(mixed_size(i));
    look("with live blocks");
    for (int i = 0; i < 3000; i++) if (i % 3) p_free(blocks[i]);
    look("with gaps");
    if (p__heapmin) p__heapmin();
    look("after _heapmin");
    for (int i = 0; i < 3000; i += 3) p_free(blocks[i]);
    look("after the last block");
    @combinations void *nothing = p_malloc(0), *other = p_malloc(0);
    @combinations ok(nothing && other && nothing != other, "malloc(0) returned %p and %p\n", nothing, other);
}
//: test heapchk.error-sets-enosys
#ifndef _WIN32
static int kind;

static int damage(void)
{
    char *blocks[40];
    for (int i = 0; i < 40; i++) blocks[i] = p_malloc(100);
    for (int i = 0; i < 40; i++) if (!blocks[i]) return 0;
    if (kind == 0) memset(blocks[20] + 100, 0xDB, 12);
    if (kind == 1) p_free(blocks[20]), p_free(blocks[20]);
    if (kind == 2) p_free(blocks[20] + 32);
    if (kind == 3) p_free(blocks[20]), p_free(blocks[22]), memset(blocks[20], 0xDB, 100), memset(blocks[22], 0xDB, 100);
    ERRNO = 77;
    int status = p__heapchk();
    return status == -1 || status == -2 ? 0 : ERRNO == LIBRARY_ENOSYS ? 2 : 3;
}

#endif
static void test(void)
{
#ifndef _WIN32
    static const char *const kinds[] = { "an overrun", "a double free", "a wild free", "a write after free" };
    for (kind = 0; kind < 4; kind++) {
        int status = in_fork(damage, 10); /* no page says how a process goes on after damage */
        if (status == 2 || status == 3) ok(status == 2, "_heapchk found %s and did not set ENOSYS\n", kinds[kind]);
    }
#else
    (void)p_malloc, (void)p_free, (void)p__heapchk, (void)p__errno;
#endif
}
//: test heapwalk.{starts-at-null-and-ends,every-live-block-once,size-at-least-requested,freed-is-not-in-use,use-flag,entries-are-disjoint,keeps-the-heap,combinations} heapmin.heap-consistent
//: keys walk
//: optional _heapmin _heapchk
enum { COUNT = 3000 };
static struct { char *at; size_t size; int is_freed, found; } blocks[COUNT];

static int find_block(const char *at)
{
    for (int i = 0; i < COUNT; i++)
        if (blocks[i].at == at) return i;
    return -1;
}

static void test(void)
{
    struct heap_info entry = { NULL, 0, 0 };
    int status, entries = 0, missing = 0, twice = 0, small = 0, freed = 0, flags = 0, overlaps = 0;
    for (int i = 0; i < COUNT; i++) {
        blocks[i].size = i % 100 ? mixed_size(i) : i % 200 ? 1024 : 1500000;
        blocks[i].at = i % 50 == 1 ? p_calloc(1, blocks[i].size) : p_malloc(blocks[i].size);
        if (i % 50 == 2) blocks[i].at = p_realloc(blocks[i].at, blocks[i].size += 5000);
        if (!blocks[i].at) return;
        memset(blocks[i].at, i % 255, blocks[i].size);
    }
    for (int i = 1; i < COUNT; i += 3) p_free(blocks[i].at), blocks[i].is_freed = 1;
    @heap-consistent|combinations if (p__heapmin) p__heapmin();
    @heap-consistent ok(!p__heapchk || p__heapchk() == -2 || p__heapchk() == -1, "_heapchk returned %d\n", p__heapchk());
    char *begin = NULL, *end = NULL;
    while ((status = p__heapwalk(&entry)) == -2 && entries++ < 1000000) {
        int i = find_block(entry.entry);
        flags += entry.in_use != 0 && entry.in_use != 1;
        if (entry.in_use != 1) continue;
        overlaps += (char *)entry.entry < end && (char *)entry.entry >= begin;
        begin = entry.entry, end = begin + entry.size;
        if (i < 0) continue;
        freed += blocks[i].is_freed;
        twice += blocks[i].found++ == 1;
        small += entry.size < blocks[i].size && !blocks[i].is_freed;
    }
    if (status == -5 && !entries && ERRNO == LIBRARY_ENOSYS) return; /* not supported here */
    for (int i = 0; i < COUNT; i++) missing += !blocks[i].is_freed && !blocks[i].found;
    @starts-at-null-and-ends|heap-consistent|combinations ok(status == -5 && entries, "after %d entries the walk ended with %d\n", entries, status);
    @every-live-block-once|heap-consistent|combinations ok(!missing && !twice, "%d live blocks not found, %d found twice\n", missing, twice);
    @size-at-least-requested|heap-consistent|combinations ok(!small, "%d entries are smaller than their blocks\n", small);
    @freed-is-not-in-use ok(!freed, "%d freed blocks are in use\n", freed);
    @use-flag ok(!flags, "%d entries have another flag than 0 and 1\n", flags);
    @entries-are-disjoint ok(!overlaps, "%d entries overlap the one before\n", overlaps);
    (void)missing, (void)twice, (void)small, (void)freed, (void)flags, (void)overlaps;
    @keeps-the-heap|combinations for (int i = 0; i < COUNT; i++)
    @keeps-the-heap|combinations     ok(blocks[i].is_freed || is_all(blocks[i].at, blocks[i].size, i % 255), "a live block of %lu bytes changed\n", (unsigned long)blocks[i].size);
    @combinations void *nothing = p_malloc(0), *other = p_malloc(0);
    @combinations ok(nothing && other && nothing != other, "malloc(0) returned %p and %p\n", nothing, other);
}
//: test heapwalk.empty-heap
static void test(void)
{
    struct heap_info entry = { NULL, 0, 0 };
    int status, entries = 0;
    ERRNO = 0;
    while ((status = p__heapwalk(&entry)) == -2 && entries < 1000000) entries++;
    if (status == -5 && !entries && ERRNO == LIBRARY_ENOSYS) return; /* not supported here */
    ok(status == -5 || (status == -1 && !entries), "%d entries, then %d\n", entries, status);
}
//: test heapwalk.success-keeps-errno
static void test(void)
{
    struct heap_info entry = { NULL, 0, 0 };
    void *block = p_malloc(1000);
    int status = -2, error;
    for (int i = 0; i < 200 && block && status == -2; i++) {
        ERRNO = 77;
        status = p__heapwalk(&entry), error = ERRNO;
        if (!i && error == LIBRARY_ENOSYS) return; /* not supported here */
        ok(error == 77 && (status == -2 || status == -5), "_heapwalk returned %d, errno %d\n", status, error);
    }
}
//: test heapwalk.wild-entry heapwalk.error-sets-enosys
static void test(void)
{
    static char outside[512];
    struct heap_info entry = { NULL, 0, 0 };
    char *block = p_calloc(1, 1000);
    ERRNO = 0;
    if (!block || (p__heapwalk(&entry) == -5 && ERRNO == LIBRARY_ENOSYS)) return; /* not supported */
    for (int i = 0; i < 2; i++) {
        struct heap_info wild = { i ? block + 100 : outside + 256, 0, 0 };
        ERRNO = 77;
        int status = p__heapwalk(&wild), error = ERRNO;
        @wild-entry ok(status == -6, "from %s it returned %d\n", i ? "a block's middle" : "outside", status);
        @error-sets-enosys if (status == -6 || status == -4) ok(error == LIBRARY_ENOSYS, "it returned %d, errno %d\n", status, error);
        (void)error;
    }
}
//: test heapset.{sound-heap,fills-free-entries,keeps-live-blocks,heap-stays-usable,success-keeps-errno,combinations}
//: optional _heapmin _heapchk _heapwalk
static void test(void)
{
    static unsigned char *blocks[3000];
    int status = p__heapset(0xA5);
    @sound-heap ok(status == -2 || status == -1, "_heapset returned %d\n", status);
    for (int i = 0; i < 3000; i++) {
        if (!(blocks[i] = p_malloc(mixed_size(i)))) return;
        memset(blocks[i], i % 255, mixed_size(i));
    }
    for (int i = 0; i < 3000; i++) if (i % 3) p_free(blocks[i]);
    ERRNO = 77;
    status = p__heapset(0xA5);
    int error = ERRNO;
    @combinations ok(status == -2 || status == -1, "_heapset returned %d\n", status);
    if (error == LIBRARY_ENOSYS) return; /* not supported here */
    @success-keeps-errno ok(error == 77, "_heapset returned %d, errno %d\n", status, error);
    @sound-heap ok(status == -2 || status == -1, "_heapset returned %d\n", status);
    (void)status;
    @fills-free-entries struct heap_info entry = { NULL, 0, 0 };
    @fills-free-entries while (p__heapwalk && p__heapwalk(&entry) == -2)
    @fills-free-entries     if (!entry.in_use && entry.size && entry.size < 4096)
    @fills-free-entries         ok(is_all(entry.entry, entry.size, 0xA5), "%lu free bytes are not all filled\n", (unsigned long)entry.size);
    @heap-stays-usable for (int i = 0; i < 500; i++) {
    @heap-stays-usable     void *block = p_calloc(1, mixed_size(i));
    @heap-stays-usable     ok(block && is_all(block, mixed_size(i), 0), "%p, or bytes that are not 0, from calloc\n", block);
    @heap-stays-usable     p_free(block);
    @heap-stays-usable }
    @heap-stays-usable ok(!p__heapchk || p__heapchk() == -2 || p__heapchk() == -1, "_heapchk returned %d\n", p__heapchk());
    if (p__heapmin) p__heapmin();
    @keeps-live-blocks|combinations for (int i = 0; i < 3000; i += 3)
    @keeps-live-blocks|combinations     ok(is_all(blocks[i], mixed_size(i), i % 255), "a live block of %lu bytes changed\n", (unsigned long)mixed_size(i));
    @combinations void *nothing = p_malloc(0), *other = p_malloc(0);
    @combinations ok(nothing && other && nothing != other, "malloc(0) returned %p and %p\n", nothing, other);
}
//: test heapadd.{returns-minus-one,sets-enosys,never-uses-the-memory}
static void test(void)
{
    static unsigned char memory[65536];
    memset(memory, 5, sizeof memory);
    for (int i = 0; i < 2; i++) {
        ERRNO = 77;
        int status = p__heapadd(i ? NULL : memory, i ? 0 : sizeof memory), error = ERRNO;
        @returns-minus-one ok(status == -1, "_heapadd returned %d\n", status);
        @sets-enosys ok(error == LIBRARY_ENOSYS, "_heapadd returned %d, errno %d\n", status, error);
        (void)status, (void)error;
    }
    @never-uses-the-memory for (size_t size = 1; size < 100000; size = size * 3 / 2 + 1) {
    @never-uses-the-memory     unsigned char *block = p_malloc(size);
    @never-uses-the-memory     ok(block < memory || block >= memory + sizeof memory, "a block of %lu bytes in the memory\n", (unsigned long)size);
    @never-uses-the-memory     p_free(block);
    @never-uses-the-memory }
    @never-uses-the-memory ok(is_all(memory, sizeof memory, 5), "the memory changed\n");
}
//: test get-heap-handle.owns-the-blocks get-heap-handle.keeps-errno
static void test(void)
{
#ifdef _WIN32
    void *block = p_malloc(100);
    ERRNO = 77;
    HANDLE heap = (HANDLE)p__get_heap_handle();
    int error = ERRNO;
    @keeps-errno ok(error == 77, "errno %d\n", error);
    @owns-the-blocks ok(heap && HeapValidate(heap, 0, block), "the heap %p does not own the block %p\n", heap, block);
    (void)heap, (void)block, (void)error;
#else
    (void)p_malloc, (void)p__get_heap_handle, (void)p__errno;
#endif
}
