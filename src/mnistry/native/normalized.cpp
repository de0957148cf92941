// Convolutions without padding, batch normalisation, bias and ReLU, forward and backward; compiled once for each
// instruction set.
//
// No patch is copied. All three products of a convolution are of one kind, row[steps[k]] · matrix[k] summed over k:
// forward, rows are places and steps what lies under the kernel; for the gradient of the kernel it is the other way
// round; for that of the images, rows are places of the gradient and steps its features, and what comes of a place is
// added to what lies under the kernel there.
#include "vectors.h"

namespace {

constexpr int64_t WIDEST = LANES == 16 ? 4 : 2;                   // vectors of a row that are computed at once
constexpr int64_t SUMS = LANES == 16 ? 24 : LANES == 8 ? 12 : 8;  // vectors that stay in registers
constexpr int64_t SHARE = 8;  // images for each item: what belongs to them fits into the second cache
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

struct Job {
  const NormalizedConvolution* of;
  int64_t across;       // floats of a row under the kernel
  int64_t depth;        // floats under the kernel
  int64_t padded;       // features, up to whole vectors
  int64_t places;       // of an image, as those of the result
  int64_t items;
  int64_t kernel_rows;  // for each item that finds the gradient of the kernel
  int64_t* place;       // where the patches of SHARE images begin
  int64_t* under;       // where the floats of a patch are
  int64_t* feature;     // 0, 1, … for each feature
  float* packed;        // the kernel
  float* sums;          // [items, 2, padded], two sums of each feature
  float* means;         // [2, padded]
  float* bias;          // [padded]
  float* of_product;    // [batch, places, padded]

  int64_t first(int64_t item) const { return item * SHARE; }
  int64_t images(int64_t item) const { return smaller(SHARE, of->batch - item * SHARE); }
  int64_t first_place(int64_t item) const { return first(item) * places; }
  int64_t places_of(int64_t item) const { return images(item) * places; }
  int64_t image_size() const { return of->height * of->width * of->channels; }
};

// What all items need to know, in memory that is kept.
Job job_of(const NormalizedConvolution* of, Scratch& places, Scratch& floats) {
  Job job{};
  job.of = of;
  job.across = of->size * of->channels, job.depth = of->size * job.across;
  job.padded = saved_length(of->features);
  job.places = of->rows * of->columns;
  job.items = rounded_up(of->batch, SHARE) / SHARE;
  job.place = places.of<int64_t>(SHARE * job.places + job.depth + AHEAD);
  job.under = job.place + SHARE * job.places;
  int64_t* next = job.place;
  for (int64_t image = 0; image < SHARE; ++image) {
    for (int64_t row = 0; row < of->rows; ++row) {
      const int64_t begin = image * job.image_size() + row * of->stride * of->width * of->channels;
      for (int64_t column = 0; column < of->columns; ++column) *next++ = begin + column * of->stride * of->channels;
    }
  }
  for (int64_t y = 0; y < of->size; ++y) {
    for (int64_t i = 0; i < job.across; ++i) *next++ = y * of->width * of->channels + i;
  }
  job.means = floats.of<float>((3 + 2 * job.items) * job.padded);
  job.bias = job.means + 2 * job.padded;
  job.sums = job.means + 3 * job.padded;
  for (int64_t i = 0; i < job.padded; ++i) job.bias[i] = i < of->features ? of->bias[i] : 0;
  return job;
}

// The means of the two sums over all places of the batch.
void find_means(const Job& job) {
  for (int64_t i = 0; i < 2 * job.padded; ++i) {
    double sum = 0;
    for (int64_t item = 0; item < job.items; ++item) sum += job.sums[item * 2 * job.padded + i];
    job.means[i] = static_cast<float>(sum / static_cast<double>(job.of->batch * job.places));
  }
}

void multiply_share(int64_t item, void* context) {
  const Job& job = *static_cast<Job*>(context);
  const NormalizedConvolution& of = *job.of;
  const float* images = of.images + job.first(item) * job.image_size();
  const int64_t places = job.places_of(item);
  float* products = of.normal + job.first_place(item) * job.padded;
  float* sums = job.sums + item * 2 * job.padded;
  for_each_block(of.features, [&](auto block, int64_t first) {
    using Of = decltype(block);
    Vector all[Of::width] = {}, squares[Of::width] = {};
    for (int64_t place = 0; place < places; place += Of::height) {
      typename Of::Rows rows;
      for (int64_t r = 0; r < Of::height; ++r) rows[r] = images + job.place[smaller(place + r, places - 1)];
      typename Of::Sums found = {};
      multiply(block, rows, job.under, job.depth, job.packed + first * job.depth, Of::width * LANES, found);
      for (int64_t r = 0; r < smaller(Of::height, places - place); ++r) {
        for (int64_t v = 0; v < Of::width; ++v) {
          store(products + (place + r) * job.padded + first + v * LANES, found[r][v]);
          all[v] += found[r][v];
          squares[v] += found[r][v] * found[r][v];
        }
      }
    }
    for (int64_t v = 0; v < Of::width; ++v) {
      store(sums + first + v * LANES, all[v]);
      store(sums + job.padded + first + v * LANES, squares[v]);
    }
  });
}

// Stores a vector of which so many floats are wanted; the others may be written as well, if they lie before the end.
inline void store_before(float* to, Vector values, int64_t wanted, const float* end) {
  store_some<1>(to, {values}, to + LANES <= end ? LANES : wanted);
}

inline Vector load_before(const float* from, int64_t there, const float* end) {
  return load_some(from, from + LANES <= end ? LANES : there);
}

void normalize_share(int64_t item, void* context) {
  const Job& job = *static_cast<Job*>(context);
  const NormalizedConvolution& of = *job.of;
  const int64_t first = job.first_place(item), places = job.places_of(item);
  const float* end = of.out + (first + places) * of.features;
  for (int64_t place = first; place < first + places; ++place) {
    for (int64_t i = 0; i < of.features; i += LANES) {
      float* at = of.normal + place * job.padded + i;
      const Vector normal = (load(at) - load(job.means + i)) * load(of.scales + i);
      const Vector value = normal + load(job.bias + i);
      store(at, normal);
      store_before(of.out + place * of.features + i, value < 0.0f ? Vector{} : value, of.features - i, end);
    }
  }
}

}  // namespace

