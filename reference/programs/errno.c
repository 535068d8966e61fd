/* errno, _doserrno, and the texts of the error numbers. */
#include "check.h"
#include <errno.h>
#include <string.h>

int main(void) {
    CHECK(errno == 0);
    errno = ENOSYS;
    int value = 0;
    CHECK(_get_errno(&value) == 0 && value == 40);
    CHECK(_set_errno(ENOMEM) == 0 && errno == ENOMEM);

    unsigned long number = 0;
    _doserrno = 120;
    CHECK(_get_doserrno(&number) == 0 && number == 120);
    CHECK(_set_doserrno(8) == 0 && _doserrno == 8);

    CHECK(_sys_nerr > ENOSYS);
    CHECK(strcmp(_sys_errlist[ENOSYS], "Function not implemented") == 0);
    printf("%d is \"%s\"\n", ENOSYS, _sys_errlist[ENOSYS]);
    return 0;
}
