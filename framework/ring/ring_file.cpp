#include "framework/ring/ring_file.h"

#include <apus/json.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "framework/pickle/pickle.h"

namespace apus {
namespace {

constexpr std::size_t kMaxRing = 8ULL << 30U;
constexpr std::size_t kMaxJson = 256U << 20U;

[[noreturn]] void broken(const std::string& name, const std::string& what) {
  throw std::runtime_error(name + ": is not a usable ring: " + what);
}

struct GzipClose {
  void operator()(gzFile_s* file) const { gzclose(file); }
};

std::string inflate_file(const std::string& path) {
  const std::unique_ptr<gzFile_s, GzipClose> file(gzopen(path.c_str(), "rb"));
  if (file == nullptr) throw std::system_error(errno, std::generic_category(), path);
  std::string out;
  std::array<char, 1U << 16U> piece;
  while (true) {
    const int count = gzread(file.get(), piece.data(), piece.size());
    if (count < 0) broken(path, "its gzip stream is damaged");
    if (count == 0) break;
    out.append(piece.data(), static_cast<std::size_t>(count));
    if (out.size() > kMaxRing) broken(path, "it is larger than 8 GiB");
  }
  int error = Z_OK;
  gzerror(file.get(), &error);
  if (error != Z_OK) broken(path, "its gzip stream is cut short");
  return out;
}

class Cursor {
 public:
  Cursor(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}
  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size()) broken(name_, "it is cut short");
    const std::string_view out = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return out;
  }
  std::uint64_t big(std::size_t width) {
    std::uint64_t value = 0;
    for (const char c : take(width)) value = value << 8U | static_cast<unsigned char>(c);
    return value;
  }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
  const std::string& name_;
};

int int_of(const Json& device, std::string_view key, int fallback) {
  const Json* value = device.find(key);
  if (value == nullptr) return fallback;
  const auto number = value->number();
  if (!number || *number < -1 || *number > 2e9) return fallback;
  return static_cast<int>(*number);
}

std::optional<RingDevice> device_of(const Json& json, int id, const std::string& name) {
  if (json.is_null()) return std::nullopt;
  if (json.object() == nullptr) broken(name, "device " + std::to_string(id) + " is no object");
  RingDevice out;
  out.id = int_of(json, "id", id);
  if (out.id != id) broken(name, "device " + std::to_string(id) + " has another id inside");
  out.region = int_of(json, "region", 1);
  out.zone = int_of(json, "zone", 0);
  out.ip = json.text_at("ip");
  out.port = int_of(json, "port", 0);
  out.replication_ip = json.text_at("replication_ip");
  if (out.replication_ip.empty()) out.replication_ip = out.ip;
  out.replication_port = int_of(json, "replication_port", out.port);
  out.device = json.text_at("device");
  if (const Json* weight = json.find("weight")) out.weight = weight->number().value_or(0);
  out.meta = json.text_at("meta");
  if (out.device.empty() || out.device.find('/') != std::string::npos) {
    broken(name, "device " + std::to_string(id) + " has no usable device name");
  }
  return out;
}

void take_devices(RingData& out, const Json* devices, const std::string& name) {
  if (devices == nullptr || devices->array() == nullptr) broken(name, "it has no list of devices");
  int id = 0;
  // Rows keep ids in two bytes, whatever the file has.
  if (devices->array()->size() > 0x10000) broken(name, "it has more than 65536 devices");
  for (const Json& device : *devices->array()) out.devices.push_back(device_of(device, id++, name));
}

int required_int(const Json& meta, std::string_view key, int low, int high,
                 const std::string& name) {
  const int value = int_of(meta, key, low - 1);
  if (value < low || value > high) broken(name, std::string(key) + " is missing or out of range");
  return value;
}

void take_rows(RingData& out, std::string_view bytes, std::size_t width, bool big_endian,
               const std::string& name) {
  const std::size_t parts = std::size_t{1} << static_cast<unsigned>(32 - out.part_shift);
  if (bytes.size() % width != 0) broken(name, "its assignments are cut in the middle of one");
  std::size_t left = bytes.size() / width;
  std::size_t at = 0;
  while (left > 0) {
    auto& row = out.rows.emplace_back(std::min(parts, left));
    for (std::uint16_t& id : row) {
      std::uint32_t value = 0;
      for (std::size_t i = 0; i < width; ++i) {
        const std::size_t index = big_endian ? at + i : at + width - 1 - i;
        value = value << 8U | static_cast<unsigned char>(bytes[index]);
      }
      at += width;
      if (value >= out.devices.size() || !out.devices[value]) {
        broken(name, "a partition is assigned to device " + std::to_string(value) +
                         ", which is not there");
      }
      id = static_cast<std::uint16_t>(value);
    }
    left -= row.size();
  }
  if (out.rows.empty() || out.rows.front().size() != parts)
    broken(name, "its first replica is not complete");
}

// What both versions say of the ring as a whole.
RingData start_ring(const Json& meta, const std::string& name) {
  RingData out;
  out.part_shift = required_int(meta, "part_shift", 0, 32, name);
  if (const Json* version = meta.find("version");
      version != nullptr && version->integer() != nullptr)
    out.version = *version->integer();
  if (const Json* next = meta.find("next_part_power");
      next != nullptr && next->integer() != nullptr) {
    out.next_part_power = static_cast<int>(*next->integer());
  }
  return out;
}

