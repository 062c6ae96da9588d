#include <transport/request.h>

#include <base/check.h>

#include "server_connection.h"

namespace dohle::transport {

Request::Request(std::shared_ptr<ServerConnection> connection, std::uint64_t number, std::uint64_t admitted_bytes,
                 Slice frame, protocol::RequestHeader header, Bytes body)
    : pass_(connection->server().gate().enter()),
      connection_(std::move(connection)),
      number_(number),
      admitted_bytes_(admitted_bytes),
      pool_(static_cast<std::uint8_t>(connection_->charge_.pool)),
      frame_(std::move(frame)),
      header_(std::move(header)),
      body_(body),
      received_at_(connection_->server().now()) {}

Request::~Request() {
  if (!answered_) close_connection("a request was given up");
  connection_->release(static_cast<Pool>(pool_), admitted_bytes_);
}

ConnectionContext& Request::connection() const { return *connection_; }

void Request::enqueued() {
  if (!std::exchange(enqueued_, true)) connection_->enqueued(number_);
}

void Request::respond(runtime::Fragments frame, runtime::Duration throttle) {
  DOHLE_CHECK(!std::exchange(answered_, true));
  enqueued();
  connection_->complete(number_, std::move(frame), throttle);
}

void Request::no_response(runtime::Duration throttle) { respond({}, throttle); }

void Request::close_connection(std::string_view why) {
  connection_->close(why);
  respond({});
}

}  // namespace dohle::transport
