/// Runs tern on files, for the comparisons with other implementations in this folder. Token ids come in and numbers go
/// out as raw little-endian arrays, adapters as safetensors under PEFT's names, single results as lines of text.
#include <cstdlib>
#include <exception>
#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <iterator>

#include "tern/adapters/attach.hpp"
#include "tern/eval/perplexity.hpp"
#include "tern/io/bitnet.hpp"
#include "tern/io/llama2c.hpp"
#include "tern/io/load_model.hpp"
#include "tern/io/safetensors.hpp"
#include "tern/io/safetensors_writer.hpp"
#include "tern/models/adapted.hpp"
#include "tern/models/with_weights.hpp"
#include "tern/text/load_tokenizer.hpp"
#include "tern/train/adam.hpp"
#include "tern/train/fit.hpp"
#include "tern/weights/bf16.hpp"
#include "tern/weights/grouped.hpp"
#include "tern/weights/ternary.hpp"

namespace {

namespace fs = std::filesystem;
using tern::Index, tern::Token;
using Model = tern::Decoder<float>;
using Adapters = tern::AdapterSet<float>;
using AdaptedModel = tern::Adapted<Model, Adapters>;

constexpr const char* usage = R"(tern-oracle [--mixed] COMMAND ARGUMENT...
--mixed: products with weights in mixed precision. MODEL is a .gguf, or a llama2.c checkpoint (.bin); IDS holds i32 token ids.

  tokens SOURCE PATHS OUT [parse]
                                 for each file that PATHS names, one a line: how many ids, then the ids (i32); SOURCE is
                                 a .gguf or a folder; special tokens are text, or ids with "parse"
  logits MODEL IDS OUT [LAYOUT]  [ids x vocabulary] f32; with LAYOUT of ternary weights, those of I2_S tensors laid out in
                                 groups_of_128, groups_of_64 or four_rows
  bitnet SAFETENSORS NAME RULE OUT
                                 the packed projection NAME, f32; RULE of its scale is multiplies or divides
  nll MODEL IDS OUT              of each id but the first, given all before it: f64
  perplexity MODEL IDS CONVENTION CONTEXT [PREFIX]
                                 prints scored tokens, their summed NLL, perplexity and its error; CONVENTION is
                                 chunked, llama.cpp or rolling, PREFIX the id that replaces or precedes the first
  train-norm MODEL IDS CONTEXT RATE KIND OUT [HELD_OUT]
                                 Adam on a gain at every norm, a step for each CONTEXT + 1 ids; KIND is absolute or
                                 relative; prints each step's loss, and HELD_OUT's before and after; writes the gains
  train-lora MODEL IDS CONTEXT RATE RANK ALPHA INITIAL OUT
                                 the same for LoRA on every linear of the blocks, from the values in INITIAL
  step MODEL IDS THREADS KIND [WEIGHTS]
                                 for each line on stdin, takes one step on IDS; prints seconds and loss; KIND is norm or
                                 lora (rank 4, every linear of the blocks), WEIGHTS dense, bf16, q8, q4,
                                 q4_0 or ternary (with int8 gradients)
)";

struct UsageError {};

/// The arguments after the command, read one after another.
class Arguments {
 public:
  Arguments(int count, char** first) : rest_(first, first + count) {}

  bool more() const { return next_ < rest_.size(); }
  std::string text() {
    if (!more()) throw UsageError();
    return rest_[next_++];
  }
  fs::path path() { return text(); }
  double number() { return std::stod(text()); }
  Index integer() { return static_cast<Index>(std::stoll(text())); }

 private:
  std::vector<std::string> rest_;
  std::size_t next_ = 0;
};

std::vector<Token> read_ids(const fs::path& path) {
  const tern::MappedFile file(path);
  std::vector<Token> ids(file.bytes().size() / sizeof(Token));
  for (std::size_t i = 0; i < ids.size(); ++i)
    ids[i] = tern::load_little<Token>(file.bytes().data() + i * sizeof(Token));
  return ids;
}

