// What loads on groups share.
#pragma once

#include <string>

#include "caller.h"

namespace dohle::load {

// Until the group's coordinator is there; the first question creates the topic of offsets.
void wait_for_coordinator(const std::string& group, const Endpoint& broker);

}  // namespace dohle::load
