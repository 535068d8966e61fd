//: test *.exported errno.doserrno-exported invalid-parameter.*-exported
static void test(void)
{
    @gone ok(!find(library, "ROUTINE"), "the library has ROUTINE\n");
    @!gone ok(find(library, "ROUTINE") != NULL, "the library has no ROUTINE\n");
}
//: test heapmin.{success-returns-zero,success-keeps-errno,empty-heap}
//: optional __doserrno
static void call(const char *when)
{
    for (int start = 0; start < 80; start += 7) {
        ERRNO = start;
        @success-keeps-errno if (p___doserrno) DOSERRNO = 12345;
        int status = p__heapmin(), error = ERRNO;
        @success-returns-zero ok(status == 0 || status == -1, "_heapmin %s returned %d\n", when, status);
        @success-keeps-errno if (!status) ok(error == start && (!p___doserrno || DOSERRNO == 12345), "_heapmin %s: errno %d before, %d after\n", when, start, error);
        @empty-heap ok(status == 0, "_heapmin %s returned %d, errno %d\n", when, status, error);
        (void)error;
    }
}

static void test(void)
{
    static void *blocks[1000];
    @empty-heap p__heapmin();
    call("before the first block");
    for (int i = 0; i < 1000; i++) blocks[i] = p_malloc(100);
    call("between live blocks");
    for (int i = 0; i < 1000; i++) p_free(blocks[i]);
    call("after the last free");
}
//: test heapmin.errno-per-thread
static void fail(void)
{
    ERRNO = 5;
    void *none = p_malloc(SIZE_MAX / 2);
    p__heapmin();
    (void)none;
}

static void test(void)
{
    ERRNO = 77;
    in_thread(fail);
    int error = ERRNO;
    ok(error == 77, "errno was 77; another thread failed, and now it is %d\n", error);
}
//: test errno.zero-at-start
//: optional __doserrno
static void test(void)
{
    int error = *p__errno();
    unsigned int other = p___doserrno ? *p___doserrno() : 0;
    ok(error == 0 && other == 0, "errno %d, _doserrno %u at the start\n", error, other);
}
//: test errno.zero-in-a-new-thread errno.per-thread
//: optional __doserrno
static void other_thread(void)
{
    int error = *p__errno();
    unsigned int other = p___doserrno ? *p___doserrno() : 0;
    @zero-in-a-new-thread ok(error == 0 && other == 0, "errno %d, _doserrno %u in a new thread\n", error, other);
    (void)error, (void)other;
    *p__errno() = 40;
    if (p___doserrno) *p___doserrno() = 120;
}

static void test(void)
{
    *p__errno() = 77;
    if (p___doserrno) *p___doserrno() = 54321;
    in_thread(other_thread);
    int error = *p__errno();
    unsigned int other = p___doserrno ? *p___doserrno() : 54321;
    @per-thread ok(error == 77 && other == 54321, "errno %d of 77, _doserrno %u of 54321\n", error, other);
    (void)error, (void)other;
}
//: test errno.text-for-enosys
//: optional __sys_errlist __sys_nerr strerror
static const char *text_of(int number)
{
    if (!p___sys_errlist || !p___sys_nerr) return p_strerror ? p_strerror(number) : NULL;
    int last = *p___sys_nerr();
    return p___sys_errlist()[number < last ? number : last];
}

