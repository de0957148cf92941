// The products of a convolution, and what their gradients lead to, without a copy of any patch.
//
// All three products are of one kind, row[steps[k]] · matrix[k] summed over k: forward, rows are places and steps what
// lies under the kernel; for the gradient of the kernel it is the other way round; for that of the images, rows are
// places of the gradient and steps its features, and what comes of a place is added to what lies under the kernel there.
#pragma once

#include "normalized.h"

namespace {

constexpr int64_t SHARE = 8;  // images for each item: what belongs to them fits into the second cache

struct Patches : Job {
  int64_t across;           // floats of a row under the kernel
  int64_t depth;            // floats under the kernel
  int64_t* place;           // where the patches of SHARE images begin
  int64_t* under;           // where the floats of a patch are
  int64_t* feature;         // 0, 1, … for each feature
  float* packed = nullptr;  // the kernel

  explicit Patches(const NormalizedConvolution* convolution)
      : Job(convolution), across(of->size * of->channels), depth(of->size * across) {
    thread_local Scratch memory;
    share_among(SHARE);
    place = memory.of<int64_t>(SHARE * places + depth + of->features + 3 * AHEAD);
    int64_t* next = place;
    for (int64_t image = 0; image < SHARE; ++image) {
      for (int64_t row = 0; row < of->rows; ++row) {
        const int64_t begin = image * image_size() + row * of->stride * of->width * of->channels;
        for (int64_t column = 0; column < of->columns; ++column) *next++ = begin + column * of->stride * of->channels;
      }
    }
    under = next += AHEAD;
    for (int64_t y = 0; y < of->size; ++y) {
      for (int64_t i = 0; i < across; ++i) *next++ = y * of->width * of->channels + i;
    }
    feature = next += AHEAD;
    for (int64_t i = 0; i < of->features; ++i) *next++ = i;
  }

  void prepare_forward() {
    thread_local Scratch memory;
    packed = memory.of<float>(padded * depth);
    pack(of->kernel, depth, of->features, of->features, 1, packed);
  }

  static void multiply_share(int64_t item, void* context) {
    const Patches& self = *static_cast<Patches*>(context);
    const float* images = self.of->images + self.first(item) * self.image_size();
    const int64_t places = self.places_of(item);
    float* products = self.of->normal + self.first_place(item) * self.padded;
    for_each_block(self.of->features, [&](auto block, int64_t first) {
      using Of = decltype(block);
      Vector all[Of::width] = {}, squares[Of::width] = {};
      for (int64_t place = 0; place < places; place += Of::height) {
        typename Of::Rows rows;
        for (int64_t r = 0; r < Of::height; ++r) rows[r] = images + self.place[smaller(place + r, places - 1)];
        typename Of::Sums found = {};
        multiply(block, rows, self.under, self.depth, self.packed + first * self.depth, Of::width * LANES, found);
        for (int64_t r = 0; r < smaller(Of::height, places - place); ++r) {
          for (int64_t v = 0; v < Of::width; ++v) {
            store(products + (place + r) * self.padded + first + v * LANES, found[r][v]);
            all[v] += found[r][v];
            squares[v] += found[r][v] * found[r][v];
          }
        }
      }
      for (int64_t v = 0; v < Of::width; ++v) self.keep_sums(item, first + v * LANES, all[v], squares[v]);
    });
  }

  // The kernel, features down, a row of it after the other.
  void prepare_backward() {
    thread_local Scratch memory;
    if (!of->of_images) return;
    packed = memory.of<float>(of->size * rounded_up(across, LANES) * of->features);
    for (int64_t y = 0; y < of->size; ++y) {
      pack(of->kernel + y * across * of->features, of->features, across, 1, of->features,
           packed + y * rounded_up(across, LANES) * of->features);
    }
  }

  // The gradient of an item's images, if it is wanted.
  void backward_share(int64_t item) const {
    if (!of->of_images) return;
    float* of_images = of->of_images + first(item) * image_size();
    const float* end = of_images + images(item) * image_size();
    __builtin_memset(of_images, 0, 4 * (end - of_images));
    const float* gradient = of_product + first_place(item) * padded;
    for (int64_t y = 0; y < of->size; ++y) {
      multiply_rows(gradient, padded, places_of(item), feature, of->features,
                    packed + y * rounded_up(across, LANES) * of->features, across,
                    [&](int64_t at, int64_t i, Vector found) {
                      float* to = of_images + place[at] + y * of->width * of->channels + i;
                      store_before(to, load_before(to, across - i, end) + found, across - i, end);
                    });
    }
  }

  void find_of_kernel(const Threads* threads) {
    // However many rows an item has, each sum is made in the same order.
    kernel_rows = rounded_up(depth / threads->count + 1, 8);
    threads->for_each(threads, (depth - 1) / kernel_rows + 1, some_rows_of_kernel, this);
  }

 private:
  int64_t kernel_rows = 0;  // for each item that finds the gradient of the kernel

  // Images by images, so that these need not be fetched anew for each tile.
  static void some_rows_of_kernel(int64_t item, void* context) {
    const Patches& self = *static_cast<Patches*>(context);
    const NormalizedConvolution& of = *self.of;
    const int64_t end = smaller(self.depth, (item + 1) * self.kernel_rows);
    for (int64_t share = 0; share < self.items; ++share) {
      const float* images = of.images + self.first(share) * self.image_size();
      const float* gradient = self.of_product + self.first_place(share) * self.padded;
      for_each_block(of.features, [&](auto block, int64_t first) {
        using Of = decltype(block);
        for (int64_t row = item * self.kernel_rows; row < end; row += Of::height) {
          typename Of::Rows rows;
          typename Of::Sums sums = {};
          for (int64_t r = 0; r < Of::height; ++r) rows[r] = images + self.under[smaller(row + r, end - 1)];
          multiply(block, rows, self.place, self.places_of(share), gradient + first, self.padded, sums);
          for (int64_t r = 0; r < smaller(Of::height, end - row); ++r) {
            for (int64_t v = 0; v < Of::width; ++v) {
              float* to = of.of_kernel + (row + r) * of.features + first + v * LANES;
              const int64_t wanted = of.features - first - v * LANES;
              store_some<1>(to, {share ? load_some(to, wanted) + sums[r][v] : sums[r][v]}, wanted);
            }
          }
        }
      });
    }
  }
};

}  // namespace
