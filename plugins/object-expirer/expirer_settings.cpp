#include "plugins/object-expirer/expirer_settings.h"

#include <apus/text.h>

#include <filesystem>
#include <stdexcept>

#include "framework/conf/ini_file.h"
#include "framework/conf/server_options.h"

namespace apus {
namespace {

constexpr std::string_view kDelay = "delay_reaping_";

// object-expirer.conf, or the folder object-expirer.conf.d.
bool is_of_expirer_alone(const std::filesystem::path& file) {
  return file.filename().string().find("expirer") != std::string::npos;
}

// A daemon's options have lower-case names, but accounts have not: the file says how they are.
std::map<std::string, std::string> names_as_written(const std::string& file,
                                                    const std::string& section) {
  std::map<std::string, std::string> out;
  if (file.empty()) return out;
  std::vector<ConfProblem> ignored;
  const ConfFile conf = read_conf(file, ignored);
  for (const char* part : {"DEFAULT", section.c_str()}) {
    const ConfSection* found = conf.find(part);
    if (found == nullptr) continue;
    for (const ConfOption& option : found->options) out[lower(option.name)] = option.name;
  }
  return out;
}

std::string text_or(const Options& options, const char* name, const std::string& otherwise) {
  const auto value = options.find(name);
  return value && !value->empty() ? *value : otherwise;
}

}  // namespace

ExpirerSettings::ExpirerSettings(const Options& options, const SwiftConf& conf)
    : interval(options.seconds("interval")),
      report_interval(options.number("report_interval")),
      concurrency(static_cast<std::size_t>(options.integer("concurrency"))),
      tasks_per_second(options.number("tasks_per_second")),
      dequeues(options.flag("dequeue_from_legacy")),
      processes(options.integer("processes")),
      process(options.integer("process")),
      reclaim_age(options.number("reclaim_age")),
      request_tries(options.integer("request_tries")),
      round_robin(static_cast<std::size_t>(options.integer("round_robin_task_cache_size"))),
      client_conf(options.text("internal_client_conf_path")),
      account(text_or(options, "auto_create_account_prefix",
                      conf.constraints.auto_create_account_prefix) +
              text_or(options, "expiring_objects_account_name", "expiring_objects")),
      recon_folder(options.text("recon_cache_path")) {
  if (processes > 0 && process >= processes)
    throw std::runtime_error("process must be less than processes");
  const std::string file = options.find(kConfFileOption).value_or("");
  // A conf of the expirer alone is the internal client's too, and says that it has the queue.
  if (is_of_expirer_alone(file)) {
    dequeues = true;
    client_conf = file;
  }
  const auto written = names_as_written(file, options.name());
  for (const auto& [name, value] : options.family(kDelay)) {
    const auto as = written.find(name);
    const std::string& full = as == written.end() ? name : as->second;
    delays_[unquote(full.substr(kDelay.size()))] = options.number(name);
  }
}

double ExpirerSettings::delay_of(const std::string& account_name,
                                 const std::string& container) const {
  auto at = delays_.find(account_name + "/" + container);
  if (at == delays_.end()) at = delays_.find(account_name);
  return at == delays_.end() ? 0 : at->second;
}

}  // namespace apus
