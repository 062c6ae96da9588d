// A peer that means no good, or is just broken: promises large requests and says nothing more, sends noise, never
// reads.
#include <runtime/network.h>

#include "client_program.h"

namespace dohle::scenarios {
namespace {

using runtime::Task;

class Nuisance final : public ClientProgram {
 public:
  using ClientProgram::ClientProgram;

 private:
  Task<void> body(client::Cluster& cluster) override {
    const auto most = static_cast<std::size_t>(arguments().draw_int(random(), "connections", "5..40"));
    std::vector<std::unique_ptr<runtime::Connection>> open;
    while (co_await pause(arguments().draw(random(), "pause", "0.05..0.5"))) {
      if (open.size() >= most) open.erase(open.begin() + static_cast<std::ptrdiff_t>(random().below(open.size())));
      auto connection = co_await machine().process().at(0).network().connect(cluster.config().bootstrap_servers.at(0),
                                                                             std::chrono::seconds(1));
      if (!connection) continue;
      runtime::Fragments out;
      out.emplace_back(Slice::copy_of(as_bytes(words())));
      if (!co_await (*connection)->write(std::move(out))) continue;
      note("nuisance");
      open.push_back(std::move(*connection));
    }
  }

  std::string words() {
    switch (random().below(4)) {
      case 0:
        return std::string("\x06\x40\x00\x00", 4);  // 100 MiB, and then silence
      case 1:
        return std::string("\x7f\xff\xff\xff\x00\x03", 6);
      case 2: {  // ApiVersions, answered into a pipe that nobody empties
        std::string out;
        for (int i = 0; i < 200; ++i)
          out += std::string("\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x01\xff\xff", 14);
        return out;
      }
      default: {
        std::string out(1 + random().below(200), '\0');
        for (char& c : out) c = static_cast<char>(random().below(256));
        return out;
      }
    }
  }
};

}  // namespace

std::unique_ptr<ClientProgram> make_nuisance(ClientSurroundings surroundings) {
  return std::make_unique<Nuisance>(std::move(surroundings));
}

}  // namespace dohle::scenarios
