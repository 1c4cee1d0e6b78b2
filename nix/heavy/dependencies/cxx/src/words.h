#pragma once
#include "rust/cxx.h"
#include <cstdint>

uint64_t count_words(rust::Str text, uint32_t threads);
void fail(rust::Str message);
