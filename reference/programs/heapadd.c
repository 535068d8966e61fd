/* _heapadd: always fails, as on every Win32 system. */
#include "check.h"
#include <errno.h>
#include <malloc.h>

static char memory[4096];

int main(void) {
    errno = 0;
    CHECK(_heapadd(memory, sizeof memory) == -1);
    CHECK(errno == ENOSYS);
    printf("_heapadd failed as documented: %s\n", _sys_errlist[errno]);
    return 0;
}
