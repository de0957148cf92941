// Products with the pixels, which leave the blank ones out; compiled once for each instruction set.
#include "vectors.h"

namespace {

constexpr int64_t WIDE = LANES == 4 ? 8 : 64 / LANES;  // vectors side by side, as many as leave registers free
constexpr int64_t STRIP = WIDE * LANES;                // columns that are computed at once
constexpr int64_t BLOCK = 16;                          // inputs whose columns of x are gathered at once
constexpr int64_t DEPTH = 96;                          // inputs whose rows of a strip stay in the first cache

// sums[0 … STRIP) += Σ value · rows[place], where a row has STRIP floats.
inline void weighted_sum(const Entry* entries, int64_t count, const float* rows, Vector (&sums)[WIDE]) {
  for (const Entry* entry = entries; entry != entries + count; ++entry) {
    const float* row = rows + entry->place * STRIP;
    for (int64_t v = 0; v < WIDE; ++v) sums[v] += entry->value * load(row + v * LANES);
  }
}

// Columns [first, first + STRIP) of the rows of a matrix, side by side; beyond its last column are zeros.
void pack_strip(const float* matrix, int64_t rows, int64_t columns, int64_t first, float* packed) {
  const int64_t width = smaller(STRIP, columns - first);
  for (int64_t row = 0; row < rows; ++row) {
    const float* from = matrix + row * columns + first;
    float* to = packed + row * STRIP;
    if (width == STRIP) {
      for (int64_t v = 0; v < WIDE; ++v) store(to + v * LANES, load(from + v * LANES));
    } else {
      for (int64_t column = 0; column < STRIP; ++column) to[column] = column < width ? from[column] : 0;
    }
  }
}

struct Product {
  const float* x;
  const float* weights;
  float* out;
  int64_t batch, inputs, outputs;
  int64_t blocks;   // of DEPTH inputs
  Entry* entries;   // [batch, blocks, DEPTH], places counted from a block's first input
  int64_t* counts;  // [batch, blocks]
};

void find_entries(int64_t row, void* context) {
  const Product& job = *static_cast<Product*>(context);
  for (int64_t block = 0; block < job.blocks; ++block) {
    const float* x = job.x + row * job.inputs + block * DEPTH;
    const int64_t here = smaller(DEPTH, job.inputs - block * DEPTH);
    Entry* const entries = job.entries + (row * job.blocks + block) * DEPTH;
    Entry* entry = entries;
    for (int64_t first = 0; first < here; first += BLOCK) {
      for_each_nonzero(x + first, smaller(BLOCK, here - first), [&](int64_t i) {
        *entry++ = {static_cast<int32_t>(first + i), x[first + i]};
      });
    }
    job.counts[row * job.blocks + block] = entry - entries;
  }
}

void product_strip(int64_t strip, void* context) {
  const Product& job = *static_cast<Product*>(context);
  alignas(ALIGNMENT) float packed[DEPTH * STRIP];
  const int64_t first = strip * STRIP, width = smaller(STRIP, job.outputs - first);
  for (int64_t block = 0; block < job.blocks; ++block) {
    const int64_t here = smaller(DEPTH, job.inputs - block * DEPTH);
    pack_strip(job.weights + block * DEPTH * job.outputs, here, job.outputs, first, packed);
    for (int64_t row = 0; row < job.batch; ++row) {
      float* out = job.out + row * job.outputs + first;
      Vector sums[WIDE] = {};
      for (int64_t v = 0; block && v * LANES < width; ++v) sums[v] = load_some(out + v * LANES, width - v * LANES);
      const int64_t at = row * job.blocks + block;
      weighted_sum(job.entries + at * DEPTH, job.counts[at], packed, sums);
      store_some(out, sums, width);
    }
  }
}

}  // namespace

void KERNEL(product)(const Threads* threads, const float* x, const float* weights, float* out, int64_t batch, int64_t inputs,
             int64_t outputs) {
  thread_local Scratch entries, counts;
  const int64_t blocks = rounded_up(inputs, DEPTH) / DEPTH;
  Product job{x,      weights, out, batch, inputs, outputs, blocks, entries.of<Entry>(batch * blocks * DEPTH),
              counts.of<int64_t>(batch * blocks)};
  threads->for_each(threads, batch, find_entries, &job);
  threads->for_each(threads, rounded_up(outputs, STRIP) / STRIP, product_strip, &job);
}

