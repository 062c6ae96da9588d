// What every generated message header needs, and no more: these are compiled everywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <base/blob.h>
#include <base/result.h>
#include <base/text.h>
#include <base/uuid.h>
#include <protocol/records.h>

namespace dohle {
class Reader;
}

namespace dohle::protocol {

class Writer;

// A tagged field that this version of the schema does not know: kept, and written back in its place.
struct UnknownTag {
  std::uint32_t tag = 0;
  Blob data;
  friend bool operator==(const UnknownTag&, const UnknownTag&) = default;
};
using UnknownTags = std::vector<UnknownTag>;

}  // namespace dohle::protocol
