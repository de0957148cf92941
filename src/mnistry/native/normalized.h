// What is known of a normalised convolution that is computed in shares of some images each.
#pragma once

#include "blocks.h"

namespace {

struct Job {
  const NormalizedConvolution* of;
  int64_t padded;           // features, up to whole vectors
  int64_t places;           // of an image, as those of the result
  int64_t share = 0;        // images for each item
  int64_t items = 0;
  float* means;             // [2, padded]
  float* bias;              // [padded]
  float* sums = nullptr;    // [items, 2, padded], two sums of each feature
  float* of_product = nullptr;  // [batch, places, padded]

  explicit Job(const NormalizedConvolution* convolution)
      : of(convolution), padded(saved_length(of->features)), places(of->rows * of->columns) {
    thread_local Scratch memory;
    means = memory.of<float>(3 * padded);
    bias = means + 2 * padded;
    for (int64_t i = 0; i < padded; ++i) bias[i] = i < of->features ? of->bias[i] : 0;
  }

  void share_among(int64_t of_item) {
    thread_local Scratch memory;
    share = of_item, items = rounded_up(of->batch, share) / share;
    sums = memory.of<float>(2 * items * padded);
  }

  int64_t first(int64_t item) const { return item * share; }
  int64_t images(int64_t item) const { return smaller(share, of->batch - item * share); }
  int64_t first_place(int64_t item) const { return first(item) * places; }
  int64_t places_of(int64_t item) const { return images(item) * places; }
  int64_t image_size() const { return of->height * of->width * of->channels; }

  void keep_sums(int64_t item, int64_t feature, Vector all, Vector other) const {
    store(sums + 2 * item * padded + feature, all);
    store(sums + (2 * item + 1) * padded + feature, other);
  }

  // The means of the two sums over all places of the batch.
  void find_means() const {
    for (int64_t i = 0; i < 2 * padded; ++i) {
      double sum = 0;
      for (int64_t item = 0; item < items; ++item) sum += sums[item * 2 * padded + i];
      means[i] = static_cast<float>(sum / static_cast<double>(of->batch * places));
    }
  }
};

}  // namespace
