/// Runs tern on files, for the comparisons with other implementations in this folder. Token ids come in and numbers go
/// out as raw little-endian arrays, adapters as safetensors under PEFT's names, single results as lines of text.
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <map>

#include "tern/adapters/attach.hpp"
#include "tern/io/adapters/adapter_file.hpp"
#include "../../examples/chosen_kernels.hpp"
#include "tern/eval/perplexity.hpp"
#include "tern/io/bitnet.hpp"
#include "tern/io/llama2c.hpp"
#include "tern/io/load_model.hpp"
#include "tern/io/safetensors.hpp"
#include "tern/io/safetensors_writer.hpp"
#include "tern/io/with_source.hpp"
#include "tern/models/adapted.hpp"
#include "tern/models/convert.hpp"
#include "tern/text/chat_template.hpp"
#include "tern/text/load_tokenizer.hpp"
#include "tern/train/adam.hpp"
#include "tern/train/fit.hpp"

namespace {

namespace fs = std::filesystem;
using tern::Index, tern::Token;
using Weights = tern::Packed<float>;
using Model = tern::PackedDecoder<float>;
using Adapters = tern::AdapterSet<float>;
using AdaptedModel = tern::Adapted<Model, Adapters>;

constexpr const char* usage = R"(tern-oracle [--mixed] COMMAND ARGUMENT...
--mixed: products with weights in mixed precision. MODEL is a .gguf, a Hugging Face folder, or a llama2.c checkpoint (.bin); it
runs on weights in f32, or on ternary codes where its files hold such. IDS holds i32 token ids.

