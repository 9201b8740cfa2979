// Servers of this process and others in one upload or volley.
#include <apus/testing/fake_app.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>

#include "framework/transport/local_transport.h"

using namespace apus;
using namespace apus::testing;
using std::chrono::milliseconds;

namespace {

const Deadlines kPatient{milliseconds(1000), milliseconds(10000)};
const auto kAll = [](const auto&) { return false; };

Call put(const std::string& ip) {
  Call out{{ip, 1}, Request("PUT", "/d/1/a/c/o")};
  out.request.chunked = true;
  return out;
}

Response stored(Request& request) {
  Response out(201);
  out.headers.set("X-Body", read_all(request.body.get(), 1U << 24U));
  return out;
}

// Opens when told.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

Call call_to(std::string ip) {
  Call out;
  out.endpoint = {std::move(ip), 1};
  out.request = Request("GET", "/d/1/a");
  return out;
}

}  // namespace

TEST_CASE("local and remote copies take one body") {
  const FunctionApp there(stored);
  const FunctionApp here(stored);
  LocalTransport beyond;
  beyond.add({"there", 1}, there);
  LocalTransport transport(&beyond);
  transport.add({"here", 1}, here);
  const auto upload = transport.upload(kPatient);
  std::vector<Call> calls;
  for (const char* ip : {"here", "there", "nowhere", "here"}) calls.push_back(put(ip));
  const auto opened = upload->open(std::move(calls));
  REQUIRE(opened.size() == 4);
  CHECK_FALSE(opened[0]);
  CHECK_FALSE(opened[1]);
  REQUIRE(opened[2]);
  CHECK(opened[2]->error->kind() == TransportError::Kind::kConnect);
  CHECK(upload->alive() == 3);
  for (const std::string piece : {"one", "two", ""}) upload->write(piece);
  const auto outcomes = upload->finish(kAll, milliseconds(0));
  REQUIRE(outcomes.size() == 3);
  for (const auto& outcome : outcomes) {
    REQUIRE(outcome.response);
    CHECK(outcome.response->headers.get("X-Body") == "onetwo");
  }
}

TEST_CASE("a short body reaches local and remote copies whole, and outcomes keep their order") {
  const FunctionApp there(stored);
  const FunctionApp here(stored);
  const FunctionApp full([](Request&) { return error_response(507); });
  LocalTransport beyond;
  beyond.add({"there", 1}, there);
  LocalTransport transport(&beyond);
  transport.add({"here", 1}, here);
  transport.add({"full", 1}, full);
  const auto upload = transport.upload(kPatient);
  std::vector<Call> calls;
  for (const char* ip : {"full", "here", "there", "nowhere", "here"}) calls.push_back(put(ip));
  upload->send_whole(std::move(calls), "short");
  const auto outcomes = upload->finish(kAll, milliseconds(0));
  REQUIRE(outcomes.size() == 5);
  CHECK(outcomes[0].response->status == 507);
  REQUIRE(outcomes[3].error);
  CHECK(outcomes[3].error->kind() == TransportError::Kind::kConnect);
  for (const std::size_t i : {1U, 2U, 4U}) {
    REQUIRE(outcomes[i].response);
    CHECK(outcomes[i].response->headers.get("X-Body") == "short");
  }
}

TEST_CASE("an app that refuses before the body is known at once") {
  const FunctionApp full([](Request&) { return error_response(507); });
  const FunctionApp broken([](Request&) -> Response { throw std::runtime_error("no"); });
  LocalTransport transport;
  transport.add({"full", 1}, full);
  transport.add({"broken", 1}, broken);
  const auto upload = transport.upload(kPatient);
  std::vector<Call> calls;
  calls.push_back(put("full"));
  calls.push_back(put("broken"));
  const auto opened = upload->open(std::move(calls));
  REQUIRE(opened[0]);
  CHECK(opened[0]->response->status == 507);
  REQUIRE(opened[1]);
  CHECK(opened[1]->error->kind() == TransportError::Kind::kReset);
  CHECK(upload->alive() == 0);
  CHECK(upload->finish(kAll, milliseconds(0)).empty());
}