template <class T>
void write_numbers(const fs::path& path, std::span<const T> numbers) {
  tern::ByteWriter out;
  out.reserve(numbers.size_bytes());
  for (const T number : numbers) out.number(number);
  tern::write_file(path, out.view());
}

/// A llama2.c checkpoint as a decoder. Its rows of q and k lie interleaved, as in a GGUF.
Model decoder(const tern::Llama2c& file) {
  tern::ModelConfig c;
  c.hidden = file.width;
  c.layers = static_cast<Index>(file.layers.size());
  c.ffn = file.hidden;
  c.heads = file.heads;
  c.kv_heads = file.kv_heads;
  c.head_dim = file.head_dim();
  c.vocabulary = file.vocabulary;
  c.context = file.context;
  c.tied = file.head.size() == 0;
  Model model(c);
  model.embedding.table.parameter.value = file.embedding;
  model.final_norm.gain.value = file.final_norm;
  if (model.head) model.head->parameter.value = file.head;
  const auto dense = [](const tern::Matrix<float>& weights) { return tern::Dense<float>(weights); };
  for (std::size_t i = 0; i < file.layers.size(); ++i) {
    const tern::Llama2c::Layer& from = file.layers[i];
    auto& to = model.blocks[i];
    to.attention_norm.gain.value = from.attention_norm;
    to.attention.query.weight = dense(tern::detail::unpermuted(from.query, c.head_dim));
    to.attention.key.weight = dense(tern::detail::unpermuted(from.key, c.head_dim));
    to.attention.value.weight = dense(from.value);
    to.attention.output.weight = dense(from.output);
    to.mlp_norm.gain.value = from.mlp_norm;
    to.mlp.gate.weight = dense(from.gate);
    to.mlp.up.weight = dense(from.up);
    to.mlp.down.weight = dense(from.down);
  }
  return model;
}

Model load(const fs::path& path) {
  if (path.extension() == ".bin") return decoder(tern::Llama2c::read(path));
  return tern::load_model<float>(tern::GgufFile::open(path));
}

std::unique_ptr<tern::Tokenizer> tokenizer_of(const fs::path& source) {
  if (fs::is_directory(source)) return tern::load_tokenizer(source);
  return tern::load_tokenizer(tern::gguf_tokenizer_fields(tern::GgufFile::open(source)), source.string());
}

void tokens(Arguments arguments) {
  const auto tokenizer = tokenizer_of(arguments.path());
  const fs::path list = arguments.path();
  std::ifstream paths(list);
  if (!paths) throw tern::IoError("open '" + list.string() + "': cannot read");
  const fs::path out = arguments.path();
  const auto specials = arguments.more() && arguments.text() == "parse" ? tern::SpecialTokens::parse
                                                                        : tern::SpecialTokens::as_text;
  std::vector<Token> all;
  for (std::string path; std::getline(paths, path);) {
    const tern::MappedFile text(path);
    const auto ids = tokenizer->encode(tern::text_of(text.bytes()), specials);
    all.push_back(static_cast<Token>(ids.size()));
    all.insert(all.end(), ids.begin(), ids.end());
  }
  write_numbers<Token>(out, all);
}

void write_matrix(const fs::path& path, const tern::Matrix<float>& m) {
  write_numbers<float>(path, {m.data(), static_cast<std::size_t>(m.size())});
}

template <class W>
tern::Matrix<float> logits_of(const tern::Decoder<float, W>& model, std::span<const Token> ids,
                              const tern::Pass& pass) {
  const auto rows = static_cast<Index>(ids.size());
  typename tern::Decoder<float, W>::Cache cache;
  tern::Matrix<float> hidden(rows, model.config.hidden), logits(rows, model.config.vocabulary);
  model.forward(pass, ids, cache, hidden);
  model.logits(pass, hidden, logits);
  return logits;
}

