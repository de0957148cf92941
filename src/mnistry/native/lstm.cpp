// The recurrence of an LSTM over the rows of images, forward and backward; compiled once for each instruction
// set.
//
// Weights are packed once a call: units by LANES, their four gates side by side, so that a tile of the batch has all
// four in registers when it comes to the nonlinearities. The rows of the batch know nothing of each other: each thread
// has its own part of them and goes through all time steps without waiting for another.
#include "vectors.h"

namespace {

constexpr int64_t GATES = 4;                        // input, candidate, forget, output
constexpr int64_t SAVED = 6;                        // these, the new cell state before and after tanh
constexpr int64_t ROWS = LANES == 16 ? 6 : 2;       // of the batch that are computed at once, forward
constexpr int64_t BACK_ROWS = LANES == 16 ? 5 : 2;  // and backward
constexpr int64_t BACK = LANES == 16 ? 5 : 4;       // vectors of hidden units side by side, backward

// exp, to a few units in the last place.
inline Vector exponential(Vector x) {
  x = x < -87.0f ? Vector{} - 87.0f : x;
  x = x > 87.0f ? Vector{} + 87.0f : x;
  const Vector shifted = x * 1.44269504f + 12582912.0f;  // the addend's last bits are the whole part
  const Vector whole = shifted - 12582912.0f;
  const Vector rest = (x - whole * 0.693359375f) - whole * -2.12194440e-4f;
  Vector power = rest * 1.9875691500e-4f + 1.3981999507e-3f;
  power = power * rest + 8.3334519073e-3f;
  power = power * rest + 4.1665795894e-2f;
  power = power * rest + 1.6666665459e-1f;
  power = power * rest + 5.0000001201e-1f;
  power = power * rest * rest + rest + 1.0f;
  Integers exponent;
  __builtin_memcpy(&exponent, &shifted, sizeof exponent);
  exponent = (exponent + 127) << 23;  // what the addend has in its upper bits is shifted out
  Vector scale;
  __builtin_memcpy(&scale, &exponent, sizeof scale);
  return power * scale;
}

inline Vector sigmoid(Vector x) { return 1.0f / (1.0f + exponential(-x)); }

inline Vector hyperbolic_tangent(Vector x) { return 2.0f / (1.0f + exponential(-2.0f * x)) - 1.0f; }

// sums[row][v] += Σ_k a[row][k] · packed[k][v]
template <int64_t COUNT, int64_t WIDTH>
inline void multiply(const float* a, int64_t stride, int64_t depth, const float* packed, Vector (&sums)[COUNT][WIDTH]) {
  for (int64_t k = 0; k < depth; ++k) {
    Vector weights[WIDTH];
    for (int64_t v = 0; v < WIDTH; ++v) weights[v] = load(packed + (k * WIDTH + v) * LANES);
    for (int64_t row = 0; row < COUNT; ++row) {
      for (int64_t v = 0; v < WIDTH; ++v) sums[row][v] += a[row * stride + k] * weights[v];
    }
  }
}

struct Job {
  const Lstm* of;
  float* packed;
  int64_t padded;  // units, up to a multiple of 16
  int64_t chunk;   // rows of the batch for each item
};

void pack_forward(int64_t block, void* context) {
  const Job& job = *static_cast<Job*>(context);
  const Lstm& lstm = *job.of;
  const int64_t depth = lstm.inputs + lstm.units;
  float* to = job.packed + block * (depth + 1) * GATES * LANES;
  for (int64_t k = 0; k <= depth; ++k) {  // the bias is the last one
    const float* from = k < depth ? lstm.weights + k * GATES * lstm.units : lstm.bias;
    for (int64_t gate = 0; gate < GATES; ++gate) {
      for (int64_t lane = 0; lane < LANES; ++lane) {
        const int64_t unit = block * LANES + lane;
        *to++ = unit < lstm.units ? from[gate * lstm.units + unit] : 0;
      }
    }
  }
}

// One time step of COUNT rows of the batch, for LANES units.
template <int64_t COUNT>
void forward_tile(const Job& job, int64_t step, int64_t row, int64_t block) {
  const Lstm& lstm = *job.of;
  const int64_t depth = lstm.inputs + lstm.units, first = block * LANES;
  const float* packed = job.packed + block * (depth + 1) * GATES * LANES;
  const float* states = lstm.states + (step * lstm.batch + row) * depth;
  Vector sums[COUNT][GATES];
  for (auto& of_row : sums) {
    for (int64_t gate = 0; gate < GATES; ++gate) of_row[gate] = load(packed + (depth * GATES + gate) * LANES);
  }
  multiply(states, depth, step ? depth : lstm.inputs, packed, sums);  // at first there is no hidden state
  for (int64_t r = 0; r < COUNT; ++r) {
    float* saved = lstm.saved + (step * lstm.batch + row + r) * SAVED * job.padded + first;
    const Vector in = sigmoid(sums[r][0]), candidate = hyperbolic_tangent(sums[r][1]);
    const Vector forget = sigmoid(sums[r][2] + 1.0f), out = sigmoid(sums[r][3]);
    Vector cell = in * candidate;
    if (step) cell += forget * load(saved - lstm.batch * SAVED * job.padded + 4 * job.padded);
    const Vector bounded = hyperbolic_tangent(cell);
    const Vector kept[SAVED] = {in, candidate, forget, out, cell, bounded};
    for (int64_t i = 0; i < SAVED; ++i) store(saved + i * job.padded, kept[i]);
    float* hidden = step + 1 < lstm.steps
                        ? lstm.states + ((step + 1) * lstm.batch + row + r) * depth + lstm.inputs + first
                        : lstm.hidden + (row + r) * lstm.units + first;
    store_some<1>(hidden, {out * bounded}, lstm.units - first);
  }
}

template <int64_t COUNT>
void forward_rows(const Job& job, int64_t step, int64_t row, int64_t end, int64_t block) {
  for (; row + COUNT <= end; row += COUNT) forward_tile<COUNT>(job, step, row, block);
  if constexpr (COUNT > 1) forward_rows<COUNT - 1>(job, step, row, end, block);
}

void forward_chunk(int64_t item, void* context) {
  const Job& job = *static_cast<Job*>(context);
  const Lstm& lstm = *job.of;
  const int64_t depth = lstm.inputs + lstm.units;
  const int64_t begin = item * job.chunk, end = smaller(begin + job.chunk, lstm.batch);
  for (int64_t step = 0; step < lstm.steps; ++step) {
    for (int64_t row = begin; row < end; ++row) {
      const float* from = lstm.rows + (row * lstm.steps + step) * lstm.inputs;
      float* to = lstm.states + (step * lstm.batch + row) * depth;
      for (int64_t i = 0; i < lstm.inputs; ++i) to[i] = from[i];
      if (!step) {
        for (int64_t i = lstm.inputs; i < depth; ++i) to[i] = 0;
      }
    }
    for (int64_t block = 0; block < job.padded / LANES; ++block) forward_rows<ROWS>(job, step, begin, end, block);
  }
}

// How many rows of the batch each of the threads has.
int64_t share(const Threads* threads, int64_t batch, int64_t rows) {
  return rounded_up((batch + threads->count - 1) / threads->count, rows);
}

}  // namespace

