#include <apus/conditional.h>
#include <apus/digest.h>
#include <apus/testing/fake_app.h>
#include <apus/testing/message.h>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <stdexcept>

namespace apus::testing {
namespace {

constexpr std::size_t kMostBody = 1U << 30U;
constexpr std::int64_t kObjectTime = 1'600'000'000;

std::string line_of(const std::string& path, const Query& query) {
  return query.empty() ? path : path + "?" + query.encode();
}

// "/a?x=y" with the query in the form of Query::encode.
std::string target_of(std::string_view target) {
  const std::size_t mark = std::min(target.find('?'), target.size());
  const std::string path(target.substr(0, mark));
  return mark == target.size() ? path : line_of(path, Query(target.substr(mark + 1)));
}

Response response_of(const FakeAnswer& answer) {
  Response out(answer.status);
  out.headers = answer.headers;
  out.internal = answer.internal;
  out.content_length = answer.body.size();
  if (!answer.body.empty()) out.body = std::make_unique<PieceSource>(answer.body, answer.piece);
  return out;
}

FunctionApp::Function function_of(FakeAnswer answer) {
  return [answer = std::move(answer)](Request&) { return response_of(answer); };
}

}  // namespace

FunctionApp::FunctionApp(Function function) : function_(std::move(function)) {}
FunctionApp::~FunctionApp() = default;
Response FunctionApp::operator()(Request& request) const { return function_(request); }

std::string FakeCall::line() const { return method + " " + line_of(path, query); }

struct FakeApp::State {
  using Key = std::pair<std::string, std::string>;

  std::mutex mutex;
  std::map<Key, Function> lasting;
  std::map<Key, std::deque<Function>> single;
  Function rest;
  bool reads_bodies = true;
  std::vector<FakeCall> calls;
  std::vector<std::string> unread;
  std::map<std::uint64_t, std::string> open;
  std::uint64_t next_body = 0;

  // The call is on record before its body is read: that may fail.
  std::size_t begin(const FakeCall& call) {
    const std::lock_guard lock(mutex);
    calls.push_back(call);
    return calls.size() - 1;
  }
  Function finish(std::size_t number, FakeCall call) {
    const std::lock_guard lock(mutex);
    Function out = answer_for(call);
    calls.at(number) = std::move(call);
    return out;
  }
  Function answer_for(const Key& key) {
    if (const auto at = single.find(key); at != single.end() && !at->second.empty()) {
      Function out = std::move(at->second.front());
      at->second.pop_front();
      return out;
    }
    const auto at = lasting.find(key);
    return at == lasting.end() ? nullptr : at->second;
  }
  Function answer_for(const FakeCall& call) {
    std::vector<std::string> methods{call.method};
    if (call.method == "HEAD") methods.emplace_back("GET");
    for (const std::string& method : methods) {
      for (const std::string& target : {line_of(call.path, call.query), call.path}) {
        if (Function found = answer_for(Key{method, target})) return found;
      }
    }
    return rest;
  }
};

namespace {

// Tells the app's state how far an answer's body was read and when it was closed.
template <typename State>
class WatchedSource final : public Source {
 public:
  WatchedSource(std::unique_ptr<Source> body, std::shared_ptr<State> state, std::string line)
      : body_(std::move(body)), state_(std::move(state)) {
    const std::lock_guard lock(state_->mutex);
    number_ = state_->next_body++;
    state_->open.emplace(number_, std::move(line));
  }
  ~WatchedSource() override {
    const std::lock_guard lock(state_->mutex);
    const auto at = state_->open.find(number_);
    if (!ended_) state_->unread.push_back(at->second);
    state_->open.erase(at);
  }
  std::size_t read(std::span<char> out) override {
    const std::size_t count = body_->read(out);
    ended_ = ended_ || count == 0;
    return count;
  }
  std::optional<FileRegion> file_region() override { return body_->file_region(); }
  void sent() override {
    body_->sent();
    ended_ = true;
  }

