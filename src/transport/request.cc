#include <transport/request.h>

#include <base/check.h>

#include "server_connection.h"

namespace dohle::transport {

Request::Request(std::shared_ptr<ServerConnection> connection, Admitted admitted, Slice frame,
                 protocol::RequestHeader header, Bytes body)
    : pass_(connection->server().gate().enter()),
      connection_(std::move(connection)),
      admitted_(admitted),
      frame_(std::move(frame)),
      header_(std::move(header)),
      body_(body) {}

Request::~Request() {
  if (!answered_) close_connection("a request was given up");
  connection_->release({static_cast<Pool>(admitted_.pool), admitted_.bytes});
}

ConnectionContext& Request::connection() const { return *connection_; }

void Request::enqueued() {
  if (!std::exchange(enqueued_, true)) connection_->enqueued(admitted_.number);
}

void Request::respond(runtime::Fragments frame, runtime::Duration throttle) {
  DOHLE_CHECK(!std::exchange(answered_, true));
  enqueued();
  connection_->complete(admitted_.number, std::move(frame), throttle);
}

void Request::no_response(runtime::Duration throttle) { respond({}, throttle); }

void Request::close_connection(std::string_view why) {
  connection_->close(why);
  respond({});
}

}  // namespace dohle::transport