TEST_CASE("a copy that stalls is dropped and does not hold up the others") {
  Gate gate;
  const FunctionApp stalled([&](Request& request) {
    char byte = 0;
    request.body->read({&byte, 1});
    gate.wait();
    return Response(201);
  });
  const FunctionApp good(stored);
  LocalTransport transport;
  transport.add({"stalled", 1}, stalled);
  transport.add({"good", 1}, good);
  {
    const auto upload = transport.upload({milliseconds(100), milliseconds(50)});
    std::vector<Call> calls;
    calls.push_back(put("stalled"));
    calls.push_back(put("good"));
    upload->open(std::move(calls));
    std::string sent;
    for (int i = 0; i < 40; ++i) {
      upload->write(std::string(1000, 'x'));
      sent += std::string(1000, 'x');
    }
    CHECK(upload->alive() == 1);
    const auto outcomes = upload->finish(kAll, milliseconds(0));
    REQUIRE(outcomes.size() == 2);
    REQUIRE(outcomes[0].error);
    CHECK(outcomes[0].error->kind() == TransportError::Kind::kTimeout);
    CHECK(outcomes[1].response->headers.get("X-Body") == sent);
  }
  gate.open();
  transport.settle();
}

TEST_CASE("once enough have answered, the last has a short time") {
  Gate gate;
  const FunctionApp slow([&](Request& request) {
    read_all(request.body.get(), 100);
    gate.wait();
    return Response(201);
  });
  const FunctionApp good(stored);
  LocalTransport transport;
  transport.add({"slow", 1}, slow);
  transport.add({"good", 1}, good);
  const auto upload = transport.upload(kPatient);
  std::vector<Call> calls;
  calls.push_back(put("slow"));
  calls.push_back(put("good"));
  upload->open(std::move(calls));
  upload->write(std::string("x"));
  const auto outcomes = upload->finish(
      [](const auto& so_far) { return so_far[1] && so_far[1]->response->status == 201; },
      milliseconds(10));
  CHECK(outcomes[0].error->kind() == TransportError::Kind::kLeft);
  CHECK(outcomes[1].response->status == 201);
  gate.open();
}

TEST_CASE("an upload that is given up breaks the bodies of its copies") {
  Gate done;
  std::optional<BodyError::Kind> kind;
  const FunctionApp app([&](Request& request) -> Response {
    try {
      read_all(request.body.get(), 100);
    } catch (const BodyError& error) {
      kind = error.kind();
    }
    done.open();
    return Response(499);
  });
  LocalTransport transport;
  transport.add({"a", 1}, app);
  {
    const auto upload = transport.upload(kPatient);
    std::vector<Call> calls;
    calls.push_back(put("a"));
    upload->open(std::move(calls));
    upload->write(std::string("half"));
  }
  done.wait();
  transport.settle();
  CHECK(kind == BodyError::Kind::kDisconnect);
}

TEST_CASE("a volley has each outcome once, by number") {
  const FunctionApp there([](Request&) { return Response(202); });
  const FunctionApp here([](Request&) { return Response(200); });
  LocalTransport beyond;
  beyond.add({"there", 1}, there);
  LocalTransport transport(&beyond);
  transport.add({"here", 1}, here);
  const auto volley = transport.volley(kPatient);
  for (const char* ip : {"there", "here", "nowhere"}) volley->add(call_to(ip));
  CHECK(volley->under_way() == 3);
  std::vector<int> statuses(4, -1);
  while (auto done = volley->wait(std::nullopt)) {
    statuses.at(done->number) = done->outcome.response ? done->outcome.response->status : 0;
    if (done->number == 1) volley->add(call_to("here"));
  }
  CHECK(statuses == std::vector<int>{202, 200, 0, 200});
  CHECK(volley->under_way() == 0);
}
