// Replays a corpus folder, and a fixed set of generated inputs, through LLVMFuzzerTestOneInput.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  std::vector<std::vector<std::uint8_t>> inputs{{}};
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
  }
  std::size_t runs = 0;
  std::mt19937 random(4711);
  for (const auto& original : inputs) {
    auto input = original;
    for (int round = 0; round < 200; ++round) {
      LLVMFuzzerTestOneInput(input.data(), input.size());
      ++runs;
      input = original;
      if (input.empty()) input.resize(random() % 256);
      for (auto flips = random() % 8; !input.empty() && flips-- > 0;) input[random() % input.size()] = static_cast<std::uint8_t>(random());
      if (random() % 4 == 0) input.resize(random() % (input.size() + 1));
    }
  }
  std::fprintf(stderr, "%zu inputs from %zu corpus files\n", runs, inputs.size() - 1);
  return 0;
}
