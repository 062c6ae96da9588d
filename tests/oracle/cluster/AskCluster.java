// What a cluster is and how it is set: ApiVersions, DescribeConfigs, AlterConfigs, IncrementalAlterConfigs, DescribeLogDirs,
// DescribeCluster, ListConfigResources, FindCoordinator; and versions that nobody serves.
import com.fasterxml.jackson.databind.node.TextNode;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.record.internal.CompressionType;

public class AskCluster extends Asker {
    static final int TOPIC = 2;
    static final int BROKER = 4;
    static final int CLIENT_METRICS = 16;
    static final int GROUP = 32;
    static final int SET = 0;
    static final int DELETE = 1;
    static final int APPEND = 2;
    static final int SUBTRACT = 3;
    // Those that both serve.
    static final int[] APIS = {0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 19, 20, 21, 22, 23, 32, 33, 35, 37, 42, 44, 47, 60, 74, 75};
    static long lastEpoch = 0;

    // --- ApiVersions

    static ApiVersionsRequestData versions(String name, String version) {
        return new ApiVersionsRequestData().setClientSoftwareName(name).setClientSoftwareVersion(version);
    }

    static void apiVersions() throws Exception {
        for (int v = 0; v <= 5; v++) {
            ask("all", v, versions("oracle", "1.0"));
            if (v < 3) continue;
            for (String bad : List.of("", " ", "a b", "-a", "a-", "\u00fc", "a_b")) {
                ask("name '" + bad + "'", v, versions(bad, "1"));
                ask("version '" + bad + "'", v, versions("a", bad));
            }
        }
        ask("this cluster", 5, versions("a", "1").setClusterId(clusterId).setNodeId(1));
        ask("another cluster", 5, versions("a", "1").setClusterId("another").setNodeId(1));
        ask("another node", 5, versions("a", "1").setClusterId(clusterId).setNodeId(2));
        ask("node alone", 5, versions("a", "1").setNodeId(1));
        ask("another node alone", 5, versions("a", "1").setNodeId(2));
        ask("cluster alone", 5, versions("a", "1").setClusterId(clusterId));
        ask("another cluster alone", 5, versions("a", "1").setClusterId("another"));
        ask("negative node", 5, versions("a", "1").setClusterId(clusterId).setNodeId(-2));
        for (int v : new int[]{6, 77, Short.MAX_VALUE}) {
            sendBytes(socket, 18, v, (short) 2, ByteBuffer.allocate(3));
            print("version " + v, 0, receive(socket, 0, ApiMessageType.API_VERSIONS));
        }
    }

    static void unserved() throws Exception {
        for (int key : APIS) {
            ApiMessageType type = ApiMessageType.fromApiKey((short) key);
            List<Integer> versions = new ArrayList<>(List.of(type.highestSupportedVersion(true) + 1, (int) Short.MAX_VALUE));
            if (type.lowestSupportedVersion() > 0) versions.add(type.lowestSupportedVersion() - 1);
            for (int version : versions) unanswered(type.name, key, version, type.requestHeaderVersion(type.highestSupportedVersion(true)));
        }
        for (int key : new int[]{4, 5, 6, 7, 52, 58, 95, 999, -1}) unanswered("key " + key, key, 0, (short) 1);
    }

    static void unanswered(String name, int key, int version, short headerVersion) throws Exception {
        sendBytes(socket, key, version, headerVersion, ByteBuffer.allocate(0));
        if (receiveBytes(socket) != null) throw new AssertionError(name + " " + version + " was answered");
        closed("not served", version, name);
    }

    // --- configurations

    static DescribeConfigsRequestData describe(boolean synonyms, DescribeConfigsResource... resources) {
        return new DescribeConfigsRequestData().setIncludeSynonyms(synonyms).setResources(Arrays.asList(resources));
    }

