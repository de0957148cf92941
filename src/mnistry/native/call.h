// A call by XLA: its arrays, its threads, and how it fails. Written against XLA's C interface, whose layout is stable.
#pragma once

#include <atomic>
#include <new>
#include <string_view>

#include "kernels.h"
#include "xla/ffi/api/c_api.h"

namespace mnistry {

struct Array {
  float* data;
  const int64_t* dims;

  template <typename... Sizes>
  bool are(Sizes... sizes) const {
    const int64_t* dim = dims;
    return ((*dim++ == sizes) && ...);
  }
};

class Call {
 public:
  explicit Call(XLA_FFI_CallFrame* frame) : frame_(frame) {}

  // Whether XLA asks about this handler in place of calling it; it is then answered.
  bool only_asked() const {
    for (auto* extension = frame_->extension_start; extension; extension = extension->next) {
      if (extension->type == XLA_FFI_Extension_Metadata) {
        XLA_FFI_Metadata* metadata = reinterpret_cast<XLA_FFI_Metadata_Extension*>(extension)->metadata;
        metadata->api_version.major_version = XLA_FFI_API_MAJOR;
        metadata->api_version.minor_version = XLA_FFI_API_MINOR;
        metadata->traits = 0;
        metadata->state_type_id = XLA_FFI_UNKNOWN_TYPE_ID;
        return true;
      }
    }
    return false;
  }

  // Whether there are as many arguments and results as these ranks, and all are float32.
  template <size_t ARGUMENTS, size_t RESULTS>
  bool has(const int64_t (&arguments)[ARGUMENTS], const int64_t (&results)[RESULTS]) const {
    if (frame_->args.size != int64_t{ARGUMENTS} || frame_->rets.size != int64_t{RESULTS}) return false;
    for (size_t i = 0; i < ARGUMENTS; ++i) {
      if (!is(frame_->args.args[i], arguments[i])) return false;
    }
    for (size_t i = 0; i < RESULTS; ++i) {
      if (!is(frame_->rets.rets[i], results[i])) return false;
    }
    return true;
  }

  Array argument(int64_t index) const { return array(frame_->args.args[index]); }

  Array result(int64_t index) const { return array(frame_->rets.rets[index]); }

  // A number that was given by name, an int64 or a float32; else 0.
  double number(std::string_view name) const {
    const XLA_FFI_Attrs& given = frame_->attrs;
    for (int64_t i = 0; i < given.size; ++i) {
      if (std::string_view(given.names[i]->ptr, given.names[i]->len) != name) continue;
      if (given.types[i] != XLA_FFI_AttrType_SCALAR) return 0;
      const auto* found = static_cast<const XLA_FFI_Scalar*>(given.attrs[i]);
      if (found->dtype == XLA_FFI_DataType_S64) return static_cast<double>(*static_cast<const int64_t*>(found->value));
      if (found->dtype == XLA_FFI_DataType_F32) return *static_cast<const float*>(found->value);
    }
    return 0;
  }

  XLA_FFI_Error* refused(const char* why) const {
    XLA_FFI_Error_Create_Args arguments{};
    arguments.struct_size = XLA_FFI_Error_Create_Args_STRUCT_SIZE;
    arguments.message = why;
    arguments.errc = XLA_FFI_Error_Code_INVALID_ARGUMENT;
    return frame_->api->XLA_FFI_Error_Create(&arguments);
  }

  int64_t thread_count() const {
    int64_t count = 1;
    XLA_FFI_ThreadPool_NumThreads_Args arguments{};
    arguments.struct_size = XLA_FFI_ThreadPool_NumThreads_Args_STRUCT_SIZE;
    arguments.ctx = frame_->ctx;
    arguments.num_threads = &count;
    forget(frame_->api->XLA_FFI_ThreadPool_NumThreads(&arguments));
    return count;
  }

  // Whether some thread of XLA's pool will run the task, sooner or later.
  bool schedule(XLA_FFI_Task* task, void* data) const {
    XLA_FFI_ThreadPool_Schedule_Args arguments{};
    arguments.struct_size = XLA_FFI_ThreadPool_Schedule_Args_STRUCT_SIZE;
    arguments.ctx = frame_->ctx;
    arguments.task = task;
    arguments.data = data;
    return !forget(frame_->api->XLA_FFI_ThreadPool_Schedule(&arguments));
  }

 private:
  static bool is(const void* buffer, int64_t rank) {
    const auto* found = static_cast<const XLA_FFI_Buffer*>(buffer);
    return found->dtype == XLA_FFI_DataType_F32 && found->rank == rank;
  }

  static Array array(void* buffer) {
    auto* found = static_cast<XLA_FFI_Buffer*>(buffer);
    return {static_cast<float*>(found->data), found->dims};
  }

  bool forget(XLA_FFI_Error* error) const {
    if (!error) return false;
    XLA_FFI_Error_Destroy_Args arguments{};
    arguments.struct_size = XLA_FFI_Error_Destroy_Args_STRUCT_SIZE;
    arguments.error = error;
    frame_->api->XLA_FFI_Error_Destroy(&arguments);
    return true;
  }

  XLA_FFI_CallFrame* frame_;
};

// The calling thread and XLA's own ones. The caller never waits for a task that has not begun: it takes the items
// that nobody has taken, so that a pool without a free thread is no deadlock.
class Pool : public Threads {
 public:
  explicit Pool(const Call& call) : Threads{run, call.thread_count()}, call_(call) {}

 private:
  struct Work {
    int64_t items;
    void (*body)(int64_t, void*);
    void* context;
    std::atomic<int64_t> next{0};
    std::atomic<int64_t> done{0};
    std::atomic<int64_t> holders{1};

    void take_items() {
      for (int64_t item; (item = next.fetch_add(1, std::memory_order_relaxed)) < items;) {
        body(item, context);
        done.fetch_add(1, std::memory_order_release);
      }
    }

    void release() {
      if (holders.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }
  };

  static void helper(void* data) {
    auto* work = static_cast<Work*>(data);
    work->take_items();
    work->release();
  }

  static void run(const Threads* self, int64_t items, void (*body)(int64_t, void*), void* context) {
    const Pool& pool = *static_cast<const Pool*>(self);
    const int64_t threads = pool.count < items ? pool.count : items;
    auto* work = threads > 1 ? new (std::nothrow) Work : nullptr;
    if (!work) {
      for (int64_t item = 0; item < items; ++item) body(item, context);
      return;
    }
    work->items = items;
    work->body = body;
    work->context = context;
    for (int64_t other = 1; other < threads; ++other) {
      work->holders.fetch_add(1, std::memory_order_relaxed);
      if (!pool.call_.schedule(helper, work)) work->release();
    }
    work->take_items();
    while (work->done.load(std::memory_order_acquire) < items) pause();
    work->release();
  }

  static void pause();

  const Call& call_;
};

}  // namespace mnistry
