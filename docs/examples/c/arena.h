/* arena: an allocator with names and habits of its own, as an example. It knows no errno. */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

void *arena_take(size_t size);           /* a block of at least one byte, or NULL */
void arena_give(void *block);            /* ends a block */
size_t arena_room(void *block);          /* how many bytes the block really has */
int arena_trim(size_t *bytes);           /* gives unused memory back and counts it; 0 if the
                                            system took all of it, else 1 */
#endif
