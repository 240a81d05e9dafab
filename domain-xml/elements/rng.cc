// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/device_info.h"
#include "elements/elements.h"
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

using Models = OneOf<"virtio", "virtio-transitional", "virtio-non-transitional">;

// `<backend>`'s text is the source of model random.
constexpr std::array kTable = {
    property<&Rng::model, Models>("@model", {.required = true}),
    property<&Rng::rate_bytes, Count>("rate/@bytes"),
    property<&Rng::rate_period_ms, Count>("rate/@period"),
};
struct Backend {
  std::string model;
  std::optional<std::string> type;
};
constexpr std::array kBackendTable = {
    property<&Backend::model, OneOf<"random", "egd", "builtin">>("@model", {.required = true}),
    property<&Backend::type, OneOf<"unix", "tcp", "udp">>("@type"),
};
constexpr std::array kChildren = with_info(std::array{ChildRule{"backend"}});
constexpr std::array<Row<Rng>, 3> kDriverTable = kVirtioRows<Rng, &Rng::virtio>;

constexpr ShapeAttribute kSourceAttributes[] = {
    {"mode", spelled<OneOf<"bind", "connect">>},
    {"host", spelled<NonEmptyText>},
    {"service", spelled<NonEmptyText>},
    {"path", spelled<AbsolutePath>},
};
constexpr ShapeAttribute kProtocolAttributes[] = {{"type", spelled<OneOf<"raw", "telnet", "tls">>, true}};
constexpr Shape kSourceShape = {.name = "source", .attributes = kSourceAttributes, .repeated = true};
constexpr Shape kProtocolShape = {.name = "protocol", .attributes = kProtocolAttributes};
constexpr const Shape* kBackendShapes[] = {&kSourceShape, &kProtocolShape};

// Text and children exclude each other: a path of model random, sockets of model egd.
Result<> read_backend(Rng& rng, const Place& place) {
  Backend backend;
  auto without_text = place.element;
  without_text.texts.clear();
  TRY(read_properties({without_text, place.path}, kBackendTable, backend, with_shapes({}, kBackendShapes)));
  rng.backend_model = backend.model;
  rng.backend_type = backend.type;
  rng.backend_others = TRY(read_others(place, kBackendShapes));
  const auto text = place.element.text();
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return {};
  auto path = AbsolutePath::decode(text);
  if (backend.model != "random" || !path)
    return fail_at(place.element, Error::Code::XmlInvalid,
                   "'{}' has a text, an absolute path, with model='random' only", place.path);
  rng.backend_source = *std::move(path);
  return {};
}

void write_backend(xml::Element& parent, const Rng& rng, const WriteContext& context) {
  auto& element = parent.add_child("backend");
  write_properties(element, kBackendTable, Backend{rng.backend_model, rng.backend_type}, context);
  write_others(element, rng.backend_others, context);
  if (rng.backend_source) element.set_text(*rng.backend_source);
}

}  // namespace

Result<Rng> read_rng(const Place& place) {
  Rng rng;
  TRY(read_properties(place, join_tables(kTable, kDriverTable), rng, kChildren));
  const auto* backend = place.element.child("backend");
  if (backend == nullptr) return tl::unexpected<Error>(missing_value(place, "backend"));
  TRY(read_backend(rng, place.child(*backend)));
  TRY(read_device_info(place, rng));
  return rng;
}

void write_rng(xml::Element& parent, const Rng& rng, const WriteContext& context) {
  auto& element = parent.add_child("rng");
  write_properties(element, kTable, rng, context);
  write_backend(element, rng, context);
  write_properties(element, kDriverTable, rng, context);
  write_device_info(element, rng, context);
}

}  // namespace virttdx::domain_xml
