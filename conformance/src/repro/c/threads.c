//: test heapmin.concurrent
enum { THREADS = 4, SLOTS = 64, ROUNDS = 20000 };
static volatile int at_work = THREADS;

static void work(int number)
{
    char *blocks[SLOTS] = { NULL };
    size_t sizes[SLOTS] = { 0 };
    if (number == THREADS) {
        while (at_work > 0) p__heapmin();
        return;
    }
    for (unsigned int round = 0; round < ROUNDS; round++) {
        unsigned int any = (round * 4 + number + 1) * 2654435761u >> 8, at = any % SLOTS;
        ok(!blocks[at] || is_all(blocks[at], sizes[at], number + 1), "a live block changed\n");
        p_free(blocks[at]);
        sizes[at] = any % 64 ? 16 + any / 64 % 3000 : 40000;
        blocks[at] = p_malloc(sizes[at]);
        if (blocks[at]) memset(blocks[at], number + 1, sizes[at]);
    }
    for (int at = 0; at < SLOTS; at++) p_free(blocks[at]);
    at_work--;
}

static void test(void)
{
    run_threads(THREADS + 1, work);
    ok(1, "\n");
}
//: test malloc.freed-by-another-thread malloc.outlives-its-thread
enum { PAIRS = 2, COUNT = 2000 };
static char *volatile given[PAIRS][COUNT];

static void work(int number)
{
    int pair = number % PAIRS;
    for (int i = 0; i < COUNT; i++) {
        char *block;
        if (number < PAIRS) {
            if ((block = p_malloc(mixed_size(i)))) memset(block, i % 255 + 1, mixed_size(i));
            given[pair][i] = block;
            continue;
        }
        while (!(block = given[pair][i])) {}
        ok(is_all(block, mixed_size(i), i % 255 + 1), "a block of another thread changed\n");
        p_free(block);
    }
}

static void test(void)
{
    @freed-by-another-thread run_threads(2 * PAIRS, work);
    @outlives-its-thread run_threads(1, work);
    @outlives-its-thread for (int i = 0; i < COUNT; i++)
    @outlives-its-thread     ok(is_all(given[0][i], mixed_size(i), i % 255 + 1), "a block of a thread that ended changed\n");
    ok(1, "\n");
}
//: test malloc.threads-leave-nothing
//: optional _heapmin
enum { COUNT = 40 };
static char *blocks[2][COUNT];
static int number;

static void work(void)
{
    for (int i = 0; i < COUNT; i++) {
        size_t size = mixed_size(i + number * 7);
        if ((blocks[number % 2][i] = p_malloc(size))) memset(blocks[number % 2][i], 1, size);
        p_free(blocks[1 - number % 2][i]);
        blocks[1 - number % 2][i] = NULL;
        if (i % 5) p_free(blocks[number % 2][i]), blocks[number % 2][i] = NULL;
    }
}

static void test(void)
{
    long before = 0, after;
    for (number = 0; number < 1000; number++) {
        in_thread(work);
        if (number != 9 && number != 999) continue;
        for (int i = 0; i < 2 * COUNT; i++) p_free(blocks[i / COUNT][i % COUNT]), blocks[i / COUNT][i % COUNT] = NULL;
        if (p__heapmin) p__heapmin();
        if (number == 9) before = resident();
    }
    after = resident();
    /* 10 % and 64 KiB of a process of 4.5 MiB; this one is smaller */
    ok(after <= before + 524288, "%ld KiB after 10 threads, %ld KiB after 1000\n", before / 1024, after / 1024);
}
