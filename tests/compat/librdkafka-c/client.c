// librdkafka's C interface against a running node: client HOST:PORT. A line a case, `ok` or `FAILED`.
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char* bootstrap;
static char error[512];
static int delivered;
static int64_t last_offset;

#define CHECK(holds)                                               \
  do {                                                             \
    if (!(holds)) {                                                \
      printf("        line %d: %s %s\n", __LINE__, #holds, error); \
      return false;                                                \
    }                                                              \
  } while (0)

// Settings as name, value, ..., NULL.
#define SETTINGS(...) ((const char*[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void on_delivery(rd_kafka_t* client, const rd_kafka_message_t* message, void* opaque) {
  (void)client;
  (void)opaque;
  if (message->err) {
    snprintf(error, sizeof error, "%s", rd_kafka_err2str(message->err));
    return;
  }
  delivered++;
  last_offset = message->offset;
}

static rd_kafka_t* open_client(rd_kafka_type_t type, const char* const* settings) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, error, sizeof error);
  for (; *settings; settings += 2) {
    if (rd_kafka_conf_set(conf, settings[0], settings[1], error, sizeof error) != RD_KAFKA_CONF_OK) return NULL;
  }
  if (type == RD_KAFKA_PRODUCER) rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  return rd_kafka_new(type, conf, error, sizeof error);
}

static bool produce(const char* topic, int from, int to, const char* const* settings) {
  rd_kafka_t* producer = open_client(RD_KAFKA_PRODUCER, settings);
  CHECK(producer);
  delivered = 0;
  for (int i = from; i < to; i++) {
    char value[16];
    int length = snprintf(value, sizeof value, "%d", i);
    CHECK(!rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY("k", 1), RD_KAFKA_V_VALUE(value, length),
                             RD_KAFKA_V_HEADER("h", "1", 1), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END));
    rd_kafka_poll(producer, 0);
  }
  rd_kafka_flush(producer, 20000);
  rd_kafka_destroy(producer);
  CHECK(delivered == to - from);
  return true;
}

// Reads values from..to in order, each once, and then the end of the partition.
static bool expect(rd_kafka_t* consumer, int from, int to) {
  int next = from;
  for (int idle = 0; idle < 100;) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer, 200);
    if (!message) {
      idle++;
      continue;
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      rd_kafka_message_destroy(message);
      if (next < to) continue;
      CHECK(next == to);
      return true;
    }
    CHECK(!message->err);
    char value[16] = {0};
    CHECK(message->len < sizeof value && message->key_len == 1);
    memcpy(value, message->payload, message->len);
    CHECK(atoi(value) == next);
    next++;
    rd_kafka_message_destroy(message);
  }
  CHECK(!"20 s without the end of the partition");
  return false;
}

static bool takes_codec(const char* codec) {
  char topic[32];
  snprintf(topic, sizeof topic, "c-%s", codec);
  CHECK(produce(topic, 0, 1000, SETTINGS("compression.codec", codec, "enable.idempotence", "true", "linger.ms", "5")));
  CHECK(last_offset == 999);
  rd_kafka_t* consumer = open_client(RD_KAFKA_CONSUMER, SETTINGS("group.id", "reader", "enable.partition.eof", "true"));
  CHECK(consumer);
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_poll_set_consumer(consumer);
  rd_kafka_assign(consumer, list);
  rd_kafka_topic_partition_list_destroy(list);
  bool read = expect(consumer, 0, 1000);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  return read;
}

// One run of a member of the group: reads what is there, commits, leaves.
static bool member_reads(int from, int to) {
  rd_kafka_t* consumer = open_client(RD_KAFKA_CONSUMER, SETTINGS("group.id", "c-group", "enable.partition.eof", "true", "auto.offset.reset",
                                                                 "earliest", "enable.auto.commit", "false"));
  CHECK(consumer);
  rd_kafka_poll_set_consumer(consumer);
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, "c-grouped", 0);
  rd_kafka_subscribe(consumer, list);
  bool read = expect(consumer, from, to) && !rd_kafka_commit(consumer, NULL, 0) && !rd_kafka_committed(consumer, list, 10000) &&
              list->elems[0].offset == to;
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  return read;
}

static bool resumes_in_a_group(const char* unused) {
  (void)unused;
  CHECK(produce("c-grouped", 0, 50, SETTINGS()));
  CHECK(member_reads(0, 50));
  CHECK(produce("c-grouped", 50, 60, SETTINGS()));
  CHECK(member_reads(50, 60));
  return true;
}

static bool finds_offsets(const char* unused) {
  (void)unused;
  rd_kafka_t* consumer = open_client(RD_KAFKA_CONSUMER, SETTINGS("group.id", "x"));
  CHECK(consumer);
  int64_t low = -1, high = -1;
  CHECK(!rd_kafka_query_watermark_offsets(consumer, "c-none", 0, &low, &high, 10000) && low == 0 && high == 1000);
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, "c-none", 0)->offset = 1;  // A time, here.
  CHECK(!rd_kafka_offsets_for_times(consumer, list, 10000) && list->elems[0].offset == 0);
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_destroy(consumer);
  return true;
}

static bool creates_topics(const char* unused) {
  (void)unused;
  rd_kafka_t* client = open_client(RD_KAFKA_PRODUCER, SETTINGS());
  CHECK(client);
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
  rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new("c-made", 3, 1, error, sizeof error);
  const rd_kafka_resp_err_t expected[] = {RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS};
  for (int i = 0; i < 2; i++) {
    rd_kafka_CreateTopics(client, &topic, 1, NULL, queue);
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 20000);
    CHECK(event && !rd_kafka_event_error(event));
    size_t count = 0;
    const rd_kafka_topic_result_t** results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    CHECK(count == 1 && rd_kafka_topic_result_error(results[0]) == expected[i]);
    rd_kafka_event_destroy(event);
  }
  rd_kafka_NewTopic_destroy(topic);
  rd_kafka_queue_destroy(queue);
  rd_kafka_destroy(client);
  return true;
}

static void case_is(const char* name, bool (*test)(const char*), const char* argument) {
  error[0] = 0;
  printf("%s%s %s\n", test(argument) ? "ok      " : "FAILED  ", name, argument);
  fflush(stdout);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  bootstrap = argv[1];
  const char* codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
  for (int i = 0; i < 5; i++) case_is("takes", takes_codec, codecs[i]);
  case_is("reads and resumes in a group", resumes_in_a_group, "");
  case_is("finds offsets", finds_offsets, "");
  case_is("creates topics", creates_topics, "");
  return 0;
}
