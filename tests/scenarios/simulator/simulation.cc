#include "simulation.h"

#include <fmt/format.h>

namespace dohle::scenarios {
namespace {

using runtime::Duration;
using std::chrono::milliseconds;
using std::chrono::seconds;

// What a fault-free start, the clients after the last fault, and the final reading may take.
constexpr auto kStartLimit = seconds(60);
constexpr auto kFinishLimit = seconds(60);
constexpr auto kReadLimit = seconds(120);
// One in so many chances of a rare branch is taken.
constexpr std::uint64_t kOddRarity = 50;

}  // namespace

Simulation::Simulation(const Scenario& scenario, std::uint64_t seed, std::set<std::string> without)
    : scenario_(scenario),
      without_(std::move(without)),
      world_(seed),
      random_(world_.random().next()),
      marks_(world_.random().next(), kOddRarity),
      history_(world_.clock()) {
  marks_.on_breach([this](std::string_view rule) { note("breach", sim::Json().field("rule", rule)); });
  Arguments draws;
  draws.all["shards"] = scenario_.shards;
  const auto shards = static_cast<std::size_t>(draws.draw_int(random_, "shards", "1"));
  for (auto& [key, value] : scenario_.settings) {
    if (value.find('|') == std::string::npos) continue;
    draws.all[key] = value;
    value = draws.choose(random_, key, "");
  }
  node_ = std::make_unique<SimNode>(world_, history_, 1, shards, scenario_.settings);
  if (random_.below(2) == 0) node_->machine().set_hop_delay(milliseconds(1 + random_.below(20)));
  for (const auto& line : scenario_.topics) {
    topics_.push_back({line.name, static_cast<std::int32_t>(line.arguments.draw_int(random_, "partitions", "1"))});
  }
}

ClientSurroundings Simulation::surroundings(const std::string& name, const Line* line) {
  ClientSurroundings out{.world = world_,
                         .history = history_,
                         .bootstrap = {{node_->address(), SimNode::kPort}},
                         .topics = topics_,
                         .name = name,
                         .address = fmt::format("10.1.{}.{}", next_address_ / 250, next_address_ % 250 + 1),
                         .arguments = line != nullptr ? line->arguments : Arguments{}};
  ++next_address_;
  if (!out.arguments.has("topics")) return out;
  const auto wanted = split(out.arguments.text("topics", ""), ',');
  std::erase_if(out.topics,
                [&](const TopicShape& topic) { return std::ranges::find(wanted, topic.name) == wanted.end(); });
  return out;
}

void Simulation::add_client(const Line& line) {
  const std::string name = fmt::format("{}{}", line.name, next_client_++);
  auto client = make_client(line.name, surroundings(name, &line));
  if (!client) {
    note("unknown_client", sim::Json().field("k", line.name));
    return;
  }
  places_.push_back({&line, next_client_});
  clients_.push_back(std::move(client));
}

void Simulation::replace_client(std::size_t index) {
  auto& old = clients_[index];
  const Line& line = *places_[index].line;
  const std::string name = fmt::format("{}{}", line.name, next_client_++);
  if (random_.below(2) == 0) {
    old->finish();
    history_.add(old->name(), "leaves");
  } else if (!old->done()) {
    history_.add(old->name(), "dies");
    old->machine().kill(nullptr);
  }
  gone_.push_back(std::move(old));
  clients_[index] = make_client(line.name, surroundings(name, &line));
  clients_[index]->start();
}

bool Simulation::wait_up(Duration limit) {
  return world_.try_run_until([this] { return node_->up(); }, limit);
}

bool Simulation::run_to_end(std::unique_ptr<ClientProgram> program, Duration limit) {
  clients_.push_back(std::move(program));
  places_.push_back({nullptr, 0});
  ClientProgram& it = *clients_.back();
  it.start();
  return world_.try_run_until([&it] { return it.done(); }, limit);
}

void Simulation::note_resources() {
  std::int64_t blocks = 0;
  std::int64_t bytes = 0;
  if (node_->alive()) {
    auto& process = node_->machine().process();
    for (std::size_t i = 0; i < process.size(); ++i) {
      blocks += static_cast<std::int64_t>(process.at(i).buffers().live_blocks());
      bytes += static_cast<std::int64_t>(process.at(i).buffers().allocated_bytes());
    }
  }
  note("resources", sim::Json()
                        .field("blocks", blocks)
                        .field("bytes", bytes)
                        .field("files", static_cast<std::int64_t>(node_->machine().disk().open_files()))
                        .field("connections", static_cast<std::int64_t>(world_.fabric().open_connections()))
                        .field("timers", static_cast<std::int64_t>(world_.timers())));
}

void Simulation::heal() {
  marks_.stop_odds();
  for (auto& fault : faults_) fault->stop();
  note("healed");
}

bool Simulation::run() {
  if (!node_->format()) return false;
  node_->boot();
  if (!wait_up(kStartLimit)) return false;
  if (!run_to_end(make_setup(surroundings("setup", nullptr), scenario_.topics), kStartLimit)) return false;
  clients_.clear();
  places_.clear();
  for (const auto& line : scenario_.clients) {
    if (without_.contains(line.label)) continue;
    for (auto count = line.arguments.draw_int(random_, "count", "1"); count > 0; --count) add_client(line);
  }
  for (const auto& line : scenario_.faults) {
    if (without_.contains(line.label)) continue;
    faults_.push_back(make_fault(*this, line));
    if (!faults_.back()) {
      note("unknown_fault", sim::Json().field("k", line.name));
      return false;
    }
  }
  note_resources();
  for (auto& client : clients_) client->start();
  for (auto& fault : faults_) fault->start();
  world_.advance(seconds(scenario_.seconds));
  heal();
  for (auto& client : clients_) client->finish();
  // Who left may still have something to say; who died has not.
  const auto is_over = [](const auto& client) { return client->done() || !client->machine().running(); };
  const bool finished = world_.try_run_until(
      [this, is_over] {
        return node_->up() && std::ranges::all_of(clients_, is_over) && std::ranges::all_of(gone_, is_over);
      },
      kFinishLimit);
  note(finished ? "finished" : "stuck");
  note_resources();
  if (random_.below(2) == 0) node_->restart(milliseconds(100));
  Line last{.kind = "client", .name = "final", .arguments = {}, .label = {}};
  for (const auto& line : scenario_.clients) {
    if (line.name == "member") last.arguments.all["groups"] = line.arguments.text("group", "g");
  }
  const bool read = run_to_end(make_final_reader(surroundings("final", &last)), kReadLimit);
  note(read ? "read" : "unread");
  note("over", sim::Json()
                   .field("steps", static_cast<std::int64_t>(world_.steps()))
                   .field("held", static_cast<std::int64_t>(world_.fabric().held()))
                   .raw("marks", marks_.json()));
  return finished && read;
}

}  // namespace dohle::scenarios
