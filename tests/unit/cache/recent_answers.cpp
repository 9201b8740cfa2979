#include <apus/local_cache.h>
#include <apus/recent_answers.h>
#include <apus/testing/host.h>
#include <doctest/doctest.h>

#include <functional>

using namespace apus;
using namespace std::chrono_literals;

namespace {

// Another process changes what is in `values`; `during` runs while a question is under way.
class Shared final : public Cache {
 public:
  explicit Shared(Clock& clock) : values(make_local_cache(clock)) {}

  std::optional<std::string> get(std::string_view key) override { return values->get(key); }
  void set(std::string_view key, std::string_view json, std::chrono::seconds ttl) override {
    values->set(key, json, ttl);
  }
  std::optional<std::int64_t> increment(std::string_view key, std::int64_t delta,
                                        std::chrono::seconds ttl) override {
    return values->increment(key, delta, ttl);
  }
  void remove(std::string_view key) override { values->remove(key); }
  std::vector<std::optional<std::string>> get_many(std::span<const std::string> keys) override {
    asked += keys.size();
    auto out = Cache::get_many(keys);
    if (during) during();
    return out;
  }

  std::unique_ptr<Cache> values;
  std::size_t asked = 0;
  std::function<void()> during;
};

struct Here {
  testing::TestHost host;
  Shared* shared = new Shared(host.clock());  // NOLINT: owned by `cache`
  std::unique_ptr<Cache> cache =
      make_recent_answers(std::unique_ptr<Cache>(shared), host.clock(), 10ms);

  std::vector<std::optional<std::string>> ask(const std::vector<std::string>& keys) {
    return cache->get_many(keys);
  }
};

using Answers = std::vector<std::optional<std::string>>;

}  // namespace

TEST_CASE("recent answers: an answer serves until it is too old, then the other's change is seen") {
  Here here;
  here.shared->values->set("a", "1", 0s);
  here.shared->values->set("b", "2", 0s);
  CHECK(here.ask({"a", "b"}) == Answers{"1", "2"});
  CHECK(here.shared->asked == 2);
  here.shared->values->set("a", "3", 0s);
  here.host.clock().sleep(9ms);
  CHECK(here.ask({"b", "a"}) == Answers{"2", "1"});
  CHECK(here.shared->asked == 2);
  here.host.clock().sleep(1ms);
  CHECK(here.ask({"a"}) == Answers{"3"});
  CHECK(here.shared->asked == 3);
}

TEST_CASE("recent answers: only what is not known is asked for, and what is absent each time") {
  Here here;
  here.shared->values->set("a", "1", 0s);
  CHECK(here.ask({"a", "gone"}) == Answers{"1", std::nullopt});
  here.shared->values->set("gone", "2", 0s);
  CHECK(here.ask({"gone", "a"}) == Answers{"2", "1"});
  CHECK(here.shared->asked == 3);
}

TEST_CASE("recent answers: a change of this process is seen at once") {
  Here here;
  here.cache->set("a", "1", 0s);
  CHECK(here.ask({"a"}) == Answers{"1"});
  here.cache->set("a", "2", 0s);
  CHECK(here.ask({"a"}) == Answers{"2"});
  CHECK(here.cache->increment("a", 5, 0s) == 7);
  CHECK(here.ask({"a"}) == Answers{"7"});
  here.cache->remove("a");
  CHECK(here.ask({"a"}) == Answers{std::nullopt});
  CHECK(here.cache->get("a") == std::nullopt);
}

TEST_CASE("recent answers: what was asked for before a change is not kept") {
  Here here;
  here.cache->set("a", "old", 0s);
  here.shared->during = [&] {
    here.shared->during = nullptr;
    here.cache->set("a", "new", 0s);
  };
  CHECK(here.ask({"a"}) == Answers{"old"});  // it came before the change
  CHECK(here.ask({"a"}) == Answers{"new"});
}
