#include "servers/apus/sample.h"

#include <apus/audit_watcher.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <span>
#include <stdexcept>

#include "framework/conf/nearest_name.h"
#include "framework/conf/server_options.h"
#include "framework/plugin/loader.h"
#include "servers/apus/operators/object_relinker.h"
#include "servers/apus/option_page.h"
#include "servers/apus/own_confs.h"
#include "servers/apus/sample_order.h"
#include "servers/apus/sample_texts.h"

namespace apus {
namespace {

struct SampleServer {
  const char* name;
  const char* port;
  const char* about;
};

constexpr SampleServer kSampleServers[] = {
    {"proxy", "8080", "The door for clients."},
    {"account", "6202", "The accounts of this machine's devices."},
    {"container", "6201", "The containers of this machine's devices."},
    {"object", "6200", "The objects of this machine's devices."},
};

void append_option(const OptionSpec& spec, std::string& out) {
  out += "# " + std::string(spec.help) + "\n# " + std::string(spec.name) + " =" +
         option_default(spec) + "\n";
}

bool is_of_every_daemon(std::string_view option) {
  return option.starts_with("log_") || option == "swift_dir" || option == "plugin_path" ||
         option == "strict_config";
}

std::string own_sample(const OwnConf& own) {
  const std::string name(own.daemon);
  std::string out = sample_head(own.about, name + ".conf");
  out += "\n[DEFAULT]\n";
  for (const OptionSpec& spec : server_options_of(false)) {
    if (is_of_every_daemon(spec.name)) append_option(spec, out);
  }
  out += "\n[" + name + "]\n";
  PluginLoader loader;
  const Descriptor& plugin = loader.load(name, PluginKind::kDaemon);
  for (const OptionSpec& spec : std::span(plugin.options, plugin.option_count))
    append_option(spec, out);
  return own.asks ? out + std::string(kDaemonPipeline) : out;
}

class ServerSample {
 public:
  explicit ServerSample(const SampleServer& server)
      : server_(server), proxy_(std::string_view(server.name) == "proxy") {}

  std::string text() {
    const std::string file = std::string(server_.name) + "-server.conf";
    out_ = sample_head(server_.about, file);
    out_ += "\n[DEFAULT]\n";
    for (const OptionSpec& spec : server_options_of(!proxy_)) add_option(spec);
    pipeline();
    out_ +=
        "\n[app:" + std::string(server_.name) + "-server]\nuse = egg:swift#" + server_.name + "\n";
    add_options(server_.name, PluginKind::kApp);
    sections();
    daemons();
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::span<const SamplePlace> places() const {
    return proxy_ ? proxy_places() : storage_places();
  }

  void add_option(const OptionSpec& spec) {
    if (std::string_view(spec.name) == "*") return;  // takes any name: nothing to show
    const bool family = std::string_view(spec.name).find('*') != std::string_view::npos;
    out_ += "# " + std::string(spec.help) + "\n";
    if (std::string_view(spec.name) == "bind_port") {
      out_ += "bind_port = " + std::string(server_.port) + "\n";
    } else {
      out_ += "# " + std::string(spec.name) + " =" + option_default(spec) + "\n";
    }
    if (family) out_ += "# (the '*' stands for a name of your own)\n";
  }

  void add_options(const std::string& plugin, PluginKind kind) {
    const Descriptor& descriptor = loader_.load(plugin, kind);
    for (const OptionSpec& spec : std::span(descriptor.options, descriptor.option_count))
      add_option(spec);
  }

  void pipeline() {
    std::string order;
    out_ += "\n# The order, the client's side first:\n";
    for (const SamplePlace& place : places()) {
      if (!place.stands || !loader_.has(std::string(place.plugin))) continue;
      out_ += "#   " + std::string(place.section) + ": " + std::string(place.reason) + "\n";
      order += std::string(place.section) + " ";
    }
    out_ += "[pipeline:main]\npipeline = " + order + server_.name + "-server\n";
  }

  void section(const std::string& name, const std::string& plugin, const std::string& where) {
    out_ += "\n" + where + "[filter:" + name + "]\nuse = egg:swift#" + plugin + "\n";
    add_options(plugin, PluginKind::kFilter);
  }

  void sections() {
    std::set<std::string, std::less<>> done;
    for (const SamplePlace& place : places()) {
      const std::string plugin(place.plugin);
      if (!loader_.has(plugin) || !done.insert(plugin).second) continue;
      section(std::string(place.section), plugin,
              place.stands ? "" : "# Place: " + std::string(place.reason) + ".\n");
    }
    if (!proxy_) return;
    for (const std::string& plugin : plugins_of_kind(loader_, PluginKind::kFilter)) {
      const bool storage = std::any_of(storage_places().begin(), storage_places().end(),
                                       [&](const SamplePlace& p) { return p.plugin == plugin; });
      if (!storage && done.insert(plugin).second) section(plugin, plugin, "");
    }
  }

  // A daemon "object-replicator" or "object_replicator" has the section [object-replicator].
  void daemons() {
    for (const std::string& plugin : plugins_of_kind(loader_, PluginKind::kDaemon)) {
      std::string name = plugin;
      std::replace(name.begin(), name.end(), '_', '-');
      if (!name.starts_with(std::string(server_.name) + "-") ||
          own_conf(std::string_view(name)) != nullptr)
        continue;
      out_ += "\n[" + name + "]\n";
      add_options(plugin, PluginKind::kDaemon);
    }
    if (std::string_view(server_.name) != "object") return;
    for (const std::string& plugin : plugins_of_kind(loader_, kWatcherPlugin)) {
      out_ += "\n[object-auditor:watcher:" + plugin + "]\n";
      add_options(plugin, kWatcherPlugin);
    }
    out_ += "\n[object-relinker]\n";
    for (const OptionSpec& spec : relinker_options()) add_option(spec);
  }

  const SampleServer& server_;
  bool proxy_;
  PluginLoader loader_;
  std::string out_;
};

}  // namespace

std::vector<std::string> sample_list() {
  std::vector<std::string> out;
  for (const SampleServer& server : kSampleServers)
    out.push_back(std::string(server.name) + "-server.conf");
  for (const OwnConf& own : kOwnConfs) out.push_back(std::string(own.daemon) + ".conf");
  for (const SampleText& text : sample_texts()) out.emplace_back(text.name);
  out.emplace_back("options.md");
  return out;
}

std::string sample_names() {
  std::string out;
  for (const std::string& name : sample_list()) out += (out.empty() ? "" : ", ") + name;
  return out;
}

std::string sample_conf(const std::string& name) {
  for (const SampleServer& server : kSampleServers) {
    if (name == std::string(server.name) + "-server.conf") return ServerSample(server).text();
  }
  for (const OwnConf& own : kOwnConfs) {
    if (name == std::string(own.daemon) + ".conf") return own_sample(own);
  }
  for (const SampleText& text : sample_texts()) {
    if (name == text.name) return sample_text(text);
  }
  if (name == "options.md") return option_page();
  const std::string near = nearest_name(name, sample_list());
  throw std::invalid_argument("--sample " + name + ": expected one of " + sample_names() +
                              (near.empty() ? "" : "; did you mean " + near + "?"));
}

void write_samples(const std::filesystem::path& top) {
  for (const std::string& name : sample_list()) {
    const std::filesystem::path path =
        name.ends_with(".md") ? top / "doc" / name : top / "etc" / (name + "-sample");
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << sample_conf(name);
    out.close();
    if (!out) throw std::runtime_error("cannot write " + path.string());
  }
}

}  // namespace apus