  tokens SOURCE PATHS OUT [parse]
                                 for each file that PATHS names, one a line: how many ids, then the ids (i32); SOURCE is
                                 a .gguf or a folder; special tokens are text, or ids with "parse"
  chat SOURCE MESSAGES OUT       the ids (i32) of a conversation up to the assistant's turn, by SOURCE's template; each line
                                 of MESSAGES is a role (system, user, assistant), a space and a file
  logits MODEL IDS OUT [LAYOUT]  [ids x vocabulary] f32; with LAYOUT of ternary weights, those of I2_S tensors laid out in
                                 groups_of_128, groups_of_64 or four_rows
  bitnet SAFETENSORS NAME RULE OUT
                                 the packed projection NAME, f32; RULE of its scale is multiplies or divides
  nll MODEL IDS OUT [ADAPTER]    of each id but the first, given all before it: f64; with an adapter of any file format
  adapter MODEL IN FORMAT OUT    writes the adapter IN as FORMAT: packed, peft, mlx or gguf
  perplexity MODEL IDS CONVENTION CONTEXT [PREFIX [stored]]
                                 prints scored tokens, their summed NLL, perplexity and its error; CONVENTION is
                                 chunked, llama.cpp or rolling, PREFIX the id that replaces or precedes the first;
                                 with "stored" on weights as the model's file stores them
  train-norm MODEL IDS CONTEXT RATE KIND OUT [HELD_OUT]
                                 Adam on a gain at every norm, a step for each CONTEXT + 1 ids; KIND is absolute or
                                 relative; prints each step's loss, and HELD_OUT's before and after; writes the gains
  train-lora MODEL IDS CONTEXT RATE RANK ALPHA INITIAL OUT
                                 the same for LoRA on every linear of the blocks, from the values in INITIAL
  train-full MODEL IDS CONTEXT RATE STATE [HELD_OUT]
                                 the same for every weight, in f32, which it does not write; STATE of gradients and
                                 moments is float or bf16
  gradients-norm MODEL IDS OUT   the gradient of the mean NLL of all ids but the first, by a gain at every norm
  gradients-lora MODEL IDS RANK ALPHA INITIAL OUT
                                 the same by LoRA on every linear of the blocks, at the values in INITIAL
  step MODEL IDS THREADS KIND [WEIGHTS [GRADIENTS]]
                                 for each line on stdin, takes one step on IDS; prints seconds and loss; KIND is norm,
                                 lora (rank 4, every linear of the blocks), full (in f32) or full-bf16 (gradients and
                                 moments in bf16), WEIGHTS stored, or a weight format of the blocks (f32; others have
                                 tables in bf16); GRADIENTS through packed weights are int8 or float
  score MODEL IDS CONTEXT THREADS KIND
                                 for each line on stdin, scores IDS in chunks of CONTEXT, weights as stored; prints seconds
                                 and mean NLL; KIND is base, or gains (of one person)
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

const tern::Matrix<float>& tensor(const tern::Llama2c& file, tern::SiteId id) {
  using tern::Site;
  if (id.layer < 0) return file.final_norm;
  const tern::Llama2c::Layer& layer = file.layers[static_cast<std::size_t>(id.layer)];
  switch (id.site) {
    case Site::attention_norm: return layer.attention_norm;
    case Site::query: return layer.query;
    case Site::key: return layer.key;
    case Site::value: return layer.value;
    case Site::attention_output: return layer.output;
    case Site::mlp_norm: return layer.mlp_norm;
    case Site::gate: return layer.gate;
    case Site::up: return layer.up;
    default: return layer.down;
  }
}

/// A llama2.c checkpoint as a decoder. Its rows of q and k lie interleaved, as in a GGUF.
Model decoder(const tern::Llama2c& file) {
  tern::ModelConfig c;
  c.hidden = file.width;
  c.ffn = file.hidden;
  c.heads = file.heads;
  c.kv_heads = file.kv_heads;
  c.head_dim = file.head_dim();
  c.vocabulary = file.vocabulary;
  c.context = file.context;
  c.tied = file.head.size() == 0;
  c.layers.resize(file.layers.size());
  Model model(c, tern::unfilled);
  model.embedding.table = Weights(file.embedding);
  if (model.head) *model.head = Weights(file.head);
  Model::each_part(model, [&](tern::SiteId id, auto& part) {
    const tern::Matrix<float>& from = tensor(file, id);
    if constexpr (requires { part.gain; }) {
      part.gain.value = from;
    } else {
      const auto place = tern::place_of(tern::llama_architecture(), c, tern::Naming::gguf, id);
      tern::Matrix<float> rows(from.rows(), from.cols());
      for (Index r = 0; r < rows.rows(); ++r) rows.row(r) = from.row(place.order.file_row(r));
      part.weight = Weights(std::move(rows));
    }
  });
  return model;
}

/// Whether a source holds ternary codes: it then runs on them, as the model was trained.
template <class Source>
bool holds_codes(const Source& source) {
  for (const std::string& name : source.names())
    if (const auto t = source.find(name); t && t->ternary) return true;
  return false;
}

Model load(const fs::path& path, const tern::Pass& pass, std::optional<tern::I2sLayout> i2_s = {},
           bool stored = false) {
  if (path.extension() == ".bin") return decoder(tern::Llama2c::read(path));
  const auto load_from = [&](const auto& source) {
    tern::LoadOptions options{.tables = tern::WeightFormat::f32, .parallel = pass.parallel};
    if (stored)
      options.tables = std::nullopt;
    else if (!holds_codes(source))
      options.linears = tern::WeightFormat::f32;
    return tern::load_model<float>(source, options);
  };
  return tern::with_source(path, load_from, i2_s);
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

void chat(Arguments arguments) {
  const auto tokenizer = tokenizer_of(arguments.path());
  const fs::path list = arguments.path();
  std::ifstream lines(list);
  if (!lines) throw tern::IoError("open '" + list.string() + "': cannot read");
  const std::map<std::string, tern::ChatRole> roles = {
      {"system", tern::ChatRole::system}, {"user", tern::ChatRole::user}, {"assistant", tern::ChatRole::assistant}};
  std::vector<tern::ChatMessage> messages;
  for (std::string role, path; lines >> role >> path;) {
    const tern::MappedFile text(path);
    messages.push_back({roles.at(role), std::string(tern::text_of(text.bytes()))});
  }
  write_numbers<Token>(arguments.path(), tern::ChatTemplate(*tokenizer).encode(messages));
}

void write_matrix(const fs::path& path, const tern::Matrix<float>& m) {
  write_numbers<float>(path, {m.data(), static_cast<std::size_t>(m.size())});
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
  std::optional<tern::I2sLayout> i2_s;
  if (arguments.more()) i2_s = i2_s_layout(arguments.text());
  const Model model = load(path, pass, i2_s);
  const auto rows = static_cast<Index>(ids.size());
  Model::Cache cache;
  tern::Matrix<float> hidden(rows, model.config.hidden), logits(rows, model.config.vocabulary);
  model.forward_only(pass, ids, cache, hidden);
  model.logits(pass, hidden, logits);
  write_matrix(out, logits);
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
  const Model model = load(arguments.path(), pass);
  const auto ids = read_ids(arguments.path());
  const fs::path out = arguments.path();
  Adapters adapters;
  if (arguments.more()) tern::load_adapter(arguments.path(), tern::ModelView(model, pass), adapters);
  if (ids.empty()) throw UsageError();
  const std::span<const Token> all(ids);
  std::vector<double> nll(ids.size() - 1);
  const AdaptedModel subject(model, adapters);
  AdaptedModel::Cache cache;
  subject.nll(pass, all.first(nll.size()), all.subspan(1), cache, nll);
  write_numbers<double>(out, nll);
}

void adapter(Arguments arguments, const tern::Pass& pass) {
  const Model model = load(arguments.path(), pass);
  const tern::ModelView view(model, pass);
  Adapters adapters;
  tern::load_adapter(arguments.path(), view, adapters);
  const std::string format = arguments.text();
  tern::save_adapter(arguments.path(), adapters, view, {}, {.format = format});
}

tern::Convention convention(const std::string& text) {
  for (const auto c : {tern::Convention::chunked, tern::Convention::llama_cpp, tern::Convention::rolling})
    if (name(c) == text) return c;
  throw UsageError();
}

void perplexity(Arguments arguments, const tern::Pass& pass) {
  const fs::path path = arguments.path();
  const auto ids = read_ids(arguments.path());
  const auto how = convention(arguments.text());
  tern::PerplexityOptions options;
  options.context = arguments.integer();
  if (arguments.more()) options.prefix = static_cast<Token>(arguments.integer());
  const bool stored = arguments.more();
  if (stored && arguments.text() != "stored") throw UsageError();
  const Model model = load(path, pass, {}, stored);
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

/// Where PEFT has an adapter's parameter. Linears that lie in one tensor (phi3's qkv_proj) are one linear there: they share
/// lora_A, and each has its rows of lora_B.
struct PeftPlace {
  std::string name;
  Index first_row = 0, rows = 0;
  tern::RowOrder order{};

  /// PEFT's row that the adapter's row r is.
  Index row(Index r) const { return first_row + order.file_row(r); }
};

/// `path` ends with "lora.down", "lora.up" or "user_gain.gain".
PeftPlace peft_place(const tern::ModelConfig& config, tern::SiteId id, std::string_view path, Index rows) {
  const auto& all = tern::architectures();
  const auto family = std::find_if(all.begin(), all.end(), [&](const auto* a) { return a->name == config.architecture; });
  const tern::TensorPlace at = tern::place_of(**family, config, tern::Naming::hugging_face, id);
  const bool up = path.ends_with("lora.up");
  const char* tensor = path.ends_with("lora.down") ? "lora_A" : up ? "lora_B" : "ln_tuning_layers";
  return {"base_model.model." + at.name + "." + tensor + ".weight", up ? at.first_row : 0,
          up && at.tensor_rows > 0 ? at.tensor_rows : rows, up ? at.order : tern::RowOrder()};
}

/// A model whose adapters share parameters where PEFT has one for several: each then has the gradients of all, so that
/// equal values stay equal while they train. Expects gradients that were zero before a call.
class PeftModel {
 public:
  using Scalar = float;
  using Cache = AdaptedModel::Cache;

  PeftModel(const Model& base, const Adapters& adapters) : model_(base, adapters) {
    adapters.each([&](tern::SiteId id, std::string_view path, const tern::Parameter<float>& p) {
      if (!path.ends_with("lora.up")) shared_[peft_place(base.config, id, path, 0).name].push_back(&p);
    });
  }

  void nll(const tern::Pass& pass, std::span<const Token> tokens, std::span<const Token> targets, Cache& cache,
           std::span<double> nll) const {
    model_.nll(pass, tokens, targets, cache, nll);
  }
  double gradients(const tern::Pass& pass, std::span<const Token> tokens, std::span<const Token> targets, float scale,
                   Cache& cache, tern::Gradients<float>& gradients) const {
    const double sum = model_.gradients(pass, tokens, targets, scale, cache, gradients);
    for (const auto& [name, parameters] : shared_) {
      if (parameters.size() == 1) continue;
      tern::Matrix<float> all = gradients.of(*parameters[0]);
      for (std::size_t i = 1; i < parameters.size(); ++i) all += gradients.of(*parameters[i]);
      for (const auto* p : parameters) *gradients.find(*p) = all;
    }
    return sum;
  }

 private:
  AdaptedModel model_;
  std::map<std::string, std::vector<const tern::Parameter<float>*>> shared_;
};
static_assert(tern::LanguageModel<PeftModel>);

/// Writes what matrix_of(parameter) gives for each of the adapters' parameters, under PEFT's names.
template <class F>
void save(const Model& base, const Adapters& adapters, const fs::path& path, F&& matrix_of) {
  std::map<std::string, tern::Matrix<float>> found;
  adapters.each([&](tern::SiteId id, std::string_view parameter, const tern::Parameter<float>& p) {
    const PeftPlace at = peft_place(base.config, id, parameter, p.value.rows());
    tern::Matrix<float>& to = found.try_emplace(at.name, at.rows, p.value.cols()).first->second;
    const tern::Matrix<float>& from = matrix_of(p);
    for (Index r = 0; r < from.rows(); ++r) to.row(at.row(r)) = from.row(r);
  });
  std::vector<tern::SafeTensor> tensors;
  for (const auto& [name, m] : found) {
    tern::SafeTensor tensor{name, tern::DType::f32, {m.rows(), m.cols()}, {}};
    if (name.find(".ln_tuning_layers.") != name.npos) tensor.shape = {m.cols()};
    tensor.bytes = std::as_bytes(std::span(m.data(), static_cast<std::size_t>(m.size())));
    tensors.push_back(std::move(tensor));
  }
  tern::write_safetensors(path, tensors);
}

void save_values(const Model& base, const Adapters& adapters, const fs::path& path) {
  save(base, adapters, path, [](const tern::Parameter<float>& p) -> const tern::Matrix<float>& { return p.value; });
}

/// LoRA on every linear of the blocks, with the values in a file of PEFT's names.
Adapters lora_from(const Model& base, Index rank, float alpha, const fs::path& path) {
  const auto file = tern::SafetensorsFile::open(path);
  Adapters adapters;
  tern::Random unused;
  attach_lora(base, adapters, rank, alpha, unused, tern::is_block_linear);
  adapters.each([&](tern::SiteId id, std::string_view parameter, tern::Parameter<float>& p) {
    const PeftPlace at = peft_place(base.config, id, parameter, p.value.rows());
    const auto values = tern::to_matrix<float>(file.tensor(at.name));
    tern::expect_shape("initial values", at.name, values, at.rows, p.value.cols());
    for (Index r = 0; r < p.value.rows(); ++r) p.value.row(r) = values.row(at.row(r));
  });
  return adapters;
}

/// Adam with PyTorch's defaults and one rate, a step for each window; prints each step's loss.
void train(const PeftModel& model, tern::Trainable<float> trainable, const tern::Pass& pass, Consecutive windows,
           double rate) {
  tern::Adam<float> adam({}, std::move(trainable));
  PeftModel::Cache cache;
  tern::FitOptions options;
  options.budget = tern::Budget::of_steps(windows.count());
  tern::FitHooks hooks;
  hooks.on_step = [](const tern::FitPoint& now) { std::cout << now.train_loss << std::endl; };
  const auto result = tern::fit(model, cache, pass, adam, windows, tern::ConstantRate{rate}, options, hooks);
  if (!result.ok()) throw tern::DivergedError("train: " + result.reason);
}

/// Prints the mean loss of ids that are there, in chunks.
void print_loss(const PeftModel& model, std::span<const Token> ids, Index context, const tern::Pass& pass) {
  if (ids.empty()) return;
  PeftModel::Cache cache;
  tern::PerplexityOptions options;
  options.context = context;
  const auto found = tern::perplexity(model, pass, tern::Convention::chunked, ids, cache, options);
  std::cout << found.nll / static_cast<double>(found.tokens) << std::endl;
}

tern::GainKind gain_kind(const std::string& text) {
  if (text == "absolute") return tern::GainKind::absolute;
  if (text == "relative") return tern::GainKind::relative;
  throw UsageError();
}

void train_norm(Arguments arguments, const tern::Pass& pass) {
  const Model base = load(arguments.path(), pass);
  const auto ids = read_ids(arguments.path());
  const auto context = static_cast<std::size_t>(arguments.integer());
  const double rate = arguments.number();
  Adapters adapters;
  attach_user_gains(base, adapters, gain_kind(arguments.text()));
  const PeftModel model(base, adapters);
  const fs::path out = arguments.path();
  const auto held_out = arguments.more() ? read_ids(arguments.path()) : std::vector<Token>();
  const auto print_held_out = [&] { print_loss(model, held_out, static_cast<Index>(context), pass); };
  print_held_out();
  train(model, tern::Trainable<float>(adapters), pass, {ids, context}, rate);
  print_held_out();
  save_values(base, adapters, out);
}

void train_lora(Arguments arguments, const tern::Pass& pass) {
  const Model base = load(arguments.path(), pass);
  const auto ids = read_ids(arguments.path());
  const auto context = static_cast<std::size_t>(arguments.integer());
  const double rate = arguments.number();
  const Index rank = arguments.integer();
  const auto alpha = static_cast<float>(arguments.number());
  Adapters adapters = lora_from(base, rank, alpha, arguments.path());
  train(PeftModel(base, adapters), tern::Trainable<float>(adapters), pass, {ids, context}, rate);
  save_values(base, adapters, arguments.path());
}

tern::StateType state_type(const std::string& text) {
  if (text == "float") return tern::StateType::full;
  if (text == "bf16") return tern::StateType::bf16;
  throw UsageError();
}

void train_full(Arguments arguments, const tern::Pass& pass) {
  Model base = load(arguments.path(), pass);
  const auto ids = read_ids(arguments.path());
  const auto context = static_cast<std::size_t>(arguments.integer());
  const double rate = arguments.number();
  const auto state = state_type(arguments.text());
  const auto held_out = arguments.more() ? read_ids(arguments.path()) : std::vector<Token>();
  const Adapters none;
  const PeftModel model(base, none);
  print_loss(model, held_out, static_cast<Index>(context), pass);
  train(model, tern::Trainable<float>(state, base), pass, {ids, context}, rate);
  print_loss(model, held_out, static_cast<Index>(context), pass);
}

/// Writes the gradient of the mean NLL of all ids but the first.
void write_gradients(const Model& base, const Adapters& adapters, const std::vector<Token>& ids, const fs::path& out,
                     const tern::Pass& pass) {
  if (ids.size() < 2) throw UsageError();
  const std::span<const Token> text(ids);
  const auto rows = text.size() - 1;
  const PeftModel model(base, adapters);
  PeftModel::Cache cache;
  tern::Gradients<float> gradients(adapters);
  model.gradients(pass, text.first(rows), text.subspan(1), 1.f / static_cast<float>(rows), cache, gradients);
  save(base, adapters, out,
       [&](const tern::Parameter<float>& p) -> const tern::Matrix<float>& { return gradients.of(p); });
}

void gradients_norm(Arguments arguments, const tern::Pass& pass) {
  const Model base = load(arguments.path(), pass);
  const auto ids = read_ids(arguments.path());
  Adapters adapters;
  attach_user_gains(base, adapters, tern::GainKind::absolute);
  write_gradients(base, adapters, ids, arguments.path(), pass);
}

void gradients_lora(Arguments arguments, const tern::Pass& pass) {
  const Model base = load(arguments.path(), pass);
  const auto ids = read_ids(arguments.path());
  const Index rank = arguments.integer();
  const auto alpha = static_cast<float>(arguments.number());
  const Adapters adapters = lora_from(base, rank, alpha, arguments.path());
  write_gradients(base, adapters, ids, arguments.path(), pass);
}

void step(Arguments arguments, tern::Pass pass) {
  const fs::path path = arguments.path();
  const auto ids = read_ids(arguments.path());
  tern::ThreadPool pool(arguments.integer());
  pass.parallel = pool.parallel();
  const std::string kind = arguments.text(), weights = arguments.more() ? arguments.text() : "f32",
                    gradients = arguments.more() ? arguments.text() : "int8";
  tern::LoadOptions options{.parallel = pass.parallel};
  if (weights != "stored") {
    options.linears = tern::parse_weight_format(weights);
    options.tables = weights == "f32" ? tern::WeightFormat::f32 : tern::WeightFormat::bf16;
  }
  if (gradients == "int8")
    pass.gradients = tern::GradientRounding::nearest;
  else if (gradients != "float")
    throw UsageError();
  const bool full = kind == "full" || kind == "full-bf16";
  if (full) options.linears = options.tables = tern::WeightFormat::f32;
  Model base = tern::with_source(path, [&](const auto& source) { return tern::load_model<float>(source, options); });
  Adapters adapters;
  tern::Random random(1);
  if (kind == "norm")
    attach_user_gains(base, adapters);
  else if (kind == "lora")
    attach_lora(base, adapters, 4, 8.f, random, tern::is_block_linear);
  else if (!full)
    throw UsageError();
  const AdaptedModel model(base, adapters);
  AdaptedModel::Cache cache;
  const auto state = kind == "full-bf16" ? tern::StateType::bf16 : tern::StateType::full;
  tern::Adam<float> adam({}, full ? tern::Trainable<float>(state, base) : tern::Trainable<float>(adapters));
  const double rate = full ? 1e-5 : 1e-3;
  const std::span<const Token> text(ids);
  const auto rows = text.size() - 1;
  for (std::string line; std::getline(std::cin, line);) {
    const tern::Stopwatch watch;
    adam.trainable().zero_gradients(pass.parallel);
    const double sum = model.gradients(pass, text.first(rows), text.subspan(1), 1.f / static_cast<float>(rows), cache,
                                       adam.trainable().gradients());
    adam.step(rate, pass.parallel, pass.kernels);
    std::cout << watch.seconds() << ' ' << sum / static_cast<double>(rows) << std::endl;
  }
}

void score(Arguments arguments, tern::Pass pass) {
  const fs::path path = arguments.path();
  const auto ids = read_ids(arguments.path());
  const tern::PerplexityOptions options{.context = arguments.integer()};
  tern::ThreadPool pool(arguments.integer());
  pass.parallel = pool.parallel();
  const std::string kind = arguments.text();
  if (kind != "base" && kind != "gains") throw UsageError();
  const Model base = load(path, pass, {}, true);
  Adapters adapters;
  if (kind == "gains") attach_user_gains(base, adapters);
  const AdaptedModel model(base, adapters);
  AdaptedModel::Cache cache;
  for (std::string line; std::getline(std::cin, line);) {
    const tern::Stopwatch watch;
    const auto found = tern::perplexity(model, pass, tern::Convention::chunked, ids, cache, options);
    std::cout << watch.seconds() << ' ' << found.nll / static_cast<double>(found.tokens) << std::endl;
  }
}

void run(const std::string& command, const Arguments& arguments, tern::Precision precision) {
  tern::ThreadPool pool;
  tern::Pass pass;
  pass.kernels = &chosen_kernels();
  pass.precision = precision;
  pass.parallel = pool.parallel();
  if (command == "tokens") return tokens(arguments);
  if (command == "chat") return chat(arguments);
  if (command == "logits") return logits(arguments, pass);
  if (command == "bitnet") return bitnet(arguments);
  if (command == "nll") return nll(arguments, pass);
  if (command == "adapter") return adapter(arguments, pass);
  if (command == "perplexity") return perplexity(arguments, pass);
  if (command == "train-norm") return train_norm(arguments, pass);
  if (command == "train-lora") return train_lora(arguments, pass);
  if (command == "train-full") return train_full(arguments, pass);
  if (command == "gradients-norm") return gradients_norm(arguments, pass);
  if (command == "gradients-lora") return gradients_lora(arguments, pass);
  if (command == "step") return step(arguments, pass);
  if (command == "score") return score(arguments, pass);
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
