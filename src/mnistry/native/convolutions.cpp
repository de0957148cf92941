// Small convolutions with max-pooling, bias and ReLU, forward and backward; compiled once for each instruction set.
//
// Forward, lanes are pooled columns where there is one channel, else features. Pooling and ReLU leave the gradient of
// most places zero: backward, only those that it reaches are added up, feature by feature, patch by patch.
#include "vectors.h"

namespace {

constexpr int64_t TILE = LANES == 16 ? 6 : 2;   // features that are computed at once, where lanes are columns
constexpr int64_t CELLS = LANES == 16 ? 5 : 2;  // pooled places that are, where lanes are features
constexpr int64_t PLACES = 4;                   // that are pooled
constexpr int64_t SHARE = 8;                    // images for each item

struct Job {
  const Convolution* of;
  const float* packed;  // the kernel
  int64_t height, stride;  // of a padded image, in rows and in floats
  float* of_packed;        // [items, features, a packed kernel and the bias]
};

// What is pooled, and what won; `counts` has all bits where the places may win.
inline void pool(const Vector (&sums)[PLACES], Vector bias, Integers counts, Vector& pooled, Vector& won) {
  const Vector upper = sums[0] > sums[1] ? sums[0] : sums[1], lower = sums[2] > sums[3] ? sums[2] : sums[3];
  const Vector largest = upper > lower ? upper : lower;
  Integers places{};
  for (int32_t place = 0; place < PLACES; ++place) places |= (sums[place] == largest) & 1 << place;
  const Vector value = largest + bias;
  pooled = value < 0.0f ? Vector{} : value;
  won = __builtin_convertvector((value > 0.0f) & ((places & counts) | 16), Vector);
}

// An image with zeros around it.
void pad_image(const Convolution& of, int64_t image, float* to, int64_t height, int64_t stride) {
  const int64_t across = of.width * of.channels;
  const float* from = of.images + image * of.height * across;
  for (int64_t i = 0; i < height * stride; ++i) to[i] = 0;
  for (int64_t row = 0; row < of.height; ++row) {
    __builtin_memcpy(to + (row + of.padding) * stride + of.padding * of.channels, from + row * across, 4 * across);
  }
}

// The even and the odd columns of a padded image apart, so that all places of a kind lie side by side.
struct Halves {
  const float* at;
  int64_t stride;

