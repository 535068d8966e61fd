/* <stdlib.h> for programs on the reference heap. It includes the system's own and
   adds the invalid parameter handler and the texts of errno. */
#ifndef HEAPMIN_STDLIB_H
#define HEAPMIN_STDLIB_H

#pragma GCC system_header
#include_next <stdlib.h>
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>

#ifndef _WIN32
#define _CRTIMP
#define _MAX_PATH 260
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef void(__cdecl *_invalid_parameter_handler)(const wchar_t *expression,
                                                  const wchar_t *function, const wchar_t *file,
                                                  unsigned int line, uintptr_t reserved);

_CRTIMP _invalid_parameter_handler __cdecl _set_invalid_parameter_handler(
    _invalid_parameter_handler handler);
_CRTIMP _invalid_parameter_handler __cdecl _get_invalid_parameter_handler(void);
_CRTIMP _invalid_parameter_handler __cdecl _set_thread_local_invalid_parameter_handler(
    _invalid_parameter_handler handler);
_CRTIMP _invalid_parameter_handler __cdecl _get_thread_local_invalid_parameter_handler(void);

_CRTIMP char **__cdecl __sys_errlist(void);
_CRTIMP int *__cdecl __sys_nerr(void);
#undef _sys_errlist
#undef _sys_nerr
#define _sys_errlist (__sys_errlist())
#define _sys_nerr (*__sys_nerr())

#ifdef __cplusplus
}
#endif

#endif
