#include <apus/digest.h>
#include <apus/json.h>
#include <zlib.h>

#include <array>
#include <bit>
#include <filesystem>
#include <stdexcept>

#include "framework/ring/replaced_file.h"
#include "framework/ring/ring_file.h"

namespace apus {
namespace {

constexpr int kFixedMtime = 1300507380;

std::string big_endian(std::uint64_t value, std::size_t width) {
  std::string out;
  for (std::size_t i = width; i-- > 0;) out += static_cast<char>(value >> (8 * i) & 0xffU);
  return out;
}

// The bytes of a gzip file with a fixed time and its own name in the header.
class GzipBytes {
 public:
  explicit GzipBytes(std::string name) : name_(std::move(name)) {
    if (name_.ends_with(".gz")) name_.resize(name_.size() - 3);
    if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      throw std::runtime_error("zlib cannot start");
    }
    header_.time = kFixedMtime;
    header_.os = 255;
    header_.name = reinterpret_cast<Bytef*>(name_.data());
    deflateSetHeader(&stream_, &header_);
  }
  GzipBytes(const GzipBytes&) = delete;
  GzipBytes& operator=(const GzipBytes&) = delete;
  ~GzipBytes() { deflateEnd(&stream_); }

  void write(std::string_view bytes) {
    size_ += bytes.size();
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, 1U << 30U);
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
      stream_.avail_in = static_cast<uInt>(piece.size());
      pump(Z_NO_FLUSH);
      bytes.remove_prefix(piece.size());
    }
  }
  // Whoever starts to read here needs nothing from before.
  void flush() { pump(Z_FULL_FLUSH); }
  void compress_no_more() {
    flush();
    if (deflateParams(&stream_, Z_NO_COMPRESSION, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::runtime_error("zlib cannot change its level");
  }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t compressed_size() const { return out_.size(); }
  std::string finish() {
    pump(Z_FINISH);
    return std::move(out_);
  }

 private:
  void pump(int how) {
    std::array<char, 1U << 16U> out;
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(out.data());
      stream_.avail_out = static_cast<uInt>(out.size());
      if (deflate(&stream_, how) == Z_STREAM_ERROR) throw std::runtime_error("zlib failed");
      out_.append(out.data(), out.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

  std::string out_;
  std::string name_;
  z_stream stream_{};
  gz_header header_{};
  std::uint64_t size_ = 0;
};

Json::Array devices_json(const RingData& data) {
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
  return devices;
}

void write_first(const RingData& data, GzipBytes& file) {
  Json meta;
  meta.set("byteorder", std::endian::native == std::endian::little ? "little" : "big");
  meta.set("devs", devices_json(data));
  if (data.next_part_power) meta.set("next_part_power", *data.next_part_power);
  meta.set("part_shift", data.part_shift);
  meta.set("replica_count", static_cast<int>(data.rows.size()));
  if (data.version) meta.set("version", *data.version);
  const std::string text = meta.dump();
  file.write("R1NG" + big_endian(1, 2) + big_endian(text.size(), 4) + text);
  for (const auto& row : data.rows) {
    file.write({reinterpret_cast<const char*>(row.data()), row.size() * sizeof(std::uint16_t)});
  }
}

// Sections with their places in a last one, so that a reader needs to inflate only what it wants.
class Sections {
 public:
  explicit Sections(GzipBytes& file) : file_(file) {}

  void begin(std::string name, std::uint64_t size) {
    file_.flush();
    name_ = std::move(name);
    start_ = file_.size();
    compressed_start_ = file_.compressed_size();
    digest_.emplace(DigestKind::kSha256);
    write(big_endian(size, 8));
  }
  void write(std::string_view bytes) {
    digest_->update(bytes);
    file_.write(bytes);
  }
  void end() {
    file_.flush();
    index_.set(
        name_,
        Json::Array{static_cast<std::int64_t>(compressed_start_), static_cast<std::int64_t>(start_),
                    static_cast<std::int64_t>(file_.compressed_size()),
                    static_cast<std::int64_t>(file_.size()), "sha256", digest_->finish_hex()});
  }
  void whole(std::string name, const std::string& body) {
    begin(std::move(name), body.size());
    write(body);
    end();
  }
  // The two numbers behind it are stored as they are, so that they lie at a known distance from
  // the file's end.
  void write_index() {
    file_.flush();
    const std::uint64_t start = file_.size();
    const std::uint64_t compressed_start = file_.compressed_size();
    const std::string text = index_.dump(false, true);
    file_.write(big_endian(text.size(), 8) + text);
    file_.compress_no_more();
    file_.write(big_endian(start, 8));
    file_.flush();
    file_.write(big_endian(compressed_start, 8));
    file_.flush();
  }

 private:
  GzipBytes& file_;
  Json index_;
  std::string name_;
  std::optional<Digest> digest_;
  std::uint64_t start_ = 0;
  std::uint64_t compressed_start_ = 0;
};

void write_second(const RingData& data, GzipBytes& file) {
  file.write("R1NG" + big_endian(2, 2));
  std::uint64_t assignments = 0;
  for (const auto& row : data.rows) assignments += row.size();
  const double replicas = data.rows.empty() ? 0
                                            : static_cast<double>(data.rows.size() - 1) +
                                                  static_cast<double>(data.rows.back().size()) /
                                                      static_cast<double>(data.rows.front().size());
  Json meta;
  meta.set("dev_id_bytes", 2);
  if (data.next_part_power) meta.set("next_part_power", *data.next_part_power);
  meta.set("part_shift", data.part_shift);
  meta.set("replica_count", replicas);
  if (data.version) meta.set("version", *data.version);
  Sections sections(file);
  sections.whole("swift/ring/metadata", meta.dump());
  sections.whole("swift/ring/devices", Json(devices_json(data)).dump());
  sections.begin("swift/ring/assignments", assignments * 2);
  for (const auto& row : data.rows) {
    std::string bytes;
    bytes.reserve(row.size() * 2);
    for (const std::uint16_t id : row) {
      bytes += static_cast<char>(id >> 8U);
      bytes += static_cast<char>(id & 0xffU);
    }
    sections.write(bytes);
  }
  sections.end();
  sections.write_index();
}

}  // namespace

void write_ring(const RingData& data, const std::vector<std::string>& paths, RingFormat format) {
  GzipBytes file(std::filesystem::path(paths.back()).filename().string());
  if (format == RingFormat::kSecond) {
    write_second(data, file);
  } else {
    write_first(data, file);
  }
  const std::string bytes = file.finish();
  for (const std::string& path : paths) replace_file(path, bytes);
}

void write_ring(const RingData& data, const std::string& path, RingFormat format) {
  write_ring(data, std::vector{path}, format);
}

}  // namespace apus
