// One body on its way to servers of this process, and to others beyond it.
#pragma once

#include <apus/app.h>
#include <apus/transport.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace apus::local {

/// Counts the threads in which apps take bodies, for who must outlive them.
class Running {
 public:
  void begin();
  void end();
  /// Blocks until there are none.
  void wait_for_none();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t count_ = 0;
};

struct Board;
struct Copy;

class LocalUpload final : public Upload {
 public:
  using Find = std::function<const App*(const Endpoint&)>;
  using Enough = std::function<bool(const std::vector<std::optional<Outcome>>&)>;
  /// `beyond` may be null.
  LocalUpload(Find find, Transport* beyond, const Deadlines& deadlines,
              std::shared_ptr<Running> running);
  ~LocalUpload() override;

  std::vector<std::optional<Outcome>> open(std::vector<Call> calls) override;
  void send_whole(std::vector<Call> calls, std::string_view body) override;
  [[nodiscard]] std::size_t alive() const override;
  void write(std::span<const char> bytes) override;
  std::vector<Outcome> finish(const Enough& enough, std::chrono::milliseconds straggler) override;

 private:
  [[nodiscard]] std::shared_ptr<Copy> copy_of(Call& call) const;
  void start(const std::shared_ptr<Copy>& copy, const App& app) const;
  void open_beyond(std::vector<Call> calls, const std::vector<std::size_t>& places,
                   std::vector<std::optional<Outcome>>& out);
  /// With the board's lock.
  [[nodiscard]] std::vector<std::optional<Outcome>> so_far(
      const std::vector<std::optional<Outcome>>& beyond) const;
  void wait_for_copies(const std::vector<std::optional<Outcome>>& beyond, const Enough& enough,
                       std::chrono::milliseconds straggler);

  Find find_;
  Transport* beyond_;
  Deadlines deadlines_;
  std::shared_ptr<Running> running_;
  std::shared_ptr<Board> board_;
  std::vector<std::shared_ptr<Copy>> copies_;  // all opened ones, in order; null = the next beyond
  std::unique_ptr<Upload> upload_beyond_;
};

}  // namespace apus::local
