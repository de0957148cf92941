// What is computed natively, by one function a kernel, and the same functions once for each instruction set.
//
// All matrices are float32, row-major and without gaps. No sum depends on how many threads share the work.
#pragma once

#include <cstddef>
#include <cstdint>

// How many floats are saved for the way back of so many units or places: whole vectors of any instruction set.
static constexpr int64_t saved_length(int64_t count) { return (count + 15) / 16 * 16; }

// Calls body(item, context) for each item from 0 on, by some threads at a time; returns when all are done.
struct Threads {
  void (*for_each)(const Threads* self, int64_t items, void (*body)(int64_t item, void* context), void* context);
  int64_t count;
};

// One update of a weight matrix [inputs, outputs], in place: with g = gradient + l2_penalty · weights and with the moments
// that are kept, else with g and 1 in their places,
//   first ← first_decay · first + first_share · g          second ← second_decay · second + second_share · g²
//   weights ← weights - learning_rate · first_scale · first / (√(second_scale · second + floor_in_root) + floor)
//   average ← average + (1 - average_decay) · (weights - average)
struct Descent {
  float* weights;
  float* average;  // or null, as all that follow
  float* first;
  float* second;
  float learning_rate, l2_penalty, average_decay;
  float first_decay, first_share, first_scale;
  float second_decay, second_share, second_scale;
  float floor_in_root, floor;
};

// An LSTM over the rows of images, gates in the order input, candidate, forget, output; forget has a bias of 1 more.
struct Lstm {
  int64_t batch, steps, inputs, units;
  const float* weights;  // [inputs + units, 4 units]
  // Forward:
  const float* rows;  // [batch, steps, inputs]
  const float* bias;  // [4 units]
  float* hidden;      // [batch, units], the last one
  float* states;      // [steps, batch, inputs + units], what each time step's product was made with
  float* saved;       // [steps, batch, 6 · units up to whole vectors], the same for each part of a cell
  // Backward:
  const float* of_hidden;  // [batch, units], the gradient of the last hidden state
  float* of_gates;         // [steps, batch, 4 units]
};

// Convolutions of stride 1, the largest of each 2×2 places, bias and ReLU. With one channel, images are data without
// gradient. In `won` is 0 where ReLU cuts off, else 16 and a bit for each of the four places that has the largest value;
// with one channel none where the pixels under all four are blank.
struct Convolution {
  int64_t batch, height, width, channels, features, size, padding;
  int64_t rows, cells;  // of pooled
  const float* images;  // [batch, height, width, channels]
  const float* kernel;  // [size, size, channels, features]
  float* won;           // as pooled; with one channel [batch, rows, features, cells up to a multiple of 16]
  // Forward:
  const float* bias;  // [features]
  float* pooled;      // [batch, rows, cells, features]
  // Backward:
  const float* of_pooled;  // the gradient of pooled
  float* of_kernel;
  float* of_bias;
  float* of_images;  // null with one channel
};

// Convolutions without padding, normalised over the batch, bias and ReLU.
struct NormalizedConvolution {
  int64_t batch, height, width, channels, features, size, stride;
  int64_t rows, columns;  // of the result
  float floor;            // of the variance
  const float* images;    // [batch, height, width, channels]
  const float* kernel;    // [size, size, channels, features]
  const float* bias;      // [features]
  float* normal;          // [batch, rows, columns, saved_length(features)], normalised, without bias
  float* scales;          // [saved_length(features)], by what normalisation multiplied
  // Forward:
  float* out;  // [batch, rows, columns, features]
  // Backward:
  const float* of_out;  // the gradient of out
  float* of_kernel;
  float* of_bias;
  float* of_images;  // or null, of data
};

// The kernels, each once for every instruction set.
#define MNISTRY_JOINED(a, b) a##_##b
#define MNISTRY_NAME(name, set) MNISTRY_JOINED(name, set)
#define KERNEL(name) MNISTRY_NAME(name, KERNELS)
#define MNISTRY_DECLARED(set)                                                                                         \
  /* out [batch, outputs] = x [batch, inputs] · weights [inputs, outputs], where x is not zero. */                    \
  void product_##set(const Threads*, const float* x, const float* weights, float* out, int64_t batch, int64_t inputs, \
                     int64_t outputs);                                                                                \
  /* out [inputs, outputs] = xᵀ · gradient, where x [batch, inputs] is not zero; gradient [batch, outputs]. */        \
  void weight_gradient_##set(const Threads*, const float* x, const float* gradient, float* out, int64_t batch,        \
                             int64_t inputs, int64_t outputs);                                                        \
  /* The same, of which no more is kept than the weights that it leads to. */                                         \
  void descend_##set(const Threads*, const float* x, const float* gradient, const Descent*, int64_t batch,            \
                     int64_t inputs, int64_t outputs);                                                                \
  void lstm_forward_##set(const Threads*, const Lstm*);                                                               \
  void lstm_backward_##set(const Threads*, const Lstm*);                                                              \
  /* The 32-bit words out [count] that `jax.random.bits` has for a key of two such words. */                          \
  void random_bits_##set(const Threads*, const void* key, void* out, int64_t count);                                   \
  void convolve_##set(const Threads*, const Convolution*);                                                            \
  /* For sizes 3 and 5. */                                                                                            \
  void convolve_backward_##set(const Threads*, const Convolution*);                                                   \
  void convolve_and_normalize_##set(const Threads*, const NormalizedConvolution*);                                    \
  void convolve_and_normalize_backward_##set(const Threads*, const NormalizedConvolution*);

MNISTRY_DECLARED(plain)
#ifdef MNISTRY_X86
MNISTRY_DECLARED(avx2)
MNISTRY_DECLARED(avx512)
#endif