tern::I2sLayout i2_s_layout(const std::string& text) {
  if (text == "groups_of_128") return tern::I2sLayout::groups_of_128;
  if (text == "groups_of_64") return tern::I2sLayout::groups_of_64;
  if (text == "four_rows") return tern::I2sLayout::four_rows;
  throw UsageError();
}

void logits(Arguments arguments, const tern::Pass& pass) {
  const fs::path path = arguments.path();
  const auto ids = read_ids(arguments.path());
  const fs::path out = arguments.path();
  if (!arguments.more()) return write_matrix(out, logits_of(load(path), ids, pass));
  const auto model = tern::load_model<float, tern::Ternary<float>>(tern::GgufFile::open(path),
                                                                   {.i2_s = i2_s_layout(arguments.text())});
  write_matrix(out, logits_of(model, ids, pass));
}

void bitnet(Arguments arguments) {
  const auto file = tern::SafetensorsFile::open(arguments.path());
  const std::string name = arguments.text(), rule = arguments.text();
  if (rule != "multiplies" && rule != "divides") throw UsageError();
  const auto weights =
      tern::decode_bitnet(file, name, rule == "divides" ? tern::BitnetScale::divides : tern::BitnetScale::multiplies);
  write_matrix(arguments.path(), weights.values<float>());
}

void nll(Arguments arguments, const tern::Pass& pass) {
  const Model model = load(arguments.path());
  const auto ids = read_ids(arguments.path());
  if (ids.empty()) throw UsageError();
  const std::span<const Token> all(ids);
  std::vector<double> nll(ids.size() - 1);
  Model::Cache cache;
  model.nll(pass, all.first(nll.size()), all.subspan(1), cache, nll);
  write_numbers<double>(arguments.path(), nll);
}

tern::Convention convention(const std::string& text) {
  for (const auto c : {tern::Convention::chunked, tern::Convention::llama_cpp, tern::Convention::rolling})
    if (name(c) == text) return c;
  throw UsageError();
}

void perplexity(Arguments arguments, const tern::Pass& pass) {
  const Model model = load(arguments.path());
  const auto ids = read_ids(arguments.path());
  const auto how = convention(arguments.text());
  tern::PerplexityOptions options;
  options.context = arguments.integer();
  if (arguments.more()) options.prefix = static_cast<Token>(arguments.integer());
  Model::Cache cache;
  const auto found = tern::perplexity(model, pass, how, ids, cache, options);
  std::cout << found.tokens << '\n' << found.nll << '\n' << found.ppl << '\n' << found.stderr_ << '\n';
}

/// The text's windows of context + 1 tokens, one after another; what is left over is not used.
struct Consecutive {
  std::span<const Token> text;
  std::size_t context;
  std::size_t at = 0;

  Index count() const { return static_cast<Index>(text.size() / (context + 1)); }
  void next(tern::Batch& batch) {
    const auto window = text.subspan(at, context + 1);
    at += context + 1;
    batch.tokens.assign(window.begin(), window.end() - 1);
    batch.targets.assign(window.begin() + 1, window.end());
    batch.sequences = {{static_cast<Index>(context), 0}};
  }
};
static_assert(tern::BatchSource<Consecutive>);

/// PEFT's name of an adapter's parameter: `path` ends with "lora.down", "lora.up" or "user_gain.gain".
std::string peft_name(tern::SiteId id, std::string_view path) {
  static const std::map<tern::Site, std::string> modules = {
      {tern::Site::attention_norm, "input_layernorm"},
      {tern::Site::query, "self_attn.q_proj"},
      {tern::Site::key, "self_attn.k_proj"},
      {tern::Site::value, "self_attn.v_proj"},
      {tern::Site::attention_output, "self_attn.o_proj"},
      {tern::Site::mlp_norm, "post_attention_layernorm"},
      {tern::Site::gate, "mlp.gate_proj"},
      {tern::Site::up, "mlp.up_proj"},
      {tern::Site::down, "mlp.down_proj"},
      {tern::Site::final_norm, "norm"},
  };
  const std::string layer = id.layer < 0 ? "" : "layers." + std::to_string(id.layer) + ".";
  const char* tensor = path.ends_with("down") ? "lora_A" : path.ends_with("up") ? "lora_B" : "ln_tuning_layers";
  return "base_model.model.model." + layer + modules.at(id.site) + "." + tensor + ".weight";
}

