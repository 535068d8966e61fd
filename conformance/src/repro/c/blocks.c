//: test malloc.alignment malloc.blocks-are-disjoint malloc.size-class-edges calloc.alignment calloc.blocks-are-disjoint calloc.zeroed calloc.zeroed-after-reuse realloc.keeps-contents realloc.alignment expand.never-moves expand.keeps-contents expand.grown-has-its-bytes recalloc.new-bytes-zero recalloc.keeps-contents recalloc.alignment recalloc.null-acts-as-calloc {malloc,calloc,realloc,expand,recalloc,free,msize}.combinations
//: optional _heapmin _msize
static const size_t sizes[] = { 1, 16, 24, 100, 555, 776, 777, 300, 1000, 2048, 2049, 4096,
                                10001, 40000, 131073, 200001, 300000, 1048577, 9000000 };
enum { COUNT = sizeof sizes / sizeof sizes[0] };
static const char *const histories[] = { "new memory", "freed memory", "memory after _heapmin",
                                         "memory of another thread" };
static unsigned long size;

static void use_and_free(void)
{
    void *block = p_malloc(size);
    if (block) memset(block, 0xEE, size);
    p_free(block);
}

static void test(void)
{
    static unsigned char *live[COUNT];
    @combinations void *nothing = p_malloc(0);
    @combinations ok(nothing != NULL, "NULL for 0 bytes\n");
    for (int history = 0; history < 4; history++) {
        for (int i = 0; i < COUNT; i++) {
            size = sizes[i];
            if (history == 3) in_thread(use_and_free);
            else if (history) use_and_free();
            if (history == 2 && p__heapmin) p__heapmin();
            unsigned char *block = ALLOCATE(size);
            ok(block != NULL, "NULL for %lu bytes in %s\n", size, histories[history]);
            @combinations ok(!p_malloc(SIZE_MAX / 2), "a block of SIZE_MAX / 2 bytes\n");
            if (!block) return;
            @aligned-address ok((uintptr_t)block % (2 * sizeof(void *)) == 0, "%p for %lu bytes\n", block, size);
            @zero@zeroes ok(is_all(block, size, 0), "%lu bytes in %s are not 0\n", size, histories[history]);
            @sizes ok(!p__msize || p__msize(block) >= size, "_msize of %lu bytes is %lu\n", size, (unsigned long)p__msize(block));
            @resizes static const int percents[] = { 60, 160, 100, 95, 200, 101, 40, 100 };
            @resizes unsigned long old = size, now;
            @resizes for (int step = 0; step < 8; step++, old = now) {
            @resizes     now = (sizes[i] * percents[step] + 99) / 100;
            @resizes     memset(block, i + 1, old);
            @resizes@combinations     ok(!RESIZE(block, SIZE_MAX / 2), "a block of SIZE_MAX / 2 bytes\n");
            @resizes     unsigned char *moved = RESIZE(block, now);
            @resizes@refuses     if (!moved) { now = old; continue; } /* NULL is allowed */
            @resizes@!refuses     ok(moved != NULL, "NULL for %lu bytes from %lu\n", now, old);
            @resizes@!refuses     if (!moved) return;
            @never-moves     ok(moved == block, "%lu to %lu bytes: %p moved to %p\n", old, now, block, moved);
            @resizes@aligned-address     ok((uintptr_t)moved % (2 * sizeof(void *)) == 0, "%p for %lu bytes\n", moved, now);
            @resizes@contents     ok(is_all(moved, now < old ? now : old, i + 1), "%lu to %lu bytes lost bytes\n", old, now);
            @resizes@zero@zeroes     ok(now <= old || is_all(moved + old, now - old, 0), "%lu to %lu bytes: new bytes not 0\n", old, now);
            @grown-has-its-bytes     ok(!p__msize || p__msize(moved) >= now, "%lu to %lu bytes: _msize is %lu\n", old, now, (unsigned long)p__msize(moved));
            @resizes     block = moved;
            @resizes }
            @resizes@refuses block = p_realloc(block, size);
            memset(block, i + 1, size);
            live[i] = block;
        }
        for (int i = 0; i < COUNT; i++) {
            @contents|grown-has-its-bytes ok(is_all(live[i], sizes[i], i + 1), "a live block of %lu bytes changed\n", (unsigned long)sizes[i]);
            RELEASE(live[i]);
        }
    }
}
//: test aligned-{malloc,offset-malloc,realloc,offset-realloc,recalloc,offset-recalloc}.{alignment,blocks-are-disjoint,keeps-contents,new-bytes-zero,combinations} aligned-{free,msize}.combinations
//: optional _heapmin
static const size_t sizes[] = { 1, 24, 64, 100, 100, 100, 100, 50, 255, 256, 257, 512, 1000, 4096, 4097, 5000,
                                65536, 70000, 131073, 300000, 524288, 1048576, 1100000 };
