// Tiles of images, kernels and tiles of results at the points of F(3×3, 3×3); see winograd.h.
//
// All changes are linear, so gradients take the transposed ones, in the opposite order.
#pragma once

#include "vectors.h"

namespace {

// Sides of a tile of results, of the kernel, too, and of the pixels that it depends on.
constexpr int64_t TOLD = 3, SEEN = 5, POINTS = SEEN * SEEN;

using Seen = Vector[SEEN][SEEN];
using Told = Vector[TOLD][TOLD];

// One dimension: pixels, and a kernel, at the points; results from the points.
inline void of_pixels(const Vector (&x)[SEEN], Vector (&to)[SEEN]) {
  to[3] = x[3] - x[1];
  to[0] = 2 * (x[0] - x[2]) + to[3];
  to[1] = to[3] - x[1] - x[2];
  to[2] = to[3] + 3 * (x[1] - x[2]);
  to[4] = x[4] - x[2] - 2 * to[3];
}

inline void of_weights(const Vector (&x)[TOLD], Vector (&to)[SEEN]) {
  to[0] = x[0] / 2;
  to[1] = (x[0] + x[1] + x[2]) / -2;
  to[2] = (x[1] - x[0] - x[2]) / 6;
  to[3] = (x[0] + 2 * x[1] + 4 * x[2]) / 6;
  to[4] = x[2];
}

inline void to_results(const Vector (&x)[SEEN], Vector (&to)[TOLD]) {
  to[0] = x[0] + x[1] + x[2] + x[3];
  to[1] = x[1] - x[2] + 2 * x[3];
  to[2] = x[1] + x[2] + 4 * x[3] + x[4];
}

// The same, transposed.
inline void to_pixels(const Vector (&x)[SEEN], Vector (&to)[SEEN]) {
  to[0] = 2 * x[0];
  to[1] = 2 * (x[2] - x[1] + x[4]) - x[0] - x[3];
  to[2] = -2 * x[0] - x[1] - 3 * x[2] - x[4];
  to[3] = x[0] + x[1] + x[2] + x[3] - 2 * x[4];
  to[4] = x[4];
}

inline void to_weights(const Vector (&x)[SEEN], Vector (&to)[TOLD]) {
  to[0] = (x[0] - x[1]) / 2 + (x[3] - x[2]) / 6;
  to[1] = x[1] / -2 + x[2] / 6 + x[3] / 3;
  to[2] = x[1] / -2 - x[2] / 6 + x[3] * (2.0f / 3) + x[4];
}

inline void of_results(const Vector (&x)[TOLD], Vector (&to)[SEEN]) {
  to[0] = x[0];
  to[1] = x[0] + x[1] + x[2];
  to[2] = x[0] - x[1] + x[2];
  to[3] = x[0] + 2 * x[1] + 4 * x[2];
  to[4] = x[2];
}

// Both dimensions.
template <auto CHANGE, int64_t IN, int64_t OUT>
inline void both_ways(const Vector (&from)[IN][IN], Vector (&to)[OUT][OUT]) {
  Vector half[OUT][IN];
  for (int64_t y = 0; y < IN; ++y) {
    Vector row[OUT];
    CHANGE(from[y], row);
    for (int64_t x = 0; x < OUT; ++x) half[x][y] = row[x];
  }
  for (int64_t x = 0; x < OUT; ++x) {
    Vector column[OUT];
    CHANGE(half[x], column);
    for (int64_t y = 0; y < OUT; ++y) to[y][x] = column[y];
  }
}

// Images or results in tiles: of so many rows, columns and channels, these a number of floats apart.
struct Tiled {
  int64_t rows, columns, channels, pitch;
  int64_t down, across;  // tiles

  int64_t tiles() const { return down * across; }
  // The floats at a place, for each place of a tile of so many pixels that lies on the image.
  template <int64_t SIDE, typename Floats, typename Use>
  void for_each_place(Floats* image, int64_t tile, Use use) const {
    const int64_t top = tile / across * TOLD, left = tile % across * TOLD;
    Floats* first = image + (top * columns + left) * pitch;
    for (int64_t y = 0; y < smaller(SIDE, rows - top); ++y) {
      for (int64_t x = 0; x < smaller(SIDE, columns - left); ++x) use(y, x, first + (y * columns + x) * pitch);
    }
  }
};

inline int64_t tiles_of(int64_t side) { return (side + TOLD - 1) / TOLD; }

// What some tiles are at the points: vectors of `wide` floats, those of a point `apart` floats after the last point's.
struct AtPoints {
  float* floats = nullptr;
  int64_t apart = 0, wide = 0;