  // Where the columns first + shift, first + shift + 2, … of a row are.
  const float* of(int64_t row, int64_t shift) const { return at + (2 * row + shift % 2) * stride + shift / 2; }
};

// COUNT features of LANES pooled places of one row.
template <int64_t COUNT>
void pixel_tile(const Convolution& of, const Halves& halves, int64_t row, int64_t first, int64_t feature,
                Integers counts, float* won, float* pooled) {
  Vector sums[COUNT][PLACES] = {};
  for (int64_t y = 0; y < of.size; ++y) {
    for (int64_t x = 0; x < of.size; ++x) {
      Vector pixels[PLACES];
      for (int64_t p = 0; p < PLACES; ++p) pixels[p] = load(halves.of(2 * row + y + p / 2, x + p % 2) + first);
      const float* weights = of.kernel + (y * of.size + x) * of.features + feature;
      for (int64_t f = 0; f < COUNT; ++f) {
        for (int64_t p = 0; p < PLACES; ++p) sums[f][p] += weights[f] * pixels[p];
      }
    }
  }
  const int64_t padded = saved_length(of.cells);
  for (int64_t f = 0; f < COUNT; ++f) {
    Vector values, places;
    pool(sums[f], Vector{} + of.bias[feature + f], counts, values, places);
    store(won + (feature + f) * padded + first, places);
    float lanes[LANES];
    store(lanes, values);
    for (int64_t lane = 0; lane < smaller(LANES, of.cells - first); ++lane) {
      pooled[(first + lane) * of.features + feature + f] = lanes[lane];
    }
  }
}

template <int64_t COUNT>
void pixel_tiles(const Convolution& of, const Halves& halves, int64_t row, int64_t first, int64_t feature,
                 Integers counts, float* won, float* pooled) {
  for (; feature + COUNT <= of.features; feature += COUNT) {
    pixel_tile<COUNT>(of, halves, row, first, feature, counts, won, pooled);
  }
  if constexpr (COUNT > 1) pixel_tiles<COUNT - 1>(of, halves, row, first, feature, counts, won, pooled);
}

void convolve_pixels(int64_t item, void* context) {
  const Job& job = *static_cast<Job*>(context);
  const Convolution& of = *job.of;
  thread_local Scratch scratch;
  const int64_t padded = saved_length(of.cells), half = padded + rounded_up(of.size, LANES);
  float* halves = scratch.of<float>(2 * job.height * half);
  for (int64_t i = 0; i < 2 * job.height * half; ++i) halves[i] = 0;
  const Halves columns{halves, half};
  for (int64_t image = item * SHARE; image < smaller(of.batch, (item + 1) * SHARE); ++image) {
    for (int64_t row = 0; row < of.height; ++row) {
      const float* from = of.images + (image * of.height + row) * of.width;
      float* to = halves + 2 * (row + of.padding) * half;
      for (int64_t x = 0; x < of.width; ++x) {
        to[(x + of.padding) % 2 * half + (x + of.padding) / 2] = from[x];
      }
    }
    for (int64_t row = 0; row < of.rows; ++row) {
      float* won = of.won + (image * of.rows + row) * of.features * padded;
      float* pooled = of.pooled + (image * of.rows + row) * of.cells * of.features;
      for (int64_t first = 0; first < padded; first += LANES) {
        Integers inked{};
        for (int64_t y = 0; y <= of.size; ++y) {
          for (int64_t x = 0; x <= of.size; ++x) inked |= load(columns.of(2 * row + y, x) + first) != 0.0f;
        }
        pixel_tiles<TILE>(of, columns, row, first, 0, inked, won, pooled);
      }
    }
  }
}

// LANES features of COUNT pooled places side by side.
template <int64_t COUNT>
void feature_tile(const Job& job, const float* image, const float* packed, int64_t place, int64_t row, int64_t cell,
                  int64_t feature) {
  const Convolution& of = *job.of;
  const int64_t depth = of.size * of.channels;
  Vector sums[COUNT][PLACES] = {};
  for (int64_t y = 0; y < of.size; ++y) {
    const float* upper = image + (2 * row + y) * job.stride + 2 * cell * of.channels;
    for (int64_t i = 0; i < depth; ++i) {
      const Vector weights = load(packed + (y * depth + i) * LANES);
      for (int64_t c = 0; c < COUNT; ++c) {
        const float* left = upper + i + 2 * c * of.channels;
        sums[c][0] += left[0] * weights;
        sums[c][1] += left[of.channels] * weights;
        sums[c][2] += left[job.stride] * weights;
        sums[c][3] += left[job.stride + of.channels] * weights;
      }
    }
  }
  const int64_t width = of.features - feature;
  for (int64_t c = 0; c < COUNT; ++c) {
    Vector values, places;
    pool(sums[c], load_some(of.bias + feature, width), ~Integers{}, values, places);
    store_some<1>(of.pooled + (place + c) * of.features + feature, {values}, width);
    store_some<1>(of.won + (place + c) * of.features + feature, {places}, width);
  }
}

template <int64_t COUNT>
void feature_tiles(const Job& job, const float* image, const float* packed, int64_t place, int64_t row, int64_t cell,
                   int64_t feature) {
  for (; cell + COUNT <= job.of->cells; cell += COUNT) {
    feature_tile<COUNT>(job, image, packed, place + cell, row, cell, feature);
  }
  if constexpr (COUNT > 1) feature_tiles<COUNT - 1>(job, image, packed, place, row, cell, feature);
}

void convolve_features(int64_t item, void* context) {
  const Job& job = *static_cast<Job*>(context);
  const Convolution& of = *job.of;
  thread_local Scratch scratch;
  float* padded = scratch.of<float>(job.height * job.stride);
  const int64_t depth = of.size * of.size * of.channels;
  for (int64_t image = item * SHARE; image < smaller(of.batch, (item + 1) * SHARE); ++image) {
    pad_image(of, image, padded, job.height, job.stride);
    for (int64_t feature = 0; feature < of.features; feature += LANES) {
      for (int64_t row = 0; row < of.rows; ++row) {
        const int64_t place = (image * of.rows + row) * of.cells;
        feature_tiles<CELLS>(job, padded, job.packed + feature * depth, place, row, 0, feature);
      }
    }
  }
}

Job job_of(const Convolution* of) {
  return {of, nullptr, of->height + 2 * of->padding, (of->width + 2 * of->padding) * of->channels, nullptr};
}

}  // namespace

