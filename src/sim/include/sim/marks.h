// Marks: counts which rare branches a simulation has reached, and makes rare things happen by its seed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <base/mark.h>
#include <runtime/memory/seeded_random.h>

namespace dohle::sim {

class Marks final : public MarkObserver {
 public:
  // Installs itself. Half of the odds, drawn by seed, never happen in this simulation; the others do once in `rarity`.
  Marks(std::uint64_t seed, std::uint64_t rarity);
  ~Marks() override;
  Marks(const Marks&) = delete;
  Marks& operator=(const Marks&) = delete;

  void reached(std::string_view mark) override { ++counts_[mark]; }
  bool make_it_so(std::string_view odd) override;
  void breached(std::string_view rule) override {
    if (on_breach_) on_breach_(rule);
  }
  void on_breach(std::function<void(std::string_view rule)> tell) { on_breach_ = std::move(tell); }
  // None of them happens from now on.
  void stop_odds() { stopped_ = true; }
  // Every mark there is, with how often it was reached, as a JSON object.
  [[nodiscard]] std::string json() const;

 private:
  runtime::SeededRandom random_;
  std::uint64_t rarity_;
  bool stopped_ = false;
  std::function<void(std::string_view)> on_breach_;
  std::map<std::string_view, std::uint64_t> counts_;
  std::map<std::string_view, bool> possible_;
};

}  // namespace dohle::sim
