#include "ggml_peer.hpp"

using namespace tern::peers;

TERN_PEER {
  static const Peer peer{"ik_llama.cpp",
                         PEER_VERSION,
                         {{"IQ2_BN", Kind::ternary, false, plain<GGML_TYPE_IQ2_BN>},
                          {"IQ2_BN_R4", Kind::ternary, false, plain<GGML_TYPE_IQ2_BN_R4>},
                          {"IQ1_BN", Kind::ternary, false, plain<GGML_TYPE_IQ1_BN>},
                          {"Q4_0", Kind::q4, false, plain<GGML_TYPE_Q4_0>},
                          {"Q4_0_R8", Kind::q4, false, plain<GGML_TYPE_Q4_0_R8>},
                          {"Q8_0", Kind::q8, false, plain<GGML_TYPE_Q8_0>},
                          {"Q8_0_R8", Kind::q8, false, plain<GGML_TYPE_Q8_0_R8>},
                          {"Q8_KV_R8", Kind::q8, false, plain<GGML_TYPE_Q8_KV_R8>},
                          {"BF16_R16", Kind::bf16, false, plain<GGML_TYPE_BF16_R16>}}};
  return &peer;
}
