// Apache Kafka's producer, consumer and admin client against a running node; a line a case, `ok` or `FAILED`.
//
//   java -cp 'KAFKA_JARS/*' tests/compat/java/Clients.java HOST:PORT
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class Clients {
    interface Case {
        void run() throws Exception;
    }

    static String bootstrap;
    static Admin admin;

    public static void main(String[] args) {
        bootstrap = args[0];
        admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) is("takes " + codec, () -> takesCodec(codec));
        for (String acks : List.of("0", "1", "all")) is("takes acks=" + acks, () -> takesAcks(acks));
        is("keeps keys, headers, timestamps and absent values", Clients::keepsWhatARecordHolds);
        is("stamps records itself where the topic says so", Clients::stampsRecords);
        is("refuses a record over the topic's limit", Clients::refusesLargeRecords);
        is("refuses a record without a key on a compacted topic", Clients::refusesRecordsWithoutKey);
        is("reads sealed segments with a small limit, without a gap", Clients::readsSegmentsInSmallSteps);
        is("answers offsets by time", Clients::answersOffsetsByTime);
        for (String assignor : List.of("Range", "CooperativeSticky"))
            is("rebalances a group with the assignor " + assignor, () -> rebalances(assignor));
        is("commits and resumes", Clients::commitsAndResumes);
        is("lets a static member come back to its partitions", Clients::keepsStaticMembers);
        is("creates, lists, describes and deletes topics", Clients::managesTopics);
        is("refuses topics that cannot be", Clients::refusesTopics);
        is("adds partitions", Clients::addsPartitions);
        is("describes and alters configurations", Clients::altersConfigs);
        is("lists, describes, resets and deletes groups", Clients::managesGroups);
        is("deletes records", Clients::deletesRecords);
        is("describes log directories", Clients::describesLogDirs);
        is("describes the cluster and its features", Clients::describesCluster);
        admin.close(Duration.ofSeconds(5));
        System.exit(0);
    }

    static void is(String name, Case test) {
        try {
            test.run();
            System.out.println("ok      " + name);
        } catch (Throwable e) {
            System.out.println("FAILED  " + name);
            System.out.println("        " + e);
            for (StackTraceElement at : e.getStackTrace())
                if (at.getClassName().startsWith("Clients")) System.out.println("        at line " + at.getLineNumber());
        }
        System.out.flush();
    }

    static void check(boolean holds, Object... context) {
        if (!holds) throw new AssertionError(Arrays.toString(context));
    }

    static void same(Object expected, Object found) {
        check(expected.equals(found), "expected", expected, "found", found);
    }

    static <E extends Exception> void fails(Class<E> with, Future<?> future) throws Exception {
        try {
            Object answer = future.get();
            check(false, "expected", with.getSimpleName(), "got", answer);
        } catch (ExecutionException e) {
            check(with.isInstance(e.getCause()), "expected", with.getSimpleName(), "got", e.getCause());
        }
    }

    static void eventually(String what, BooleanSupplier holds) throws Exception {
        long end = System.nanoTime() + 20_000_000_000L;
        while (!holds.getAsBoolean()) {
            check(System.nanoTime() < end, "not within 20 s:", what);
            Thread.sleep(10);
        }
    }

    static KafkaProducer<String, String> producer(String... settings) {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", bootstrap));
        for (int i = 0; i < settings.length; i += 2) config.put(settings[i], settings[i + 1]);
        return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
    }

    static KafkaConsumer<String, String> consumer(String... settings) {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "auto.offset.reset", "earliest",
                "enable.auto.commit", "false", "group.protocol", "classic"));
        for (int i = 0; i < settings.length; i += 2) config.put(settings[i], settings[i + 1]);
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    static void create(String topic, int partitions, String... configs) throws Exception {
        Map<String, String> map = new HashMap<>();
        for (int i = 0; i < configs.length; i += 2) map.put(configs[i], configs[i + 1]);
        admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(map))).all().get();
    }

    static void fill(String topic, int partitions, int from, int to) throws Exception {
        try (var producer = producer()) {
            for (int p = 0; p < partitions; p++)
                for (int i = from; i < to; i++) producer.send(new ProducerRecord<>(topic, p, "k" + i, p + "-" + i));
        }
    }

    /** Everything in partition 0 up to its end now. */
    static List<ConsumerRecord<String, String>> readAll(String topic, String... settings) throws Exception {
        var partition = new TopicPartition(topic, 0);
        var found = new ArrayList<ConsumerRecord<String, String>>();
        try (var consumer = consumer(settings)) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            eventually("reading " + topic + " to " + end, () -> {
                consumer.poll(Duration.ofMillis(100)).forEach(found::add);
                return consumer.position(partition) >= end;
            });
        }
        return found;
    }

    static void takesCodec(String codec) throws Exception {
        String topic = "codec-" + codec;
        create(topic, 1);
        var sent = new ArrayList<Future<RecordMetadata>>();
        try (var producer = producer("compression.type", codec, "acks", "all", "linger.ms", "5")) {
            for (int i = 0; i < 3000; i++) sent.add(producer.send(new ProducerRecord<>(topic, "key" + i, "value " + i)));
        }
        for (int i = 0; i < 3000; i++) same((long) i, sent.get(i).get().offset());
        var found = readAll(topic);
        same(3000, found.size());
        for (int i = 0; i < 3000; i++) {
            same("value " + i, found.get(i).value());
            same((long) i, found.get(i).offset());
        }
    }

    static void takesAcks(String acks) throws Exception {
        String topic = "acks-" + acks;
        create(topic, 1);
        try (var producer = producer("acks", acks, "enable.idempotence", "false")) {
            RecordMetadata at = producer.send(new ProducerRecord<>(topic, "a", "b")).get();
            same(!acks.equals("0"), at.hasOffset());
        }
        eventually("the record is there", () -> {
            try {
                return readAll(topic).size() == 1;
            } catch (Exception e) {
                return false;
            }
        });
    }

    static void keepsWhatARecordHolds() throws Exception {
        create("whole", 1);
        try (var producer = producer()) {
            var record = new ProducerRecord<String, String>("whole", 0, 1234567890123L, null, null);
            record.headers().add("a", new byte[] {1, 2}).add("none", null).add("", new byte[0]);
            producer.send(record).get();
            producer.send(new ProducerRecord<>("whole", 0, 5L, "", "")).get();
        }
        var found = readAll("whole");
        var first = found.get(0);
        check(first.key() == null && first.value() == null && first.timestamp() == 1234567890123L, first);
        var headers = first.headers().toArray();
        check(headers.length == 3 && headers[0].value()[1] == 2 && headers[1].value() == null && headers[2].value().length == 0, first);
        check(found.get(1).key().isEmpty() && found.get(1).value().isEmpty() && found.get(1).timestamp() == 5L, found.get(1));
        same(TimestampType.CREATE_TIME, first.timestampType());
        same(Optional.of(0), first.leaderEpoch());
    }

    static void stampsRecords() throws Exception {
        create("stamped", 1, "message.timestamp.type", "LogAppendTime");
        long before = System.currentTimeMillis();
        try (var producer = producer("compression.type", "lz4")) {
            RecordMetadata at = producer.send(new ProducerRecord<>("stamped", 0, 5L, "k", "v")).get();
            check(at.timestamp() >= before, at.timestamp());
        }
        var record = readAll("stamped").get(0);
        same(TimestampType.LOG_APPEND_TIME, record.timestampType());
        check(record.timestamp() >= before && record.timestamp() <= System.currentTimeMillis(), record);
    }

    static void refusesLargeRecords() throws Exception {
        create("small", 1, "max.message.bytes", "1000");
        try (var producer = producer()) {
            fails(RecordTooLargeException.class, producer.send(new ProducerRecord<>("small", "x".repeat(2000))));
            same(0L, producer.send(new ProducerRecord<>("small", "x".repeat(800))).get().offset());
        }
    }

    static void refusesRecordsWithoutKey() throws Exception {
        create("compacted", 1, "cleanup.policy", "compact");
        try (var producer = producer()) {
            fails(InvalidRecordException.class, producer.send(new ProducerRecord<>("compacted", "no key")));
            same(0L, producer.send(new ProducerRecord<>("compacted", "key", null)).get().offset());
        }
    }

    static void readsSegmentsInSmallSteps() throws Exception {
        create("segments", 1, "segment.bytes", "1048576");
        try (var producer = producer("batch.size", "8000")) {
            for (int i = 0; i < 5000; i++) producer.send(new ProducerRecord<>("segments", 0, "k" + i, i + "x".repeat(1000)));
        }
        var found = readAll("segments", "max.partition.fetch.bytes", "20000", "fetch.max.bytes", "30000");
        same(5000, found.size());
        for (int i = 0; i < 5000; i++) {
            same((long) i, found.get(i).offset());
            same("k" + i, found.get(i).key());
        }
    }

    static void answersOffsetsByTime() throws Exception {
        create("time", 1);
        var partition = new TopicPartition("time", 0);
        try (var producer = producer()) {
            for (long t : new long[] {1000, 2000, 9000, 3000}) producer.send(new ProducerRecord<>("time", 0, t, "k", "v")).get();
        }
        try (var consumer = consumer()) {
            same(2L, consumer.offsetsForTimes(Map.of(partition, 2001L)).get(partition).offset());
            same(9000L, consumer.offsetsForTimes(Map.of(partition, 2001L)).get(partition).timestamp());
            check(consumer.offsetsForTimes(Map.of(partition, 9001L)).get(partition) == null);
            same(0L, consumer.beginningOffsets(List.of(partition)).get(partition));
            same(4L, consumer.endOffsets(List.of(partition)).get(partition));
        }
        same(0L, offset(partition, OffsetSpec.earliest()));
        same(4L, offset(partition, OffsetSpec.latest()));
        same(1L, offset(partition, OffsetSpec.forTimestamp(1500)));
        same(-1L, offset(partition, OffsetSpec.forTimestamp(9001)));
        same(2L, offset(partition, OffsetSpec.maxTimestamp()));
        same(0L, offset(partition, OffsetSpec.earliestLocal()));
    }

    static long offset(TopicPartition partition, OffsetSpec spec) throws Exception {
        return admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get().offset();
    }

    static void pollUntil(String what, List<KafkaConsumer<String, String>> members, List<String> seen, BooleanSupplier holds) throws Exception {
        eventually(what, () -> {
            for (var member : members) {
                for (var record : member.poll(Duration.ofMillis(20))) seen.add(record.value());
                try {
                    member.commitSync();
                } catch (RebalanceInProgressException e) {
                    // The next round will.
                }
            }
            return holds.getAsBoolean();
        });
    }

    static void rebalances(String assignor) throws Exception {
        String topic = "shared-" + assignor, group = "g-" + assignor;
        create(topic, 4);
        fill(topic, 4, 0, 50);
        String[] settings = {"group.id", group, "partition.assignment.strategy",
                "org.apache.kafka.clients.consumer." + assignor + "Assignor"};
        var seen = new ArrayList<String>();
        var first = consumer(settings);
        var second = consumer(settings);
        try {
            first.subscribe(List.of(topic));
            pollUntil("one member has all", List.of(first), seen, () -> first.assignment().size() == 4 && seen.size() >= 200);
            second.subscribe(List.of(topic));
            var both = List.of(first, second);
            pollUntil("two members share", both, seen, () -> first.assignment().size() == 2 && second.assignment().size() == 2);
            var all = new HashSet<>(first.assignment());
            all.addAll(second.assignment());
            same(4, all.size());
            fill(topic, 4, 50, 100);
            pollUntil("both read", both, seen, () -> seen.size() >= 400);
            first.close();
            pollUntil("the other inherits", List.of(second), seen, () -> second.assignment().size() == 4);
            fill(topic, 4, 100, 120);
            pollUntil("the other reads all", List.of(second), seen, () -> seen.size() >= 480);
        } finally {
            first.close();
            second.close();
        }
        same(480, seen.size());
        same(480, new HashSet<>(seen).size());
    }

    static void commitsAndResumes() throws Exception {
        create("resumed", 1);
        fill("resumed", 1, 0, 10);
        var partition = new TopicPartition("resumed", 0);
        try (var consumer = consumer("group.id", "resume")) {
            consumer.subscribe(List.of("resumed"));
            pollUntil("reads", List.of(consumer), new ArrayList<>(), () -> consumer.assignment().size() == 1);
            consumer.commitSync(Map.of(partition, new OffsetAndMetadata(7, "about here")));
            var committed = consumer.committed(Set.of(partition)).get(partition);
            same(7L, committed.offset());
            same("about here", committed.metadata());
        }
        var seen = new ArrayList<String>();
        try (var consumer = consumer("group.id", "resume")) {
            consumer.subscribe(List.of("resumed"));
            pollUntil("resumes", List.of(consumer), seen, () -> seen.size() >= 3);
        }
        same(List.of("0-7", "0-8", "0-9"), seen);
    }

    static void keepsStaticMembers() throws Exception {
        create("static", 2);
        String[] one = {"group.id", "static", "group.instance.id", "one"}, two = {"group.id", "static", "group.instance.id", "two"};
        var first = consumer(one);
        var second = consumer(two);
        try {
            first.subscribe(List.of("static"));
            second.subscribe(List.of("static"));
            pollUntil("both have one", List.of(first, second), new ArrayList<>(),
                    () -> first.assignment().size() == 1 && second.assignment().size() == 1);
            var had = first.assignment();
            first.close();
            try (var again = consumer(one)) {
                again.subscribe(List.of("static"));
                pollUntil("it is back", List.of(again), new ArrayList<>(), () -> again.assignment().size() == 1);
                same(had, again.assignment());
            }
            same(1, second.assignment().size());
        } finally {
            first.close();
            second.close();
        }
    }

    static void managesTopics() throws Exception {
        var answer = admin.createTopics(List.of(new NewTopic("made", 3, (short) 1).configs(Map.of("retention.ms", "12345")),
                new NewTopic("placed", Map.of(0, List.of(1), 1, List.of(1))), new NewTopic("default", Optional.empty(), Optional.empty())));
        answer.all().get();
        same(3, answer.numPartitions("made").get());
        same("12345", answer.config("made").get().get("retention.ms").value());
        check(admin.listTopics().names().get().containsAll(Set.of("made", "placed", "default")));
        TopicDescription made = admin.describeTopics(List.of("made")).allTopicNames().get().get("made");
        same(3, made.partitions().size());
        same(answer.topicId("made").get(), made.topicId());
        for (var partition : made.partitions()) {
            same(1, partition.leader().id());
            same(List.of(1), partition.isr().stream().map(n -> n.id()).toList());
        }
        fill("default", 1, 0, 1);
        admin.deleteTopics(List.of("made", "placed")).all().get();
        eventually("they are gone", () -> {
            try {
                return !admin.listTopics().names().get().contains("made");
            } catch (Exception e) {
                return false;
            }
        });
        fails(UnknownTopicOrPartitionException.class, admin.describeTopics(List.of("made")).allTopicNames());
        create("made", 1);
        check(!answer.topicId("made").get().equals(admin.describeTopics(List.of("made")).allTopicNames().get().get("made").topicId()));
    }

    static void refusesTopics() throws Exception {
        create("there", 1);
        fails(TopicExistsException.class, admin.createTopics(List.of(new NewTopic("there", 1, (short) 1))).all());
        fails(InvalidTopicException.class, admin.createTopics(List.of(new NewTopic("a b", 1, (short) 1))).all());
        fails(InvalidPartitionsException.class, admin.createTopics(List.of(new NewTopic("zero", 0, (short) 1))).all());
        fails(InvalidReplicationFactorException.class, admin.createTopics(List.of(new NewTopic("three", 1, (short) 3))).all());
        fails(InvalidConfigurationException.class,
                admin.createTopics(List.of(new NewTopic("bad", 1, (short) 1).configs(Map.of("retention.ms", "soon")))).all());
        fails(UnknownTopicOrPartitionException.class, admin.deleteTopics(List.of("absent")).all());
    }

    static void addsPartitions() throws Exception {
        create("growing", 1);
        admin.createPartitions(Map.of("growing", NewPartitions.increaseTo(4))).all().get();
        eventually("four partitions", () -> {
            try {
                return admin.describeTopics(List.of("growing")).allTopicNames().get().get("growing").partitions().size() == 4;
            } catch (Exception e) {
                return false;
            }
        });
        fill("growing", 4, 0, 5);
        fails(InvalidPartitionsException.class, admin.createPartitions(Map.of("growing", NewPartitions.increaseTo(2))).all());
    }

    static void altersConfigs() throws Exception {
        create("configured", 1);
        var topic = new ConfigResource(ConfigResource.Type.TOPIC, "configured");
        var broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
        same("delete", admin.describeConfigs(List.of(topic)).all().get().get(topic).get("cleanup.policy").value());
        alter(topic, "cleanup.policy", "compact", AlterConfigOp.OpType.APPEND);
        alter(topic, "retention.bytes", "777", AlterConfigOp.OpType.SET);
        eventually("the changes show", () -> config(topic, "retention.bytes").equals("777") && config(topic, "cleanup.policy").contains("compact"));
        alter(topic, "retention.bytes", null, AlterConfigOp.OpType.DELETE);
        eventually("the default is back", () -> config(topic, "retention.bytes").equals("-1"));
        same("1", config(broker, "node.id"));
        alter(broker, "log.cleaner.threads", "2", AlterConfigOp.OpType.SET);
        eventually("the broker's change shows", () -> config(broker, "log.cleaner.threads").equals("2"));
        var op = new AlterConfigOp(new org.apache.kafka.clients.admin.ConfigEntry("retention.ms", "x"), AlterConfigOp.OpType.SET);
        fails(InvalidConfigurationException.class, admin.incrementalAlterConfigs(Map.of(topic, List.of(op))).all());
    }

    static void alter(ConfigResource resource, String name, String value, AlterConfigOp.OpType type) throws Exception {
        var op = new AlterConfigOp(new org.apache.kafka.clients.admin.ConfigEntry(name, value), type);
        admin.incrementalAlterConfigs(Map.of(resource, List.<AlterConfigOp>of(op))).all().get();
    }

    static String config(ConfigResource resource, String name) {
        try {
            return admin.describeConfigs(List.of(resource)).all().get().get(resource).get(name).value();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    static void managesGroups() throws Exception {
        create("counted", 2);
        fill("counted", 2, 0, 10);
        var zero = new TopicPartition("counted", 0);
        var one = new TopicPartition("counted", 1);
        try (var consumer = consumer("group.id", "managed", "client.id", "me")) {
            consumer.subscribe(List.of("counted"));
            var seen = new ArrayList<String>();
            pollUntil("reads", List.of(consumer), seen, () -> seen.size() == 20);
            var group = admin.describeConsumerGroups(List.of("managed")).all().get().get("managed");
            same(GroupState.STABLE, group.groupState());
            same("range", group.partitionAssignor());
            same(1, group.coordinator().id());
            var member = group.members().iterator().next();
            same("me", member.clientId());
            same(Set.of(zero, one), member.assignment().topicPartitions());
            check(admin.listGroups().all().get().stream().anyMatch(g -> g.groupId().equals("managed")));
            fails(GroupNotEmptyException.class, admin.deleteConsumerGroups(List.of("managed")).all());
            fails(GroupSubscribedToTopicException.class, admin.deleteConsumerGroupOffsets("managed", Set.of(one)).all());
        }
        same(10L, admin.listConsumerGroupOffsets("managed").partitionsToOffsetAndMetadata().get().get(one).offset());
        admin.alterConsumerGroupOffsets("managed", Map.of(zero, new OffsetAndMetadata(3))).all().get();
        admin.deleteConsumerGroupOffsets("managed", Set.of(one)).all().get();
        var left = admin.listConsumerGroupOffsets("managed").partitionsToOffsetAndMetadata().get();
        same(3L, left.get(zero).offset());
        check(left.get(one) == null, left);
        same(GroupState.EMPTY, admin.describeConsumerGroups(List.of("managed")).all().get().get("managed").groupState());
        admin.deleteConsumerGroups(List.of("managed")).all().get();
        check(admin.listGroups().all().get().stream().noneMatch(g -> g.groupId().equals("managed")));
        fails(GroupIdNotFoundException.class, admin.describeConsumerGroups(List.of("managed")).all());
    }

    static void deletesRecords() throws Exception {
        create("cut", 1);
        fill("cut", 1, 0, 10);
        var partition = new TopicPartition("cut", 0);
        same(4L, admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(4))).lowWatermarks().get(partition).get().lowWatermark());
        same(4L, offset(partition, OffsetSpec.earliest()));
        same("0-4", readAll("cut").get(0).value());
        fails(OffsetOutOfRangeException.class, admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(11))).all());
        same(10L, admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(-1))).lowWatermarks().get(partition).get().lowWatermark());
    }

    static void describesLogDirs() throws Exception {
        create("sized", 1);
        fill("sized", 1, 0, 100);
        var dirs = admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1);
        same(1, dirs.size());
        var dir = dirs.values().iterator().next();
        check(dir.error() == null && dir.totalBytes().getAsLong() > dir.usableBytes().getAsLong(), dir);
        check(dir.replicaInfos().get(new TopicPartition("sized", 0)).size() > 1000, dir.replicaInfos());
    }

    static void describesCluster() throws Exception {
        var cluster = admin.describeCluster();
        same(1, cluster.nodes().get().size());
        same(1, cluster.controller().get().id());
        check(cluster.clusterId().get().length() == 22, cluster.clusterId().get());
        var features = admin.describeFeatures().featureMetadata().get();
        check(features.finalizedFeatures().containsKey("metadata.version"), features);
    }
}
