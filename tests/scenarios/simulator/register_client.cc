#include "register_client.h"

#include <fmt/format.h>

namespace dohle::scenarios {
namespace {

using protocol::ErrorCode;

bool surely_refused(ErrorCode code) {
  return code == ErrorCode::kTopicAlreadyExists || code == ErrorCode::kUnknownTopicOrPartition ||
         code == ErrorCode::kInvalidConfig || code == ErrorCode::kUnknownTopicId || code == ErrorCode::kGroupIdNotFound;
}

}  // namespace

std::int64_t RegisterClient::call(const std::string& key, std::string_view operation, const std::string& value,
                                  std::int64_t keeps_ms) {
  sim::Json fields;
  fields.field("id", ++calls_).field("k", key).field("op", operation).field("x", value);
  if (keeps_ms >= 0) fields.field("keeps", keeps_ms);
  note("call", fields);
  return calls_;
}

void RegisterClient::ret(std::int64_t id, std::string_view outcome, const std::string& value) {
  note("ret", sim::Json().field("id", id).field("out", outcome).field("x", value));
}

void RegisterClient::ret(std::int64_t id, ErrorCode code) {
  ret(id,
      code == ErrorCode::kNone ? "ok"
      : surely_refused(code)   ? "refused"
                               : "unknown",
      std::string(protocol::name(code)));
}

std::string RegisterClient::draw_key(std::string_view kind) {
  return fmt::format("{}{}", kind,
                     random().below(static_cast<std::uint64_t>(arguments().draw_int(random(), "keys", "2"))));
}

}  // namespace dohle::scenarios