    static DescribeConfigsResource of(int type, String name, String... keys) {
        return new DescribeConfigsResource().setResourceType((byte) type).setResourceName(name)
            .setConfigurationKeys(keys.length == 0 ? null : Arrays.asList(keys));
    }

    static void descriptions(int v) throws Exception {
        ask("topic", v, describe(false, of(TOPIC, "t")));
        ask("topic, synonyms", v, describe(true, of(TOPIC, "t")));
        ask("broker", v, describe(false, of(BROKER, "1")));
        ask("cluster", v, describe(true, of(BROKER, "")));
        ask("group", v, describe(true, of(GROUP, "g")));
        ask("client metrics", v, describe(true, of(CLIENT_METRICS, "m")));
        ask("some", v, describe(true, of(TOPIC, "t", "retention.ms", "no.such", "segment.bytes")));
        ask("some, broker", v, describe(true, of(BROKER, "1", "log.retention.ms", "no.such", "log.segment.bytes")));
        ask("none", v, describe(true, of(TOPIC, "t").setConfigurationKeys(List.of())));
        ask("unknown topic", v, describe(false, of(TOPIC, "nope")));
        ask("bad topic", v, describe(false, of(TOPIC, "bad name")));
        ask("topic without a name", v, describe(false, of(TOPIC, "")));
        ask("another broker", v, describe(false, of(BROKER, "2")));
        ask("broker that is no number", v, describe(false, of(BROKER, "x")));
        ask("no group", v, describe(false, of(GROUP, "")));
        ask("no subscription", v, describe(false, of(CLIENT_METRICS, "")));
        ask("loggers of another broker", v, describe(false, of(8, "2")));
        ask("loggers of no broker", v, describe(false, of(8, "")));
        for (int type : new int[]{0, 1, 3, 7, -1, 127}) ask("type " + type, v, describe(false, of(type, "t")));
        ask("several", v, describe(false, of(TOPIC, "nope"), of(TOPIC, "t", "retention.ms"), of(BROKER, "", "log.retention.ms")));
        ask("twice", v, describe(false, of(TOPIC, "t", "retention.ms"), of(TOPIC, "t", "segment.ms")));
        ask("no resources", v, describe(false));
        if (v >= 3) ask("documentation", v, describe(false, of(TOPIC, "t", "retention.ms")).setIncludeDocumentation(true));
    }

    // Until the broker answers with the value that was set.
    static void await(int type, String name, String key, String value) throws Exception {
        eventually(key + "=" + value, () -> {
            var answer = (DescribeConfigsResponseData) exchange(socket, 4, describe(false, of(type, name, key)));
            return answer.results().get(0).configs().stream().anyMatch(config -> config.value().equals(value));
        });
    }

    static AlterConfigsRequestData replace(int type, String name, String... pairs) {
        AlterConfigsRequestData request = new AlterConfigsRequestData();
        var resource = new AlterConfigsRequestData.AlterConfigsResource().setResourceType((byte) type).setResourceName(name);
        for (int i = 0; i < pairs.length; i += 2) {
            resource.configs().add(new AlterConfigsRequestData.AlterableConfig().setName(pairs[i]).setValue(pairs[i + 1]));
        }
        request.resources().add(resource);
        return request;
    }

