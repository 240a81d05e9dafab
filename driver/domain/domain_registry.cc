// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain/domain_registry.h"

namespace virttdx::driver {

Result<RecordPtr> DomainRegistry::find_by_uuid(const std::string& uuid) const {
  const auto found = by_uuid_.find(uuid);
  if (found == by_uuid_.end()) return fail(Error::Code::NotFound, "no domain with matching uuid '{}'", uuid);
  return found->second;
}

Result<RecordPtr> DomainRegistry::find(const std::string& uuid, std::string_view name) const {
  const auto found = by_uuid_.find(uuid);
  if (found == by_uuid_.end())
    return fail(Error::Code::NotFound, "no domain with matching uuid '{}' ({})", uuid, name);
  return found->second;
}

Result<RecordPtr> DomainRegistry::find_by_name(std::string_view name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return fail(Error::Code::NotFound, "no domain with matching name '{}'", name);
  return found->second;
}

Result<RecordPtr> DomainRegistry::find_by_id(int id) const {
  for (const auto& [uuid, record] : by_uuid_)
    if (record->active() && record->id == id) return record;
  return fail(Error::Code::NotFound, "no domain with matching id {}", id);
}

Result<> DomainRegistry::check_identity(const std::string& uuid, std::string_view name) const {
  if (const auto same_uuid = by_uuid_.find(uuid);
      same_uuid != by_uuid_.end() && same_uuid->second->name != name)
    return fail(Error::Code::AlreadyExists, "domain '{}' is already defined with uuid {}",
                same_uuid->second->name, uuid);
  if (const auto same_name = find_by_name(name); same_name && (*same_name)->uuid != uuid)
    return fail(Error::Code::AlreadyExists, "domain '{}' already exists with uuid {}", name,
                (*same_name)->uuid);
  return {};
}

RecordPtr DomainRegistry::add(std::string name, std::string uuid) {
  auto record = std::make_shared<DomainRecord>();
  record->name = std::move(name);
  record->uuid = std::move(uuid);
  CHECK(by_uuid_.emplace(record->uuid, record).second);
  CHECK(by_name_.emplace(record->name, record).second);
  return record;
}

void DomainRegistry::rename(DomainRecord& record, std::string name) {
  auto node = by_name_.extract(record.name);
  node.key() = name;
  CHECK(by_name_.insert(std::move(node)).inserted);
  record.name = std::move(name);
}

void DomainRegistry::remove(const DomainRecord& record) {
  by_name_.erase(record.name);
  by_uuid_.erase(record.uuid);
}

std::vector<RecordPtr> DomainRegistry::all() const {
  std::vector<RecordPtr> records;
  records.reserve(by_name_.size());
  for (const auto& [name, record] : by_name_) records.push_back(record);
  return records;
}

void enter_phase(DomainRecord& record, Phase phase, int reason) {
  CHECK(record.phase == phase || may_follow(record.phase, phase));
  record.phase = phase;
  record.reason = reason;
}

}  // namespace virttdx::driver
