#include <metadata/controller_channel.h>

#include <controller/controller_messages.h>
#include <metadata/controller.h>

namespace dohle::metadata {
namespace {

class InProcessChannel final : public ControllerChannel {
 public:
  InProcessChannel(runtime::Shard& shard, Controller& controller) : shard_(shard), controller_(controller) {}

#define DOHLE_X(name)                                                                                        \
  runtime::Task<Result<protocol::name##Response>> send(const protocol::name##Request& request,               \
                                                       ControllerRequestContext context) override {          \
    co_return co_await runtime::submit_to(shard_, [this, &request, context = std::move(context)]() mutable { \
      return controller_.handle(request, std::move(context));                                                \
    });                                                                                                      \
  }
  DOHLE_CONTROLLER_MESSAGES(DOHLE_X)
#undef DOHLE_X

 private:
  runtime::Shard& shard_;
  Controller& controller_;
};

}  // namespace

std::unique_ptr<ControllerChannel> make_in_process_channel(runtime::Shard& shard, Controller& controller) {
  return std::make_unique<InProcessChannel>(shard, controller);
}

}  // namespace dohle::metadata
