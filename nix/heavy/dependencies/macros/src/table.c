#include <stdio.h>

int main(void) {
  printf("const SQUARES: [u64; 8] = [");
  for (int i = 0; i < 8; i++) printf("%d, ", i * i);
  printf("];\n");
}
