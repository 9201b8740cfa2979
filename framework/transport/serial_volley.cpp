// The plain form of a volley: each call is made when somebody waits for it.
#include <apus/transport.h>

#include <deque>

namespace apus {
namespace {

class SerialVolley final : public Volley {
 public:
  SerialVolley(Transport& transport, const Deadlines& deadlines)
      : transport_(transport), deadlines_(deadlines) {}

  std::size_t add(Call call) override {
    calls_.push_back(std::move(call));
    return next_ + calls_.size() - 1;
  }
  [[nodiscard]] std::size_t under_way() const override { return calls_.size(); }
  std::optional<Done> wait(std::optional<std::chrono::milliseconds> /*longest*/) override {
    if (calls_.empty()) return std::nullopt;
    Call call = std::move(calls_.front());
    calls_.pop_front();
    return Done{next_++, transport_.call(std::move(call), deadlines_)};
  }

 private:
  Transport& transport_;
  Deadlines deadlines_;
  std::deque<Call> calls_;
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Volley> Transport::volley(const Deadlines& deadlines) {
  return std::make_unique<SerialVolley>(*this, deadlines);
}

}  // namespace apus
