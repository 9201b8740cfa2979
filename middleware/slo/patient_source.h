// The body of an answer that is on its way while the work is done.
#pragma once

#include <apus/source.h>

#include <memory>
#include <string>

#include "middleware/slo/rules.h"

namespace apus::slo {

/// Work in steps that a blank can come between. One thread at a time.
class Work {
 public:
  Work() = default;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  virtual ~Work();

  /// False when there is no more to do.
  virtual bool step() = 0;
  /// The last piece of the body: what became of it.
  virtual std::string finish_as_text() = 0;
};

/// White space as often as yield_frequency asks for while the work goes on, then its last piece.
/// `rules` outlive it.
class PatientSource final : public Source {
 public:
  /// `blank` is what stands for the first white space; with `at_once` it is sent before any work.
  PatientSource(std::unique_ptr<Work> work, const Rules& rules, std::string blank, bool at_once);
  ~PatientSource() override;
  std::size_t read(std::span<char> out) override;

 private:
  void go_on();

  std::unique_ptr<Work> work_;
  const Rules& rules_;
  std::string blank_;
  bool at_once_;
  bool begun_ = false;
  double last_;
  std::string text_;
};

}  // namespace apus::slo
