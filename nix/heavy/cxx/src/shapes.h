// What parts.cpp knows of shapes.cpp: types whose type information and virtual tables are in another object file.
#pragma once

#include <memory>
#include <stdexcept>

struct Shape {
  virtual ~Shape() = default;
  virtual int corners() const = 0;
};

struct Named {
  virtual ~Named() = default;
};

struct Square : Shape, virtual Named {
  int corners() const override;
};

struct Triangle : Shape {
  int corners() const override;
};

struct Unshapely : std::runtime_error {
  explicit Unshapely(int depth);
  int depth;
};

std::unique_ptr<Shape> shape(int corners);

// Throws an Unshapely from that many frames below, and counts the objects that are destroyed on its way.
void sink(int depth, int &destroyed);
