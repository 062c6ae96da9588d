// A load generator that costs little itself: raw protocol, requests prepared beforehand, one thread, one epoll.
//
//   dohle_load KIND broker=HOST:PORT key=value...
//
// What a kind of load does and which keys it has, the head of its file says.
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <base/buffer.h>
#include <base/check.h>

#include "loads.h"

namespace {

// One thread, whose buffers never leave it.
class OnlyHome final : public dohle::BufferHome {
 public:
  void release_from_foreign(dohle::BufferBlock* /*block*/) override { dohle::load::give_up("a buffer went abroad"); }
};

const std::map<std::string, void (*)(const dohle::load::Options&)> kKinds = {
    {"commit", dohle::load::commit},   {"create", dohle::load::create}, {"delete", dohle::load::remove},
    {"fetch", dohle::load::fetch},     {"idle", dohle::load::idle},     {"join", dohle::load::join},
    {"produce", dohle::load::produce}, {"tail", dohle::load::tail},     {"touch", dohle::load::touch},
};

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto kind = kKinds.find(arguments.empty() ? "" : arguments[0]);
  if (kind == kKinds.end()) {
    std::fputs("usage: dohle_load KIND broker=HOST:PORT key=value..., where KIND is one of", stderr);
    for (const auto& [name, run] : kKinds) std::fprintf(stderr, " %s", name.c_str());
    std::fputs("\n", stderr);
    return 2;
  }
  OnlyHome home;
  dohle::BufferHome::set_current(&home);
  kind->second(dohle::load::Options({arguments.begin() + 1, arguments.end()}));
  return 0;
}
