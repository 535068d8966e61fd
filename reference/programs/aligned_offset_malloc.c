/* _aligned_offset_malloc: aligns a member of a structure, not its first byte. */
#include "check.h"
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>

struct message {
    char header[20];
    float vector[64];
};

int main(void) {
    struct message *message =
        _aligned_offset_malloc(sizeof *message, 64, offsetof(struct message, vector));
    CHECK(message != NULL);
    CHECK((uintptr_t)message->vector % 64 == 0);
    for (int i = 0; i < 64; i++)
        message->vector[i] = (float)i;
    printf("the vector at offset %u is aligned\n",
           (unsigned)offsetof(struct message, vector));
    _aligned_free(message);
    return 0;
}
