# needs: gcc --version -- install gcc libc6-dev
# proof: gcc -c -x c /dev/null -o null.o -- cc1
# A file of 3,000 functions is compiled; the object file is the same to the byte.
{
  echo '#include <string.h>'
  i=0
  while [ $i -lt 3000 ]; do
    i=$((i + 1))
    echo "int f$i(const char *s, int n) { int k, sum = $i; for (k = 0; k < n; k++) { switch (s[k] % 7) { case 0: sum += k * $i; break; case 1: sum ^= k << 3; break; case 2: sum -= (int)strlen(s); break; default: sum = sum * 31 + s[k]; } } return sum; }"
  done
} >large.c
gcc -O1 -c large.c -o large.o
cksum <large.o