    static void replacements(int v) throws Exception {
        String t = "replaced" + v;
        prepare(t, 1, "retention.ms=1000", "segment.ms=100000");
        ask("only checked", v, replace(TOPIC, t, "retention.ms", "2000").setValidateOnly(true));
        ask("topic", v, replace(TOPIC, t, "retention.ms", "3000", "cleanup.policy", "compact"));
        await(TOPIC, t, "retention.ms", "3000");
        ask("what is there", 4, describe(true, of(TOPIC, t, "retention.ms", "segment.ms", "cleanup.policy")));
        ask("unknown topic", v, replace(TOPIC, "nope", "retention.ms", "1"));
        ask("topic without a name", v, replace(TOPIC, "", "retention.ms", "1"));
        ask("bad value", v, replace(TOPIC, t, "retention.ms", "x"));
        ask("unknown setting", v, replace(TOPIC, t, "no.such", "1"));
        ask("null value", v, replace(TOPIC, t, "retention.ms", null));
        ask("twice in a resource", v, replace(TOPIC, t, "retention.ms", "1", "retention.ms", "2"));
        ask("another broker", v, replace(BROKER, "2", "log.retention.ms", "1"));
        ask("broker that is no number", v, replace(BROKER, "x", "log.retention.ms", "1"));
        ask("read-only", v, replace(BROKER, "1", "node.id", "3"));
        ask("broker", v, replace(BROKER, "1", "log.cleaner.threads", "2"));
        await(BROKER, "1", "log.cleaner.threads", "2");
        ask("broker, nothing", v, replace(BROKER, "1"));
        await(BROKER, "1", "log.cleaner.threads", "1");
        ask("group", v, replace(GROUP, "g" + v, "consumer.session.timeout.ms", "50000"));
        ask("client metrics", v, replace(CLIENT_METRICS, "m" + v, "interval.ms", "1000"));
        ask("loggers", v, replace(8, "1", "kafka", "INFO"));
        ask("type 3", v, replace(3, "x", "a", "b"));
        AlterConfigsRequestData twice = replace(TOPIC, t, "retention.ms", "1");
        twice.resources().addAll(List.copyOf(replace(BROKER, "2", "retention.ms", "1").resources()).stream()
            .map(AlterConfigsRequestData.AlterConfigsResource::duplicate).toList());
        ask("several", v, twice);
        ask("no resources", v, new AlterConfigsRequestData());
        ask("nothing", v, replace(TOPIC, t));
        await(TOPIC, t, "cleanup.policy", "delete");
        ask("what is left", 4, describe(true, of(TOPIC, t, "retention.ms", "segment.ms", "cleanup.policy")));
    }

    static IncrementalAlterConfigsRequestData change(int type, String name, Object... triples) {
        IncrementalAlterConfigsRequestData request = new IncrementalAlterConfigsRequestData();
        var resource = new IncrementalAlterConfigsRequestData.AlterConfigsResource().setResourceType((byte) type).setResourceName(name);
        for (int i = 0; i < triples.length; i += 3) {
            resource.configs().add(new IncrementalAlterConfigsRequestData.AlterableConfig().setName((String) triples[i])
                .setConfigOperation(((Integer) triples[i + 1]).byteValue()).setValue((String) triples[i + 2]));
        }
        request.resources().add(resource);
        return request;
    }

