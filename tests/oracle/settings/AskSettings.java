// Changes and describes settings through Kafka's admin client and prints what comes of it, a line an item: cells, not JSON. A unit
// test of src/broker/config replays golden.txt, which is what Apache Kafka 4.4.0 answers.
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.ConfigResource.Type;
import org.apache.kafka.common.protocol.Errors;

public class AskSettings extends Asker {
    static Admin admin;

    public static void main(String[] args) throws Exception {
        start(args);
        admin = Admin.create(Map.of("bootstrap.servers", host + ":" + port));
        describe("static", Type.BROKER, "1");
        admin.createTopics(List.of(new NewTopic("t", 1, (short) 1))).all().get();
        describe("static", Type.TOPIC, "t");
        describe("static", Type.GROUP, "g");
        describe("static", Type.CLIENT_METRICS, "m");
        alterations();
        Thread.sleep(2000);
        describe("altered", Type.BROKER, "1");
        describe("altered", Type.BROKER, "");
        describe("altered", Type.TOPIC, "t");
        describe("altered", Type.GROUP, "g");
        describe("altered", Type.CLIENT_METRICS, "m");
        describe("errors", Type.TOPIC, "absent");
        describe("errors", Type.TOPIC, "bad name");
        describe("errors", Type.GROUP, "");
        describe("errors", Type.CLIENT_METRICS, "");
        admin.close();
    }

    static void alterations() throws Exception {
        alter(Type.TOPIC, "t", "retention.ms", OpType.SET, " 60000 ");
        alter(Type.TOPIC, "t", "cleanup.policy", OpType.APPEND, "compact");
        alter(Type.TOPIC, "t", "cleanup.policy", OpType.SUBTRACT, "delete");
        alter(Type.TOPIC, "t", "segment.ms", OpType.SET, "1000");
        alter(Type.TOPIC, "t", "internal.segment.bytes", OpType.SET, "100000");
        alter(Type.TOPIC, "t", "min.cleanable.dirty.ratio", OpType.SET, "1e-2");
        alter(Type.TOPIC, "t", "unclean.leader.election.enable", OpType.SET, "TRUE");
        alter(Type.TOPIC, "t", "leader.replication.throttled.replicas", OpType.SET, "0:1,1:2");
        alter(Type.TOPIC, "t", "segment.jitter.ms", OpType.SET, "7");
        alter(Type.TOPIC, "t", "segment.jitter.ms", OpType.DELETE, null);
        alter(Type.TOPIC, "t", "no.such", OpType.SET, "1");
        alter(Type.TOPIC, "t", "retention.ms", OpType.SET, "-2");
        alter(Type.TOPIC, "t", "retention.ms", OpType.SET, "soon");
        alter(Type.TOPIC, "t", "retention.ms", OpType.APPEND, "1");
        alter(Type.TOPIC, "t", "no.such", OpType.APPEND, "1");
        alter(Type.TOPIC, "t", "cleanup.policy", OpType.SET, "keep");
        alter(Type.TOPIC, "t", "min.compaction.lag.ms", OpType.SET, "9223372036854775807");
        alter(Type.TOPIC, "t", "max.compaction.lag.ms", OpType.SET, "5");
        alter(Type.TOPIC, "t", "remote.storage.enable", OpType.SET, "true");
        alter(Type.TOPIC, "t", "compression.gzip.level", OpType.SET, "0");
        alter(Type.TOPIC, "t", "message.timestamp.type", OpType.SET, "logappendtime");
        alter(Type.TOPIC, "t", "follower.replication.throttled.replicas", OpType.SET, "1");
        alter(Type.TOPIC, "absent", "retention.ms", OpType.SET, "1");
        alter(Type.TOPIC, "", "retention.ms", OpType.SET, "1");
        alter(Type.BROKER, "1", "log.retention.ms", OpType.SET, "3600000");
        alter(Type.BROKER, "1", "log.segment.bytes", OpType.SET, "2000000");
        alter(Type.BROKER, "1", "listener.name.plaintext.max.connections", OpType.SET, "700");
        alter(Type.BROKER, "1", "cordoned.log.dirs", OpType.SET, "/nowhere");
        alter(Type.BROKER, "1", "num.io.threads", OpType.SET, "100");
        alter(Type.BROKER, "1", "num.io.threads", OpType.SET, "10");
        alter(Type.BROKER, "1", "node.id", OpType.SET, "2");
        alter(Type.BROKER, "1", "ssl.key.password", OpType.SET, "x");
        alter(Type.BROKER, "1", "some.plugin.key", OpType.SET, "x");
        alter(Type.BROKER, "1", "some.plugin.key", OpType.APPEND, "x");
        alter(Type.BROKER, "1", "log.segment.bytes", OpType.APPEND, "1");
        alter(Type.BROKER, "1", "log.segment.bytes", OpType.SET, "1");
        alter(Type.BROKER, "1", "log.segment.bytes", OpType.SET, "x");
        alter(Type.BROKER, "1", "leader.replication.throttled.rate", OpType.SET, "1000");
        alter(Type.BROKER, "1", "log.cleaner.min.compaction.lag.ms", OpType.SET, "-1");
        alter(Type.BROKER, "", "message.max.bytes", OpType.SET, "2000000");
        alter(Type.BROKER, "", "log.roll.hours", OpType.SET, "5");
        alter(Type.BROKER, "", "log.retention.minutes", OpType.SET, "30");
        alter(Type.BROKER, "", "log.cleanup.policy", OpType.APPEND, "compact");
        alter(Type.BROKER, "", "log.cleanup.policy", OpType.SUBTRACT, "delete");
        alter(Type.BROKER, "", "listeners", OpType.SET, "PLAINTEXT://:1");
        alter(Type.BROKER, "", "min.insync.replicas", OpType.DELETE, null);
        alter(Type.BROKER, "1", "min.insync.replicas", OpType.SET, "2");
        alter(Type.BROKER, "", "log.retention.ms", OpType.SET, "0");
        alter(Type.BROKER, "", "max.connections", OpType.SET, "1000");
        alter(Type.GROUP, "g", "consumer.session.timeout.ms", OpType.SET, "50000");
        alter(Type.GROUP, "g", "consumer.heartbeat.interval.ms", OpType.SET, "1");
        alter(Type.GROUP, "g", "consumer.heartbeat.interval.ms", OpType.SET, "6000");
        alter(Type.GROUP, "g", "share.auto.offset.reset", OpType.SET, "by_duration:PT1H");
        alter(Type.GROUP, "g", "share.auto.offset.reset", OpType.SET, "none");
        alter(Type.GROUP, "g", "streams.num.standby.replicas", OpType.SET, "3");
        alter(Type.GROUP, "g", "streams.assignor.name", OpType.SET, "nobody");
        alter(Type.GROUP, "g", "streams.rack.aware.assignment.tags", OpType.SET, "a,a");
        alter(Type.GROUP, "g", "errors.deadletterqueue.topic.name", OpType.SET, "__x");
        alter(Type.GROUP, "g", "no.such", OpType.SET, "1");
        alter(Type.GROUP, "", "consumer.session.timeout.ms", OpType.SET, "50000");
        alter(Type.CLIENT_METRICS, "m", "interval.ms", OpType.SET, "1000");
        alter(Type.CLIENT_METRICS, "m", "interval.ms", OpType.SET, "1");
        alter(Type.CLIENT_METRICS, "m", "metrics", OpType.SET, "a,b");
        alter(Type.CLIENT_METRICS, "m", "match", OpType.SET, "client_id=abc.*");
        alter(Type.CLIENT_METRICS, "m", "match", OpType.SET, "who=abc");
        alter(Type.CLIENT_METRICS, "m", "no.such", OpType.SET, "1");
        alter(Type.CLIENT_METRICS, "m", "interval.ms", OpType.SET, "x");
        alter(Type.CLIENT_METRICS, "", "interval.ms", OpType.SET, "1000");
    }

