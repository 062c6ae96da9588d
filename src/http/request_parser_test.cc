#include <http/request_parser.h>

#include <gtest/gtest.h>

namespace dohle::http {
namespace {

using Step = RequestParser::Step;

constexpr RequestLimits kLimits{.head_bytes = 1000, .body_bytes = 100};

// The status with which `text` is refused; 200 when it is a request.
int status_of(std::string_view text) {
  RequestParser parser(kLimits);
  parser.feed(as_bytes(text));
  const Step step = parser.step();
  EXPECT_NE(step, Step::kNeedBytes) << text;
  return step == Step::kRequest ? 200 : parser.status();
}

TEST(RequestParser, ReadsARequest) {
  RequestParser parser(kLimits);
  EXPECT_FALSE(parser.in_request());
  parser.feed(as_bytes("GET /metrics?name=a HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\n\r\n"));
  ASSERT_EQ(parser.step(), Step::kRequest);
  const Request request = parser.take_request();
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.path, "/metrics");
  EXPECT_EQ(request.query, "name=a");
  ASSERT_NE(request.find_header("ACCEPT"), nullptr);
  EXPECT_EQ(*request.find_header("ACCEPT"), "text/plain");
  EXPECT_EQ(request.find_header("Cookie"), nullptr);
  EXPECT_TRUE(request.keep_alive);
  EXPECT_FALSE(parser.in_request());
}

TEST(RequestParser, ReadsRequestsInAnyPieces) {
  const std::string_view text =
      "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
      "PUT /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
      "\r\nPUT /d HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: t\r\n\r\n"
      "GET /e HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n"
      "GET /f HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n"
      "DELETE /c HTTP/1.0\r\n\r\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    RequestParser parser(kLimits);
    std::string seen;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      parser.feed(as_bytes(text.substr(at, piece)));
      for (Step step = parser.step(); step != Step::kNeedBytes; step = parser.step()) {
        ASSERT_EQ(step, Step::kRequest) << parser.why();
        const Request request = parser.take_request();
        seen += request.method + request.path + request.body + (request.keep_alive ? "+ " : "- ");
      }
    }
    EXPECT_EQ(seen, "POST/ahello+ PUT/babcde+ PUT/d+ GET/e+ GET/f- DELETE/c- ") << piece;
  }
}

TEST(RequestParser, KnowsWhenAPeerWaitsToSendItsBody) {
  RequestParser parser(kLimits);
  parser.feed(as_bytes("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(parser.step(), Step::kContinue);
  EXPECT_EQ(parser.step(), Step::kNeedBytes);
  parser.feed(as_bytes("ok"));
  ASSERT_EQ(parser.step(), Step::kRequest);
  EXPECT_EQ(parser.take_request().body, "ok");
}

TEST(RequestParser, RefusesWhatIsNoRequest) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), 200);
  EXPECT_EQ(status_of("\x16\x03\x01 hello, TLS\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400) << "no Host";
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost : h\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n"), 400) << "a folded header";
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: h\r\nA: b\nC: d\r\n\r\n"), 400) << "a line that ends without CR";
  EXPECT_EQ(status_of("GET / / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/x\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"), 501);
  EXPECT_EQ(status_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
}

// Two that see different requests in the same bytes are what smuggling lives on.
TEST(RequestParser, RefusesBodiesOfTwoLengths) {
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"), 400);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            400);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
            400);
}

TEST(RequestParser, RefusesWhatIsTooLarge) {
  const std::string head = "GET / HTTP/1.1\r\nHost: h\r\n";
  EXPECT_EQ(status_of("GET /" + std::string(2000, 'a')), 431) << "a line without an end";
  EXPECT_EQ(status_of(head + "A: " + std::string(2000, 'a') + "\r\n\r\n"), 431);
  EXPECT_EQ(status_of(head + "Content-Length: 101\r\n\r\n"), 413);
  EXPECT_EQ(status_of(head + "Content-Length: 99999999999999999999999\r\n\r\n"), 413);
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(status_of(chunked + "65\r\n" + std::string(101, 'a') + "\r\n0\r\n\r\n"), 413);
  EXPECT_EQ(status_of(chunked + "ffffffffffffffffffff\r\n"), 413);
  EXPECT_EQ(status_of(chunked + "1;" + std::string(2000, 'a')), 431) << "an extension without an end";
}

// Each line alone is small.
TEST(RequestParser, CountsAllLinesOfAHeadTogether) {
  RequestParser parser(kLimits);
  parser.feed(as_bytes("GET / HTTP/1.1\r\nHost: h\r\n"));
  std::size_t fed = 0;
  while (fed < 2000 && parser.step() == Step::kNeedBytes) {
    parser.feed(as_bytes("A: b\r\n"));
    fed += 6;
  }
  EXPECT_EQ(parser.status(), 431);
  EXPECT_LT(fed, kLimits.head_bytes);
}

TEST(RequestParser, CountsWhatComesAfterTheBodyToo) {
  RequestParser parser(kLimits);
  parser.feed(as_bytes("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"));
  std::size_t fed = 0;
  while (fed < 4000 && parser.step() == Step::kNeedBytes) {
    parser.feed(as_bytes("A: b\r\n"));
    fed += 6;
  }
  EXPECT_EQ(parser.status(), 431);
}

}  // namespace
}  // namespace dohle::http