 private:
  std::unique_ptr<Source> body_;
  std::shared_ptr<State> state_;
  std::uint64_t number_ = 0;
  bool ended_ = false;
};

}  // namespace

FakeApp::FakeApp() : state_(std::make_shared<State>()) {}
FakeApp::~FakeApp() = default;

FakeApp& FakeApp::on(std::string_view method, std::string_view target, Function answer) {
  state_->lasting[{std::string(method), target_of(target)}] = std::move(answer);
  return *this;
}
FakeApp& FakeApp::on(std::string_view method, std::string_view target, FakeAnswer answer) {
  return on(method, target, function_of(std::move(answer)));
}
FakeApp& FakeApp::once(std::string_view method, std::string_view target, Function answer) {
  state_->single[{std::string(method), target_of(target)}].push_back(std::move(answer));
  return *this;
}
FakeApp& FakeApp::once(std::string_view method, std::string_view target, FakeAnswer answer) {
  return once(method, target, function_of(std::move(answer)));
}
FakeApp& FakeApp::otherwise(Function answer) {
  state_->rest = std::move(answer);
  return *this;
}
FakeApp& FakeApp::otherwise(FakeAnswer answer) { return otherwise(function_of(std::move(answer))); }
FakeApp& FakeApp::leave_bodies() {
  state_->reads_bodies = false;
  return *this;
}

FakeApp& FakeApp::object(std::string_view path, std::string body, Headers headers) {
  if (!headers.has("Etag")) headers.set("Etag", md5_hex(body));
  if (!headers.has("Last-Modified")) headers.set("Last-Modified", http_date(kObjectTime));
  if (!headers.has("Content-Type")) headers.set("Content-Type", "application/octet-stream");
  const auto bytes = std::make_shared<const std::string>(std::move(body));
  return on("GET", path, [bytes, headers](Request& request) {
    Response out(200);
    out.headers = headers;
    answer_conditionally(
        request, out, bytes->size(), headers.get("Etag"),
        [bytes](ByteRange range) {
          return std::make_unique<StringSource>(bytes->substr(range.first, range.length()));
        },
        "fake-boundary");
    return out;
  });
}

Response FakeApp::operator()(Request& request) const {
  FakeCall call{request.method,  request.path,     request.query,
                request.headers, request.internal, request.content_length,
                request.chunked, std::nullopt,     {},
                request.context};
  const std::string line = call.line();
  const auto number = state_->begin(call);
  if (state_->reads_bodies && request.body != nullptr) {
    call.body = read_all(request.body.get(), kMostBody);
    request.body.reset();
    if (request.context.update_footers) request.context.update_footers(call.footers);
  }
  const Function answer = state_->finish(number, std::move(call));
  if (!answer) throw std::logic_error("FakeApp: no answer was registered for " + line);
  Response out = answer(request);
  if (request.method == "HEAD") out.body.reset();
  if (out.body != nullptr)
    out.body = std::make_unique<WatchedSource<State>>(std::move(out.body), state_, line);
  return out;
}

std::vector<FakeCall> FakeApp::calls() const {
  const std::lock_guard lock(state_->mutex);
  return state_->calls;
}

FakeCall FakeApp::last() const {
  const std::lock_guard lock(state_->mutex);
  if (state_->calls.empty()) throw std::logic_error("FakeApp: nothing was asked yet");
  return state_->calls.back();
}

std::vector<std::string> FakeApp::lines() const {
  std::vector<std::string> out;
  for (const FakeCall& call : calls()) out.push_back(call.line());
  return out;
}

void FakeApp::clear_calls() {
  const std::lock_guard lock(state_->mutex);
  state_->calls.clear();
}

std::vector<std::string> FakeApp::unread_bodies() const {
  const std::lock_guard lock(state_->mutex);
  return state_->unread;
}

std::vector<std::string> FakeApp::open_bodies() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::string> out;
  for (const auto& [number, line] : state_->open) out.push_back(line);
  return out;
}

}  // namespace apus::testing
