#include "shapes.h"

#include <string>

int Square::corners() const { return 4; }
int Triangle::corners() const { return 3; }

Unshapely::Unshapely(int depth)
    : std::runtime_error("no shape at depth " + std::to_string(depth)),
      depth(depth) {}

std::unique_ptr<Shape> shape(int corners) {
  switch (corners) {
  case 3:
    return std::make_unique<Triangle>();
  case 4:
    return std::make_unique<Square>();
  default:
    throw Unshapely(corners);
  }
}

namespace {
struct Counting {
  int &destroyed;
  ~Counting() { ++destroyed; }
};
} // namespace

[[gnu::noinline]] void sink(int depth, int &destroyed) {
  Counting counting{destroyed};
  if (depth == 0)
    throw Unshapely(0);
  try {
    sink(depth - 1, destroyed);
  } catch (const std::bad_alloc &) {
    destroyed = -1;
  }
}
