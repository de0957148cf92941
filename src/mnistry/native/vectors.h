// What the kernels have in common, for the instruction set that is compiled for: LANES says how many floats a vector
// has, KERNELS what the set is called. Nothing of the C++ library is used here: a linker would keep only one
// instruction set's version of it.
#pragma once

#include <cstdlib>
#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "kernels.h"

namespace {

using Vector = float __attribute__((vector_size(4 * LANES)));
using Integers = int32_t __attribute__((vector_size(4 * LANES)));

constexpr int64_t ALIGNMENT = 64;

inline Vector load(const float* from) {
  Vector found;
  __builtin_memcpy(&found, from, sizeof found);
  return found;
}

inline void store(float* to, Vector values) { __builtin_memcpy(to, &values, sizeof values); }

inline Vector square_root(Vector values) {
  Vector roots;
  for (int64_t lane = 0; lane < LANES; ++lane) roots[lane] = __builtin_sqrtf(values[lane]);
  return roots;
}

inline int64_t rounded_up(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// Where a list of floats is not zero, and what it is there.
struct Entry {
  int32_t place;
  float value;
};

// Which of 16 floats are not zero, a bit each.
inline uint32_t nonzero_bits(const float* x) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask(_mm512_loadu_ps(x), _mm512_setzero_ps(), _CMP_NEQ_UQ);
#elif defined(__AVX2__)
  const __m256 zero = _mm256_setzero_ps();
  const int low = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(x), zero, _CMP_NEQ_UQ));
  const int high = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(x + 8), zero, _CMP_NEQ_UQ));
  return static_cast<uint32_t>(low | high << 8);
#else
  uint32_t bits = 0;
  for (int i = 0; i < 16; ++i) bits |= static_cast<uint32_t>(x[i] != 0) << i;
  return bits;
#endif
}

// Calls take(i) for each of `count` floats, at most 16, that is not zero, in their order.
template <typename Take>
inline void for_each_nonzero(const float* x, int64_t count, Take take) {
  if (count < 16) {
    for (int64_t i = 0; i < count; ++i) {
      if (x[i] != 0) take(i);
    }
    return;
  }
  for (uint32_t bits = nonzero_bits(x); bits; bits &= bits - 1) take(__builtin_ctz(bits));
}

// Memory that is kept from one call to the next.
struct Scratch {
  void* memory = nullptr;
  size_t size = 0;

  template <typename T>
  T* of(int64_t count) {
    const size_t wanted = rounded_up(count * sizeof(T), ALIGNMENT) + ALIGNMENT;
    if (wanted > size) {
      std::free(memory);
      memory = std::malloc(size = wanted);
      if (!memory) std::abort();
    }
    return reinterpret_cast<T*>(rounded_up(reinterpret_cast<int64_t>(memory), ALIGNMENT));
  }
  ~Scratch() { std::free(memory); }
};

// A vector of which there are so many floats, or more; after the last come zeros.
inline Vector load_some(const float* from, int64_t there) {
  if (there >= LANES) return load(from);
  float whole[LANES] = {};
  for (int64_t lane = 0; lane < there; ++lane) whole[lane] = from[lane];
  return load(whole);
}

// Stores vectors side by side, of which so many floats are wanted; they may be fewer or more than there are.
template <int64_t COUNT>
inline void store_some(float* to, const Vector (&values)[COUNT], int64_t wanted) {
  if (wanted >= COUNT * LANES) {
    for (int64_t v = 0; v < COUNT; ++v) store(to + v * LANES, values[v]);
  } else {
    float whole[COUNT * LANES];
    for (int64_t v = 0; v < COUNT; ++v) store(whole + v * LANES, values[v]);
    for (int64_t column = 0; column < wanted; ++column) to[column] = whole[column];
  }
}

// Stores a vector of which so many floats are wanted; the others may be written as well, if they lie before the end.
inline void store_before(float* to, Vector values, int64_t wanted, const float* end) {
  store_some<1>(to, {values}, to + LANES <= end ? LANES : wanted);
}

inline Vector load_before(const float* from, int64_t there, const float* end) {
  return load_some(from, from + LANES <= end ? LANES : there);
}

}  // namespace
