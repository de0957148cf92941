// Convolutions of size 3 and stride 1 by a third of the multiplications: F(3×3, 3×3) of Lavin and Gray, "Fast
// algorithms for convolutional neural networks", 2016, with the points 0, 1, -1, 2 and infinity.
//
// A tile of 3×3 results depends on 5×5 pixels. These, the kernel and the results are each given by their values at
// 25 points, where the convolution is one product of matrices for each point.
#pragma once

#include "normalized.h"
#include "points.h"

namespace {

constexpr int64_t TILES = 48;  // for each item: what belongs to them fits into the second cache
constexpr int64_t FEWEST_CHANNELS = 16;

// The products of a convolution, and what their gradients lead to, at the points.
struct Winograd : Job {
  Tiled images_in, results_in;  // tiles of an image, and of a result
  int64_t tiles;                // of an image
  int64_t wide;                 // channels, up to whole vectors
  int64_t* counted;             // 0, 1, … for each feature and channel
  AtPoints seen;                // all images
  AtPoints told;                // the gradients of all products
  AtPoints weights;             // the kernel, [channels, padded] for each point
  float* packed;                // the same, for products with it

  // Whether it halves the multiplications.
  static bool suits(const NormalizedConvolution& of) {
    const int64_t places = of.rows * of.columns, all = POINTS * tiles_of(of.rows) * tiles_of(of.columns);
    return of.size == TOLD && of.stride == 1 && of.channels >= FEWEST_CHANNELS && 2 * all <= TOLD * TOLD * places;
  }

  explicit Winograd(const NormalizedConvolution* convolution) : Job(convolution) {
    thread_local Scratch counts, at_points;
    const int64_t down = tiles_of(of->rows), across = tiles_of(of->columns);
    images_in = {of->height, of->width, of->channels, of->channels, down, across};
    results_in = {of->rows, of->columns, of->features, padded, down, across};
    tiles = down * across, wide = rounded_up(of->channels, LANES);
    // Four items at least, for as many threads.
    share_among(smaller(rounded_up(TILES, tiles) / tiles, rounded_up(of->batch, 4) / 4));
    counted = counts.of<int64_t>(of->channels + of->features + AHEAD);
    for (int64_t i = 0; i < of->channels + of->features; ++i) counted[i] = i;
    weights = AtPoints(at_points, of->channels, padded);
    kernel_to_points(of->kernel, of->channels, of->features, weights);
  }

  const float* image(int64_t number) const { return of->images + number * image_size(); }

  const float* images_end() const { return image(of->batch); }

  void prepare_forward() {
    thread_local Scratch memory;
    packed = memory.of<float>(POINTS * of->channels * padded);
    for (int64_t point = 0; point < POINTS; ++point) {
      pack(weights.of(point, 0), of->channels, of->features, padded, 1, packed + point * of->channels * padded);
    }
  }

  static void multiply_share(int64_t item, void* context) { static_cast<Winograd*>(context)->multiply_tiles(item); }

  void prepare_backward() {
    thread_local Scratch pixels, results, memory;
    seen = AtPoints(pixels, of->batch * tiles, wide);
    told = AtPoints(results, of->batch * tiles, padded);
    if (!of->of_images) return;
    packed = memory.of<float>(POINTS * wide * of->features);
    for (int64_t point = 0; point < POINTS; ++point) {
      pack(weights.of(point, 0), of->features, of->channels, 1, padded, packed + point * wide * of->features);
    }
  }

  // What the gradients need of an item at the points, and that of its images, if it is wanted.
  void backward_share(int64_t item) const {
    thread_local Scratch memory;
    const float* end = of_product + of->batch * places * padded;
    for (int64_t number = first(item); number < first(item) + images(item); ++number) {
      to_points<of_pixels, SEEN>(images_in, image(number), images_end(), seen, number * tiles);
      to_points<of_results, TOLD>(results_in, of_product + number * places * padded, end, told, number * tiles);
    }
    if (!of->of_images) return;
    const int64_t count = images(item) * tiles;
    const AtPoints of_seen(memory, count, wide);
    for (int64_t point = 0; point < POINTS; ++point) {
      multiply_rows(told.of(point, first(item) * tiles), padded, count, counted, of->features,
                    packed + point * wide * of->features, of->channels,
                    [&](int64_t at, int64_t i, Vector found) { store(of_seen.of(point, at) + i, found); });
    }
    float* of_images = of->of_images + first(item) * image_size();
    const float* of_images_end = of_images + images(item) * image_size();
    __builtin_memset(of_images, 0, 4 * (of_images_end - of_images));
    for (int64_t number = 0; number < images(item); ++number) {
      add_pixels(images_in, of_seen, number * tiles, of_images + number * image_size(), of_images_end);
    }
  }

  // The gradient of the kernel, all tiles after each other for each point.
  void find_of_kernel(const Threads* threads) {
    thread_local Scratch memory;
    tile = memory.of<int64_t>(of->batch * tiles + AHEAD);
    for (int64_t i = 0; i < of->batch * tiles; ++i) tile[i] = i * wide;
    threads->for_each(threads, POINTS, kernel_at_point, this);
    kernel_from_points(weights, of->channels, of->features, of->of_kernel);
  }

 private:
  int64_t* tile;  // where each begins among those seen at a point

  void multiply_tiles(int64_t item) const {
    thread_local Scratch pixels, results;
    const int64_t count = images(item) * tiles;
    const AtPoints of_images(pixels, count, wide), of_results(results, count, padded);
    for (int64_t number = 0; number < images(item); ++number) {
      to_points<of_pixels, SEEN>(images_in, image(first(item) + number), images_end(), of_images, number * tiles);
    }
    for (int64_t point = 0; point < POINTS; ++point) {
      multiply_rows(of_images.of(point, 0), wide, count, counted, of->channels,
                    packed + point * of->channels * padded, of->features,
                    [&](int64_t at, int64_t i, Vector found) { store(of_results.of(point, at) + i, found); });
    }
    for (int64_t i = 0; i < of->features; i += LANES) {
      Vector all{}, squares{};
      for (int64_t at = 0; at < count; ++at) {
        Seen values;
        Told found;
        of_results.load_all(at, i, values);
        both_ways<to_results>(values, found);
        float* products = of->normal + (first_place(item) + at / tiles * places) * padded + i;
        results_in.for_each_place<TOLD>(products, at % tiles, [&](int64_t y, int64_t x, float* place) {
          store(place, found[y][x]);
          all += found[y][x];
          squares += found[y][x] * found[y][x];
        });
      }
      keep_sums(item, i, all, squares);
    }
  }

  static void kernel_at_point(int64_t point, void* context) {
    const Winograd& self = *static_cast<Winograd*>(context);
    const NormalizedConvolution& of = *self.of;
    for_each_block(of.features, [&](auto block, int64_t first) {
      using Of = decltype(block);
      for (int64_t channel = 0; channel < of.channels; channel += Of::height) {
        typename Of::Rows rows;
        typename Of::Sums sums = {};
        for (int64_t r = 0; r < Of::height; ++r) {
          rows[r] = self.seen.of(point, 0) + smaller(channel + r, of.channels - 1);
        }
        multiply(block, rows, self.tile, of.batch * self.tiles, self.told.of(point, 0) + first, self.padded, sums);
        for (int64_t r = 0; r < smaller(Of::height, of.channels - channel); ++r) {
          for (int64_t v = 0; v < Of::width; ++v) {
            store(self.weights.of(point, channel + r) + first + v * LANES, sums[r][v]);
          }
        }
      }
    });
  }
};

}  // namespace