    static void changes(int v) throws Exception {
        String t = "changed" + v;
        prepare(t, 1, "retention.ms=1000", "segment.ms=100000");
        ask("only checked", v, change(TOPIC, t, "retention.ms", SET, "2000").setValidateOnly(true));
        ask("topic", v, change(TOPIC, t, "segment.ms", DELETE, null, "cleanup.policy", APPEND, "compact", "retention.ms", SET, "5000"));
        await(TOPIC, t, "retention.ms", "5000");
        ask("what is there", 4, describe(true, of(TOPIC, t, "retention.ms", "segment.ms", "cleanup.policy")));
        ask("subtracted", v, change(TOPIC, t, "cleanup.policy", SUBTRACT, "delete"));
        await(TOPIC, t, "cleanup.policy", "compact");
        ask("deleted though not set", v, change(TOPIC, t, "segment.jitter.ms", DELETE, null));
        ask("appended to no list", v, change(TOPIC, t, "retention.ms", APPEND, "1"));
        ask("appended twice", v, change(TOPIC, t, "cleanup.policy", APPEND, "compact"));
        ask("appended a bad value", v, change(TOPIC, t, "cleanup.policy", APPEND, "keep"));
        ask("unknown topic", v, change(TOPIC, "nope", "retention.ms", SET, "1"));
        ask("unknown operation", v, change(TOPIC, t, "retention.ms", 9, "1"));
        ask("unknown operation, broker", v, change(BROKER, "1", "log.retention.ms", 9, "1"));
        ask("unknown operation, cluster", v, change(BROKER, "", "log.retention.ms", -1, "1"));
        ask("unknown operation, group", v, change(GROUP, "h", "consumer.session.timeout.ms", 4, "1"));
        ask("unknown operation, client metrics", v, change(CLIENT_METRICS, "n", "interval.ms", 4, "1"));
        ask("unknown operation, loggers", v, change(8, "1", "broker", 4, "INFO"));
        ask("unknown operation, unknown topic", v, change(TOPIC, "nope", "retention.ms", 9, "1"));
        ask("unknown operation, null value", v, change(TOPIC, t, "retention.ms", 9, null));
        ask("null value", v, change(TOPIC, t, "retention.ms", SET, null));
        ask("null appended", v, change(TOPIC, t, "cleanup.policy", APPEND, null));
        ask("twice in a resource", v, change(TOPIC, t, "retention.ms", SET, "1", "retention.ms", DELETE, null));
        ask("no settings", v, change(TOPIC, t));
        ask("another broker", v, change(BROKER, "2", "log.retention.ms", SET, "1"));
        ask("read-only", v, change(BROKER, "1", "node.id", SET, "3"));
        ask("read-only of the cluster", v, change(BROKER, "", "node.id", SET, "3"));
        ask("type 3", v, change(3, "x", "a", SET, "b"));
        ask("type -1", v, change(-1, "x", "a", SET, "b"));
        ask("loggers of another broker", v, change(8, "2", "kafka", SET, "INFO"));
        ask("group", v, change(GROUP, "h" + v, "consumer.session.timeout.ms", SET, "50000"));
        ask("client metrics", v, change(CLIENT_METRICS, "n" + v, "interval.ms", SET, "1000"));
        var several = change(TOPIC, t, "retention.ms", SET, "1");
        several.resources().addAll(List.copyOf(change(TOPIC, "nope", "retention.ms", SET, "1").resources()).stream()
            .map(IncrementalAlterConfigsRequestData.AlterConfigsResource::duplicate).toList());
        ask("several", v, several);
        ask("no resources", v, new IncrementalAlterConfigsRequestData());
    }

    static void resources() throws Exception {
        ask("all", 0, new ListConfigResourcesRequestData());
        ask("all", 1, new ListConfigResourcesRequestData());
        for (int type : new int[]{TOPIC, BROKER, 8, CLIENT_METRICS, GROUP, 3, 0, 99}) {
            ask("type " + type, 1, new ListConfigResourcesRequestData().setResourceTypes(List.of((byte) type)));
        }
        ask("two types", 1, new ListConfigResourcesRequestData().setResourceTypes(List.of((byte) TOPIC, (byte) GROUP)));
        ask("a type twice", 1, new ListConfigResourcesRequestData().setResourceTypes(List.of((byte) TOPIC, (byte) TOPIC)));
        ask("one type unknown", 1, new ListConfigResourcesRequestData().setResourceTypes(List.of((byte) TOPIC, (byte) 99)));
    }

    // --- DescribeLogDirs

    static DescribeLogDirsRequestData dirs(String topic, Integer... partitions) {
        DescribeLogDirsRequestData request = new DescribeLogDirsRequestData();
        request.topics().add(new DescribeLogDirsRequestData.DescribableLogDirTopic().setTopic(topic).setPartitions(List.of(partitions)));
        return request;
    }

    static void logDirs(int v) throws Exception {
        ask("all", v, new DescribeLogDirsRequestData().setTopics(null));
        ask("none", v, new DescribeLogDirsRequestData());
        ask("one", v, dirs("logs", 0));
        ask("several", v, dirs("logs", 0, 1, 7));
        ask("twice", v, dirs("logs", 0, 0));
        ask("no partitions", v, dirs("logs"));
        ask("unknown topic", v, dirs("nope", 0));
        ask("no topic", v, dirs("", 0));
    }

