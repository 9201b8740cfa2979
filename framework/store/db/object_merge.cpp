#include "framework/store/db/object_merge.h"

#include <algorithm>
#include <functional>
#include <string>
#include <tuple>

namespace apus {
namespace {

// From as many on, totals by hand are worth that all statements are prepared twice more.
constexpr std::size_t kManyRows = 100;
// Rows of one INSERT: the sequence table is written once a statement.
constexpr std::size_t kRowsAtOnce = 25;
// Names that are stepped over before the index is searched anew.
constexpr int kSteps = 4;

std::string insert_of(std::size_t rows) {
  std::string out =
      "INSERT INTO object (name, created_at, size, content_type, etag, deleted, "
      "storage_policy_index) VALUES ";
  for (std::size_t i = 0; i < rows; ++i)
    out += i == 0 ? "(?, ?, ?, ?, ?, ?, ?)" : ", (?, ?, ?, ?, ?, ?, ?)";
  return out;
}

void bind_row(Statement& insert, const ObjectRow& row) {
  insert.bind_kept(row.name)
      .bind_kept(row.created_at)
      .bind(row.size)
      .bind_kept(row.content_type)
      .bind_kept(row.etag)
      .bind(std::int64_t{row.deleted})
      .bind(row.policy);
}

// Through the index of names, of tombstones or of the others. The table must not change meanwhile.
class NameWalk {
 public:
  NameWalk(Database& database, bool deleted)
      : rows_(database.query(deleted ? "SELECT name, ROWID FROM object "
                                       "WHERE deleted = 1 AND name >= ? ORDER BY name"
                                     : "SELECT name, ROWID FROM object "
                                       "WHERE deleted = 0 AND name >= ? ORDER BY name")) {}

  /// Appends the numbers of the rows of that name. Each name is greater than the one before.
  void find(std::string_view name, std::vector<std::int64_t>& numbers) {
    for (int steps = 0; searched_ && !at_end_ && at_ < name; ++steps) {
      if (steps == kSteps) {
        searched_ = false;
      } else {
        step();
      }
    }
    if (!searched_) search(name);
    for (; !at_end_ && at_ == name; step()) numbers.push_back(rows_.integer(1));
  }

 private:
  void search(std::string_view name) {
    rows_.restart();
    rows_.bind(name);
    searched_ = true;
    step();
  }
  void step() {
    at_end_ = !rows_.step();
    at_ = at_end_ ? std::string_view() : rows_.text(0);
  }

  Statement rows_;
  bool searched_ = false;
  bool at_end_ = false;
  std::string_view at_;
};

}  // namespace

ObjectMerge::ObjectMerge(Database& database) : database_(database) {}

void ObjectMerge::run(std::vector<ObjectRow> rows) {
  std::vector<ObjectRow*> in_order;
  in_order.reserve(rows.size());
  for (ObjectRow& row : rows) in_order.push_back(&row);
  std::stable_sort(in_order.begin(), in_order.end(), [](const ObjectRow* a, const ObjectRow* b) {
    return std::tie(a->name, a->policy) < std::tie(b->name, b->policy);
  });
  std::optional<ObjectTotals> totals;
  if (rows.size() >= kManyRows && ObjectTotals::fit(database_)) totals.emplace(database_);
  find_changes(in_order);
  std::sort(come_.begin(), come_.end(), std::less<>());  // as they arrived
  remove_rows();
  insert_rows();
  if (!totals) return;
  for (const Stored& one : gone_) totals->went(one.row);
  for (const ObjectRow* row : come_) totals->came(*row);
  totals->write();
}

void ObjectMerge::find_changes(const std::vector<ObjectRow*>& rows) {
  come_.reserve(rows.size());
  NameWalk present(database_, false);
  NameWalk deleted(database_, true);
  std::vector<std::int64_t> numbers;
  for (auto at = rows.begin(); at != rows.end();) {
    const std::string_view name = (*at)->name;
    const auto end =
        std::find_if(at, rows.end(), [&](const ObjectRow* row) { return row->name != name; });
    numbers.clear();
    present.find(name, numbers);
    deleted.find(name, numbers);
    std::vector<Stored> stored = load(numbers, name);
    while (at != end) {
      const auto next =
          std::find_if(at, end, [&](const ObjectRow* row) { return row->policy != (*at)->policy; });
      merge(stored, at, next);
      at = next;
    }
  }
}

std::vector<ObjectMerge::Stored> ObjectMerge::load(const std::vector<std::int64_t>& numbers,
                                                   std::string_view name) {
  std::vector<Stored> out;
  for (const std::int64_t number : numbers) {
    Statement found = database_.query(
        "SELECT created_at, size, content_type, etag, deleted, storage_policy_index FROM object "
        "WHERE ROWID = ?");
    if (!found.bind(number).step()) continue;
    out.push_back({number,
                   {std::string(name), std::string(found.text(0)), found.integer(1),
                    std::string(found.text(2)), std::string(found.text(3)), found.integer(4) != 0,
                    found.integer(5), "", ""}});
  }
  return out;
}

void ObjectMerge::merge(std::vector<Stored>& stored, std::vector<ObjectRow*>::const_iterator from,
                        std::vector<ObjectRow*>::const_iterator to) {
  const std::int64_t policy = (*from)->policy;
  const auto is_same = [&](const Stored& one) { return one.row.policy == policy; };
  const auto old = std::find_if(stored.begin(), stored.end(), is_same);
  const auto first = from;
  std::optional<ObjectRow> merged;
  if (old != stored.end()) merged = old->row;
  bool changed = false;
  for (; from != to; ++from) {
    auto next = merge_rows(merged, std::move(**from));
    if (!next) continue;
    merged = std::move(next);
    changed = true;
  }
  if (!changed) return;
  **first = std::move(*merged);
  come_.push_back(*first);
  for (Stored& one : stored) {
    if (is_same(one)) gone_.push_back(std::move(one));
  }
}

void ObjectMerge::remove_rows() {
  for (const Stored& one : gone_)
    database_.query("DELETE FROM object WHERE ROWID = ?").bind(one.number).step();
}

void ObjectMerge::insert_rows() {
  static const std::string one = insert_of(1);
  static const std::string many = insert_of(kRowsAtOnce);
  for (std::size_t done = 0; done < come_.size();) {
    const bool enough = come_.size() - done >= kRowsAtOnce;
    Statement insert = database_.query(enough ? many.c_str() : one.c_str());
    const std::size_t end = done + (enough ? kRowsAtOnce : 1);
    for (; done < end; ++done) bind_row(insert, *come_[done]);
    insert.step();
  }
}

}  // namespace apus
