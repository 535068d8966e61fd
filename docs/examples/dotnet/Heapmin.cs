// Calls _heapmin from .NET by P/Invoke.
using System;
using System.Runtime.InteropServices;

static class Heapmin
{
    // The name of the file without "lib" and ".so" or ".dll": the runtime adds them.
    const string Library = "heapmin_crt";

    // The C runtime's routines are cdecl. On Windows, the default is another one.
    [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
    static extern int _heapmin();

    // int *_errno(void): the place of this thread's errno.
    [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
    static extern IntPtr _errno();

    // The same routine, with SetLastError: the runtime then keeps the *system's* last error.
    [DllImport(Library, CallingConvention = CallingConvention.Cdecl, EntryPoint = "_heapmin",
               SetLastError = true)]
    static extern int HeapminWithLastError();

    [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
    static extern UIntPtr _msize(IntPtr block);

    [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
    static extern IntPtr malloc(UIntPtr size);

    [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
    static extern void free(IntPtr block);

    const int Blocks = 8192, Size = 4096;

    static int Errno
    {
        get { return Marshal.ReadInt32(_errno()); }
        set { Marshal.WriteInt32(_errno(), value); }
    }

    static double ResidentMiB()
    {
        foreach (var line in System.IO.File.ReadAllLines("/proc/self/status"))
            if (line.StartsWith("RssAnon"))
                return double.Parse(line.Split(':')[1].Replace("kB", "")) / 1024;
        return double.NaN;
    }

    static void Main()
    {
        var blocks = new IntPtr[Blocks];
        var ones = new byte[Size];
        for (int i = 0; i < ones.Length; i++) ones[i] = 1;
        for (int i = 0; i < Blocks; i++)
        {
            blocks[i] = malloc((UIntPtr)Size);
            Marshal.Copy(ones, 0, blocks[i], Size);
        }
        for (int i = 1; i < Blocks; i++) free(blocks[i]);

        double before = ResidentMiB();
        Errno = 77;
        int result = _heapmin();
        int errno = Errno;
        Console.WriteLine("_heapmin() returned {0}; errno was 77 and is {1}", result, errno);
        Console.WriteLine("resident memory was {0:F0} MiB and is {1:F0} MiB", before, ResidentMiB());

        // _msize(NULL) fails with EINVAL, so errno is 22. GetLastWin32Error knows nothing of it.
        _msize(IntPtr.Zero);
        Console.WriteLine("after _msize(NULL), errno is {0}", Errno);
        HeapminWithLastError();
        bool isErrno = Marshal.GetLastWin32Error() == Errno;
        Console.WriteLine("GetLastWin32Error is errno: {0}", isErrno);
        free(blocks[0]);
    }
}
