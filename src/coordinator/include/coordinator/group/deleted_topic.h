// A topic that is gone; offsets committed for it go too.
#pragma once

#include <string>

#include <base/ids.h>

namespace dohle::coordinator {

struct DeletedTopic {
  std::string name;
  TopicId id;
};

}  // namespace dohle::coordinator