    static String error(Throwable e) {
        return Errors.forException(e instanceof ExecutionException ? e.getCause() : e).name();
    }

    static void alter(Type type, String name, String key, OpType op, String value) throws Exception {
        String result = "NONE";
        try {
            var change = Map.<ConfigResource, Collection<AlterConfigOp>>of(new ConfigResource(type, name),
                List.of(new AlterConfigOp(new ConfigEntry(key, value), op)));
            admin.incrementalAlterConfigs(change, new AlterConfigsOptions().timeoutMs(15000)).all().get();
        } catch (Exception e) {
            result = error(e);
        }
        row("alter", type, name, op, key, value, result);
    }

    static void describe(String when, Type type, String name) throws Exception {
        var resource = new ConfigResource(type, name);
        try {
            var config = admin.describeConfigs(List.of(resource), new DescribeConfigsOptions().includeSynonyms(true).timeoutMs(15000))
                .values().get(resource).get();
            for (ConfigEntry e : config.entries().stream().sorted(Comparator.comparing(ConfigEntry::name)).toList()) {
                List<String> synonyms = new ArrayList<>();
                for (ConfigEntry.ConfigSynonym s : e.synonyms()) {
                    synonyms.add(s.name() + "=" + ordered(s.name(), s.value()) + "@" + s.source());
                }
                row("describe", when, type, name, e.name(), ordered(e.name(), e.value()), e.source(), e.type(),
                    e.isSensitive() ? "sensitive" : "", e.isReadOnly() ? "read-only" : "", String.join(" ; ", synonyms));
            }
        } catch (Exception e) {
            row("describe", when, type, name, error(e));
        }
    }

    // Kafka joins a hash map for this default; any order means the same.
    static String ordered(String name, String value) {
        if (!name.equals("listener.security.protocol.map") || value == null) return value;
        return List.of(value.split(",")).stream().sorted().collect(Collectors.joining(","));
    }

    static void row(Object... cells) {
        List<String> out = new ArrayList<>();
        for (Object cell : cells) out.add(cell == null ? "(null)" : cell.toString());
        System.out.println(String.join("\t", out).replace(":" + port, ":" + SHOWN_PORT).replace(":" + controllerPort, ":" + (SHOWN_PORT + 1)));
    }
}
