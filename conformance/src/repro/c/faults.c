//: helper refuse refusals RELEASES MEMORY
enum { NOTHING, RELEASES, MEMORY };
static volatile int refused, refusals;
#if defined __linux__ && defined __x86_64__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#define OURS 0x5eed000 /* as the last argument: a call of on_call itself */

/* Makes each trapped system call, or refuses it. */
static void on_call(int signal, siginfo_t *info, void *context)
{
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    long call = info->si_syscall, host = errno, result, now = syscall(SYS_brk, 0, 0, 0, 0, 0, OURS);
    int gives = call == SYS_munmap || call == SYS_madvise || call == SYS_mremap ||
                (call == SYS_brk && r[REG_RDI] && r[REG_RDI] < now);
    int takes = call == SYS_mmap || (call == SYS_mremap && r[REG_RDX] > r[REG_RSI]) ||
                (call == SYS_brk && r[REG_RDI] > now);
    if ((refused == RELEASES && gives) || (refused == MEMORY && takes)) {
        refusals++;
        r[REG_RAX] = call == SYS_brk ? now : refused == RELEASES ? -ENOSYS : -ENOMEM;
        return;
    }
    result = syscall(call, r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8], OURS);
    r[REG_RAX] = result == -1 ? -errno : result;
    errno = (int)host;
    (void)signal;
}

static int refuse(int what)
{
    static int is_ready;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), /* the number of the call */
        BPF_JUMP(BPF_JMP | BPF_JEQ, SYS_munmap, 6, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ, SYS_madvise, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ, SYS_mremap, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ, SYS_brk, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ, SYS_mmap, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16 + 8 * 4), /* the file of a mapping */
        BPF_JUMP(BPF_JMP | BPF_JEQ, 0xffffffff, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16 + 8 * 5), /* the last argument */
        BPF_JUMP(BPF_JMP | BPF_JEQ, OURS, 0, 1),
        BPF_STMT(BPF_RET, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET, SECCOMP_RET_TRAP),
    };
    struct sock_fprog program = { sizeof code / sizeof code[0], code };
    struct sigaction action = { .sa_flags = SA_SIGINFO | SA_NODEFER };
    action.sa_sigaction = on_call;
    refusals = what ? 0 : refusals;
    if (!is_ready)
        is_ready = !sigaction(SIGSYS, &action, NULL) && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
                   !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
    refused = what;
    return is_ready;
}
#elif defined _WIN32
/* In the place of the library's imports of the functions with which it gives memory back. */
static DWORD last_error = 120; /* call not implemented */
static SIZE_T WINAPI compact(HANDLE heap, DWORD flags)
{
    if (refused != RELEASES) return HeapCompact(heap, flags);
    refusals++;
    SetLastError(last_error);
    return 0;
}

static int refuse(int what)
{
    char *base = (char *)library;
    IMAGE_NT_HEADERS *image = (void *)(base + ((IMAGE_DOS_HEADER *)base)->e_lfanew);
    IMAGE_DATA_DIRECTORY *imports = &image->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT];
    IMAGE_IMPORT_DESCRIPTOR *from = (void *)(base + imports->VirtualAddress);
    int is_ready = 0;
    DWORD before;
    for (; imports->VirtualAddress && from->Name; from++)
        for (int i = 0; ((ULONG_PTR *)(base + from->FirstThunk))[i]; i++) {
            void **slot = (void **)(base + from->FirstThunk) + i;
            ULONG_PTR name = ((ULONG_PTR *)(base + from->OriginalFirstThunk))[i];
            if (name >> (sizeof name * 8 - 1) || strcmp(base + name + 2, "HeapCompact")) continue;
            is_ready = VirtualProtect(slot, sizeof *slot, PAGE_READWRITE, &before);
            if (is_ready) *slot = (void *)compact;
        }
    refusals = what ? 0 : refusals;
    refused = what;
    return is_ready && what != MEMORY;
}
#else
static int refuse(int what) { return refused = refusals = 0; (void)what; }
#endif

//: test heapmin.{failure-returns-minus-one,failure-sets-enosys,unsupported-os}
enum { COUNT = 2000 };
static char *blocks[COUNT];

