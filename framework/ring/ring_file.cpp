#include "framework/ring/ring_file.h"

#include <apus/json.h>
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <bit>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace apus {
namespace {

constexpr std::size_t kMaxRing = 8ULL << 30U;
constexpr std::size_t kMaxJson = 256U << 20U;
constexpr int kFixedMtime = 1300507380;

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

std::string text_of(const Json& device, std::string_view key) {
  const Json* value = device.find(key);
  return value != nullptr && value->text() != nullptr ? *value->text() : "";
}

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
  out.ip = text_of(json, "ip");
  out.port = int_of(json, "port", 0);
  out.replication_ip = text_of(json, "replication_ip");
  if (out.replication_ip.empty()) out.replication_ip = out.ip;
  out.replication_port = int_of(json, "replication_port", out.port);
  out.device = text_of(json, "device");
  if (const Json* weight = json.find("weight")) out.weight = weight->number().value_or(0);
  out.meta = text_of(json, "meta");
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
  out.version = int_of(meta, "version", 0);
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
  const bool big = text_of(meta, "byteorder") == "big";
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

std::string metadata_json(const RingData& data) {
  Json::Array devices;
  for (const auto& device : data.devices) {
    if (!device) {
      devices.emplace_back();
      continue;
    }
    Json entry;
    entry.set("device", device->device);
    entry.set("id", device->id);
    entry.set("ip", device->ip);
    entry.set("meta", device->meta);
    entry.set("port", device->port);
    entry.set("region", device->region);
    entry.set("replication_ip", device->replication_ip);
    entry.set("replication_port", device->replication_port);
    entry.set("weight", device->weight);
    entry.set("zone", device->zone);
    devices.push_back(std::move(entry));
  }
  Json meta;
  meta.set("byteorder", std::endian::native == std::endian::little ? "little" : "big");
  meta.set("devs", std::move(devices));
  if (data.next_part_power) meta.set("next_part_power", *data.next_part_power);
  meta.set("part_shift", data.part_shift);
  meta.set("replica_count", static_cast<int>(data.rows.size()));
  meta.set("version", data.version);
  return meta.dump();
}

std::string ring_bytes(const RingData& data) {
  const std::string meta = metadata_json(data);
  std::string out("R1NG\x00\x01", 6);
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(meta.size() >> static_cast<unsigned>(shift));
  out += meta;
  for (const auto& row : data.rows) {
    out.append(reinterpret_cast<const char*>(row.data()), row.size() * sizeof(std::uint16_t));
  }
  return out;
}

// gzip with a fixed time and the file's own name in its header, so that equal rings are equal
// files.
std::string gzip(const std::string& bytes, std::string name) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib cannot start");
  }
  gz_header header{};
  header.time = kFixedMtime;
  header.os = 255;
  header.name = reinterpret_cast<Bytef*>(name.data());
  deflateSetHeader(&stream, &header);
  std::string out(deflateBound(&stream, bytes.size()) + name.size() + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int done = deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  if (done != Z_STREAM_END) throw std::runtime_error("zlib did not finish");
  return out;
}

}  // namespace

RingData parse_ring(std::string_view bytes, const std::string& name) {
  Cursor in(bytes, name);
  if (in.take(4) != "R1NG") broken(name, "it does not start with R1NG");
  const std::uint64_t version = in.big(2);
  if (version == 1) return parse_v1(in, name);
  if (version == 2) return parse_v2(in, name);
  broken(name, "version " + std::to_string(version) + " is not known; 1 and 2 are");
}

RingData read_ring(const std::string& path) { return parse_ring(inflate_file(path), path); }

void write_ring(const RingData& data, const std::string& path) {
  namespace fs = std::filesystem;
  std::string name = fs::path(path).filename().string();
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  const std::string bytes = gzip(ring_bytes(data), name);
  const std::string fresh = path + ".tmp";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), fresh);
  const bool written =
      ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
      ::fsync(fd) == 0;
  ::close(fd);
  if (!written) throw std::runtime_error(fresh + ": cannot be written");
  fs::rename(fresh, path);
}

}  // namespace apus