void save(Adapters& adapters, const fs::path& path) {
  std::vector<tern::SafeTensor> tensors;
  adapters.each([&](tern::SiteId id, std::string_view parameter, const tern::Parameter<float>& p) {
    tern::SafeTensor tensor{peft_name(id, parameter), tern::DType::f32, {p.value.rows(), p.value.cols()}, {}};
    if (!parameter.ends_with("down") && !parameter.ends_with("up")) tensor.shape = {p.value.cols()};
    tensor.bytes = std::as_bytes(std::span(p.value.data(), static_cast<std::size_t>(p.value.size())));
    tensors.push_back(std::move(tensor));
  });
  tern::write_safetensors(path, tensors);
}

/// Adam with PyTorch's defaults and one rate, a step for each window; prints each step's loss.
void train(AdaptedModel& model, const tern::Pass& pass, Consecutive windows, double rate) {
  tern::select_trainable(*model.adapters, [](std::string_view) { return true; });
  tern::Adam<float> adam(tern::AdamOptions{}, *model.adapters);
  AdaptedModel::Cache cache;
  tern::FitOptions options;
  options.budget = tern::Budget::of_steps(windows.count());
  tern::FitHooks hooks;
  hooks.on_step = [](const tern::FitPoint& now) { std::cout << now.train_loss << std::endl; };
  const auto result = tern::fit(model, cache, pass, adam, windows, tern::ConstantRate{rate}, options, hooks);
  if (!result.ok()) throw tern::DivergedError("train: " + result.reason);
}

tern::GainKind gain_kind(const std::string& text) {
  if (text == "absolute") return tern::GainKind::absolute;
  if (text == "relative") return tern::GainKind::relative;
  throw UsageError();
}

void train_norm(Arguments arguments, const tern::Pass& pass) {
  Model base = load(arguments.path());
  const auto ids = read_ids(arguments.path());
  const auto context = static_cast<std::size_t>(arguments.integer());
  const double rate = arguments.number();
  Adapters adapters;
  attach_user_gains(base, adapters, gain_kind(arguments.text()));
  AdaptedModel model(base, adapters);
  const fs::path out = arguments.path();
  const auto held_out = arguments.more() ? read_ids(arguments.path()) : std::vector<Token>();
  const auto print_held_out = [&] {
    if (held_out.empty()) return;
    AdaptedModel::Cache cache;
    tern::PerplexityOptions options;
    options.context = static_cast<Index>(context);
    const auto found = tern::perplexity(model, pass, tern::Convention::chunked, held_out, cache, options);
    std::cout << found.nll / static_cast<double>(found.tokens) << std::endl;
  };
  print_held_out();
  train(model, pass, {ids, context}, rate);
  print_held_out();
  save(adapters, out);
}

void train_lora(Arguments arguments, const tern::Pass& pass) {
  Model base = load(arguments.path());
  const auto ids = read_ids(arguments.path());
  const auto context = static_cast<std::size_t>(arguments.integer());
  const double rate = arguments.number();
  const Index rank = arguments.integer();
  const auto alpha = static_cast<float>(arguments.number());
  const auto initial = tern::SafetensorsFile::open(arguments.path());
  Adapters adapters;
  tern::Random unused;
  attach_lora(base, adapters, rank, alpha, unused, tern::is_block_linear);
  adapters.each([&](tern::SiteId id, std::string_view path, tern::Parameter<float>& p) {
    const auto value = tern::to_matrix<float>(initial.tensor(peft_name(id, path)));
    tern::expect_shape("train-lora", path, value, p.value.rows(), p.value.cols());
    p.value = value;
  });
  AdaptedModel model(base, adapters);
  train(model, pass, {ids, context}, rate);
  save(adapters, arguments.path());
}

