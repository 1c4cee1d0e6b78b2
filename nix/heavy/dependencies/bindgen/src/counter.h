#include <stddef.h>
#include <stdint.h>

struct counter {
  uint64_t total;
  size_t calls;
};

void counter_add(struct counter *counter, uint64_t n);
