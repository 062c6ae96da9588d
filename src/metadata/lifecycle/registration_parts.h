// What a broker and a controller both say of themselves when they register.
#pragma once

#include <vector>

#include <metadata/features.h>
#include <metadata/image.h>

namespace dohle::metadata {

template <typename Request>
void add_listeners(Request& request, const std::vector<EndpointImage>& endpoints) {
  for (const EndpointImage& endpoint : endpoints) {
    auto& listener = request.listeners.emplace_back();
    listener.name = endpoint.listener;
    listener.host = endpoint.host;
    listener.port = endpoint.port;
    listener.security_protocol = endpoint.security_protocol;
  }
}

// Every feature with the versions that this program knows.
template <typename Request>
void add_features(Request& request) {
  const auto add = [&request](std::string_view name) {
    const auto range = supported_range(name);
    auto& feature = request.features.emplace_back();
    feature.name = name;
    feature.min_supported_version = range->min;
    feature.max_supported_version = range->max;
  };
  add(kMetadataVersionFeature);
  for (const Feature& feature : features()) add(feature.name);
}

}  // namespace dohle::metadata