static void test(void)
{
    static const int values[] = { 0, 2, 38, 40, 77 };
    for (int i = 0; i < COUNT; i++) {
        if (!(blocks[i] = p_malloc(mixed_size(i)))) return;
        memset(blocks[i], i % 255 + 1, mixed_size(i));
    }
    for (int i = 0; i < COUNT; i++)
        if (i % 8) p_free(blocks[i]), blocks[i] = NULL;
    for (int i = 0; i < 5; i++) {
        refuse(RELEASES);
        ERRNO = values[i];
        int status = p__heapmin(), error = ERRNO;
        refuse(NOTHING);
        if (!refusals && !status) continue; /* it made no request that can be refused */
        @!failure-sets-enosys ok(status == -1, "_heapmin returned %d; the system refused %d requests\n", status, refusals);
        @!failure-returns-minus-one if (status) ok(error == LIBRARY_ENOSYS, "_heapmin returned %d, errno %d, which was %d\n", status, error, values[i]);
        @failure-returns-minus-one (void)error;
    }
    @unsupported-os for (int i = 0; i < COUNT; i++) {
    @unsupported-os     ok(!blocks[i] || is_all(blocks[i], mixed_size(i), i % 255 + 1), "a live block changed\n");
    @unsupported-os     if (!blocks[i]) ok((blocks[i] = p_malloc(mixed_size(i))) != NULL, "malloc returned NULL afterwards\n");
    @unsupported-os     p_free(blocks[i]);
    @unsupported-os }
}
//: test heapmin.recovers
enum { COUNT = 6000 };
static char *blocks[COUNT];

static void test(void)
{
    p_free(p_malloc(100000));
    p__heapmin();
    if (!refuse(NOTHING)) return; /* the system cannot be made to refuse */
    long start = resident();
    for (int i = 0; i < COUNT; i++)
        if ((blocks[i] = p_malloc(mixed_size(i)))) memset(blocks[i], i % 255 + 1, mixed_size(i));
    long peak = resident() - start;
    for (int i = 0; i < COUNT; i++)
        if (i % 8) p_free(blocks[i]), blocks[i] = NULL;
    refuse(RELEASES);
    int status = p__heapmin();
    refuse(NOTHING);
    if (!refusals) return; /* it made no request that can be refused */
    ok(status == 0 || status == -1, "the call that was refused returned %d\n", status);
    for (int i = 0; i < COUNT; i++) {
        ok(!blocks[i] || is_all(blocks[i], mixed_size(i), i % 255 + 1), "a live block changed\n");
        p_free(blocks[i]);
    }
    status = p__heapmin();
    long left = resident() - start;
    ok(status == 0, "the next call, not refused, returned %d\n", status);
    ok(left <= peak / 10, "%ld of %ld KiB are still resident\n", left / 1024, peak / 1024);
}
//: test heapmin.nothing-free
static void test(void)
{
#ifdef _WIN32
    last_error = NO_ERROR; /* HeapCompact returns 0: no free space */
    p_free(p_malloc(100000));
    if (!refuse(RELEASES)) return;
    ERRNO = 77;
    int status = p__heapmin(), error = ERRNO;
    if (refusals) ok(status == 0 && error == 77, "_heapmin returned %d, errno %d\n", status, error);
#else
    (void)p_malloc, (void)p_free, (void)p__heapmin, (void)p__errno, (void)refuse;
#endif
}
//: test *.refused-release *.zero-after-refused-release *.refused-memory {free,aligned-free}.refused-release-keeps-errno
//: keys refusal
//: optional _heapmin _heapchk
enum { COUNT = 600, EACH = 10 };
static char *live[COUNT];
static const size_t sizes[EACH] = { 24, 120, 1000, 5000, 16000, 40000, 131072, 300000, 1100000, 4194304 };
@resizes static const size_t others[EACH] = { 1000, 16000, 120, 300000, 300000, 1000, 300000, 131072, 4194304, 120 };

