#include <ggml-cpu.h>

#include "ggml_peer.hpp"

namespace {

using namespace tern::peers;

/// In the first of the backend's own layouts, as llama.cpp loads a model.
template <ggml_type type>
std::unique_ptr<Weights> repacked(std::ptrdiff_t rows, std::ptrdiff_t columns, const float* weights) {
  const ggml_backend_reg_t registry = ggml_backend_cpu_reg();
  const auto layouts = reinterpret_cast<ggml_backend_dev_get_extra_bufts_t>(
      ggml_backend_reg_get_proc_address(registry, "ggml_backend_dev_get_extra_bufts"));
  const ggml_backend_buffer_type_t* first = layouts(ggml_backend_reg_dev_get(registry, 0));
  return *first == nullptr ? nullptr : ggml_weights(type, *first, rows, columns, weights);
}

}  // namespace

TERN_PEER {
  ggml_log_set([](ggml_log_level, const char*, void*) {}, nullptr);  // it tells of every tensor that it repacks
  static const Peer peer{"ggml",
                         ggml_version(),
                         {{"TQ2_0", Kind::ternary, true, plain<GGML_TYPE_TQ2_0>},
                          {"TQ1_0", Kind::ternary, true, plain<GGML_TYPE_TQ1_0>},
                          {"Q4_0", Kind::q4, true, plain<GGML_TYPE_Q4_0>},
                          {"Q4_0 repacked", Kind::q4, false, repacked<GGML_TYPE_Q4_0>},
                          {"Q8_0", Kind::q8, true, plain<GGML_TYPE_Q8_0>},
                          {"BF16", Kind::bf16, false, plain<GGML_TYPE_BF16>},
                          {"F32", Kind::f32, true, plain<GGML_TYPE_F32>}}};
  return &peer;
}
