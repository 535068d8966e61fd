//: test heapmin.{releases-memory,releases-partial,never-grows,idempotent,memory-reusable,coalesces}
@coalesces enum { COUNT = 262144 };
@!coalesces enum { COUNT = 65536 };
static char *blocks[COUNT];

@coalesces static size_t size_of(int i) { (void)i; return 256; }
@!coalesces static size_t size_of(int i) { return i < 65000 ? 16 + (unsigned int)i * 2654435761u / 4096 % 2033 : 131072; }

static size_t fill_blocks(void)
{
    size_t all = 0;
    for (int i = 0; i < COUNT; all += size_of(i), i++)
        if (!blocks[i] && (blocks[i] = p_malloc(size_of(i)))) memset(blocks[i], 1, size_of(i));
    return all;
}

static void free_blocks(void)
{
    for (int i = 0; i < COUNT; i++)
        @releases-partial if (i % 10) p_free(blocks[i]), blocks[i] = NULL;
        @!releases-partial p_free(blocks[i]), blocks[i] = NULL;
}

static void test(void)
{
    p_free(p_malloc(100000));
    p__heapmin();
    long start = resident();
    fill_blocks();
    long peak = resident() - start;
    @memory-reusable for (int i = 0; i < 3; i++) free_blocks(), fill_blocks();
    @memory-reusable long again = resident() - start;
    @memory-reusable ok(again <= peak + peak / 4, "%ld KiB at first, %ld KiB when filled again\n", peak / 1024, again / 1024);
    free_blocks();
    @never-grows|idempotent long freed = resident() - start;
    int status = p__heapmin();
    @!coalesces long left = resident() - start;
    if (status || peak < 1048576) return; /* it failed, or memory cannot be measured here */
    @releases-memory ok(left <= peak / 10, "%ld of %ld KiB are still resident\n", left / 1024, peak / 1024);
    @releases-partial size_t live = 0;
    @releases-partial char *page = NULL;
    @releases-partial for (int i = 0; i < COUNT; i += 10) {
    @releases-partial     char *first = blocks[i] - (uintptr_t)blocks[i] % 4096, *last = blocks[i] + size_of(i) - 1;
    @releases-partial     for (char *at = first; at <= last; at += 4096) live += at != page ? 4096 : 0, page = at;
    @releases-partial }
    @releases-partial ok(left <= (long)live + peak / 10, "%ld of %ld KiB are resident; live blocks need %ld\n", left / 1024, peak / 1024, (long)live / 1024);
    @never-grows ok(left <= freed + 65536, "%ld KiB before the call, %ld KiB after it\n", freed / 1024, left / 1024);
    @never-grows fill_blocks();
    @never-grows freed = resident();
    @never-grows for (int i = 0; i < 100; i++) p__heapmin();
    @never-grows left = resident();
    @never-grows ok(left <= freed + 65536, "%ld KiB before 100 calls, %ld KiB after them\n", freed / 1024, left / 1024);
    @idempotent int second = p__heapmin();
    @idempotent long now = resident() - start, apart = now > left ? now - left : left - now;
    @idempotent ok(second == status, "the first call returned %d, the second %d\n", status, second);
    @idempotent ok(apart <= (peak / 100 > 65536 ? peak / 100 : 65536), "%ld KiB after the first call, %ld KiB after the second\n", left / 1024, now / 1024);
    @idempotent (void)freed;
    @memory-reusable p__heapmin();
    @memory-reusable fill_blocks();
    @memory-reusable left = resident() - start;
    @memory-reusable ok(left <= peak + peak / 4, "%ld KiB at first, %ld KiB after _heapmin\n", peak / 1024, left / 1024);
    @coalesces size_t total = 64 << 20;
    @coalesces char *large = p_malloc(total);
    @coalesces if (large) memset(large, 1, total);
    @coalesces long with = resident() - start;
    @coalesces ok(with <= peak + peak / 50, "%ld KiB with the small blocks, %ld KiB with the large one\n", peak / 1024, with / 1024);
}
//: test heapmin.preserves-live-blocks heapmin.combinations
enum { COUNT = 8192 };
static char *blocks[COUNT];

static void test(void)
{
    for (int round = 0; round < 6; round++) {
        size_t size = round % 2 ? 16 << round : 0;
        for (int i = 0; i < COUNT; i++) {
            if (blocks[i]) continue;
            blocks[i] = p_malloc(size ? size : mixed_size(i));
            if (!blocks[i]) return;
            memset(blocks[i], i % 255 + 1, size ? size : mixed_size(i));
        }
        for (int i = 0; i < COUNT; i++)
            if (i % 10 > round) p_free(blocks[i]), blocks[i] = NULL;
        int status = p__heapmin();
        @combinations ok(status == 0 || status == -1, "_heapmin returned %d\n", status);
        (void)status;
        for (int i = 0; i < COUNT; i++)
            ok(!blocks[i] || is_all(blocks[i], size ? size : mixed_size(i), i % 255 + 1), "a live block changed\n");
        for (int i = 0; i < COUNT; i++) p_free(blocks[i]), blocks[i] = NULL;
    }
}
//: test realloc.zero-size-frees free.memory-available-again aligned-free.memory-available-again
static void test(void)
{
    @zero-size-frees long limit = 64 * 1048576 / 10;
    @memory-available-again@!aligned long limit = 16 * 1048576;
    @aligned long limit = 8 * 1048576;
    void *first = p_malloc(100000);
    p_free(first);
    long start = resident();
    @zero-size-frees for (int i = 0; i < 64; i++) {
    @zero-size-frees     void *block = p_malloc(1 << 20);
    @zero-size-frees     if (block) memset(block, 3, 1 << 20);
    @zero-size-frees     block = p_realloc(block, 0);
    @zero-size-frees     if (block) p_free(block);
    @zero-size-frees }
    @memory-available-again@!aligned static void *blocks[1700];
    @memory-available-again@!aligned for (int round = 0; round < 100; round++) {
    @memory-available-again@!aligned     for (int i = 0; i < 1700; i++)
    @memory-available-again@!aligned         if ((blocks[i] = p_malloc(mixed_size(i + round)))) memset(blocks[i], 3, mixed_size(i + round));
    @memory-available-again@!aligned     for (int i = 0; i < 6800; i++)
    @memory-available-again@!aligned         if (i % 4 == i / 1700) p_free(blocks[i % 1700]);
    @memory-available-again@!aligned }
    @aligned for (int i = 0; i < 2000; i++) {
    @aligned     size_t size = 1 + i * 7919 % 130000;
    @aligned     void *block = p__aligned_malloc(size, (size_t)8 << i % 14);
    @aligned     if (block) memset(block, 3, size);
    @aligned     p__aligned_free(block);
    @aligned }
    long more = (long)resident() - start;
    ok(more <= limit, "%ld KiB more are resident than before\n", more / 1024);
}