enum { COUNT = sizeof sizes / sizeof sizes[0] };
@offset static unsigned long size, alignment, offset;
@!offset static unsigned long size, alignment;

static void use_and_free(void)
{
    void *block = ALLOCATE(size);
    if (block) memset(block, 0xEE, size);
    RELEASE(block);
}

static void test(void)
{
    static unsigned char *live[COUNT];
    @combinations for (alignment = 8; alignment <= 4194304; alignment *= 8) {
    @!combinations for (alignment = 1; alignment <= 1048576; alignment *= 4) {
        for (int i = 0; i < COUNT; i++) {
            size = sizes[i];
            @offset offset = i % 3 == 1 && size > 24 ? 8 : i % 3 == 2 && size > 24 ? 20 : 0;
            if (i % 5 == 1) in_thread(use_and_free);
            else if (i % 5) use_and_free();
            if (i % 5 == 2 && p__heapmin) p__heapmin();
            unsigned char *block = ALLOCATE(size);
            ok(block != NULL, "NULL for %lu bytes aligned to %lu\n", size, alignment);
            if (!block) return;
            @aligned-address@!offset ok((uintptr_t)block % alignment == 0, "%p for %lu bytes, alignment %lu\n", block, size, alignment);
            @aligned-address@offset ok(((uintptr_t)block + offset) % alignment == 0, "%p for %lu, %lu, %lu\n", block, size, alignment, offset);
            @zero@zeroes ok(is_all(block, size, 0), "%lu bytes are not 0\n", size);
            @measures ok(SIZE(block) >= size, "_msize of %lu bytes is %lu\n", size, (unsigned long)SIZE(block));
            @resizes static const int percents[] = { 60, 160, 100, 95, 200, 101, 40, 100 };
            @resizes unsigned long old = size, now;
            @resizes for (int step = 0; step < 8; step++, old = now) {
            @resizes@!offset     now = (sizes[i] * percents[step] + 99) / 100;
            @resizes@offset     now = (sizes[i] * percents[step] + 99) / 100 + offset;
            @resizes     memset(block, i + 1, old);
            @resizes     block = RESIZE(block, now);
            @resizes     ok(block != NULL, "NULL for %lu bytes from %lu\n", now, old);
            @resizes     if (!block) return;
            @resizes@aligned-address@!offset     ok((uintptr_t)block % alignment == 0, "%p for %lu bytes, alignment %lu\n", block, now, alignment);
            @resizes@aligned-address@offset     ok(((uintptr_t)block + offset) % alignment == 0, "%p for %lu, %lu, %lu\n", block, now, alignment, offset);
            @resizes@contents     ok(is_all(block, now < old ? now : old, i + 1), "%lu to %lu bytes lost bytes\n", old, now);
            @resizes@zero@zeroes     ok(now <= old || is_all(block + old, now - old, 0), "%lu to %lu bytes: new bytes not 0\n", old, now);
            @resizes }
            memset(block, i + 1, size);
            @keeps-contents ok(!RESIZE(block, SIZE_MAX), "a block of SIZE_MAX bytes\n");
            live[i] = block;
        }
        for (int i = 0; i < COUNT; i++) {
            @contents ok(is_all(live[i], sizes[i], i + 1), "a live block of %lu bytes changed\n", (unsigned long)sizes[i]);
            RELEASE(live[i]);
        }
    }
}
//: test aligned-*.large-alignment
static void test(void)
{
    static const size_t sizes[] = { 24, 5000, 2097152, 4194305 };
    unsigned char *live[4];
    unsigned long alignment;
    @offset unsigned long offset = 8;
    if (sizeof(void *) < 8) return; /* a 32-bit program may have no gap for such blocks */
    for (alignment = 2097152; alignment <= 67108864; alignment *= 2) {
        for (int i = 0; i < 4; i++) {
            live[i] = ALLOCATE(sizes[i]);
            ok(live[i] != NULL, "NULL for %lu bytes aligned to %lu\n", (unsigned long)sizes[i], alignment);
            if (!live[i]) return;
            @resizes live[i] = RESIZE(live[i], 2 * sizes[i]);
            @resizes if (!live[i]) return;
            @offset ok(((uintptr_t)live[i] + offset) % alignment == 0, "%p for alignment %lu, offset 8\n", live[i], alignment);
            @!offset ok((uintptr_t)live[i] % alignment == 0, "%p for alignment %lu\n", live[i], alignment);
            memset(live[i], i + 1, sizes[i]);
        }
        for (int i = 0; i < 4; i++) {
            ok(is_all(live[i], sizes[i], i + 1), "a live block of %lu bytes changed\n", (unsigned long)sizes[i]);
            RELEASE(live[i]);
        }
    }
}
//: test msize.at-least-requested msize.every-byte-usable aligned-msize.at-least-requested aligned-msize.every-byte-usable
//: optional _expand _recalloc _heapchk _aligned_realloc
static const size_t sizes[] = { 1, 7, 16, 24, 100, 255, 1000, 2000, 4096, 5000, 8192, 16000, 32768,
                                40000, 131072, 131073, 500000, 1048576, 2097153 };
enum { COUNT = sizeof sizes / sizeof sizes[0], EACH = 21 };

static void test(void)
{
    static unsigned char *live[COUNT * EACH];
    static size_t seen[COUNT * EACH];
    @aligned size_t alignment = 16, offset = 0;
    for (int i = 0; i < COUNT * EACH; i++) {
        size_t size = sizes[i / EACH];
        unsigned char *block = ALLOCATE(size);
        @!aligned if (i % 7 == 1) block = p_realloc(block, size / 2 + 1), block = p_realloc(block, size);
        @!aligned if (i % 7 == 2) block = p_realloc(block, 2 * size), block = p_realloc(block, size);
        @!aligned if (i % 7 == 3 && p__recalloc) block = p__recalloc(block, 2, size), block = p__recalloc(block, 1, size);
        @!aligned if (i % 7 == 4 && p__expand) block = p_realloc(block, size + size / 3 + 1), p__expand(block, size);
        @!aligned if (i % 7 == 5) p_free(block), block = p_calloc(1, size);
        @!aligned if (i % 7 == 6 && p__expand && size > 1) { block = p_realloc(block, size / 2); if (!p__expand(block, size)) size /= 2; }
        @aligned if (i % 7 == 1 && p__aligned_realloc) block = p__aligned_realloc(block, 2 * size, 16), block = p__aligned_realloc(block, size, 16);
        if (!block) return;
        seen[i] = SIZE(block);
        @at-least-requested ok(seen[i] >= size, "_msize is %lu for %lu bytes\n", (unsigned long)seen[i], (unsigned long)size);
        @every-byte-usable memset(block, i % 255 + 1, seen[i]);
        live[i] = block;
    }
    for (int i = 0; i < COUNT * EACH; i++) {
        @every-byte-usable ok(is_all(live[i], seen[i], i % 255 + 1), "a live block of %lu bytes changed\n", (unsigned long)seen[i]);
        RELEASE(live[i]);
    }
    @every-byte-usable@!aligned ok(!p__heapchk || p__heapchk() == -2 || p__heapchk() == -1, "_heapchk returned %d\n", p__heapchk());
}
//: test {realloc,recalloc,aligned-realloc,aligned-offset-realloc}.failure-keeps-block
static void test(void)
{
    static const size_t sizes[] = { 24, 200, 3000, 200000 };
    @aligned size_t alignment = 64;
    @offset size_t offset = 8;
    for (int i = 0; i < 4; i++) {
        unsigned char *block = ALLOCATE(sizes[i]);
        if (!block) return;
        memset(block, 7, sizes[i]);
        for (int step = 0; step < 3; step++) {
            void *wrong = RESIZE(block, step == 0 ? SIZE_MAX : step == 1 ? SIZE_MAX - 31 : SIZE_MAX / 2);
            ok(!wrong, "%p for more than any memory\n", wrong);
            if (wrong) return;
        }
        ok(is_all(block, sizes[i], 7), "the block of %lu bytes changed\n", (unsigned long)sizes[i]);
        RELEASE(block);
    }
}
//: test malloc.usable-after-failure
static void test(void)
{
    static const size_t sizes[] = { 16, 100, 5000, 200000 };
    unsigned char *live[4];
    for (int i = 0; i < 4; i++) {
        live[i] = p_malloc(sizes[i]);
        if (!live[i]) return;
        memset(live[i], i + 1, sizes[i]);
    }
    for (int i = 0; i < 4; i++) {
        ok(!p_malloc(SIZE_MAX - i), "a block of SIZE_MAX - %d bytes\n", i);
        ok(!p_malloc(SIZE_MAX / 2 - i), "a block of SIZE_MAX / 2 - %d bytes\n", i);
    }
    for (int i = 0; i < 4; i++) {
        void *block = p_malloc(sizes[i]);
        ok(block != NULL, "NULL for %lu bytes after a failure\n", (unsigned long)sizes[i]);
        ok(is_all(live[i], sizes[i], i + 1), "a live block of %lu bytes changed\n", (unsigned long)sizes[i]);
        p_free(block);
    }
}
//: test malloc.zero-size
static void test(void)
{
    void *one = p_malloc(0), *other = p_malloc(0);
    ok(one && other, "malloc(0) returned %p and %p\n", one, other);
    ok(!one || one != other, "two blocks of 0 bytes have the address %p\n", one);
}
//: test malloc.large-blocks
//: optional _msize
static void test(void)
{
    for (int gib = 2; sizeof(void *) == 8 && gib <= 4; gib += 2) {
        size_t size = ((size_t)gib << 30) + 100;
        unsigned char *block = p_malloc(size);
        if (!block) continue; /* the system may lack the memory */
        ok(!p__msize || p__msize(block) >= size, "_msize is too small for %d GiB and 100 bytes\n", gib);
        block[0] = 1;
        block[size - 1] = 2;
        block[100] = 3;
        ok(block[0] == 1 && block[size - 1] == 2, "bytes of %d GiB are one byte\n", gib);
        p_free(block);
    }
}
//: test expand.failure-sets-errno
static void test(void)
{
    static const size_t sizes[] = { 24, 3000, 200000 };
    for (int i = 0; i < 3; i++) {
        void *block = p_malloc(sizes[i]);
        if (!block) return;
        ERRNO = 77;
        void *got = p__expand(block, SIZE_MAX / 2);
        int error = ERRNO;
        ok(!got && error == LIBRARY_ENOMEM, "_expand(block of %lu, SIZE_MAX / 2) returned %p, errno %d\n", (unsigned long)sizes[i], got, error);
    }
}
//: test {recalloc,aligned-recalloc,aligned-offset-recalloc}.overflow
static void test(void)
{
    static const struct { size_t number, size; } products[] = {
        { SIZE_MAX, 2 }, { 2, SIZE_MAX }, { SIZE_MAX / 2 + 1, 2 }, { SIZE_MAX / 16 + 2, 16 } };
    @aligned size_t alignment = 64;
    @offset size_t offset = 8;
    for (int i = 0; i < 4; i++) {
        void *block = FRESH(24); /* a new one, because a wrong call may have freed it */
        if (!block) return;
        ERRNO = 77;
        void *returned = RECALLOC(block, products[i].number, products[i].size);
        int error = ERRNO;
        ok(!returned && error == LIBRARY_ENOMEM, "product %d that overflows: it returned %p, errno %d\n", i + 1, returned, error);
    }
}
