import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.internals.AbstractPartitionAssignor;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/** Writes assignors.txt into the folder given. */
public final class GenerateClient {
    public static void main(String[] args) throws Exception {
        try (PrintWriter out = new PrintWriter(Path.of(args[0]).resolve("assignors.txt").toFile(), "UTF-8")) {
            bytes(out);
            Random random = new Random(20261120);
            for (int round = 0; round < 60; round++) group(out, random);
        }
    }

    private static void bytes(PrintWriter out) {
        List<TopicPartition> owned = List.of(new TopicPartition("a", 0), new TopicPartition("a", 2), new TopicPartition("b", 1));
        StickyAssignor sticky = new StickyAssignor();
        sticky.onAssignment(new Assignment(owned, null), new ConsumerGroupMetadata("g", 7, "m", Optional.empty()));
        ByteBuffer stickyData = sticky.subscriptionUserData(Set.of("a", "b"));
        CooperativeStickyAssignor cooperative = new CooperativeStickyAssignor();
        cooperative.onAssignment(new Assignment(owned, null), new ConsumerGroupMetadata("g", 7, "m", Optional.empty()));
        ByteBuffer cooperativeData = cooperative.subscriptionUserData(Set.of("a", "b"));
        for (short version = 0; version <= 3; version++) {
            subscription(out, "range", version, new Subscription(List.of("a", "b"), null, List.of(), -1, Optional.empty()));
            subscription(out, "range", version, new Subscription(List.of("a", "b"), null, List.of(), -1, Optional.of("rack1")));
            subscription(out, "sticky", version, new Subscription(List.of("a", "b"), stickyData.duplicate(), owned, 7, Optional.empty()));
            subscription(out, "cooperative-sticky", version,
                new Subscription(List.of("a", "b"), cooperativeData.duplicate(), owned, 7, Optional.empty()));
            out.println("assignment version=" + version + " " + hex(ConsumerProtocol.serializeAssignment(new Assignment(owned, null), version)));
        }
    }

    private static void subscription(PrintWriter out, String assignor, short version, Subscription subscription) {
        out.println("subscription " + assignor + " version=" + version + " rack=" + subscription.rackId().orElse("-") + " "
            + hex(ConsumerProtocol.serializeSubscription(subscription, version)));
    }

    private static String hex(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    private static void group(PrintWriter out, Random random) {
        Map<String, List<PartitionInfo>> topics = new TreeMap<>();
        StringBuilder line = new StringBuilder("group");
        int topicCount = 1 + random.nextInt(4);
        for (int t = 0; t < topicCount; t++) {
            int partitions = 1 + random.nextInt(9);
            List<PartitionInfo> infos = new ArrayList<>();
            for (int p = 0; p < partitions; p++) infos.add(new PartitionInfo("t" + t, p, Node.noNode(), new Node[0], new Node[0]));
            topics.put("t" + t, infos);
            line.append(" t").append(t).append(':').append(partitions);
        }
        out.println(line);
        Map<String, Subscription> members = new HashMap<>();
        int memberCount = 1 + random.nextInt(5);
        for (int m = 0; m < memberCount; m++) {
            List<String> wanted = new ArrayList<>(topics.keySet());
            Collections.shuffle(wanted, random);
            wanted = new ArrayList<>(wanted.subList(0, 1 + random.nextInt(wanted.size())));
            Collections.sort(wanted);
            Subscription subscription = new Subscription(wanted);
            String id = "member" + (char) ('a' + random.nextInt(26)) + m;
            String instance = random.nextInt(3) == 0 ? "instance" + m : "-";
            if (!instance.equals("-")) subscription.setGroupInstanceId(Optional.of(instance));
            members.put(id, subscription);
            out.println("member " + id + " " + instance + " " + String.join(",", wanted));
        }
        result(out, "range", new RangeAssignor(), topics, members);
        result(out, "roundrobin", new RoundRobinAssignor(), topics, members);
    }

    private static void result(PrintWriter out, String name, AbstractPartitionAssignor assignor,
                               Map<String, List<PartitionInfo>> topics, Map<String, Subscription> members) {
        for (Map.Entry<String, List<TopicPartition>> e : new TreeMap<>(assignor.assignPartitions(topics, members)).entrySet()) {
            List<String> partitions = new ArrayList<>();
            for (TopicPartition p : e.getValue()) partitions.add(p.topic() + ":" + p.partition());
            out.println("given " + name + " " + e.getKey() + " " + (partitions.isEmpty() ? "-" : String.join(",", partitions)));
        }
    }
}