Json take_metadata(Cursor& in, std::uint64_t size, const std::string& name) {
  auto meta = Json::parse(in.take(size), kMaxJson);
  if (!meta || meta->object() == nullptr) broken(name, "its metadata is no JSON object");
  return std::move(*meta);
}

RingData parse_v1(Cursor& in, const std::string& name) {
  const Json meta = take_metadata(in, in.big(4), name);
  RingData out = start_ring(meta, name);
  take_devices(out, meta.find("devs"), name);
  const int replicas = required_int(meta, "replica_count", 1, 1000, name);
  const std::size_t row = (std::size_t{1} << static_cast<unsigned>(32 - out.part_shift)) * 2;
  // The last row may be short: it is what is left.
  const std::string_view all =
      in.take(std::min(in.size(), row * static_cast<std::size_t>(replicas)));
  const bool big = meta.text_at("byteorder") == "big";
  take_rows(out, all, 2, big, name);
  if (out.rows.size() != static_cast<std::size_t>(replicas))
    broken(name, "it has fewer replicas than it says");
  return out;
}

RingData parse_v2(Cursor& in, const std::string& name) {
  // Sections follow each other; the names are in the index, their order is fixed.
  const Json meta = take_metadata(in, in.big(8), name);
  RingData out = start_ring(meta, name);
  const int width = required_int(meta, "dev_id_bytes", 2, 4, name);
  const auto devices = Json::parse(in.take(in.big(8)), kMaxJson);
  take_devices(out, devices ? &*devices : nullptr, name);
  take_rows(out, in.take(in.big(8)), static_cast<std::size_t>(width), true, name);
  return out;
}

// Of releases before 1.7: a pickle, and no checks beside those of the others.
Json device_json(const pickle::Value& device) {
  Json out;
  if (device.dict() == nullptr) return out;
  for (const auto& [key, value] : device.dict()->items) {
    if (key->string() == nullptr) continue;
    if (value->string() != nullptr) {
      out.set(*key->string(), *value->string());
    } else if (const auto whole = value->integer()) {
      out.set(*key->string(), *whole);
    } else if (const auto* real = std::get_if<double>(&value->data)) {
      out.set(*key->string(), *real);
    }
  }
  return out;
}

RingData parse_v0(std::string_view bytes, const std::string& name) {
  const pickle::Ref root = pickle::parse(bytes, pickle::ListsOfIntegers::kPacked);
  const auto find = [&](const char* key, const char* attribute) {
    const pickle::Value* value = root == nullptr ? nullptr : root->find(key);
    if (value == nullptr && root != nullptr) value = root->find(attribute);
    if (value == nullptr) broken(name, std::string("its pickle has no ") + key);
    return value;
  };
  RingData out;
  const auto shift = find("part_shift", "_part_shift")->integer();
  if (!shift || *shift < 0 || *shift > 32) broken(name, "part_shift is missing or out of range");
  out.part_shift = static_cast<int>(*shift);
  const auto* devices = std::get_if<pickle::List>(&find("devs", "devs")->data);
  if (devices == nullptr) broken(name, "it has no list of devices");
  Json::Array list;
  for (const auto& device : devices->items) list.push_back(device_json(*device));
  const Json json(std::move(list));
  take_devices(out, &json, name);
  const auto* rows =
      std::get_if<pickle::List>(&find("replica2part2dev_id", "_replica2part2dev_id")->data);
  if (rows == nullptr) broken(name, "its pickle has no rows");
  std::string ids;
  for (const auto& row : rows->items) {
    const auto* array = std::get_if<pickle::Array>(&row->data);
    if (array == nullptr) broken(name, "a row of its pickle is no array");
    for (const std::int64_t id : array->items) {
      if (id < 0 || id > 0xffff) broken(name, "a partition is assigned to a device out of range");
      ids += static_cast<char>(id >> 8);
      ids += static_cast<char>(id & 0xff);
    }
  }
  take_rows(out, ids, 2, true, name);
  return out;
}

}  // namespace

RingData parse_ring(std::string_view bytes, const std::string& name) {
  Cursor in(bytes, name);
  if (bytes.starts_with('\x80')) return parse_v0(bytes, name);
  if (in.take(4) != "R1NG") broken(name, "it does not start with R1NG");
  const std::uint64_t version = in.big(2);
  if (version == 1) return parse_v1(in, name);
  if (version == 2) return parse_v2(in, name);
  broken(name, "version " + std::to_string(version) + " is not known; 1 and 2 are");
}

int ring_format(const std::string& path) {
  const std::unique_ptr<gzFile_s, GzipClose> file(gzopen(path.c_str(), "rb"));
  if (file == nullptr) throw std::system_error(errno, std::generic_category(), path);
  std::array<char, 6> head;
  const int count = gzread(file.get(), head.data(), head.size());
  const std::string_view bytes(head.data(), static_cast<std::size_t>(std::max(count, 0)));
  if (bytes.starts_with('\x80')) return 0;
  Cursor in(bytes, path);
  if (in.take(4) != "R1NG") broken(path, "it does not start with R1NG");
  return static_cast<int>(in.big(2));
}

RingData read_ring(const std::string& path) { return parse_ring(inflate_file(path), path); }

}  // namespace apus
