#include <http/message.h>

#include <algorithm>

#include "text.h"

namespace dohle::http {
const std::string* Request::find_header(std::string_view name) const {
  const auto at = std::ranges::find_if(headers, [name](const Header& one) { return is_same_name(one.name, name); });
  return at == headers.end() ? nullptr : &at->value;
}

Response Response::text(int status, std::string_view sentence) {
  Response out{.status = status};
  out.body.push_back(Slice::copy_of(as_bytes(std::string(sentence) + "\n")));
  return out;
}

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

}  // namespace dohle::http