namespace {

struct Gradient {
  const float* x;
  const float* gradient;
  float* out;
  const Descent* descent;  // or null
  int64_t batch, inputs, outputs;
  float* packed;  // the gradient, strip by strip
};

void pack_gradient(int64_t strip, void* context) {
  const Gradient& job = *static_cast<Gradient*>(context);
  pack_strip(job.gradient, job.batch, job.outputs, strip * STRIP, job.packed + strip * job.batch * STRIP);
}

// One update of `width` weights side by side, or of LANES, if that is less.
inline void descend_some(const Descent& to, int64_t at, Vector gradient, int64_t width) {
  Vector weights = load_some(to.weights + at, width);
  gradient += to.l2_penalty * weights;
  Vector step = gradient, rate = Vector{} + to.learning_rate;
  if (to.first) {
    const Vector first = to.first_decay * load_some(to.first + at, width) + to.first_share * gradient;
    store_some<1>(to.first + at, {first}, width);
    step = to.first_scale * first;
  }
  if (to.second) {
    const Vector second = to.second_decay * load_some(to.second + at, width) + to.second_share * (gradient * gradient);
    store_some<1>(to.second + at, {second}, width);
    rate /= square_root(to.second_scale * second + to.floor_in_root) + to.floor;
  }
  weights -= rate * step;
  store_some<1>(to.weights + at, {weights}, width);
  if (to.average) {
    const Vector average = load_some(to.average + at, width);
    store_some<1>(to.average + at, {average + (1 - to.average_decay) * (weights - average)}, width);
  }
}

void gradient_block(int64_t block, void* context) {
  const Gradient& job = *static_cast<Gradient*>(context);
  thread_local Scratch scratch, sums_of_block;
  Entry* entries = scratch.of<Entry>(BLOCK * job.batch);
  const int64_t first_input = block * BLOCK, here = smaller(BLOCK, job.inputs - first_input);
  const int64_t begin = first_input * job.outputs, size = here * job.outputs;
  float* gradient = job.descent ? sums_of_block.of<float>(size) : job.out + begin;
  int64_t counts[BLOCK] = {};
  for (int64_t row = 0; row < job.batch; ++row) {
    const float* x = job.x + row * job.inputs + first_input;
    for_each_nonzero(x, here, [&](int64_t i) {
      entries[i * job.batch + counts[i]++] = {static_cast<int32_t>(row), x[i]};
    });
  }
  for (int64_t first = 0; first < job.outputs; first += STRIP) {
    const float* rows = job.packed + first * job.batch;
    const int64_t width = smaller(STRIP, job.outputs - first);
    for (int64_t i = 0; i < here; ++i) {
      Vector sums[WIDE] = {};
      weighted_sum(entries + i * job.batch, counts[i], rows, sums);
      store_some(gradient + i * job.outputs + first, sums, width);
    }
  }
  // What is updated lies side by side, so that the processor fetches it before it is needed.
  for (int64_t i = 0; job.descent && i < size; i += LANES) {
    descend_some(*job.descent, begin + i, load_some(gradient + i, size - i), size - i);
  }
}

void run(const Threads* threads, Gradient job) {
  thread_local Scratch packed;
  const int64_t strips = rounded_up(job.outputs, STRIP) / STRIP;
  job.packed = packed.of<float>(strips * STRIP * job.batch);
  threads->for_each(threads, strips, pack_gradient, &job);
  threads->for_each(threads, rounded_up(job.inputs, BLOCK) / BLOCK, gradient_block, &job);
}

}  // namespace

void KERNEL(weight_gradient)(const Threads* threads, const float* x, const float* gradient, float* out, int64_t batch,
                     int64_t inputs, int64_t outputs) {
  run(threads, {x, gradient, out, nullptr, batch, inputs, outputs, nullptr});
}

void KERNEL(descend)(const Threads* threads, const float* x, const float* gradient, const Descent* descent, int64_t batch,
             int64_t inputs, int64_t outputs) {
  run(threads, {x, gradient, nullptr, descent, batch, inputs, outputs, nullptr});
}