    static void produce(String topic, int partition, byte[] batch) throws Exception {
        ProduceRequestData request = new ProduceRequestData().setAcks((short) -1).setTimeoutMs(10000);
        ProduceRequestData.TopicProduceData row = new ProduceRequestData.TopicProduceData().setName(topic);
        row.partitionData().add(new ProduceRequestData.PartitionProduceData().setIndex(partition).setRecords(Records.toSend(batch)));
        request.topicData().add(row);
        ask("into " + topic, 9, request);
    }

    // --- DescribeCluster, FindCoordinator

    static void cluster() throws Exception {
        for (int v = 0; v <= 2; v++) {
            ask("cluster", v, new DescribeClusterRequestData());
            ask("operations", v, new DescribeClusterRequestData().setIncludeClusterAuthorizedOperations(true));
            if (v >= 1) for (int type = 0; type <= 3; type++) ask("endpoints " + type, v, new DescribeClusterRequestData().setEndpointType((byte) type));
            if (v >= 2) ask("fenced too", v, new DescribeClusterRequestData().setIncludeFencedBrokers(true));
        }
    }

    static void coordinators() throws Exception {
        for (int v = 0; v <= 6; v++) {
            for (int type : new int[]{3, -1, 127}) {
                if (v == 0) continue;
                FindCoordinatorRequestData request = new FindCoordinatorRequestData().setKeyType((byte) type);
                if (v < 4) request.setKey("k"); else request.setCoordinatorKeys(List.of("k", "l"));
                ask("type " + type, v, request);
            }
            if (v >= 4) ask("no keys", v, new FindCoordinatorRequestData());
            if (v >= 4) ask("a key twice", v, new FindCoordinatorRequestData().setCoordinatorKeys(List.of("k", "k")));
        }
    }

    public static void main(String[] args) throws Exception {
        start(args);
        names.put("localhost:" + port, "localhost:" + SHOWN_PORT);
        names.put("localhost:" + controllerPort, "localhost:" + (SHOWN_PORT + 1));
        byField.put("finalizedFeaturesEpoch", epoch -> {
            if (epoch.asLong() < lastEpoch) return epoch;  // an offset of the metadata log: grows all the time, from 0 on
            lastEpoch = epoch.asLong();
            return TextNode.valueOf(epoch.asLong() < 0 ? "none" : "no older than before");
        });
        byField.put("logDir", dir -> TextNode.valueOf(
            Files.isRegularFile(Path.of(dir.asText(), "meta.properties")) ? "the data directory" : dir.asText()));
        long[] total = {0};
        byField.put("totalBytes", bytes -> {
            total[0] = bytes.asLong();
            return total[0] > 0 ? TextNode.valueOf("a size") : bytes;
        });
        byField.put("usableBytes", bytes -> bytes.asLong() > 0 && bytes.asLong() <= total[0] ? TextNode.valueOf("a part of it") : bytes);
        prepare("t", 1, "retention.ms=60000");
        prepare("logs", 2);
        cluster();
        apiVersions();
        unserved();
        for (int v = 1; v <= 4; v++) descriptions(v);
        for (int v = 0; v <= 2; v++) replacements(v);
        for (int v = 0; v <= 1; v++) changes(v);
        resources();
        for (int i = 0; i < 5; i++) produce("logs", 0, Records.plain(Records.rec(0)).encode());
        produce("logs", 1, Records.batch(CompressionType.GZIP, Records.rec(0), Records.rec(1)).encode());
        for (int v = 1; v <= 5; v++) logDirs(v);
        exchange(socket, 4, new FindCoordinatorRequestData().setCoordinatorKeys(List.of("g")));
        find("__consumer_offsets", 2);
        coordinators();
        System.exit(0);
    }
}
