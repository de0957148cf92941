// What XLA calls: each handler checks its arrays and hands them to the kernel for this processor.
#include <sched.h>

#include "call.h"

using mnistry::Array;
using mnistry::Call;
using mnistry::Pool;

void mnistry::Pool::pause() { sched_yield(); }

namespace {

struct Kernels {
  decltype(&product_plain) product;
  decltype(&weight_gradient_plain) weight_gradient;
  decltype(&descend_plain) descend;
  decltype(&lstm_forward_plain) lstm_forward;
  decltype(&lstm_backward_plain) lstm_backward;
  decltype(&random_bits_plain) random_bits;
  decltype(&convolve_plain) convolve;
  decltype(&convolve_backward_plain) convolve_backward;
  decltype(&convolve_and_normalize_plain) convolve_and_normalize;
  decltype(&convolve_and_normalize_backward_plain) convolve_and_normalize_backward;
};

#define OF(set)                                                                                   \
  {product_##set,                 weight_gradient_##set, descend_##set,  lstm_forward_##set,      \
   lstm_backward_##set,           random_bits_##set,     convolve_##set, convolve_backward_##set, \
   convolve_and_normalize_##set,  convolve_and_normalize_backward_##set}

const Kernels plain = OF(plain);
#ifdef MNISTRY_X86
const Kernels avx2 = OF(avx2);
const Kernels avx512 = OF(avx512);
#endif
const Kernels* chosen = &plain;

}  // namespace

#define EXPORTED extern "C" __attribute__((visibility("default")))

// What these handlers take and give; library.py asks for one number.
EXPORTED int mnistry_interface() { return 6; }

// The instruction sets that this processor has, as a bit each: 1 none in particular, 2 AVX2, 4 AVX-512.
EXPORTED int mnistry_instruction_sets() {
  int found = 1;
#ifdef MNISTRY_X86
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found |= 2;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    found |= 4;
  }
#endif
  return found;
}

// Has one of them used from now on; to be called before any kernel.
EXPORTED void mnistry_use(int instruction_set) {
  chosen = &plain;
#ifdef MNISTRY_X86
  if (instruction_set == 2) chosen = &avx2;
  if (instruction_set == 4) chosen = &avx512;
#endif
  (void)instruction_set;
}

// (x [batch, inputs], weights [inputs, outputs]) → [batch, outputs]
EXPORTED XLA_FFI_Error* mnistry_product(XLA_FFI_CallFrame* frame) {
  Call call(frame);
  if (call.only_asked()) return nullptr;
  if (!call.has({2, 2}, {2})) return call.refused("mnistry_product: two float32 matrices were expected");
  const Array x = call.argument(0), weights = call.argument(1), out = call.result(0);
  if (x.dims[1] != weights.dims[0] || out.dims[0] != x.dims[0] || out.dims[1] != weights.dims[1]) {
    return call.refused("mnistry_product: the matrices do not fit");
  }
  Pool pool(call);
  chosen->product(&pool, x.data, weights.data, out.data, x.dims[0], x.dims[1], weights.dims[1]);
  return nullptr;
}

// (x [batch, inputs], gradient [batch, outputs]) → [inputs, outputs]
EXPORTED XLA_FFI_Error* mnistry_weight_gradient(XLA_FFI_CallFrame* frame) {
  Call call(frame);
  if (call.only_asked()) return nullptr;
  if (!call.has({2, 2}, {2})) return call.refused("mnistry_weight_gradient: two float32 matrices were expected");
  const Array x = call.argument(0), gradient = call.argument(1), out = call.result(0);
  if (x.dims[0] != gradient.dims[0] || out.dims[0] != x.dims[1] || out.dims[1] != gradient.dims[1]) {
    return call.refused("mnistry_weight_gradient: the matrices do not fit");
  }
  Pool pool(call);
  chosen->weight_gradient(&pool, x.data, gradient.data, out.data, x.dims[0], x.dims[1], gradient.dims[1]);
  return nullptr;
}

