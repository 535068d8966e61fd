/* _heapadd: would add memory to the heap; no Win32 system does. */
#include "check.h"
#include <errno.h>
#include <malloc.h>

static char memory[4096];

int main(void) {
    errno = 0;
    CHECK(_heapadd(memory, sizeof memory) == -1);
    CHECK(errno == ENOSYS);
    printf("it says so: %s\n", _sys_errlist[errno]);
    return 0;
}
