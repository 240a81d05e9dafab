// SPDX-License-Identifier: GPL-2.0-or-later
// `<backingStore>`: what lies under an image, a link a level.
#include "elements/disk_parts.h"

namespace virttdx::domain_xml {
namespace {

// An element without attributes and children ends the chain.
struct BackingStoreDocument : BackingStore {
  std::optional<std::string> written_type;
};
using Types = OneOf<"file", "block", "dir", "network", "volume", "nvme">;

constexpr std::array kHeadTable = {
    property<&BackingStoreDocument::written_type, Types>("@type"),
    property<&BackingStore::index, Number, BackingStoreDocument>("@index", {.live = true}),
    property<&BackingStore::format, ImageFormatName, BackingStoreDocument>("format/@type"),
};
constexpr std::array kChildren = {ChildRule{"source"}, ChildRule{"backingStore"}};

}  // namespace

Result<BackingStore> read_backing_store(const Place& place) {
  BackingStoreDocument store;
  TRY(read_properties(place, kHeadTable, store, kChildren));
  store.type = store.written_type.value_or("");
  const auto* source = place.element.child("source");
  if (store.written_type && source == nullptr) return tl::unexpected<Error>(missing_value(place, "source"));
  if (source != nullptr) {
    store.source = TRY(read_disk_source(place.child(*source)));
    TRY(check_disk_source(place.child(*source), store.type, *store.source));
  }
  if (const auto* next = place.element.child("backingStore"))
    store.next.push_back(TRY(read_backing_store(place.child(*next))));
  return BackingStore(store);
}

void write_backing_store(xml::Element& parent, const BackingStore& store, const WriteContext& context) {
  auto& element = parent.add_child("backingStore");
  BackingStoreDocument document{store, {}};
  if (!store.type.empty()) document.written_type = store.type;
  write_properties(element, kHeadTable, document, context);
  if (store.source) write_disk_source(element, *store.source, context);
  for (const auto& next : store.next) write_backing_store(element, next, context);
}

}  // namespace virttdx::domain_xml