static void test(void)
{
    @aligned size_t alignment = 256;
    @offset size_t offset = 8;
    char *blocks[EACH];
    @release int what = RELEASES;
    @!release int what = MEMORY;
    if (!refuse(NOTHING)) return; /* the system cannot be made to refuse */
    for (int i = 0; i < COUNT; i++)
        if ((live[i] = p_malloc(mixed_size(i)))) memset(live[i], i % 255 + 1, mixed_size(i));
    for (int i = 0; i < COUNT; i++)
        if (i % 3) p_free(live[i]), live[i] = NULL;
    @release for (int i = 0; i < EACH; i++) { /* memory that the system does not take back */
    @release     if ((blocks[i] = FRESH(sizes[i]))) memset(blocks[i], 0xEE, sizes[i]);
    @release     refuse(RELEASES);
    @release     RELEASE(blocks[i]);
    @release     if (p__heapmin) p__heapmin();
    @release     refuse(NOTHING);
    @release }
    @resizes@refused-release|refused-memory for (int i = 0; i < EACH; i++) {
    @resizes@refused-release|refused-memory     refuse(what);
    @resizes@refused-release|refused-memory     ERRNO = 77;
    @resizes@refused-release|refused-memory     char *fresh = ALLOCATE(sizes[i]);
    @resizes@refused-release|refused-memory     int error = ERRNO;
    @resizes@refused-release|refused-memory     refuse(NOTHING);
    @resizes@refused-release|refused-memory     ok(fresh || error == LIBRARY_ENOMEM, "NULL for %lu bytes, errno %d\n", (unsigned long)sizes[i], error);
    @resizes@refused-release|refused-memory }
    for (int i = 0; i < EACH; i++) {
        size_t size = sizes[i];
        @resizes if ((blocks[i] = FRESH(size))) memset(blocks[i], i + 1, size);
        @resizes if (!blocks[i]) return;
        refuse(what);
        ERRNO = 77;
        @resizes char *got = RESIZE(blocks[i], others[i]);
        @!resizes char *got = ALLOCATE(size);
        int error = ERRNO;
        refuse(NOTHING);
        @refused-release|refused-memory@!frees ok(got || error == LIBRARY_ENOMEM, "NULL for %lu bytes, errno %d\n", (unsigned long)size, error);
        (void)error;
        @resizes size_t old = size;
        @resizes if (got) size = others[i], blocks[i] = got;
        @resizes@!zeroing ok(is_all(blocks[i], old < size ? old : size, i + 1), "%lu to %lu bytes lost bytes\n", (unsigned long)old, (unsigned long)size);
        @resizes@zeroing ok(!got || old >= size || is_all(got + old, size - old, 0), "%lu to %lu bytes: new bytes not 0\n", (unsigned long)old, (unsigned long)size);
        @!resizes blocks[i] = got;
        @!resizes@zeroing ok(!got || is_all(got, size, 0), "%lu bytes are not all 0\n", (unsigned long)size);
        if (blocks[i]) memset(blocks[i], i + 1, size);
    }
    refuse(what);
    for (int i = EACH - 1; i >= 0; i--) {
        ERRNO = 77;
        RELEASE(blocks[i]);
        int error = ERRNO;
        @refused-release-keeps-errno|frees ok(error == 77, "errno %d after a block of %lu bytes was freed\n", error, (unsigned long)sizes[i]);
        (void)error;
    }
    refuse(NOTHING);
    @!zeroing@!refused-release-keeps-errno for (int i = 0; i < COUNT; i++)
    @!zeroing@!refused-release-keeps-errno     ok(!live[i] || is_all(live[i], mixed_size(i), i % 255 + 1), "a live block of %lu bytes changed\n", (unsigned long)mixed_size(i));
    @!zeroing@!refused-release-keeps-errno ok(!p__heapchk || p__heapchk() == -2 || p__heapchk() == -1, "_heapchk returned %d\n", p__heapchk());
}
//: test realloc.shrinks-without-memory recalloc.shrinks-without-memory
static void test(void)
{
    static const size_t sizes[] = { 4194304, 1100000, 300000, 40000, 16000, 5000, 1000, 100 };
    static const size_t less[] = { 1100000, 300000, 16000, 1000, 10000, 100, 24, 16 };
    char *blocks[8];
#ifndef _WIN32
    struct rlimit limit = { 512 << 20, 512 << 20 }; /* of the addresses of this process */
    for (int i = 0; i < 8; i++)
        if ((blocks[i] = p_malloc(sizes[i]))) memset(blocks[i], i + 1, sizes[i]);
    if (setrlimit(RLIMIT_AS, &limit)) return;
    for (size_t size = 1048576; size > 8; size /= 8)
        while (p_malloc(size)) {}
    for (int i = 0; i < 8; i++) {
        char *shorter = blocks[i] ? RESIZE(blocks[i], less[i]) : NULL;
        ok(shorter != NULL, "NULL from %lu to %lu bytes\n", (unsigned long)sizes[i], (unsigned long)less[i]);
        ok(!shorter || is_all(shorter, less[i], i + 1), "%lu to %lu bytes lost bytes\n", (unsigned long)sizes[i], (unsigned long)less[i]);
    }
#else
    (void)sizes, (void)less, (void)blocks;
#endif
}
//: test heapmin.relieves-memory-limit
static void test(void)
{
#ifndef _WIN32
    static char *blocks[1000000];
    struct rlimit limit = { 384 << 20, 384 << 20 }; /* of the addresses of this process */
    int count = 0, error = 77;
    if (setrlimit(RLIMIT_AS, &limit)) return;
    for (ERRNO = 77; count < 1000000 && (blocks[count] = p_malloc(1024)); count++) memset(blocks[count], count % 255 + 1, 1024);
    error = ERRNO;
    if (count == 1000000) return; /* the limit has no effect */
    ok(error == LIBRARY_ENOMEM, "malloc returned NULL, errno %d, after %d blocks\n", error, count);
    for (int i = 0; i < count; i++) {
        ok(is_all(blocks[i], 1024, i % 255 + 1), "a live block changed\n");
        p_free(blocks[i]);
    }
    int status = p__heapmin();
    char *large = p_malloc(32 << 20);
    ok(large != NULL, "%d blocks of 1 KiB freed, _heapmin returned %d, and NULL for 32 MiB\n", count, status);
#else
    (void)p_malloc, (void)p_free, (void)p__heapmin, (void)p__errno;
#endif
}
