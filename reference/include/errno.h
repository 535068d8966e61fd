/* <errno.h> for programs on the reference heap. It includes the system's own,
   but errno is the heap's, and the numbers are those of Microsoft's runtime. A
   Windows compiler has these numbers already. */
#ifndef HEAPMIN_ERRNO_H
#define HEAPMIN_ERRNO_H

#pragma GCC system_header
#include_next <errno.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef _WIN32
#ifndef __cdecl
#define __cdecl
#endif

typedef int errno_t;

int *_errno(void);
unsigned long *__doserrno(void);
errno_t _get_errno(int *value);
errno_t _set_errno(int value);
errno_t _get_doserrno(unsigned long *value);
errno_t _set_doserrno(int value);

#undef errno
#define errno (*_errno())
#define _doserrno (*__doserrno())

/* The numbers 0 to 34 are the same everywhere. Linux has others for these names. */
#undef EDEADLK
#undef EDEADLOCK
#undef ENAMETOOLONG
#undef ENOLCK
#undef ENOSYS
#undef ENOTEMPTY
#undef EILSEQ
#undef STRUNCATE
#define EDEADLK 36
#define EDEADLOCK EDEADLK
#define ENAMETOOLONG 38
#define ENOLCK 39
#define ENOSYS 40
#define ENOTEMPTY 41
#define EILSEQ 42
#define STRUNCATE 80

/* The host's numbers for these names may be taken now: they get Microsoft's. */
#undef ELOOP
#undef ENOMSG
#undef EIDRM
#define EIDRM 111
#define ELOOP 114
#define ENOMSG 122
#endif

#ifdef __cplusplus
}
#endif

#endif