static void test(void)
{
    static const int numbers[] = { 22, 12, 40, 10000 }; /* EINVAL, ENOMEM, ENOSYS, no error */
    static char texts[4][256];
    for (int i = 0; i < 4; i++) {
        const char *text = text_of(numbers[i]);
        if (!text) return;
        strncpy(texts[i], text, 255);
        for (int other = 0; i < 3 && other < i; other++)
            ok(strcmp(texts[i], texts[other]) != 0, "%d and %d: \"%s\"\n", numbers[other], numbers[i], texts[i]);
    }
    for (int i = 0; i < 3; i++)
        ok(texts[i][0] && strcmp(texts[i], texts[3]) != 0, "%d: \"%s\", as an unknown number\n", numbers[i], texts[i]);
}
//: test get-errno.gets-the-value set-errno.sets-the-value set-errno.keeps-doserrno
static void test(void)
{
    static const int values[] = { 0, 2, 22, 40, 12345 };
    for (int i = 0; i < 5; i++) {
        int value = -1;
        @gets-the-value *p__errno() = values[i];
        @gets-the-value int status = p__get_errno(&value);
        @gets-the-value ok(status == 0 && value == values[i], "errno is %d, and _get_errno stored %d, returned %d\n", values[i], value, status);
        @sets-the-value int status = p__set_errno(values[i]);
        @sets-the-value value = *p__errno();
        @sets-the-value ok(status == 0 && value == values[i], "_set_errno(%d) returned %d, errno %d\n", values[i], status, value);
        @keeps-doserrno *p___doserrno() = 12345;
        @keeps-doserrno value = p__set_errno(values[i]);
        @keeps-doserrno ok(*p___doserrno() == 12345, "_set_errno(%d) returned %d, _doserrno %u\n", values[i], value, *p___doserrno());
    }
}
//: test get-doserrno.gets-the-value set-doserrno.sets-the-value
static void test(void)
{
    static const unsigned int values[] = { 0, 2, 22, 40, 12345 };
    for (int i = 0; i < 5; i++) {
        @gets-the-value unsigned long value = 99;
        @gets-the-value *p___doserrno() = values[i];
        @gets-the-value int status = p__get_doserrno(&value);
        @gets-the-value ok(status == 0 && (unsigned int)value == values[i], "_doserrno is %u, and _get_doserrno stored %lu\n", values[i], value);
        @sets-the-value int status = p__set_doserrno(values[i]);
        @sets-the-value ok(status == 0 && *p___doserrno() == values[i], "_set_doserrno(%u) returned %d, _doserrno %u\n", values[i], status, *p___doserrno());
    }
}
//: test invalid-parameter.{none-at-start,set-gives-the-previous,get-gives-the-current}
//: keys which
static void first(const wchar_t *a, const wchar_t *b, const wchar_t *c, unsigned int d, uintptr_t e) { (void)a, (void)b, (void)c, (void)d, (void)e; }
static void second(const wchar_t *a, const wchar_t *b, const wchar_t *c, unsigned int d, uintptr_t e) { (void)a, (void)b, (void)c, (void)d, (void)e; }

static void test(void)
{
    parameter_handler handlers[] = { first, second, NULL, first }, before = NULL;
    @none-at-start ok(!p__get_invalid_parameter_handler(), "a handler is set at the start\n");
    @none-at-start (void)before, (void)handlers;
    @!none-at-start for (int i = 0; i < 4; i++) {
    @!none-at-start     parameter_handler given = p__set_invalid_parameter_handler(handlers[i]);
    @set-gives-the-previous     ok(given == before, "call %d did not return the handler before it\n", i + 1);
    @get-gives-the-current     ok(p__get_invalid_parameter_handler() == handlers[i], "call %d: another handler is set\n", i + 1);
    @!none-at-start     (void)given;
    @!none-at-start     before = handlers[i];
    @!none-at-start     (void)before;
    @!none-at-start }
}
//: test invalid-parameter.{for-all-threads,thread-local-comes-first,thread-local-is-the-threads,thread-local-set-and-get}
static int global_calls, own_calls;

static void global(const wchar_t *a, const wchar_t *b, const wchar_t *c, unsigned int d, uintptr_t e) { (void)a, (void)b, (void)c, (void)d, (void)e, global_calls++; }
@!for-all-threads static void own(const wchar_t *a, const wchar_t *b, const wchar_t *c, unsigned int d, uintptr_t e) { (void)a, (void)b, (void)c, (void)d, (void)e, own_calls++; }