void KERNEL(convolve_and_normalize)(const Threads* threads, const NormalizedConvolution* of) {
  thread_local Scratch places, floats, kernels;
  Job job = job_of(of, places, floats);
  job.packed = kernels.of<float>(job.padded * job.depth);
  pack(of->kernel, job.depth, of->features, of->features, 1, job.packed);
  threads->for_each(threads, job.items, multiply_share, &job);
  find_means(job);
  for (int64_t i = 0; i < job.padded; ++i) {
    const float mean = job.means[i], variance = job.means[job.padded + i] - mean * mean;
    of->scales[i] = 1 / __builtin_sqrtf((variance < 0 ? 0 : variance) + of->floor);
  }
  threads->for_each(threads, job.items, normalize_share, &job);
}

namespace {

// The gradient of what ReLU was given.
inline Vector before_relu(const Job& job, int64_t place, int64_t i, Vector normal, const float* end) {
  const Vector gradient = load_before(job.of->of_out + place * job.of->features + i, job.of->features - i, end);
  return normal + load(job.bias + i) > 0.0f ? gradient : Vector{};
}

// Sums up the gradient of the bias, and what the gradient of the deviation needs.
void sum_share(int64_t item, void* context) {
  const Job& job = *static_cast<Job*>(context);
  const NormalizedConvolution& of = *job.of;
  const int64_t first = job.first_place(item), places = job.places_of(item);
  const float* end = of.of_out + (first + places) * of.features;
  float* sums = job.sums + item * 2 * job.padded;
  for (int64_t i = 0; i < of.features; i += LANES) {
    Vector all{}, with_normal{};
    for (int64_t place = first; place < first + places; ++place) {
      const Vector normal = load(of.normal + place * job.padded + i);
      const Vector gradient = before_relu(job, place, i, normal, end);
      all += gradient;
      with_normal += gradient * normal;
    }
    store(sums + i, all);
    store(sums + job.padded + i, with_normal);
  }
}

// A row of the kernel, features down.
void transpose_share(int64_t y, void* context) {
  const Job& job = *static_cast<Job*>(context);
  const int64_t features = job.of->features;
  pack(job.of->kernel + y * job.across * features, features, job.across, 1, features,
       job.packed + y * rounded_up(job.across, LANES) * features);
}

// The gradients of the products and of the images.
void backward_share(int64_t item, void* context) {
  const Job& job = *static_cast<Job*>(context);
  const NormalizedConvolution& of = *job.of;
  const int64_t first = job.first_place(item), places = job.places_of(item);
  const float* end = of.of_out + (first + places) * of.features;
  for (int64_t place = first; place < first + places; ++place) {
    for (int64_t i = 0; i < of.features; i += LANES) {
      const Vector normal = load(of.normal + place * job.padded + i);
      const Vector gradient = before_relu(job, place, i, normal, end);
      const Vector centred = gradient - load(job.means + i) - normal * load(job.means + job.padded + i);
      store(job.of_product + place * job.padded + i, centred * load(of.scales + i));
    }
  }
  if (!of.of_images) return;
  float* of_images = of.of_images + job.first(item) * job.image_size();
  const float* images_end = of_images + job.images(item) * job.image_size();
  __builtin_memset(of_images, 0, 4 * (images_end - of_images));
  const float* gradient = job.of_product + first * job.padded;
  for (int64_t y = 0; y < of.size; ++y) {
    const float* packed = job.packed + y * rounded_up(job.across, LANES) * of.features;
    for_each_block(job.across, [&](auto block, int64_t begin) {
      using Of = decltype(block);
      for (int64_t place = 0; place < places; place += Of::height) {
        typename Of::Rows rows;
        for (int64_t r = 0; r < Of::height; ++r) rows[r] = gradient + smaller(place + r, places - 1) * job.padded;
        typename Of::Sums found = {};
        multiply(block, rows, job.feature, of.features, packed + begin * of.features, Of::width * LANES, found);
        for (int64_t r = 0; r < smaller(Of::height, places - place); ++r) {
          float* to = of_images + job.place[place + r] + y * of.width * of.channels + begin;
          for (int64_t v = 0; v < Of::width; ++v, to += LANES) {
            const int64_t wanted = job.across - begin - v * LANES;
            store_before(to, load_before(to, wanted, images_end) + found[r][v], wanted, images_end);
          }
        }
      }
    });
  }
}

// The gradient of some rows of the kernel: images by images, so that these need not be fetched anew for each tile.
void kernel_share(int64_t item, void* context) {
  const Job& job = *static_cast<Job*>(context);
  const NormalizedConvolution& of = *job.of;
  const int64_t end = smaller(job.depth, (item + 1) * job.kernel_rows);
  for (int64_t share = 0; share < job.items; ++share) {
    const float* images = of.images + job.first(share) * job.image_size();
    const float* gradient = job.of_product + job.first_place(share) * job.padded;
    const int64_t places = job.places_of(share);
    for_each_block(of.features, [&](auto block, int64_t first) {
      using Of = decltype(block);
      for (int64_t row = item * job.kernel_rows; row < end; row += Of::height) {
        typename Of::Rows rows;
        typename Of::Sums sums = {};
        for (int64_t r = 0; r < Of::height; ++r) rows[r] = images + job.under[smaller(row + r, end - 1)];
        multiply(block, rows, job.place, places, gradient + first, job.padded, sums);
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

}  // namespace

void KERNEL(convolve_and_normalize_backward)(const Threads* threads, const NormalizedConvolution* of) {
  thread_local Scratch places, floats, kernels, gradients, features;
  Job job = job_of(of, places, floats);
  job.of_product = gradients.of<float>(of->batch * job.places * job.padded);
  job.feature = features.of<int64_t>(of->features + AHEAD);
  for (int64_t i = 0; i < of->features; ++i) job.feature[i] = i;
  if (of->of_images) {
    job.packed = kernels.of<float>(of->size * rounded_up(job.across, LANES) * of->features);
    threads->for_each(threads, of->size, transpose_share, &job);
  }
  threads->for_each(threads, job.items, sum_share, &job);
  find_means(job);
  for (int64_t i = 0; i < of->features; ++i) {
    of->of_bias[i] = job.means[i] * static_cast<float>(of->batch * job.places);
  }
  threads->for_each(threads, job.items, backward_share, &job);
  // However many rows an item has, each sum is made in the same order.
  job.kernel_rows = rounded_up(job.depth / threads->count + 1, 8);
  threads->for_each(threads, (job.depth - 1) / job.kernel_rows + 1, kernel_share, &job);
}