// (x [batch, inputs], gradient [batch, outputs], amounts [12], weights [inputs, outputs], average, first, second)
// → the last four after the step, in their places; each of the last three may be [0, 0], and is then not kept. The
// amounts are those of Descent, in its order, and one that only says what must be computed before.
EXPORTED XLA_FFI_Error* mnistry_descend(XLA_FFI_CallFrame* frame) {
  Call call(frame);
  if (call.only_asked()) return nullptr;
  if (!call.has({2, 2, 1, 2, 2, 2, 2}, {2, 2, 2, 2})) {
    return call.refused("mnistry_descend: x, gradient, amounts, weights and three more matrices were expected");
  }
  const Array x = call.argument(0), gradient = call.argument(1), amounts = call.argument(2);
  const int64_t inputs = x.dims[1], outputs = gradient.dims[1];
  bool fits = x.dims[0] == gradient.dims[0] && amounts.dims[0] == 12;
  float* changed[4] = {};
  for (int64_t i = 0; i < 4; ++i) {
    const Array before = call.argument(3 + i), after = call.result(i);
    if (i > 0 && before.are(0, 0) && after.are(0, 0)) continue;
    fits = fits && before.are(inputs, outputs) && after.are(inputs, outputs) && before.data == after.data;
    changed[i] = after.data;
  }
  if (!fits) return call.refused("mnistry_descend: the matrices do not fit");
  const float* amount = amounts.data;
  const Descent descent{changed[0], changed[1], changed[2], changed[3], amount[0], amount[1], amount[2], amount[3],
                        amount[4],  amount[5],  amount[6],  amount[7],  amount[8], amount[9], amount[10]};
  Pool pool(call);
  chosen->descend(&pool, x.data, gradient.data, &descent, x.dims[0], inputs, outputs);
  return nullptr;
}

// (rows [batch, steps, inputs], weights [inputs + units, 4 units], bias [4 units])
// → hidden [batch, units], states [steps, batch, inputs + units], saved [steps, batch, 6, units up to a multiple of 16]
EXPORTED XLA_FFI_Error* mnistry_lstm_forward(XLA_FFI_CallFrame* frame) {
  Call call(frame);
  if (call.only_asked()) return nullptr;
  if (!call.has({3, 2, 1}, {2, 3, 4})) return call.refused("mnistry_lstm_forward: rows, weights and bias were expected");
  const Array rows = call.argument(0), weights = call.argument(1), bias = call.argument(2);
  const Array hidden = call.result(0), states = call.result(1), saved = call.result(2);
  const int64_t batch = rows.dims[0], steps = rows.dims[1], inputs = rows.dims[2], units = hidden.dims[1];
  if (hidden.dims[0] != batch || !weights.are(inputs + units, 4 * units) || bias.dims[0] != 4 * units ||
      !states.are(steps, batch, inputs + units) || !saved.are(steps, batch, 6, saved_length(units))) {
    return call.refused("mnistry_lstm_forward: the arrays do not fit");
  }
  const Lstm lstm{batch,     steps,       inputs,      units,       weights.data, rows.data,
                  bias.data, hidden.data, states.data, saved.data, nullptr,      nullptr};
  Pool pool(call);
  chosen->lstm_forward(&pool, &lstm);
  return nullptr;
}

// (saved, as above, weights [inputs + units, 4 units], gradient of hidden [batch, units])
// → gradient of the gates before their nonlinearities [steps, batch, 4 units]
EXPORTED XLA_FFI_Error* mnistry_lstm_backward(XLA_FFI_CallFrame* frame) {
  Call call(frame);
  if (call.only_asked()) return nullptr;
  if (!call.has({4, 2, 2}, {3})) return call.refused("mnistry_lstm_backward: saved, weights, gradient were expected");
  const Array saved = call.argument(0), weights = call.argument(1), of_hidden = call.argument(2);
  const Array of_gates = call.result(0);
  const int64_t steps = saved.dims[0], batch = saved.dims[1], units = of_hidden.dims[1];
  const int64_t inputs = weights.dims[0] - units;
  if (!saved.are(steps, batch, 6, saved_length(units)) || inputs < 0 || weights.dims[1] != 4 * units ||
      of_hidden.dims[0] != batch || !of_gates.are(steps, batch, 4 * units)) {
    return call.refused("mnistry_lstm_backward: the arrays do not fit");
  }
  const Lstm lstm{batch,   steps,   inputs,  units,      weights.data,   nullptr,
                  nullptr, nullptr, nullptr, saved.data, of_hidden.data, of_gates.data};
  Pool pool(call);
  chosen->lstm_backward(&pool, &lstm);
  return nullptr;
}