void KERNEL(lstm_forward)(const Threads* threads, const Lstm* lstm) {
  thread_local Scratch scratch;
  const int64_t padded = saved_length(lstm->units), depth = lstm->inputs + lstm->units;
  Job job{lstm, scratch.of<float>((depth + 1) * GATES * padded), padded, share(threads, lstm->batch, ROWS)};
  threads->for_each(threads, padded / LANES, pack_forward, &job);
  threads->for_each(threads, (lstm->batch + job.chunk - 1) / job.chunk, forward_chunk, &job);
}

namespace {

void pack_backward(int64_t group, void* context) {
  const Job& job = *static_cast<Job*>(context);
  const Lstm& lstm = *job.of;
  const int64_t width = BACK * LANES, across = GATES * lstm.units;
  const float* recurrent = lstm.weights + lstm.inputs * across;
  float* to = job.packed + group * across * width;
  for (int64_t column = 0; column < width; ++column) {
    const int64_t unit = group * width + column;
    for (int64_t k = 0; k < across; ++k) to[k * width + column] = unit < lstm.units ? recurrent[unit * across + k] : 0;
  }
}

template <int64_t COUNT>
void backward_rows(const Job& job, const float* of_gates, int64_t rows, int64_t group, float* of_hidden, int64_t stride) {
  const int64_t across = GATES * job.of->units, width = BACK * LANES;
  for (; rows >= COUNT; rows -= COUNT, of_gates += COUNT * across, of_hidden += COUNT * stride) {
    Vector sums[COUNT][BACK] = {};
    multiply(of_gates, across, across, job.packed + group * across * width, sums);
    for (int64_t r = 0; r < COUNT; ++r) {
      for (int64_t v = 0; v < BACK; ++v) store(of_hidden + r * stride + group * width + v * LANES, sums[r][v]);
    }
  }
  if constexpr (COUNT > 1) backward_rows<COUNT - 1>(job, of_gates, rows, group, of_hidden, stride);
}

void backward_chunk(int64_t item, void* context) {
  const Job& job = *static_cast<Job*>(context);
  const Lstm& lstm = *job.of;
  thread_local Scratch scratch;
  const int64_t begin = item * job.chunk, rows = smaller(job.chunk, lstm.batch - begin);
  const int64_t stride = rounded_up(lstm.units, BACK * LANES), across = GATES * lstm.units;
  float* of_hidden = scratch.of<float>(2 * rows * stride);
  float* of_cell = of_hidden + rows * stride;
  for (int64_t i = 0; i < 2 * rows * stride; ++i) of_hidden[i] = 0;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t unit = 0; unit < lstm.units; ++unit) {
      of_hidden[row * stride + unit] = lstm.of_hidden[(begin + row) * lstm.units + unit];
    }
  }
  for (int64_t step = lstm.steps - 1; step >= 0; --step) {
    float* of_gates = lstm.of_gates + (step * lstm.batch + begin) * across;
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t first = 0; first < lstm.units; first += LANES) {
        const float* saved = lstm.saved + (step * lstm.batch + begin + row) * SAVED * job.padded + first;
        const Vector in = load(saved), candidate = load(saved + job.padded), forget = load(saved + 2 * job.padded);
        const Vector out = load(saved + 3 * job.padded), bounded = load(saved + 5 * job.padded);
        const Vector before = step ? load(saved - lstm.batch * SAVED * job.padded + 4 * job.padded) : Vector{};
        const int64_t place = row * stride + first;
        const Vector hidden = load(of_hidden + place);
        const Vector cell = load(of_cell + place) + hidden * out * (1.0f - bounded * bounded);
        const Vector found[GATES] = {cell * candidate * in * (1.0f - in), cell * in * (1.0f - candidate * candidate),
                                     cell * before * forget * (1.0f - forget), hidden * bounded * out * (1.0f - out)};
        store(of_cell + place, cell * forget);
        for (int64_t gate = 0; gate < GATES; ++gate) {
          store_some<1>(of_gates + row * across + gate * lstm.units + first, {found[gate]}, lstm.units - first);
        }
      }
    }
    if (step) {
      for (int64_t group = 0; group < stride / (BACK * LANES); ++group) {
        backward_rows<BACK_ROWS>(job, of_gates, rows, group, of_hidden, stride);
      }
    }
  }
}

}  // namespace

void KERNEL(lstm_backward)(const Threads* threads, const Lstm* lstm) {
  thread_local Scratch scratch;
  const int64_t groups = rounded_up(lstm->units, BACK * LANES) / (BACK * LANES);
  Job job{lstm, scratch.of<float>(groups * BACK * LANES * GATES * lstm->units), saved_length(lstm->units),
          share(threads, lstm->batch, BACK_ROWS)};
  threads->for_each(threads, groups, pack_backward, &job);
  threads->for_each(threads, (lstm->batch + job.chunk - 1) / job.chunk, backward_chunk, &job);
}
