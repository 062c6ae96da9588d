// The answer to ApiVersions, on whichever listener (KIP-511, KIP-584, KIP-1242). Sans-I/O.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <metadata/image.h>
#include <protocol/header.h>
#include <runtime/fragment.h>

namespace dohle::protocol {
struct ApiVersionsRequest;
struct ApiVersionsResponse;
}  // namespace dohle::protocol

namespace dohle::broker {

struct AnnouncedApi {
  std::int16_t key = 0;
  std::int16_t min_version = 0;
  std::int16_t max_version = 0;
};

struct ApiVersionsSource {
  const std::string& cluster_id;
  std::int32_t node_id = -1;
  const metadata::MetadataImage& image;
};

[[nodiscard]] protocol::ApiVersionsResponse describe_api_versions(const protocol::ApiVersionsRequest& request,
                                                                  std::int16_t version, const ApiVersionsSource& source,
                                                                  const std::vector<AnnouncedApi>& apis);

// For a version that is not served: a client that is newer than this node learns in version 0 what it may ask.
[[nodiscard]] runtime::Fragments refuse_api_versions(const protocol::RequestHeader& header, AnnouncedApi api_versions);

}  // namespace dohle::broker
