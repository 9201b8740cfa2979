#include <atomic>

#include "framework/testing/lint_rules.h"

namespace apus::testing {
namespace {

class LintedSource final : public Source {
 public:
  LintedSource(std::unique_ptr<Source> body, std::optional<std::uint64_t> length, Complain complain,
               std::function<void()> raise)
      : body_(std::move(body)),
        length_(length),
        complain_(std::move(complain)),
        raise_(std::move(raise)) {}

  std::size_t read(std::span<char> out) override {
    if (busy_.exchange(true)) complain_("two threads read a body at the same time");
    if (out.empty()) complain_("a body is read with room for no byte");
    if (sent_) complain_("a body is read after its file region was sent");
    std::size_t count = 0;
    try {
      count = body_->read(out);
    } catch (...) {
      busy_ = false;
      throw;
    }
    judge(out.size(), count);
    busy_ = false;
    raise_();
    return count;
  }

  std::optional<FileRegion> file_region() override {
    const auto region = body_->file_region();
    offered_ = region.has_value();
    if (region && length_ && region->length != *length_ - bytes_)
      complain_("a file region of " + std::to_string(region->length) + " bytes, where " +
                std::to_string(*length_ - bytes_) + " are left of the body");
    raise_();
    return region;
  }

  void sent() override {
    if (!offered_) complain_("`sent` for a body that has no file region");
    if (sent_) complain_("`sent` for the second time");
    sent_ = true;
    body_->sent();
    raise_();
  }

  void continue_with(const Headers& fields) override {
    if (bytes_ > 0 || ended_) complain_("`continue_with` after the first read");
    body_->continue_with(fields);
    raise_();
  }

  bool next_body() override {
    if (!ended_) complain_("`next_body` before the end of the first");
    if (!body_->next_body()) return false;
    ended_ = false;
    return true;
  }

 private:
  void judge(std::size_t room, std::size_t count) {
    bytes_ += count;
    if (count > room)
      complain_("a read gave " + std::to_string(count) + " bytes into room for " +
                std::to_string(room));
    if (ended_ && count > 0) complain_("a body gave bytes after its end");
    if (count == 0 && room > 0 && !ended_) {
      ended_ = true;
      if (length_ && bytes_ < *length_)
        complain_("a body ended after " + std::to_string(bytes_) + " of " +
                  std::to_string(*length_) + " bytes; where bytes are missing it throws BodyError");
    }
    if (length_ && bytes_ > *length_ && !too_long_) {
      too_long_ = true;
      complain_("a body gave more than its " + std::to_string(*length_) + " bytes");
    }
  }

  std::unique_ptr<Source> body_;
  std::optional<std::uint64_t> length_;
  Complain complain_;
  std::function<void()> raise_;
  std::atomic<bool> busy_ = false;
  std::uint64_t bytes_ = 0;
  bool ended_ = false;
  bool too_long_ = false;
  bool offered_ = false;
  bool sent_ = false;
};

}  // namespace

std::unique_ptr<Source> watch_body(std::unique_ptr<Source> body,
                                   std::optional<std::uint64_t> length, Complain complain,
                                   std::function<void()> raise) {
  return std::make_unique<LintedSource>(std::move(body), length, std::move(complain),
                                        std::move(raise));
}

}  // namespace apus::testing
