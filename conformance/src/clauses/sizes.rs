//! Sizes and alignments that the cases of several routines use.

/// The largest request, `_HEAP_MAXREQ` of `<malloc.h>`: 0xFFFFFFFFFFFFFFE0, on 32-bit systems
/// 0xFFFFFFE0.
pub(super) const HEAP_MAXREQ: usize = usize::MAX & !0x1F;

/// Requests over [`HEAP_MAXREQ`].
pub(super) const OVER_MAXREQ: [usize; 4] = [
    HEAP_MAXREQ + 1,
    HEAP_MAXREQ + 16,
    usize::MAX - 1,
    usize::MAX,
];

/// Requests that `_HEAP_MAXREQ` allows and that exceed the memory of any system. A 32-bit
/// program may have 2 GiB in one piece.
pub(super) const UNAVAILABLE: [usize; 4] = if usize::BITS == 64 {
    [
        HEAP_MAXREQ,
        HEAP_MAXREQ - 4096,
        usize::MAX / 2,
        usize::MAX / 8,
    ]
} else {
    [HEAP_MAXREQ, HEAP_MAXREQ - 4096, 0xC000_0000, 0xF000_0000]
};

/// Pairs whose product overflows.
pub(super) const OVERFLOWING: [(usize, usize); 5] = [
    (usize::MAX, 2),
    (2, usize::MAX),
    (usize::MAX / 2 + 1, 2),
    // The product wraps round to 16.
    (usize::MAX / 16 + 2, 16),
    (1 << (usize::BITS / 2), 1 << (usize::BITS / 2)),
];

/// Alignments that are powers of two, up to 1 MiB.
pub(super) const ALIGNMENTS: [usize; 13] = [
    1,
    2,
    4,
    8,
    16,
    32,
    64,
    256,
    4096,
    8192,
    64 << 10,
    256 << 10,
    1 << 20,
];

/// Alignments that are not powers of two.
pub(super) const NOT_A_POWER_OF_TWO: [usize; 6] = [0, 3, 24, 48, 4097, usize::MAX];

/// Sizes from one byte to 4 MiB: small, middle and large ones of any heap.
pub(super) const SIZES: [usize; 16] = [
    1, 7, 16, 24, 100, 255, 1000, 4096, 5000, 16_000, 40_000, 70_000, 131_072, 500_000, 1_100_000,
    4_194_304,
];

/// The alignment of a block of any size, in bytes: 16, on 32-bit systems 8.
pub(super) const FUNDAMENTAL_ALIGNMENT: usize = if usize::BITS == 64 { 16 } else { 8 };

/// Values of `errno` before a call. `ENOSYS` is 38 on Linux and 40 in
/// Microsoft's libraries; 77 is an error that no heap sets.
pub(super) const START_ERRNO: [i32; 6] = [0, 2, 12, 38, 40, 77];