template <class Base>
void take_steps(Base base, const std::vector<Token>& ids, const std::string& kind, const tern::Pass& pass) {
  Adapters adapters;
  tern::Random random(1);
  if (kind == "norm")
    attach_user_gains(base, adapters);
  else if (kind == "lora")
    attach_lora(base, adapters, 4, 8.f, random, tern::is_block_linear);
  else
    throw UsageError();
  tern::select_trainable(adapters, [](std::string_view) { return true; });
  tern::Adapted model(base, adapters);
  typename decltype(model)::Cache cache;
  tern::Adam<float> adam(tern::AdamOptions{}, adapters);
  const std::span<const Token> text(ids);
  const auto rows = text.size() - 1;
  for (std::string line; std::getline(std::cin, line);) {
    const tern::Stopwatch watch;
    adam.trainable().zero_gradients(pass.parallel);
    const double sum = model.gradients(pass, text.first(rows), text.subspan(1), 1.f / static_cast<float>(rows), cache);
    adam.step(1e-3, pass.parallel);
    std::cout << watch.seconds() << ' ' << sum / static_cast<double>(rows) << std::endl;
  }
}

void step(Arguments arguments, tern::Pass pass) {
  Model base = load(arguments.path());
  const auto ids = read_ids(arguments.path());
  tern::ThreadPool pool(arguments.integer());
  pass.parallel = pool.parallel();
  const std::string kind = arguments.text(), weights = arguments.more() ? arguments.text() : "dense";
  if (weights == "dense") return take_steps(std::move(base), ids, kind, pass);
  if (weights == "bf16") return take_steps(tern::with_weights<tern::Bf16<float>, tern::Bf16>(base), ids, kind, pass);
  if (weights == "q8") return take_steps(tern::with_weights<tern::Q8<float>, tern::Bf16>(base), ids, kind, pass);
  if (weights == "q4") return take_steps(tern::with_weights<tern::Q4<float>, tern::Bf16>(base), ids, kind, pass);
  if (weights == "q4_0") return take_steps(tern::with_weights<tern::Q4_0<float>, tern::Bf16>(base), ids, kind, pass);
  if (weights == "ternary") {
    pass.gradients = tern::GradientRounding::nearest;
    const auto rounded = [](const tern::Dense<float>& w) {
      return tern::Ternary<float>::quantize(w.parameter.value, tern::kernels::TernaryScale::row);
    };
    return take_steps(tern::with_weights<tern::Ternary<float>, tern::Bf16>(base, rounded), ids, kind, pass);
  }
  throw UsageError();
}

void run(const std::string& command, const Arguments& arguments, tern::Precision precision) {
  tern::ThreadPool pool;
  tern::Pass pass;
  pass.precision = precision;
  pass.parallel = pool.parallel();
  if (command == "tokens") return tokens(arguments);
  if (command == "logits") return logits(arguments, pass);
  if (command == "bitnet") return bitnet(arguments);
  if (command == "nll") return nll(arguments, pass);
  if (command == "perplexity") return perplexity(arguments, pass);
  if (command == "train-norm") return train_norm(arguments, pass);
  if (command == "train-lora") return train_lora(arguments, pass);
  if (command == "step") return step(arguments, pass);
  throw UsageError();
}

}  // namespace

int main(int count, char** values) try {
  const bool mixed = count > 1 && std::string(values[1]) == "--mixed";
  const int command = mixed ? 2 : 1;
  if (count <= command) throw UsageError();
  std::cout << std::setprecision(17);
  run(values[command], Arguments(count - command - 1, values + command + 1),
      mixed ? tern::Precision::mixed : tern::Precision::full);
  return EXIT_SUCCESS;
} catch (const UsageError&) {
  std::cerr << usage;
  return 2;
} catch (const std::exception& error) {
  std::cerr << "tern-oracle: " << error.what() << '\n';
  return EXIT_FAILURE;
}