static void provoke(void)
{
    global_calls = own_calls = 0;
    p__msize(NULL);
}
@thread-local-set-and-get static void look(void) { ok(!p__get_thread_local_invalid_parameter_handler(), "another thread has the handler\n"); }

static void test(void)
{
    p__set_invalid_parameter_handler(global);
    @for-all-threads provoke();
    @for-all-threads ok(global_calls == 1, "%d calls in the first thread\n", global_calls);
    @for-all-threads in_thread(provoke);
    @for-all-threads ok(global_calls == 1, "%d calls in another thread\n", global_calls);
    @!for-all-threads parameter_handler before = p__set_thread_local_invalid_parameter_handler(own);
    provoke();
    @thread-local-comes-first ok(!global_calls && own_calls == 1, "%d calls of the global handler, %d of its own\n", global_calls, own_calls);
    @thread-local-is-the-threads in_thread(provoke);
    @thread-local-is-the-threads ok(global_calls == 1 && !own_calls, "in another thread %d calls of the global handler, %d of the first thread's\n", global_calls, own_calls);
    @thread-local-set-and-get ok(!before, "a handler was set before\n");
    @thread-local-set-and-get ok(p__get_thread_local_invalid_parameter_handler() == own, "another handler is set\n");
    @thread-local-set-and-get in_thread(look);
    @!for-all-threads before = p__set_thread_local_invalid_parameter_handler(NULL);
    @thread-local-set-and-get ok(before == own, "another handler was set\n");
    @thread-local-set-and-get ok(!p__get_thread_local_invalid_parameter_handler(), "the handler is still set\n");
    @!for-all-threads provoke();
    @thread-local-is-the-threads ok(global_calls == 1 && !own_calls, "after its end %d calls of the global handler, %d of its own\n", global_calls, own_calls);
    @!for-all-threads (void)before;
}
//: test new-handler.{mode-0-at-start,mode-set-and-get,mode-invalid,mode-invalid-calls-handler}
//: optional _set_invalid_parameter_handler
static void test(void)
{
    int at_start = p__query_new_mode();
    @mode-0-at-start ok(at_start == 0, "mode %d at the start\n", at_start);
    @mode-set-and-get static const int modes[] = { 1, 1, 0 };
    @mode-set-and-get for (int i = 0, before = 0; i < 3; before = modes[i], i++) {
    @mode-set-and-get     int returned = p__set_new_mode(modes[i]), now = p__query_new_mode();
    @mode-set-and-get     ok(returned == before && now == modes[i], "_set_new_mode(%d) returned %d, the mode is %d\n", modes[i], returned, now);
    @mode-set-and-get }
    @mode-invalid|mode-invalid-calls-handler static const int modes[] = { 2, -1, 2147483647 };
    @mode-invalid|mode-invalid-calls-handler p__set_new_mode(1);
    @mode-invalid if (p__set_invalid_parameter_handler)
    @mode-invalid|mode-invalid-calls-handler p__set_invalid_parameter_handler(count_parameter_call);
    @mode-invalid|mode-invalid-calls-handler for (int i = 0; i < 3; i++) {
    @mode-invalid|mode-invalid-calls-handler     parameter_calls = 0;
    @mode-invalid     ERRNO = 77;
    @mode-invalid|mode-invalid-calls-handler     int returned = p__set_new_mode(modes[i]);
    @mode-invalid     int error = ERRNO, now = p__query_new_mode();
    @mode-invalid     ok(returned == -1 && error == LIBRARY_EINVAL && now == 1, "_set_new_mode(%d) returned %d, errno %d, the mode is %d\n", modes[i], returned, error, now);
    @mode-invalid-calls-handler     ok(parameter_calls > 0, "_set_new_mode(%d) returned %d, handler not called\n", modes[i], returned);
    @mode-invalid|mode-invalid-calls-handler }
    (void)at_start;
}
//: test new-handler.{set-gives-the-previous,query-gives-the-current,callnewh}
static int calls;
static size_t wanted;
static int first(size_t size) { calls++, wanted = size; return 1; }
@!callnewh static int second(size_t size) { calls--, wanted = size; return 1; }

