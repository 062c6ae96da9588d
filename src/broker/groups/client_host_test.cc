#include "groups/client_host.h"

#include <gtest/gtest.h>

namespace dohle::broker {
namespace {

// What java.net.InetAddress prints.
TEST(ClientHost, IsWrittenAsJavaWritesIt) {
  EXPECT_EQ(client_host("192.0.2.1"), "/192.0.2.1");
  EXPECT_EQ(client_host("::ffff:192.0.2.1"), "/192.0.2.1");
  EXPECT_EQ(client_host("::1"), "/0:0:0:0:0:0:0:1");
  EXPECT_EQ(client_host("::"), "/0:0:0:0:0:0:0:0");
  EXPECT_EQ(client_host("2001:db8::1"), "/2001:db8:0:0:0:0:0:1");
  EXPECT_EQ(client_host("fe80::"), "/fe80:0:0:0:0:0:0:0");
  EXPECT_EQ(client_host("1:2:3:4:5:6:7:8"), "/1:2:3:4:5:6:7:8");
}

}  // namespace
}  // namespace dohle::broker
