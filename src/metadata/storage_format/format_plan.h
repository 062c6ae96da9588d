// What a format command comes to, before anything is written. Sans-I/O.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <base/result.h>
#include <metadata/features.h>
#include <metadata/storage_format.h>
#include <raft/voter_set.h>

namespace dohle::metadata {

struct FormatPlan {
  MetadataVersion version;
  FeatureLevels levels;  // of all features, kraft.version among them
  std::vector<EncodedRecord> records;
  std::optional<raft::VoterSet> voters;  // of --standalone or --initial-controllers
  [[nodiscard]] std::int16_t kraft_version() const { return levels.at(std::string(kKRaftVersionFeature)); }
};

// The error is the sentence to print.
[[nodiscard]] Result<FormatPlan> plan_format(const StorageSettings& settings, const FormatOptions& options,
                                             runtime::Random& random);
// "0@example.com:8082:JEXY6aqzQY-32P5TStzaFg,1@..."
[[nodiscard]] Result<raft::VoterSet> parse_initial_controllers(std::string_view text, std::string_view listener);

}  // namespace dohle::metadata
