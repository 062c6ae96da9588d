// Fills __consumer_offsets of a running Apache Kafka broker with the groups that src/coordinator's golden test loads.
// Usage: GoldenGroups HOST:PORT. The broker: offsets.topic.num.partitions=1, group.initial.rebalance.delay.ms=0.
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;

public class GoldenGroups {
    static String server;

    static KafkaConsumer<byte[], byte[]> consumer(String group, String... more) {
        Properties p = new Properties();
        p.put("bootstrap.servers", server);
        p.put("group.id", group);
        p.put("group.protocol", "classic");
        p.put("enable.auto.commit", "false");
        p.put("session.timeout.ms", "30000");
        p.put("max.poll.interval.ms", "60000");
        for (int i = 0; i + 1 < more.length; i += 2) p.put(more[i], more[i + 1]);
        return new KafkaConsumer<>(p, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    static void join(KafkaConsumer<byte[], byte[]>... consumers) {
        long end = System.currentTimeMillis() + 8000;
        while (System.currentTimeMillis() < end) {
            for (KafkaConsumer<byte[], byte[]> c : consumers) c.poll(Duration.ofMillis(50));
        }
    }

    static Map<TopicPartition, OffsetAndMetadata> at(int partition, long offset, String metadata) {
        return Map.of(new TopicPartition("orders", partition), new OffsetAndMetadata(offset, Optional.of(0), metadata));
    }

    public static void main(String[] args) throws Exception {
        server = args[0];
        Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", server));
        admin.createTopics(List.of(new NewTopic("orders", 4, (short) 1), new NewTopic("gone", 1, (short) 1))).all().get();

        // A stable group with a static and a dynamic member, in different threads of one process: alive at the end.
        KafkaConsumer<byte[], byte[]> a = consumer("stable", "group.instance.id", "one", "client.id", "client-a");
        KafkaConsumer<byte[], byte[]> b = consumer("stable", "client.id", "client-b");
        a.subscribe(List.of("orders"));
        b.subscribe(List.of("orders"));
        Thread other = new Thread(() -> {
            try { while (true) b.poll(Duration.ofMillis(100)); } catch (Exception e) { }
        });
        other.setDaemon(true);
        other.start();
        join(a);
        TopicPartition own = a.assignment().iterator().next();
        a.commitSync(at(own.partition(), 5, "first"));
        a.commitSync(at(own.partition(), 11, "w\u00f6rk"));

        // A group that everybody left.
        KafkaConsumer<byte[], byte[]> c = consumer("left", "client.id", "client-c");
        c.subscribe(List.of("orders"));
        join(c);
        c.commitSync(at(2, 7, ""));
        c.close();

        // Offsets without members; some deleted again, and a deleted group.
        for (String group : List.of("simple", "deleted")) {
            admin.alterConsumerGroupOffsets(group, at(0, 100, "by hand")).all().get();
            admin.alterConsumerGroupOffsets(group, at(1, 200, "")).all().get();
        }
        admin.deleteConsumerGroupOffsets("simple", Set.of(new TopicPartition("orders", 1))).all().get();
        admin.deleteConsumerGroups(List.of("deleted")).all().get();

        // Offsets of a deleted topic.
        admin.alterConsumerGroupOffsets("simple", Map.of(new TopicPartition("gone", 0), new OffsetAndMetadata(3))).all().get();
        admin.deleteTopics(List.of("gone")).all().get();

        // Offsets in transactions: committed, aborted, open.
        String[] ends = {"commit", "abort", "open"};
        for (int i = 0; i < ends.length; i++) {
            Properties p = new Properties();
            p.put("bootstrap.servers", server);
            p.put("transactional.id", "tx-" + ends[i]);
            KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(p, new ByteArraySerializer(), new ByteArraySerializer());
            producer.initTransactions();
            producer.beginTransaction();
            producer.sendOffsetsToTransaction(at(i, 50 + i, ends[i]), new ConsumerGroupMetadata("transactions"));
            if (i == 0) producer.commitTransaction();
            if (i == 1) producer.abortTransaction();
        }

        // A group of the newer protocol.
        KafkaConsumer<byte[], byte[]> m = modern();
        m.subscribe(List.of("orders"));
        join(m);
        m.commitSync(at(3, 33, "modern"));
        System.out.println("done");
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    static KafkaConsumer<byte[], byte[]> modern() {
        Properties p = new Properties();
        p.put("bootstrap.servers", server);
        p.put("group.id", "modern");
        p.put("group.protocol", "consumer");
        p.put("enable.auto.commit", "false");
        return new KafkaConsumer<>(p, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }
}
