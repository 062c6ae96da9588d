// Which versions a peer speaks, asked with ApiVersions as Kafka's clients ask.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <base/result.h>
#include <runtime/clock.h>
#include <runtime/task.h>
#include <transport/client_connection.h>

namespace dohle::transport {

class ApiVersions {
 public:
  struct Range {
    std::int16_t min = 0;
    std::int16_t max = 0;
  };

  void add(std::int16_t api_key, Range range) { ranges_[api_key] = range; }
  // What the peer announced, by key.
  [[nodiscard]] const std::map<std::int16_t, Range>& ranges() const { return ranges_; }
  // The newest version in both [min, max] and the peer's range; kUnsupported when there is none.
  [[nodiscard]] Result<std::int16_t> usable(std::int16_t api_key, std::int16_t min, std::int16_t max) const;
  template <typename M>
  [[nodiscard]] Result<std::int16_t> usable() const {
    return usable(M::kApiKey, M::kMinVersion, M::kMaxVersion);
  }

 private:
  std::map<std::int16_t, Range> ranges_;
};

struct ClientSoftware {
  std::string name = "dohle";
  std::string version = "0";
};

// Asks in our newest version, and again in the peer's when that is older.
[[nodiscard]] runtime::Task<Result<ApiVersions>> ask_api_versions(ClientConnection& connection, ClientSoftware software,
                                                                  runtime::Duration timeout);

}  // namespace dohle::transport
