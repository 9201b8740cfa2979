// `apus object-info`: what a .data, .ts or .meta file of a device holds, and whether it is whole.
#include <apus/digest.h>
#include <apus/json.h>
#include <apus/text.h>
#include <apus/timestamp.h>
#include <fcntl.h>

#include <filesystem>
#include <iostream>
#include <map>

#include "framework/conf/swift_conf_reader.h"
#include "framework/store/object/metadata.h"
#include "servers/apus/operators/indented_json.h"
#include "servers/apus/operators/metadata_groups.h"
#include "servers/apus/operators/operators.h"
#include "servers/apus/operators/ring_locations.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

struct InfoArguments {
  Words words;
  std::string swift_dir = "/etc/swift";
  std::string policy;
  bool no_check_etag = false;
  bool drop_prefixes = false;
};

struct ObjectPath {
  std::string account;
  std::string container;
  std::string object;
};

// "/a/c/o"; throws when it is not that.
ObjectPath path_of(const std::string& name) {
  const std::size_t container = name.find('/', 1);
  const std::size_t object =
      container == std::string::npos ? container : name.find('/', container + 1);
  if (!name.starts_with('/') || object == std::string::npos)
    throw std::runtime_error("Path is invalid for object " + python_repr(name));
  return {name.substr(1, container - 1), name.substr(container + 1, object - container - 1),
          name.substr(object + 1)};
}

using Group = std::map<std::string, std::string>;

void print_group(const char* title, const Group& group) {
  std::cout << title << "\n";
  if (group.empty()) std::cout << "  No metadata found\n";
  for (const auto& [name, value] : group) std::cout << "  " << name << ": " << value << "\n";
}

void print_crypto(const char* title, const Group& group, const char* name) {
  const auto at = group.find(name);
  if (at == group.end()) return;
  const auto meta = Json::parse(unquote_plus(at->second));
  if (!meta || meta->object() == nullptr)
    throw std::runtime_error(std::string(name) + " is no JSON object");
  std::cout << title << ": ";
  std::cout << indented_json(*meta) << "\n";
}

void print_name(const SwiftConf& conf, const std::string& name) {
  if (name.empty()) {
    std::cout << "Path: Not found in metadata\n";
    return;
  }
  const ObjectPath path = path_of(name);
  std::cout << "Path: " << name << "\n  Account: " << path.account
            << "\n  Container: " << path.container << "\n  Object: " << path.object
            << "\n  Object hash: " << conf.hash_path(path.account, path.container, path.object)
            << "\n";
}

void print_metadata(const SwiftConf& conf, ObjectMetadata metadata, bool drop_prefixes) {
  const auto take = [&](const char* name) {
    std::string value(metadata.get(name));
    metadata.erase(name);
    return value;
  };
  print_name(conf, take("name"));
  const std::string type = take("Content-Type");
  std::cout << "Content-Type: " << (type.empty() ? "Not found in metadata" : type) << "\n";
  const auto when = Timestamp::parse(take("X-Timestamp"));
  if (when && !when->is_zero()) {
    std::cout << "Timestamp: " << when->isoformat() << " (" << when->internal() << ")\n";
  } else {
    std::cout << "Timestamp: Not found in metadata\n";
  }
  std::map<MetadataGroup, Group> groups;
  for (const auto& [stored, value] : metadata) {
    std::string name = stored;
    const MetadataGroup group = group_of("object", drop_prefixes, name);
    groups[group][name] = value;
  }
  print_group("System Metadata:", groups[MetadataGroup::kSystem]);
  print_group("Transient System Metadata:", groups[MetadataGroup::kTransientSystem]);
  print_group("User Metadata:", groups[MetadataGroup::kUser]);
  print_group("Other Metadata:", groups[MetadataGroup::kOther]);
  print_crypto("Data crypto details", groups[MetadataGroup::kSystem],
               "X-Object-Sysmeta-Crypto-Body-Meta");
  print_crypto("Metadata crypto details", groups[MetadataGroup::kTransientSystem],
               "X-Object-Transient-Sysmeta-Crypto-Meta");
}

// MD5 of all that the file holds.
std::string digest_of(Disk& disk, int fd, const std::string& file) {
  Digest digest(DigestKind::kMd5);
  std::string buffer(65536, '\0');
  std::uint64_t offset = 0;
  while (true) {
    const ssize_t count = disk.pread(fd, buffer, offset);
    if (count < 0) throw std::system_error(errno, std::generic_category(), file);
    if (count == 0) return digest.finish_hex();
    digest.update(std::string_view(buffer).substr(0, static_cast<std::size_t>(count)));
    offset += static_cast<std::uint64_t>(count);
  }
}

