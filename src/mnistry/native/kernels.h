// What is computed natively, by one function a kernel, and the same functions once for each instruction set.
//
// All matrices are float32, row-major and without gaps. No sum depends on how many threads share the work.
#pragma once

#include <cstddef>
#include <cstdint>

// Calls body(item, context) for each item from 0 on, by some threads at a time; returns when all are done.
struct Threads {
  void (*for_each)(const Threads* self, int64_t items, void (*body)(int64_t item, void* context), void* context);
  int64_t count;
};

// One update of a weight matrix [inputs, outputs] by stochastic gradient descent.
struct Descent {
  const float* weights;
  const float* average;  // of the weights, or null
  float* new_weights;    // may be `weights`
  float* new_average;    // may be `average`
  float learning_rate;
  float l2_penalty;
  float kept;  // of the average
};

struct Kernels {
  const char* name;

  // out [batch, outputs] = x [batch, inputs] · weights [inputs, outputs], where x is not zero.
  void (*product)(const Threads*, const float* x, const float* weights, float* out, int64_t batch, int64_t inputs,
                  int64_t outputs);

  // out [inputs, outputs] = xᵀ · gradient, where x [batch, inputs] is not zero; gradient [batch, outputs].
  void (*weight_gradient)(const Threads*, const float* x, const float* gradient, float* out, int64_t batch,
                          int64_t inputs, int64_t outputs);

  // The same, of which no more is kept than the weights that it leads to.
  void (*descend)(const Threads*, const float* x, const float* gradient, const Descent*, int64_t batch,
                  int64_t inputs, int64_t outputs);
};

extern const Kernels plain_kernels;
#ifdef MNISTRY_X86
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
#endif
