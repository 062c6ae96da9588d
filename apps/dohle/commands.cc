#include <array>

#include "dohle/command.h"

namespace dohle::app {

std::span<const Command> commands() {
  static constexpr std::array kCommands{
      Command{"server", "kafka-server-start", "start a broker, a controller or both from server.properties",
              run_server},
      Command{"dev", "", "start a broker for development, without configuration, gone on exit", run_dev},
  };
  return kCommands;
}

}  // namespace dohle::app