static void test(void)
{
    @!callnewh new_handler handlers[] = { first, second, NULL, first }, before = NULL;
    @query-gives-the-current ok(!p__query_new_handler(), "a handler is set at the start\n");
    @!callnewh for (int i = 0; i < 4; i++) {
    @!callnewh     new_handler given = p__set_new_handler(handlers[i]);
    @set-gives-the-previous     ok(given == before, "call %d did not return the handler before it\n", i + 1);
    @query-gives-the-current     ok(p__query_new_handler() == handlers[i], "call %d: another handler is set\n", i + 1);
    @!callnewh     before = handlers[i];
    @!callnewh     (void)given, (void)before;
    @!callnewh }
    @callnewh p__set_new_handler(NULL);
    @callnewh int without_one = p__callnewh(1);
    @callnewh p__set_new_handler(first);
    @callnewh int with = p__callnewh(12345);
    @callnewh ok(without_one == 0 && with == 1, "_callnewh returned %d without a handler, %d with one\n", without_one, with);
    @callnewh ok(calls == 1 && wanted == 12345, "%d calls of the handler, the last with %lu\n", calls, (unsigned long)wanted);
}
//: test new-handler.{malloc,calloc,realloc,recalloc,malloc-in-mode-0,calloc-in-mode-0,realloc-in-mode-0,recalloc-in-mode-0,gets-the-size}
//: keys call-handler
static int calls, retries;
static size_t wanted;
static int handler(size_t size) { wanted = size; return calls++ < retries; }

static void test(void)
{
    size_t size = SIZE_MAX / 2;
    char *block = p_malloc(100);
    if (!block) return;
    memset(block, 7, 100);
    @malloc-in-mode-0|calloc-in-mode-0|realloc-in-mode-0|recalloc-in-mode-0 int most = 1;
    @malloc|calloc|realloc|recalloc|gets-the-size int most = 3;
    @malloc|calloc|realloc|recalloc|gets-the-size p__set_new_mode(1);
    p__set_new_handler(handler);
    for (retries = 0; retries <= most; retries++) {
        calls = 0;
        @malloc-in-mode-0|calloc-in-mode-0|realloc-in-mode-0|recalloc-in-mode-0 if (retries) p__set_new_mode(1), p__set_new_mode(0);
        ERRNO = 77;
        @malloc|malloc-in-mode-0|gets-the-size void *got = p_malloc(size);
        @calloc|calloc-in-mode-0 void *got = p_calloc(1, size);
        @realloc|realloc-in-mode-0 void *got = p_realloc(block, size);
        @recalloc|recalloc-in-mode-0 void *got = p__recalloc(block, 1, size);
        int error = ERRNO;
        @!gets-the-size ok(!got && error == LIBRARY_ENOMEM, "it returned %p, errno %d\n", got, error);
        @malloc|calloc|realloc|recalloc ok(calls == retries + 1, "%d calls of the handler, to be tried again %d times\n", calls, retries);
        @malloc-in-mode-0|calloc-in-mode-0|realloc-in-mode-0|recalloc-in-mode-0 ok(!calls, "%d calls of the handler in mode 0\n", calls);
        @gets-the-size ok(calls && wanted == size, "%d calls of the handler, the last for %lx bytes\n", calls, (unsigned long)wanted);
        @gets-the-size (void)got, (void)error;
    }
    ok(is_all(block, 100, 7), "a live block changed\n");
    @malloc|calloc|realloc|recalloc calls = 0;
    @malloc|calloc|realloc|recalloc p__set_new_handler(NULL);
    @malloc void *none = p_malloc(size);
    @calloc void *none = p_calloc(1, size);
    @realloc void *none = p_realloc(block, size);
    @recalloc void *none = p__recalloc(block, 1, size);
    @malloc|calloc|realloc|recalloc ok(!none && !calls, "%p, and %d calls of a handler that was removed\n", none, calls);
}