  AtPoints() = default;
  // A line more between points: at a power of two, the 25 of a tile would share a few places in the cache.
  AtPoints(Scratch& memory, int64_t count, int64_t width)
      : floats(memory.of<float>(POINTS * (count * width + 16))), apart(count * width + 16), wide(width) {}

  float* of(int64_t point, int64_t tile) const { return floats + point * apart + tile * wide; }

  // Unrolled, so that the values stay in registers.
  void store_all(int64_t tile, int64_t i, const Seen& values) const {
#pragma GCC unroll 25
    for (int64_t point = 0; point < POINTS; ++point) {
      store(of(point, tile) + i, values[point / SEEN][point % SEEN]);
    }
  }

  void load_all(int64_t tile, int64_t i, Seen& values) const {
#pragma GCC unroll 25
    for (int64_t point = 0; point < POINTS; ++point) values[point / SEEN][point % SEEN] = load(of(point, tile) + i);
  }
};

// Pixels, or the gradients of results, at the points.
template <auto CHANGE, int64_t SIDE>
inline void to_points(const Tiled& tiled, const float* image, const float* end, const AtPoints& points, int64_t first) {
  for (int64_t tile = 0; tile < tiled.tiles(); ++tile) {
    for (int64_t i = 0; i < tiled.channels; i += LANES) {
      Vector pixels[SIDE][SIDE] = {};
      tiled.for_each_place<SIDE>(image, tile, [&](int64_t y, int64_t x, const float* at) {
        pixels[y][x] = load_before(at + i, tiled.channels - i, end);
      });
      Seen values;
      both_ways<CHANGE>(pixels, values);
      points.store_all(first + tile, i, values);
    }
  }
}

// The gradient of the pixels, added to what is there.
inline void add_pixels(const Tiled& tiled, const AtPoints& points, int64_t first, float* image, const float* end) {
  for (int64_t tile = 0; tile < tiled.tiles(); ++tile) {
    for (int64_t i = 0; i < tiled.channels; i += LANES) {
      Seen values, pixels;
      points.load_all(first + tile, i, values);
      both_ways<to_pixels>(values, pixels);
      tiled.for_each_place<SEEN>(image, tile, [&](int64_t y, int64_t x, float* at) {
        const int64_t wanted = tiled.channels - i;
        store_before(at + i, load_before(at + i, wanted, end) + pixels[y][x], wanted, end);
      });
    }
  }
}

// A kernel [3, 3, channels, features] at the points: [channels, wide] for each, zeros after the last feature.
inline void kernel_to_points(const float* kernel, int64_t channels, int64_t features, const AtPoints& points) {
  for (int64_t channel = 0; channel < channels; ++channel) {
    for (int64_t i = 0; i < features; i += LANES) {
      Told weights;
      for (int64_t place = 0; place < TOLD * TOLD; ++place) {
        weights[place / TOLD][place % TOLD] =
            load_some(kernel + (place * channels + channel) * features + i, features - i);
      }
      Seen values;
      both_ways<of_weights>(weights, values);
      points.store_all(channel, i, values);
    }
  }
}

inline void kernel_from_points(const AtPoints& points, int64_t channels, int64_t features, float* of_kernel) {
  for (int64_t channel = 0; channel < channels; ++channel) {
    for (int64_t i = 0; i < features; i += LANES) {
      Seen values;
      points.load_all(channel, i, values);
      Told weights;
      both_ways<to_weights>(values, weights);
      for (int64_t place = 0; place < TOLD * TOLD; ++place) {
        store_some<1>(of_kernel + (place * channels + channel) * features + i,
                      {weights[place / TOLD][place % TOLD]}, features - i);
      }
    }
  }
}

}  // namespace
