/*
@comment@ *
 * gcc -O1 repro.c -ldl -lpthread, or x86_64-w64-mingw32-gcc repro.c (MSVC: only the syntax was
 * checked, with clang). Exit status: 0 right, 1 wrong, a crash or no end within 60 s, 77 not applicable. */
#define _GNU_SOURCE
@includes@
#ifdef _WIN32
#include <process.h>
#include <windows.h>
#define load(path) ((void *)LoadLibraryA(path))
#define find(from, name) ((void *)GetProcAddress((HMODULE)from, name))
static DWORD WINAPI limit(void *seconds) { Sleep(*(DWORD *)seconds * 1000); return TerminateProcess(GetCurrentProcess(), 1); }
#else
#include <dlfcn.h>
#include <link.h>
#include <sys/wait.h>
#include <unistd.h>
#define load(path) dlopen(path, RTLD_LAZY | RTLD_DEEPBIND)
static void *find(void *from, const char *name) /* not in another library that this one needs */
{
    void *at = dlsym(from, name);
    Dl_info place;
    return at && dladdr(at, &place) && place.dli_fbase == (void *)((struct link_map *)from)->l_addr ? at : NULL;
}
#endif
#define FIND(pointer, name) (*(void **)&(pointer) = find(library, name))
#define skip(...) printf("not applicable: " __VA_ARGS__)
#define without(what) (skip("no %s\n", what), 77)
@declarations@
static void *library;
static int checks, wrong;

static void ok(int is_right, const char *observed, ...)
{
    va_list values;
    va_start(values, observed);
    if (!is_right && wrong++ < 5) printf("observed: "), vprintf(observed, values), fflush(stdout);
    va_end(values);
    checks++;
}

@code@

static int child(const char *path)
{
    if (!(library = load(path))) return without(path);
@lookups@
    test();
    return wrong ? 1 : checks ? 0 : 77;
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "@library@";
    int status = 0; /* of the child, 100 more: so no exit of the library counts */
#ifdef _WIN32
    static DWORD seconds = 60;
    if (getenv("REPRO_CHILD")) {
        SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
        CreateThread(NULL, 0, limit, &seconds, 0, NULL);
        return 100 + child(getenv("REPRO_CHILD"));
    }
    _putenv_s("REPRO_CHILD", path);
    status = (int)_spawnl(_P_WAIT, argv[0], "repro", NULL);
#else
    if (!fork()) {
        alarm(60);
        status = 100 + child(path);
        fflush(stdout);
        _exit(status);
    }
    wait(&status);
    status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
#endif
    printf("promised: %s\n", "@promise@");
    puts(status == 100 ? "right" : status == 177 ? "not applicable" : status == 101 ? "wrong" : "wrong: the process was ended early");
    return status == 100 ? 0 : status == 177 ? 77 : 1;
}
