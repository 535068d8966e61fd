# needs: gcc --version -- install gcc libc6-dev
# proof: gcc -pthread "$SOURCES/threads.c" -o threads -ldl && ./threads -- ./threads
# threads.c: threads that allocate, resize, check and free blocks of each other,
# fork at the same time, and give memory back where the heap can.
gcc -O1 -Wall -Wextra -Werror -pthread "$SOURCES/threads.c" -o threads -ldl
./threads
