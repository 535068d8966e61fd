/*
@comment@ *
 * A test of Wine's own kind: for dlls/NAME/tests of Wine, and for modules/rostests/winetests
 * of ReactOS.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windef.h>
#include <winbase.h>
#include "wine/test.h"

#define load(path) LoadLibraryA(path)
#define FIND(pointer, name) (*(void **)&(pointer) = find(library, name))
@declarations@
static HMODULE library;

static void *find(HMODULE from, const char *name)
{
    return (void *)GetProcAddress(from, name);
}

@code@

START_TEST(@name@)
{
    library = LoadLibraryA("@library@");
    if (!library)
    {
        win_skip("@library@ cannot be loaded\n");
        return;
    }
@lookups@
    test();
}
