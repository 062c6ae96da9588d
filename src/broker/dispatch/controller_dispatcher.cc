#include "dispatch/controller_dispatcher.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "dispatch/controller_table.h"
#include "fetch/transit.h"

namespace dohle::broker {
namespace {

// What goes over to shard 0, and what comes back.
struct Passed {
  ForeignSlice frame;
  std::string listener;
};
using Answered = Result<std::vector<TransitFragment>>;

runtime::Task<Answered> serve_at_home(ControllerHome& home, const ControllerRow& row, Passed passed) {
  const Slice frame = Slice::adopt(std::move(passed.frame));
  Reader reader(frame.bytes());
  DOHLE_CO_ASSIGN(const protocol::RequestHeader header, protocol::RequestHeader::decode(reader));
  ControllerContext ctx{.raft = home.raft,
                        .controller = home.controller,
                        .image = home.metadata.image(),
                        .cluster_id = home.cluster_id,
                        .node_id = home.node_id,
                        .listener = std::move(passed.listener),
                        .client_id = header.client_id ? header.client_id->str() : std::string(),
                        .version = header.api_version};
  protocol::Writer writer;
  protocol::ResponseHeader{.correlation_id = header.correlation_id}.encode(writer, header.api_key, header.api_version);
  DOHLE_CO_TRY(co_await row.serve(ctx, reader, writer));
  co_return share_fragments(writer.finish_frame());
}

}  // namespace

runtime::Task<void> ControllerDispatcher::handle(std::unique_ptr<transport::Request> request) {
  const auto& header = request->header();
  const ControllerRow* row = find_controller_row(header.api_key);
  if (row == nullptr || header.api_version < row->min_version || header.api_version > row->max_version) {
    request->close_connection(
        fmt::format("version {} of API key {} is not served on this listener", header.api_version, header.api_key));
    co_return;
  }
  Passed passed{request->frame().share(), request->connection().listener()};
  auto answered = co_await runtime::submit_to(home_.shard, [this, row, passed = std::move(passed)]() mutable {
    return serve_at_home(home_, *row, std::move(passed));
  });
  if (!answered) {
    request->close_connection(answered.error().message);
    co_return;
  }
  request->respond(take_fragments(std::move(*answered)));
}

}  // namespace dohle::broker
