#include <utility>

#include <fmt/format.h>

#include <http/server.h>

namespace dohle::http {

void Routes::add(const std::string& method, const std::string& path, Handler handler) {
  handlers_[path][method] = std::move(handler);
}

runtime::Task<Response> Routes::answer(const Request& request) const {
  const auto path = handlers_.find(request.path);
  if (path == handlers_.end()) co_return Response::text(404, fmt::format("there is no {}", request.path));
  const auto handler = path->second.find(request.method == "HEAD" ? "GET" : request.method);
  if (handler != path->second.end()) co_return co_await handler->second(request);
  std::string allowed;
  for (const auto& [method, unused] : path->second) allowed += (allowed.empty() ? "" : ", ") + method;
  if (path->second.contains("GET")) allowed += ", HEAD";
  auto refusal = Response::text(405, fmt::format("{} answers to {}", request.path, allowed));
  refusal.headers.push_back({"Allow", std::move(allowed)});
  co_return refusal;
}

}  // namespace dohle::http
