#include "framework/pickle/flat_dict.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace apus::pickle {
namespace {

constexpr std::size_t kMaxMemo = 65536;

// What lies on the machine's stack. kCall is the tuple (text, 'latin1') that waits for its
// function.
enum class TokenKind : std::uint8_t { kValue, kCodec, kCall, kMark, kDict };
struct Token {
  TokenKind kind;
  FlatValue value{};
};

class FlatMachine {
 public:
  explicit FlatMachine(std::string_view text) : in_(text) { stack_.reserve(64); }

  std::optional<FlatDict> run() {
    if (take(2) != "\x80\x02") return std::nullopt;
    while (!wrong_) {
      const char op = take_one();
      if (op == '.') break;
      step(op);
    }
    if (wrong_ || !in_.empty() || stack_.size() != 1 || stack_[0].kind != TokenKind::kDict)
      return std::nullopt;
    return std::move(out_);
  }

 private:
  std::string_view take(std::size_t count) {
    if (count > in_.size()) {
      wrong_ = true;
      return {};
    }
    const std::string_view out = in_.substr(0, count);
    in_.remove_prefix(count);
    return out;
  }
  char take_one() {
    const std::string_view one = take(1);
    return one.empty() ? '\0' : one.front();
  }
  std::size_t little(std::size_t bytes) {
    std::size_t value = 0;
    const std::string_view raw = take(bytes);
    for (std::size_t i = raw.size(); i-- > 0;)
      value = value << 8U | static_cast<unsigned char>(raw[i]);
    return value;
  }
  std::uint64_t big(std::size_t bytes) {
    std::uint64_t value = 0;
    for (const char c : take(bytes)) value = value << 8U | static_cast<unsigned char>(c);
    return value;
  }
  void push(FlatKind kind, double number) {
    stack_.push_back({TokenKind::kValue, {kind, {}, number}});
  }
  bool ends_with(std::initializer_list<TokenKind> kinds) const {
    return stack_.size() >= kinds.size() &&
           std::equal(kinds.begin(), kinds.end(),
                      stack_.end() - static_cast<std::ptrdiff_t>(kinds.size()),
                      [](TokenKind kind, const Token& token) { return kind == token.kind; });
  }
  void require(bool good) { wrong_ = wrong_ || !good; }

  void step(char op) {
    switch (op) {
      case '}':
        require(stack_.empty());  // the one dict, at the bottom
        return stack_.push_back({TokenKind::kDict});
      case '(':
        return stack_.push_back({TokenKind::kMark});
      case 'X':
        return stack_.push_back({TokenKind::kValue, {FlatKind::kText, take(little(4))}});
      case 'G':
        return push(FlatKind::kFloat, std::bit_cast<double>(big(8)));
      case '\x88':
        return push(FlatKind::kBool, 1);
      case '\x89':
        return push(FlatKind::kBool, 0);
      case 'N':
        return stack_.push_back({TokenKind::kValue});
      case 'c': {
        constexpr std::string_view kEncode = "_codecs\nencode\n";
        require(take(kEncode.size()) == kEncode);
        return stack_.push_back({TokenKind::kCodec});
      }
      case '\x86':
        return make_call();
      case 'R':
        return make_bytes();
      case 'q':
        return keep(little(1));
      case 'r':
        return keep(little(4));
      case 'h':
        return recall(little(1));
      case 'j':
        return recall(little(4));
      case 'u':
        return set_items();
      case 's':
        return set_item();
      default:
        wrong_ = true;
    }
  }

  static bool is_text(const Token& token) {
    return token.kind == TokenKind::kValue && token.value.kind == FlatKind::kText;
  }
  void make_call() {
    require(ends_with({TokenKind::kValue, TokenKind::kValue}) && is_text(stack_.back()) &&
            stack_.back().value.utf8 == "latin1" && is_text(stack_[stack_.size() - 2]));
    if (wrong_) return;
    stack_.pop_back();
    stack_.back().kind = TokenKind::kCall;
  }
  void make_bytes() {
    require(ends_with({TokenKind::kCodec, TokenKind::kCall}));
    if (wrong_) return;
    const std::string_view utf8 = stack_.back().value.utf8;
    stack_.pop_back();
    stack_.back() = {TokenKind::kValue, {FlatKind::kBytes, utf8}};
  }
  void keep(std::size_t index) {
    require(!stack_.empty() && index <= memo_.size() && index < kMaxMemo);
    if (wrong_) return;
    if (index == memo_.size()) memo_.push_back(stack_.back());
    memo_[index] = stack_.back();
  }
  void recall(std::size_t index) {
    require(index < memo_.size() && memo_[index].kind != TokenKind::kMark &&
            memo_[index].kind != TokenKind::kDict);
    if (!wrong_) stack_.push_back(memo_[index]);
  }

  void add(const Token& key, const Token& value) {
    require(key.kind == TokenKind::kValue && key.value.is_string() &&
            value.kind == TokenKind::kValue);
    out_.emplace_back(key.value, value.value);
  }
  void set_items() {
    // Only values, the mark and the dict below it: the mark is the second token.
    require(stack_.size() >= 2 && stack_.size() % 2 == 0 && stack_[1].kind == TokenKind::kMark &&
            stack_[0].kind == TokenKind::kDict);
    if (wrong_) return;
    for (std::size_t i = 2; i < stack_.size() && !wrong_; i += 2) add(stack_[i], stack_[i + 1]);
    stack_.erase(stack_.begin() + 1, stack_.end());
  }
  void set_item() {
    require(stack_.size() == 3 && stack_[0].kind == TokenKind::kDict);
    if (wrong_) return;
    add(stack_[1], stack_[2]);
    stack_.erase(stack_.begin() + 1, stack_.end());
  }

  std::string_view in_;
  std::vector<Token> stack_;
  std::vector<Token> memo_;
  FlatDict out_;
  bool wrong_ = false;
};

}  // namespace

std::optional<FlatDict> parse_flat(std::string_view pickle) { return FlatMachine(pickle).run(); }

}  // namespace apus::pickle
