#pragma once
/// Everything that needs only Eigen and xsimd, in floor order.

#include "tern/core/concepts.hpp"
#include "tern/core/error.hpp"
#include "tern/core/fields.hpp"
#include "tern/core/language_model.hpp"
#include "tern/core/matrix.hpp"
#include "tern/core/parallel.hpp"
#include "tern/core/parameter.hpp"
#include "tern/core/pass.hpp"
#include "tern/core/random.hpp"
#include "tern/core/site.hpp"
#include "tern/core/token.hpp"

#include "tern/kernels/kernels.hpp"

#include "tern/weights/dense.hpp"
#include "tern/weights/operations.hpp"
#include "tern/weights/ternary.hpp"
#include "tern/weights/ternary_aware.hpp"

#include "tern/layers/at_site.hpp"
#include "tern/layers/block.hpp"
#include "tern/layers/causal_attention.hpp"
#include "tern/layers/embedding.hpp"
#include "tern/layers/gated_mlp.hpp"
#include "tern/layers/linear.hpp"
#include "tern/layers/rms_norm.hpp"
#include "tern/layers/rope.hpp"
#include "tern/layers/self_attention.hpp"

#include "tern/adapters/adapter_set.hpp"
#include "tern/adapters/attach.hpp"
#include "tern/adapters/lora.hpp"
#include "tern/adapters/size_matched.hpp"
#include "tern/adapters/user_gain.hpp"

#include "tern/models/adapted.hpp"
#include "tern/models/config.hpp"
#include "tern/models/decoder.hpp"

#include "tern/train/adam.hpp"
#include "tern/train/batches.hpp"
#include "tern/train/budget.hpp"
#include "tern/train/clip.hpp"
#include "tern/train/fit.hpp"
#include "tern/train/optimizer.hpp"
#include "tern/train/schedule.hpp"
#include "tern/train/sgd.hpp"
#include "tern/train/snapshot.hpp"
#include "tern/train/trainable.hpp"

#include "tern/eval/bootstrap.hpp"
#include "tern/eval/perplexity.hpp"

#include "tern/version.hpp"