// (key [2]) → [count]; what both hold is not floats but words of as many bits.
EXPORTED XLA_FFI_Error* mnistry_random_bits(XLA_FFI_CallFrame* frame) {
  Call call(frame);
  if (call.only_asked()) return nullptr;
  if (!call.has({1}, {1}) || !call.argument(0).are(2)) return call.refused("mnistry_random_bits: a key was expected");
  const Array out = call.result(0);
  Pool pool(call);
  chosen->random_bits(&pool, call.argument(0).data, out.data, out.dims[0]);
  return nullptr;
}

namespace {

// What images and kernel say of a convolution, of either kind.
template <typename Of>
Of convolved(const Array& images, const Array& kernel) {
  Of of{};
  of.batch = images.dims[0], of.height = images.dims[1], of.width = images.dims[2], of.channels = images.dims[3];
  of.size = kernel.dims[0], of.features = kernel.dims[3];
  of.images = images.data, of.kernel = kernel.data;
  return of;
}

// What the sizes of the arrays say; of size 0, if they do not fit.
Convolution convolution_of(const Array& images, const Array& kernel, const Array& pooled, const Array& won) {
  Convolution of = convolved<Convolution>(images, kernel);
  of.rows = pooled.dims[1], of.cells = pooled.dims[2];
  of.won = won.data;
  of.padding = of.rows == of.height / 2 ? of.size / 2 : 0;
  const int64_t height = of.height + 2 * of.padding - of.size + 1, width = of.width + 2 * of.padding - of.size + 1;
  const bool fits = kernel.are(of.size, of.size, of.channels, of.features) && (of.size == 3 || of.size == 5) &&
                    height > 1 && width > 1 && pooled.are(of.batch, height / 2, width / 2, of.features) &&
                    (of.channels == 1 ? won.are(of.batch, of.rows, of.features, saved_length(of.cells))
                                      : won.are(of.batch, of.rows, of.cells, of.features));
  if (!fits) of.size = 0;
  return of;
}

}  // namespace

// (images [batch, height, width, channels], kernel [size, size, channels, features], bias [features])
// → pooled [batch, rows, cells, features], won, as in kernels.h
EXPORTED XLA_FFI_Error* mnistry_convolve(XLA_FFI_CallFrame* frame) {
  Call call(frame);
  if (call.only_asked()) return nullptr;
  if (!call.has({4, 4, 1}, {4, 4})) return call.refused("mnistry_convolve: images, kernel and bias were expected");
  const Array bias = call.argument(2), pooled = call.result(0);
  Convolution of = convolution_of(call.argument(0), call.argument(1), pooled, call.result(1));
  if (!of.size || !bias.are(of.features)) return call.refused("mnistry_convolve: the arrays do not fit");
  of.bias = bias.data, of.pooled = pooled.data;
  Pool pool(call);
  chosen->convolve(&pool, &of);
  return nullptr;
}

// (images, kernel, won, gradient of pooled, all as above) → gradients of kernel, of bias and, with more than one
// channel, of images
EXPORTED XLA_FFI_Error* mnistry_convolve_backward(XLA_FFI_CallFrame* frame) {
  Call call(frame);
  if (call.only_asked()) return nullptr;
  const bool of_pixels = call.has({4, 4, 4, 4}, {4, 1});
  if (!of_pixels && !call.has({4, 4, 4, 4}, {4, 1, 4})) {
    return call.refused("mnistry_convolve_backward: images, kernel, winners and a gradient were expected");
  }
  const Array images = call.argument(0), of_pooled = call.argument(3);
  const Array of_kernel = call.result(0), of_bias = call.result(1);
  Convolution of = convolution_of(images, call.argument(1), of_pooled, call.argument(2));
  if (!of.size || of_pixels != (of.channels == 1) || !of_bias.are(of.features) ||
      !of_kernel.are(of.size, of.size, of.channels, of.features) ||
      !(of_pixels || call.result(2).are(of.batch, of.height, of.width, of.channels))) {
    return call.refused("mnistry_convolve_backward: the arrays do not fit");
  }
  of.of_pooled = of_pooled.data, of.of_kernel = of_kernel.data, of.of_bias = of_bias.data;
  of.of_images = of_pixels ? nullptr : call.result(2).data;
  Pool pool(call);
  chosen->convolve_backward(&pool, &of);
  return nullptr;
}

