// A product of matrices in blocks that stay in registers.
#pragma once

#include "vectors.h"

namespace {

constexpr int64_t WIDEST = LANES == 16 ? 4 : 2;                   // vectors of a row that are computed at once
constexpr int64_t SUMS = LANES == 16 ? 24 : LANES == 8 ? 12 : 8;  // vectors that stay in registers
constexpr int64_t AHEAD = 8;  // steps, that what they need is fetched before

// So many vectors side by side, and the rows of them that are computed at once.
template <int64_t VECTORS>
struct Block {
  static constexpr int64_t width = VECTORS, height = SUMS / VECTORS < 8 ? SUMS / VECTORS : 8;
  using Sums = Vector[height][width];
  using Rows = const float* [height];
};

// Calls use(Block<…>{}, first) for each block of so many columns.
template <typename Use>
void for_each_block(int64_t columns, Use use) {
  int64_t first = 0;
  for (; columns - first > (WIDEST - 1) * LANES; first += WIDEST * LANES) use(Block<WIDEST>{}, first);
  const int64_t left = columns - first;
  if constexpr (WIDEST == 4) {
    if (left > 2 * LANES) return use(Block<3>{}, first);
    if (left > LANES) return use(Block<2>{}, first);
  }
  if (left > 0) use(Block<1>{}, first);
}

template <typename Of>
inline void multiply(Of, const typename Of::Rows& rows, const int64_t* steps, int64_t count, const float* matrix,
                     int64_t pitch, typename Of::Sums& sums) {
  for (int64_t k = 0; k < count; ++k) {
    // Places lie too far apart for the processor to fetch the next ones by itself.
    __builtin_prefetch(rows[0] + steps[k + AHEAD]);
    __builtin_prefetch(rows[Of::height - 1] + steps[k + AHEAD]);
    Vector columns[Of::width];
    for (int64_t v = 0; v < Of::width; ++v) columns[v] = load(matrix + k * pitch + v * LANES);
    for (int64_t r = 0; r < Of::height; ++r) {
      for (int64_t v = 0; v < Of::width; ++v) sums[r][v] += rows[r][steps[k]] * columns[v];
    }
  }
}

// A matrix in blocks of columns, each of them whole vectors, zeros after the last column.
void pack(const float* from, int64_t rows, int64_t columns, int64_t down, int64_t across, float* to) {
  for_each_block(columns, [&](auto block, int64_t first) {
    constexpr int64_t wide = decltype(block)::width * LANES;
    for (int64_t row = 0; row < rows; ++row, to += wide) {
      for (int64_t i = 0; i < wide; ++i) to[i] = first + i < columns ? from[row * down + (first + i) * across] : 0;
    }
  });
}

// Rows, `pitch` floats apart, times a packed matrix: calls use(row, column, found) for each vector of the product.
template <typename Use>
void multiply_rows(const float* from, int64_t pitch, int64_t count, const int64_t* steps, int64_t depth,
                   const float* packed, int64_t columns, Use use) {
  for_each_block(columns, [&](auto block, int64_t first) {
    using Of = decltype(block);
    for (int64_t row = 0; row < count; row += Of::height) {
      typename Of::Rows rows;
      for (int64_t r = 0; r < Of::height; ++r) rows[r] = from + smaller(row + r, count - 1) * pitch;
      typename Of::Sums found = {};
      multiply(block, rows, steps, depth, packed + first * depth, Of::width * LANES, found);
      for (int64_t r = 0; r < smaller(Of::height, count - row); ++r) {
        for (int64_t v = 0; v < Of::width; ++v) use(row + r, first + v * LANES, found[r][v]);
      }
    }
  });
}

}  // namespace
