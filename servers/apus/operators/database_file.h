// Databases as the tools open them: by the path of one file.
#pragma once

#include <apus/swift_conf.h>

#include <memory>
#include <string>

#include "framework/host/real_time.h"
#include "framework/store/db/broker.h"

namespace apus {

/// What a broker needs, for as long as the tool runs.
struct ToolServices {
  explicit ToolServices(const SwiftConf& swift_conf, const std::string& level = "ERROR");
  BrokerServices get();

  SwiftConf conf;
  std::unique_ptr<Logger> log;
  RealClock clock;
  RealEntropy entropy;
  DatabasePool connections;
};

/// A file that lies as databases do, DEVICE/KINDs/PARTITION/SUFFIX/HASH/HASH[_EPOCH].db, is read
/// with its pending rows and its sister files (`file` is empty); any other by itself.
struct DatabaseFile {
  DatabasePlace place;
  std::string file;
};
DatabaseFile database_file(const std::string& path);

}  // namespace apus