namespace {

// What the sizes of the arrays say; of size 0, if they do not fit.
NormalizedConvolution normalized_of(const Call& call, const Array& out, const Array& normal, const Array& scales) {
  const Array kernel = call.argument(1), bias = call.argument(2);
  NormalizedConvolution of = convolved<NormalizedConvolution>(call.argument(0), kernel);
  of.rows = out.dims[1], of.columns = out.dims[2];
  of.stride = static_cast<int64_t>(call.number("stride")), of.floor = static_cast<float>(call.number("floor"));
  of.bias = bias.data, of.normal = normal.data, of.scales = scales.data;
  const bool fits = of.size > 0 && of.stride > 0 && of.height >= of.size && of.width >= of.size && of.batch > 0 &&
                    kernel.are(of.size, of.size, of.channels, of.features) && bias.are(of.features) &&
                    out.are(of.batch, (of.height - of.size) / of.stride + 1, (of.width - of.size) / of.stride + 1,
                            of.features) &&
                    normal.are(of.batch, of.rows, of.columns, saved_length(of.features)) &&
                    scales.are(saved_length(of.features));
  if (!fits) of.size = 0;
  return of;
}

}  // namespace

// (images [batch, height, width, channels], kernel [size, size, channels, features], bias [features]; stride, floor)
// → out [batch, rows, columns, features], normal, scales, as in kernels.h
EXPORTED XLA_FFI_Error* mnistry_convolve_and_normalize(XLA_FFI_CallFrame* frame) {
  Call call(frame);
  if (call.only_asked()) return nullptr;
  if (!call.has({4, 4, 1}, {4, 4, 1})) {
    return call.refused("mnistry_convolve_and_normalize: images, kernel and bias were expected");
  }
  NormalizedConvolution of = normalized_of(call, call.result(0), call.result(1), call.result(2));
  if (!of.size) return call.refused("mnistry_convolve_and_normalize: the arrays do not fit");
  of.out = call.result(0).data;
  Pool pool(call);
  chosen->convolve_and_normalize(&pool, &of);
  return nullptr;
}

// (images, kernel, bias, normal, scales, gradient of out; stride, floor) → gradients of kernel, of bias and, if it is
// wanted, of images
EXPORTED XLA_FFI_Error* mnistry_convolve_and_normalize_backward(XLA_FFI_CallFrame* frame) {
  Call call(frame);
  if (call.only_asked()) return nullptr;
  const bool of_data = call.has({4, 4, 1, 4, 1, 4}, {4, 1});
  if (!of_data && !call.has({4, 4, 1, 4, 1, 4}, {4, 1, 4})) {
    return call.refused("mnistry_convolve_and_normalize_backward: six arrays were expected");
  }
  NormalizedConvolution of = normalized_of(call, call.argument(5), call.argument(3), call.argument(4));
  const Array of_kernel = call.result(0), of_bias = call.result(1);
  if (!of.size || !of_kernel.are(of.size, of.size, of.channels, of.features) || !of_bias.are(of.features) ||
      !(of_data || call.result(2).are(of.batch, of.height, of.width, of.channels))) {
    return call.refused("mnistry_convolve_and_normalize_backward: the arrays do not fit");
  }
  of.of_out = call.argument(5).data, of.of_kernel = of_kernel.data, of.of_bias = of_bias.data;
  of.of_images = of_data ? nullptr : call.result(2).data;
  Pool pool(call);
  chosen->convolve_and_normalize_backward(&pool, &of);
  return nullptr;
}
