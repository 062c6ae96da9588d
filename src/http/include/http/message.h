// What HTTP/1.1 carries, as handlers see it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <base/buffer.h>

namespace dohle::http {

struct Header {
  std::string name;
  std::string value;
};

// Texts are as they were sent, nothing decoded.
struct Request {
  std::string method;
  std::string path;   // of the target, up to '?'
  std::string query;  // after '?'
  std::vector<Header> headers;
  std::string body;
  bool keep_alive = false;

  // The first one of that name, in whatever case; null when there is none.
  [[nodiscard]] const std::string* find_header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<Header> headers;  // beside those that every response has
  std::vector<Slice> body;

  // On the shard that answers. A sentence with a status.
  [[nodiscard]] static Response text(int status, std::string_view sentence);
};

[[nodiscard]] std::string_view reason_of(int status);

}  // namespace dohle::http