void KERNEL(convolve)(const Threads* threads, const Convolution* of) {
  const int64_t items = rounded_up(of->batch, SHARE) / SHARE;
  Job job = job_of(of);
  if (of->channels == 1) {
    threads->for_each(threads, items, convolve_pixels, &job);
    return;
  }
  thread_local Scratch scratch;
  const int64_t depth = of->size * of->size * of->channels, blocks = rounded_up(of->features, LANES);
  float* packed = scratch.of<float>(blocks * depth);
  for (int64_t feature = 0; feature < blocks; feature += LANES) {
    for (int64_t i = 0; i < depth; ++i) {
      const float* from = of->kernel + i * of->features + feature;
      store(packed + feature * depth + i * LANES, load_some(from, of->features - feature));
    }
  }
  job.packed = packed;
  threads->for_each(threads, items, convolve_features, &job);
}

namespace {

// How many floats of a row under the kernel stay in registers, backward.
constexpr int64_t part_of(bool pixels) { return pixels ? 16 : 32; }

// For so many places of one feature, that is where patches begin in an image, with the gradient there:
// of_kernel += Σ value · patch, and patch of of_image += value · kernel.
template <int64_t SIZE, bool BACK>
void add_patches(const Entry* entries, int64_t count, const float* image, float* of_image, int64_t stride,
                 const float* kernel, float* of_kernel) {
  constexpr int64_t WIDTH = part_of(!BACK) / LANES;
  Vector sums[SIZE][WIDTH];
  for (int64_t i = 0; i < SIZE * WIDTH; ++i) sums[i / WIDTH][i % WIDTH] = load(of_kernel + i * LANES);
  for (const Entry* entry = entries; entry != entries + count; ++entry) {
    for (int64_t row = 0; row < SIZE; ++row) {
      for (int64_t v = 0; v < WIDTH; ++v) {
        const int64_t at = entry->place + row * stride + v * LANES;
        sums[row][v] += entry->value * load(image + at);
        if (BACK) store(of_image + at, load(of_image + at) + entry->value * load(kernel + (row * WIDTH + v) * LANES));
      }
    }
  }
  for (int64_t i = 0; i < SIZE * WIDTH; ++i) store(of_kernel + i * LANES, sums[i / WIDTH][i % WIDTH]);
}

// Puts the places of an image that the gradient reaches into the list of each feature. Those whose patches overlap are
// far from each other in it: an addition to memory need not wait for the one before.
void find_places(const Job& job, int64_t image, Entry* entries, int64_t* counts, float* of_bias) {
  const Convolution& of = *job.of;
  const int64_t most = PLACES * of.rows * of.cells, apart = (of.size + 1) / 2, padded = saved_length(of.cells);
  for (int64_t feature = 0; feature < of.features; ++feature) counts[feature] = 0;
  const auto take = [&](int64_t row, int64_t cell, int64_t feature, float won) {
    const float value = of.of_pooled[((image * of.rows + row) * of.cells + cell) * of.features + feature];
    of_bias[feature] += value;
    uint32_t places = static_cast<uint32_t>(won) & 15;
    const float share = value / static_cast<float>(__builtin_popcount(places));
    for (; places; places &= places - 1) {
      const int64_t place = __builtin_ctz(places);
      const int64_t at = (2 * row + place / 2) * job.stride + (2 * cell + place % 2) * of.channels;
      entries[feature * most + counts[feature]++] = {static_cast<int32_t>(at), share};
    }
  };
  if (of.channels == 1) {
    for (int64_t row = 0; row < of.rows; ++row) {
      for (int64_t at = 0; at < of.features * padded; at += 16) {
        const float* won = of.won + (image * of.rows + row) * of.features * padded + at;
        for_each_nonzero(won, 16, [&](int64_t i) {
          const int64_t cell = at % padded + i;
          if (cell < of.cells) take(row, cell, at / padded, won[i]);
        });
      }
    }
    return;
  }
  for (int64_t i = 0; i < apart * apart; ++i) {
    for (int64_t row = i / apart; row < of.rows; row += apart) {
      for (int64_t cell = i % apart; cell < of.cells; cell += apart) {
        for (int64_t at = 0; at < of.features; at += 16) {
          const float* won = of.won + ((image * of.rows + row) * of.cells + cell) * of.features + at;
          for_each_nonzero(won, smaller(16, of.features - at), [&](int64_t k) { take(row, cell, at + k, won[k]); });
        }
      }
    }
  }
}

int64_t parts_of(const Convolution& of) {
  const int64_t part = part_of(of.channels == 1);
  return rounded_up(of.size * of.channels, part) / part;
}

template <int64_t SIZE, bool BACK>
void backward_share(int64_t item, void* context) {
  const Job& job = *static_cast<Job*>(context);
  const Convolution& of = *job.of;
  thread_local Scratch images, lists, lengths;
  constexpr int64_t PART = part_of(!BACK);
  const int64_t parts = parts_of(of), packed = SIZE * PART, whole = job.height * job.stride + PART;
  float* padded = images.of<float>(BACK ? 2 * whole : whole);
  float* of_padded = padded + whole;
  const int64_t most = PLACES * of.rows * of.cells;
  Entry* entries = lists.of<Entry>(of.features * most);
  int64_t* counts = lengths.of<int64_t>(of.features);
  float* sums = job.of_packed + item * of.features * (parts * packed + 1);
  float* of_bias = sums + of.features * parts * packed;
  for (int64_t i = 0; i < of.features * (parts * packed + 1); ++i) sums[i] = 0;
  for (int64_t i = 0; i < PART; ++i) padded[whole - PART + i] = 0;
  for (int64_t image = item * SHARE; image < smaller(of.batch, (item + 1) * SHARE); ++image) {
    pad_image(of, image, padded, job.height, job.stride);
    if (BACK) {
      for (int64_t i = 0; i < whole; ++i) of_padded[i] = 0;
    }
    find_places(job, image, entries, counts, of_bias);
    for (int64_t feature = 0; feature < of.features; ++feature) {
      for (int64_t part = 0; part < parts; ++part) {
        const int64_t at = (feature * parts + part) * packed;
        add_patches<SIZE, BACK>(entries + feature * most, counts[feature], padded + part * PART,
                                of_padded + part * PART, job.stride, job.packed + at, sums + at);
      }
    }
    if (BACK) {
      const int64_t across = of.width * of.channels;
      for (int64_t row = 0; row < of.height; ++row) {
        const float* from = of_padded + (row + of.padding) * job.stride + of.padding * of.channels;
        __builtin_memcpy(of.of_images + (image * of.height + row) * across, from, 4 * across);
      }
    }
  }
}

}  // namespace

