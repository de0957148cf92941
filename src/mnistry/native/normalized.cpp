// Convolutions without padding, batch normalisation, bias and ReLU, forward and backward; compiled once for each
// instruction set. The products are those of patches, or, where that is less work, of tiles at points.
#include "patches.h"
#include "winograd.h"

namespace {

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

template <typename Way>
void forward(const Threads* threads, const NormalizedConvolution* of) {
  Way way(of);
  Job* job = &way;
  way.prepare_forward();
  threads->for_each(threads, way.items, Way::multiply_share, &way);
  way.find_means();
  for (int64_t i = 0; i < way.padded; ++i) {
    const float mean = way.means[i], variance = way.means[way.padded + i] - mean * mean;
    of->scales[i] = 1 / __builtin_sqrtf((variance < 0 ? 0 : variance) + of->floor);
  }
  threads->for_each(threads, way.items, normalize_share, job);
}

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
  for (int64_t i = 0; i < of.features; i += LANES) {
    Vector all{}, with_normal{};
    for (int64_t place = first; place < first + places; ++place) {
      const Vector normal = load(of.normal + place * job.padded + i);
      const Vector gradient = before_relu(job, place, i, normal, end);
      all += gradient;
      with_normal += gradient * normal;
    }
    job.keep_sums(item, i, all, with_normal);
  }
}

// The gradients of the products, and what comes of them.
template <typename Way>
void backward_share(int64_t item, void* context) {
  const Way& way = *static_cast<Way*>(context);
  const NormalizedConvolution& of = *way.of;
  const int64_t first = way.first_place(item), places = way.places_of(item);
  const float* end = of.of_out + (first + places) * of.features;
  for (int64_t place = first; place < first + places; ++place) {
    for (int64_t i = 0; i < of.features; i += LANES) {
      const Vector normal = load(of.normal + place * way.padded + i);
      const Vector gradient = before_relu(way, place, i, normal, end);
      const Vector centred = gradient - load(way.means + i) - normal * load(way.means + way.padded + i);
      store(way.of_product + place * way.padded + i, centred * load(of.scales + i));
    }
  }
  way.backward_share(item);
}

template <typename Way>
void backward(const Threads* threads, const NormalizedConvolution* of) {
  thread_local Scratch gradients;
  Way way(of);
  Job* job = &way;
  way.of_product = gradients.of<float>(of->batch * way.places * way.padded);
  way.prepare_backward();
  threads->for_each(threads, way.items, sum_share, job);
  way.find_means();
  for (int64_t i = 0; i < of->features; ++i) {
    of->of_bias[i] = way.means[i] * static_cast<float>(of->batch * way.places);
  }
  threads->for_each(threads, way.items, backward_share<Way>, &way);
  way.find_of_kernel(threads);
}

}  // namespace

void KERNEL(convolve_and_normalize)(const Threads* threads, const NormalizedConvolution* of) {
  Winograd::suits(*of) ? forward<Winograd>(threads, of) : forward<Patches>(threads, of);
}

void KERNEL(convolve_and_normalize_backward)(const Threads* threads, const NormalizedConvolution* of) {
  Winograd::suits(*of) ? backward<Winograd>(threads, of) : backward<Patches>(threads, of);
}
