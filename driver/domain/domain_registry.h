// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "domain/domain_record.h"

namespace virttdx::driver {

/// Every domain by uuid, name and id. Misses are NotFound with libvirt's words.
class DomainRegistry {
 public:
  Result<RecordPtr> find_by_uuid(const std::string& uuid) const;
  /// As find_by_uuid; the miss names the domain as the client knew it.
  Result<RecordPtr> find(const std::string& uuid, std::string_view name) const;
  Result<RecordPtr> find_by_name(std::string_view name) const;
  Result<RecordPtr> find_by_id(int id) const;

  /// Whether a definition may be added or replace what is there: neither its name nor its uuid may belong to
  /// another domain.
  Result<> check_identity(const std::string& uuid, std::string_view name) const;
  /// Name and uuid must be new.
  RecordPtr add(std::string name, std::string uuid);
  /// `name` must be no other domain's.
  void rename(DomainRecord& record, std::string name);
  void remove(const DomainRecord& record);
  /// In order of names.
  std::vector<RecordPtr> all() const;

  /// The next id; never given twice.
  int take_id() { return next_id_++; }
  /// An id in use by a domain that ran before the daemon did.
  void reserve_id(int id) { next_id_ = std::max(next_id_, id + 1); }

 private:
  std::map<std::string, RecordPtr> by_uuid_;
  std::map<std::string, RecordPtr, std::less<>> by_name_;
  int next_id_ = 1;
};

}  // namespace virttdx::driver
