// SPDX-License-Identifier: GPL-2.0-or-later
// `<auth>`, `<encryption>` and the `<secret>` in them.
#include "elements/disk_parts.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array kSecretTable = {
    property<&Secret::type, OneOf<"ceph", "iscsi", "passphrase", "volume", "tls", "vtpm">>(
        "@type", {.required = true}),
    property<&Secret::uuid, Uuid>("@uuid"),
    property<&Secret::usage, NonEmptyText>("@usage"),
};
constexpr std::array kAuthenticationTable = {
    property<&Authentication::username, NonEmptyText>("@username", {.required = true})};
constexpr std::array kEncryptionTable = {
    property<&Encryption::format, OneOf<"luks", "luks2", "qcow">>("@format", {.required = true}),
    property<&Encryption::engine, OneOf<"qemu", "librbd">>("@engine"),
};

Result<Secret> read_secret(const Place& place) {
  Secret secret;
  TRY(read_properties(place, kSecretTable, secret));
  if (secret.uuid.has_value() == secret.usage.has_value())
    return fail_at(place.element, Error::Code::XmlInvalid, "'{}' needs either 'uuid' or 'usage'", place.path);
  return secret;
}

void write_secret(xml::Element& parent, const Secret& secret) {
  write_properties(parent.add_child("secret"), kSecretTable, secret, {});
}

}  // namespace

Result<Authentication> read_authentication(const Place& place) {
  constexpr std::array kChildren = {ChildRule{"secret"}};
  Authentication authentication;
  TRY(read_properties(place, kAuthenticationTable, authentication, kChildren));
  if (const auto* secret = place.element.child("secret"))
    authentication.secret = TRY(read_secret(place.child(*secret)));
  return authentication;
}

void write_authentication(xml::Element& parent, const Authentication& authentication) {
  auto& element = parent.add_child("auth");
  write_properties(element, kAuthenticationTable, authentication, {});
  if (authentication.secret) write_secret(element, *authentication.secret);
}

Result<Encryption> read_encryption(const Place& place) {
  constexpr std::array kChildren = {ChildRule{"secret", true}};
  Encryption encryption;
  TRY(read_properties(place, kEncryptionTable, encryption, kChildren));
  for (const auto& child : place.element.children)
    encryption.secrets.push_back(TRY(read_secret(place.child(child))));
  return encryption;
}

void write_encryption(xml::Element& parent, const Encryption& encryption) {
  auto& element = parent.add_child("encryption");
  write_properties(element, kEncryptionTable, encryption, {});
  for (const auto& secret : encryption.secrets) write_secret(element, secret);
}

}  // namespace virttdx::domain_xml
