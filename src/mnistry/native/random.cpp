// Random bits as `jax.random` has them: Threefry-2x32 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// 2011; compiled once for each instruction set.
#include "vectors.h"

namespace {

using Words = uint32_t __attribute__((vector_size(4 * LANES)));

constexpr int64_t SHARE = 8192;  // words for each item

struct Draw {
  const uint32_t* key;
  uint32_t* out;
  int64_t count;
};

template <int BITS>
inline void mix(Words& a, Words& b) {
  a += b;
  b = (b << BITS | b >> (32 - BITS)) ^ a;
}

// The words of the counters in `low`, below 2³²; each is both halves of what the cipher makes of its counter.
inline Words threefry(const uint32_t (&keys)[3], Words low) {
  Words a = Words{} + keys[0], b = low + keys[1];
  for (uint32_t group = 0; group < 5; ++group) {
    if (group % 2 == 0) {
      mix<13>(a, b), mix<15>(a, b), mix<26>(a, b), mix<6>(a, b);
    } else {
      mix<17>(a, b), mix<29>(a, b), mix<16>(a, b), mix<24>(a, b);
    }
    a += keys[(group + 1) % 3];
    b += keys[(group + 2) % 3] + group + 1;
  }
  return a ^ b;
}

void draw_share(int64_t item, void* context) {
  const Draw& job = *static_cast<Draw*>(context);
  const uint32_t keys[3] = {job.key[0], job.key[1], job.key[0] ^ job.key[1] ^ 0x1BD11BDA};
  const int64_t end = smaller(job.count, (item + 1) * SHARE);
  Words counters;
  for (uint32_t lane = 0; lane < LANES; ++lane) counters[lane] = lane;
  for (int64_t first = item * SHARE; first < end; first += LANES) {
    const Words found = threefry(keys, counters + static_cast<uint32_t>(first));
    __builtin_memcpy(job.out + first, &found, 4 * smaller(LANES, end - first));
  }
}

}  // namespace

void KERNEL(random_bits)(const Threads* threads, const void* key, void* out, int64_t count) {
  Draw job{static_cast<const uint32_t*>(key), static_cast<uint32_t*>(out), count};
  threads->for_each(threads, rounded_up(count, SHARE) / SHARE, draw_share, &job);
}
