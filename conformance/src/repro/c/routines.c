//: group zero zeroed zeroed-after-reuse new-bytes-zero null-acts-as-calloc combinations
//: group aligned-address alignment large-alignment combinations
//: group contents blocks-are-disjoint keeps-contents failure-keeps-block large-alignment size-class-edges combinations
//: group release refused-release zero-after-refused-release refused-release-keeps-errno
//: group zeroing zero-after-refused-release
//: group sizes size-class-edges at-least-requested combinations
//: routine malloc
ALLOCATE(size) p_malloc(size)
RELEASE(block) p_free(block)
FRESH(size) p_malloc(size)
//: routine calloc zeroes
ALLOCATE(size) p_calloc(1, size)
RELEASE(block) p_free(block)
FRESH(size) p_malloc(size)
//: routine realloc resizes
ALLOCATE(size) p_realloc(NULL, size)
RESIZE(block,size) p_realloc(block, size)
RELEASE(block) p_free(block)
FRESH(size) p_malloc(size)
//: routine free frees
ALLOCATE(size) p_malloc(size)
RELEASE(block) p_free(block)
FRESH(size) p_malloc(size)
//: routine _msize measures
ALLOCATE(size) p_malloc(size)
RELEASE(block) p_free(block)
SIZE(block) p__msize(block)
FRESH(size) p_malloc(size)
//: routine _expand resizes refuses
ALLOCATE(size) p_malloc(size)
RESIZE(block,size) p__expand(block, size)
RELEASE(block) p_free(block)
FRESH(size) p_malloc(size)
//: routine _recalloc resizes zeroes
RECALLOC(block,number,size) p__recalloc(block, number, size)
ALLOCATE(size) p__recalloc(NULL, size, 1)
RESIZE(block,size) p__recalloc(block, size, 1)
RELEASE(block) p_free(block)
FRESH(size) p_malloc(size)
//: routine _aligned_malloc aligned
ALLOCATE(size) p__aligned_malloc(size, alignment)
RELEASE(block) p__aligned_free(block)
FRESH(size) p__aligned_malloc(size, alignment)
//: routine _aligned_offset_malloc aligned offset
ALLOCATE(size) p__aligned_offset_malloc(size, alignment, offset)
RELEASE(block) p__aligned_free(block)
FRESH(size) p__aligned_offset_malloc(size, alignment, offset)
//: routine _aligned_realloc aligned resizes
ALLOCATE(size) p__aligned_realloc(NULL, size, alignment)
RESIZE(block,size) p__aligned_realloc(block, size, alignment)
RELEASE(block) p__aligned_free(block)
FRESH(size) p__aligned_malloc(size, alignment)
//: routine _aligned_offset_realloc aligned offset resizes
ALLOCATE(size) p__aligned_offset_realloc(NULL, size, alignment, offset)
RESIZE(block,size) p__aligned_offset_realloc(block, size, alignment, offset)
RELEASE(block) p__aligned_free(block)
FRESH(size) p__aligned_offset_malloc(size, alignment, offset)
//: routine _aligned_recalloc aligned resizes zeroes
RECALLOC(block,number,size) p__aligned_recalloc(block, number, size, alignment)
ALLOCATE(size) p__aligned_recalloc(NULL, size, 1, alignment)
RESIZE(block,size) p__aligned_recalloc(block, size, 1, alignment)
RELEASE(block) p__aligned_free(block)
FRESH(size) p__aligned_malloc(size, alignment)
//: routine _aligned_offset_recalloc aligned offset resizes zeroes
RECALLOC(block,number,size) p__aligned_offset_recalloc(block, number, size, alignment, offset)
ALLOCATE(size) p__aligned_offset_recalloc(NULL, size, 1, alignment, offset)
RESIZE(block,size) p__aligned_offset_recalloc(block, size, 1, alignment, offset)
RELEASE(block) p__aligned_free(block)
FRESH(size) p__aligned_offset_malloc(size, alignment, offset)
//: routine _aligned_msize aligned offset measures
ALLOCATE(size) p__aligned_offset_malloc(size, alignment, offset)
RELEASE(block) p__aligned_free(block)
SIZE(block) p__aligned_msize(block, alignment, offset)
FRESH(size) p__aligned_offset_malloc(size, alignment, offset)
//: routine _aligned_free aligned frees
ALLOCATE(size) p__aligned_malloc(size, alignment)
RELEASE(block) p__aligned_free(block)
FRESH(size) p__aligned_malloc(size, alignment)