void print_etag(const std::string& etag, const std::optional<std::string>& found) {
  if (!found) {
    std::cout << "ETag: " << etag << " (not checked)\n";
  } else if (etag.empty()) {
    std::cout << "ETag: Not found in metadata\n";
  } else if (etag == *found) {
    std::cout << "ETag: " << etag << " (valid)\n";
  } else {
    std::cout << "ETag: " << etag << " doesn't match file hash of " << *found << "!\n";
  }
}

void print_length(const std::string& length, std::int64_t found) {
  if (length.empty()) {
    std::cout << "Content-Length: Not found in metadata\n";
  } else if (parse_int(length) == found) {
    std::cout << "Content-Length: " << length << " (valid)\n";
  } else {
    std::cout << "Content-Length: " << length << " doesn't match file length of " << found << "\n";
  }
}

// The policy whose folder the file lies in; 0 when its path names none.
int policy_of_path(const SwiftConf& conf, const std::string& file) {
  const std::string path = fs::absolute(file).lexically_normal().string();
  const std::size_t start = path.rfind("objects");
  if (start == std::string::npos) return 0;
  const std::string folder = path.substr(start, path.find('/', start) - start);
  const auto index =
      folder.size() > 8 && folder[7] == '-' ? parse_digits(folder.substr(8)) : std::nullopt;
  return index && conf.policy(static_cast<int>(*index)) != nullptr ? static_cast<int>(*index) : 0;
}

struct ObjectRing {
  std::shared_ptr<const Ring> ring;
  int policy = 0;
  int folder = 0;  ///< the policy that the folder's name is of
};

ObjectRing ring_of(const SwiftConf& conf, const InfoArguments& arguments, const std::string& file) {
  ObjectRing out;
  out.policy = out.folder = policy_of_path(conf, file);
  const auto find = [&](int index) {
    const StoragePolicy* policy = conf.policy(index);
    return find_ring(arguments.swift_dir,
                     policy == nullptr ? "object" : policy->directory("object"));
  };
  out.ring = find(out.policy);
  const StoragePolicy* named = conf.policy(std::string_view(arguments.policy));
  if (arguments.policy.empty() || named == nullptr) return out;
  if (named->index != out.policy) {
    std::cout << "Warning: Ring does not match policy!\n"
                 "Double check your policy name!\n";
  }
  if (out.ring == nullptr && named->index != 0) {
    out.ring = find(named->index);
    out.folder = named->index;
  }
  return out;
}

int print_object(const InfoArguments& arguments, const std::string& file) {
  const SwiftConf conf = load_swift_conf(arguments.swift_dir);
  Disk& disk = real_disk();
  const Fd fd(disk, disk.open(file, O_RDONLY));
  if (!fd && errno == ENOENT) {
    std::cout << "Data file doesn't exist\n";
    return 1;
  }
  struct stat info {};
  if (!fd || disk.fstat(fd.get(), info) != 0)
    throw std::system_error(errno, std::generic_category(), file);
  const ObjectRing where = ring_of(conf, arguments, file);
  ObjectMetadata metadata;
  if (read_metadata(disk, fd.get(), metadata) != XattrResult::kGood || metadata.empty()) {
    std::cout << "Invalid metadata\n";
    return 1;
  }
  const std::string etag(metadata.get("ETag"));
  const std::string length(metadata.get("Content-Length"));
  const std::string name(metadata.get("name"));
  metadata.erase("ETag");
  metadata.erase("Content-Length");
  print_metadata(conf, metadata, arguments.drop_prefixes);
  print_etag(etag, arguments.no_check_etag ? std::nullopt
                                           : std::optional(digest_of(disk, fd.get(), file)));
  print_length(length, info.st_size);
  const ObjectPath path = path_of(name);
  if (where.ring == nullptr) return 0;
  LocationQuery query;
  query.account = path.account;
  query.container = path.container;
  query.object = path.object;
  query.folder = where.folder == 0 ? "objects" : "objects-" + std::to_string(where.folder);
  query.policy = where.policy;
  print_ring_locations(std::cout, *where.ring, &conf, query);
  return 0;
}

}  // namespace

Command add_object_info(CLI::App& apus) {
  auto arguments = std::make_shared<InfoArguments>();
  CLI::App* parser =
      apus.add_subcommand("object-info", "what an object's file holds, and whether it is whole");
  arguments->words.declare(*parser, {{"FILE", "a .data, .meta or .ts"}});
  parser->add_flag("-n,--no-check-etag", arguments->no_check_etag, "the content is not read");
  parser->add_option("-d,--swift-dir", arguments->swift_dir, "where swift.conf and the rings lie");
  parser->add_flag("--drop-prefixes", arguments->drop_prefixes,
                   "names of metadata without what all of their kind start with");
  parser->add_option("-P,--policy-name", arguments->policy, "the policy whose ring is meant");
  return {parser, [arguments, parser] {
            const auto words = arguments->words.given();
            if (words.size() == 1) return print_object(*arguments, words.front());
            std::cout << parser->help();
            return 0;
          }};
}

}  // namespace apus