void KERNEL(convolve_backward)(const Threads* threads, const Convolution* of) {
  thread_local Scratch scratch, partial;
  Job job = job_of(of);
  const int64_t part = part_of(of->channels == 1), parts = parts_of(*of), packed = of->size * part;
  const int64_t depth = of->size * of->channels;
  const int64_t items = rounded_up(of->batch, SHARE) / SHARE, each = of->features * (parts * packed + 1);
  // Where a weight of a feature is among the packed ones.
  const auto place = [&](int64_t feature, int64_t row, int64_t i) {
    return ((feature * parts + i / part) * of->size + row) * part + i % part;
  };
  float* kernel = scratch.of<float>(of->features * parts * packed);
  for (int64_t i = 0; i < of->features * parts * packed; ++i) kernel[i] = 0;
  for (int64_t i = 0; i < of->size * depth; ++i) {
    for (int64_t feature = 0; feature < of->features; ++feature) {
      kernel[place(feature, i / depth, i % depth)] = of->kernel[i * of->features + feature];
    }
  }
  job.packed = kernel;
  float* sums = job.of_packed = partial.of<float>(items * each);
  if (of->size == 3) {
    threads->for_each(threads, items, of->of_images ? backward_share<3, true> : backward_share<3, false>, &job);
  } else {
    threads->for_each(threads, items, of->of_images ? backward_share<5, true> : backward_share<5, false>, &job);
  }
  for (int64_t item = 1; item < items; ++item) {
    for (int64_t i = 0; i < each; ++i) sums[i] += sums[item * each + i];
  }
  for (int64_t i = 0; i < of->size * depth; ++i) {
    for (int64_t feature = 0; feature < of->features; ++feature) {
      of->of_kernel[i * of->features + feature] = sums[place(feature, i / depth, i % depth)];
    }
  }
  for (int64_t feature = 0; feature < of->features; ++feature) {
    of->of_bias[feature] = sums[of->features * parts * packed + feature];
  }
}
