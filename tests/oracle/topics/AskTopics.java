// Creates, grows, describes and deletes topics: CreateTopics, DeleteTopics, CreatePartitions, Metadata, DescribeTopicPartitions.
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsAssignment;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableReplicaAssignment;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData.TopicRequest;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.protocol.ApiMessage;

public class AskTopics extends Asker {
    static final String LONGEST = "n".repeat(249);

    // --- CreateTopics

    static CreatableTopic topic(String name, int partitions, int replicas) {
        return new CreatableTopic().setName(name).setNumPartitions(partitions).setReplicationFactor((short) replicas);
    }

    static CreatableTopic configured(String name, String... settings) {
        CreatableTopic topic = topic(name, 1, 1);
        for (int i = 0; i < settings.length; i += 2) {
            topic.configs().add(new CreatableTopicConfig().setName(settings[i]).setValue(settings[i + 1]));
        }
        return topic;
    }

    // Partitions 0, 1, ... on these brokers each; "2:1" is partition 2 on broker 1.
    static CreatableTopic assigned(String name, int partitions, int replicas, String... assignments) {
        CreatableTopic topic = topic(name, partitions, replicas);
        int next = 0;
        for (String text : assignments) {
            int colon = text.indexOf(':');
            int partition = colon < 0 ? next : Integer.parseInt(text.substring(0, colon));
            topic.assignments().add(new CreatableReplicaAssignment().setPartitionIndex(partition)
                .setBrokerIds(brokers(text.substring(colon + 1))));
            next = partition + 1;
        }
        return topic;
    }

    static List<Integer> brokers(String text) {
        List<Integer> ids = new ArrayList<>();
        for (String id : text.split(",")) if (!id.isEmpty()) ids.add(Integer.parseInt(id));
        return ids;
    }

    static void create(String what, int version, boolean validateOnly, CreatableTopic... topics) throws Exception {
        CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(10000).setValidateOnly(validateOnly);
        for (CreatableTopic topic : topics) request.topics().add(topic);
        ApiMessage response = exchange(socket, version, request);
        if (response == null) {
            closed(what, version, "CreateTopics");
            return;
        }
        for (var result : ((CreateTopicsResponseData) response).topics()) {
            if (!result.topicId().equals(Uuid.ZERO_UUID)) know(result.name(), result.topicId());
        }
        print(what, version, response);
    }

    static void create(String what, int version, CreatableTopic... topics) throws Exception {
        create(what, version, false, topics);
    }

    static void creations(int v) throws Exception {
        String n = "made" + v;
        create("no topics", v);
        create("only checked", v, true, topic(n + "-a", 3, 1));
        create("created", v, topic(n + "-a", 3, 1));
        create("exists", v, topic(n + "-a", 3, 1));
        create("exists, only checked", v, true, topic(n + "-a", 3, 1));
        create("default partitions", v, topic(n + "-b", -1, 1));
        create("default replication", v, topic(n + "-c", 2, -1));
        create("several, one exists", v, topic(n + "-d", 1, 1), topic(n + "-a", 1, 1), topic(n + "-e", 0, 1));
        create("twice in a request", v, topic(n + "-f", 1, 1), topic(n + "-f", 2, 1).setReplicationFactor((short) 2));
        create("no partitions", v, topic(n + "-x", 0, 1));
        create("negative partitions", v, topic(n + "-x", -2, 1));
        create("too many partitions", v, topic(n + "-x", 10001, 1));
        create("far too many partitions", v, topic(n + "-x", Integer.MAX_VALUE, 1));
        create("no replicas", v, topic(n + "-x", 1, 0));
        create("negative replicas", v, topic(n + "-x", 1, -2));
        create("more replicas than brokers", v, topic(n + "-x", 1, 2));
        create("no name", v, topic("", 1, 1));
        create("dot", v, topic(".", 1, 1), topic("..", 1, 1));
        create("bad characters", v, topic("bad name", 1, 1), topic("b\u00fc", 1, 1), topic("a/b", 1, 1));
        create("too long", v, topic(LONGEST + "n", 1, 1));
        create("longest, only checked", v, true, topic(LONGEST, 1, 1));
        create("internal, only checked", v, true, topic("__transaction_state", 1, 1));
        create("metadata log", v, topic("__cluster_metadata", 1, 1));
        create("with a dot", v, topic(n + ".g_h", 1, 1));
        create("collides", v, topic(n + "_g.h", 1, 1));
        create("collides in the request", v, true, topic(n + ".i_j", 1, 1), topic(n + "_i_j", 1, 1));
        CreateTopicsRequestData hurried = new CreateTopicsRequestData().setTimeoutMs(0);
        hurried.topics().add(topic(n + "-x", 1, 1));
        ask("no time", v, hurried);
        ask("less than no time", v, hurried.duplicate().setTimeoutMs(-1));
        create("by hand", v, assigned(n + "-k", -1, -1, "1", "1"));
        create("by hand, out of order, only checked", v, true, assigned(n + "-x", -1, -1, "1:1", "0:1"));
        create("by hand, with partitions", v, assigned(n + "-x", 2, -1, "1", "1"));
        create("by hand, with replicas", v, assigned(n + "-x", -1, 1, "1", "1"));
        create("by hand, with a gap", v, assigned(n + "-x", -1, -1, "1", "2:1"));
        create("by hand, not from 0", v, assigned(n + "-x", -1, -1, "1:1"));
        create("by hand, twice", v, assigned(n + "-x", -1, -1, "0:1", "0:1"));
        create("by hand, negative", v, assigned(n + "-x", -1, -1, "-1:1"));
        create("by hand, nowhere", v, assigned(n + "-x", -1, -1, ""));
        create("by hand, unknown broker", v, assigned(n + "-x", -1, -1, "2"));
        create("by hand, negative broker", v, assigned(n + "-x", -1, -1, "-1"));
        create("by hand, broker twice", v, assigned(n + "-x", -1, -1, "1,1"));
        create("by hand, different counts", v, assigned(n + "-x", -1, -1, "1", "1,2"));
    }

    static void configurations(int v) throws Exception {
        String n = "set" + v;
        create("settings", v, configured(n + "-a", "retention.ms", "60000", "cleanup.policy", "compact,delete",
            "compression.type", "gzip", "min.insync.replicas", "1", "max.message.bytes", "2000"));
        create("unknown setting", v, configured(n + "-x", "no.such", "1"));
        create("bad value", v, configured(n + "-x", "retention.ms", "soon"));
        create("value out of range", v, configured(n + "-x", "min.cleanable.dirty.ratio", "1.5"));
        create("bad list", v, configured(n + "-x", "cleanup.policy", "keep"));
        create("empty list, only checked", v, true, configured(n + "-x", "cleanup.policy", ""));
        create("null value", v, configured(n + "-x", "retention.ms", null, "segment.ms", null));
        create("one of several is bad", v, configured(n + "-b", "segment.ms", "100000"), configured(n + "-x", "segment.ms", "0"));
        create("twice, only checked", v, true, configured(n + "-x", "segment.ms", "100000", "segment.ms", "200000"));
        create("lag too large", v, configured(n + "-x", "min.compaction.lag.ms", "100", "max.compaction.lag.ms", "5"));
        create("tiered", v, configured(n + "-x", "remote.storage.enable", "true"));
        create("small segment", v, configured(n + "-x", "segment.bytes", "1000"));
        create("the longest value", v, true, configured(n + "-x", "leader.replication.throttled.replicas", "*", "segment.jitter.ms", "5"));
        create("min.insync.replicas 2, only checked", v, true, configured(n + "-x", "min.insync.replicas", "2"));
        create("setting without a name", v, configured(n + "-x", "", "1"));
    }

    // --- CreatePartitions

    static CreatePartitionsTopic grown(String name, int count, String... assignments) {
        CreatePartitionsTopic topic = new CreatePartitionsTopic().setName(name).setCount(count).setAssignments(null);
        if (assignments.length == 0) return topic;
        topic.setAssignments(new ArrayList<>());
        for (String text : assignments) topic.assignments().add(new CreatePartitionsAssignment().setBrokerIds(brokers(text)));
        return topic;
    }

    static void grow(String what, int version, boolean validateOnly, CreatePartitionsTopic... topics) throws Exception {
        CreatePartitionsRequestData request = new CreatePartitionsRequestData().setTimeoutMs(10000).setValidateOnly(validateOnly);
        for (CreatePartitionsTopic topic : topics) request.topics().add(topic);
        ask(what, version, request);
    }

    static void growth(int v) throws Exception {
        String n = "grown" + v;
        prepare(n, 2);
        grow("no topics", v, false);
        grow("fewer", v, false, grown(n, 1));
        grow("as many", v, false, grown(n, 2));
        grow("none", v, false, grown(n, 0));
        grow("negative", v, false, grown(n, -1));
        grow("only checked", v, true, grown(n, 4));
        grow("more", v, false, grown(n, 4));
        awaitLeader(n, 4);
        grow("unknown", v, false, grown("nope", 4));
        grow("no name", v, false, grown("", 4));
        grow("too many", v, false, grown(n, 20000));
        grow("twice", v, false, grown(n, 5), grown(n, 6));
        grow("several", v, false, grown("nope", 5), grown(n, 5));
        awaitLeader(n, 5);
        grow("by hand", v, false, grown(n, 7, "1", "1"));
        awaitLeader(n, 7);
        grow("by hand, too few", v, false, grown(n, 9, "1"));
        grow("by hand, too many", v, false, grown(n, 8, "1", "1"));
        grow("by hand, none", v, false, new CreatePartitionsTopic().setName(n).setCount(8).setAssignments(new ArrayList<>()));
        grow("by hand, nowhere", v, false, grown(n, 8, ""));
        grow("by hand, unknown broker", v, false, grown(n, 8, "2"));
        grow("by hand, broker twice", v, false, grown(n, 8, "1,1"));
        grow("by hand, other count", v, false, grown(n, 8, "1,2"));
        CreatePartitionsRequestData hurried = new CreatePartitionsRequestData().setTimeoutMs(0);
        hurried.topics().add(grown(n, 9));
        ask("no time", v, hurried);
        ask("less than no time", v, hurried.duplicate().setTimeoutMs(-1));
        grow("by hand, negative broker", v, false, grown(n, 8, "-1"));
    }

    // --- DeleteTopics

    static void delete(String what, int version, String... topics) throws Exception {
        DeleteTopicsRequestData request = new DeleteTopicsRequestData().setTimeoutMs(10000);
        for (String topic : topics) {
            if (version < 6) {
                request.topicNames().add(topic);
            } else {
                request.topics().add(new DeleteTopicState().setName(topic));
            }
        }
        ask(what, version, request);
    }

    static DeleteTopicState byId(Uuid id) {
        return new DeleteTopicState().setName(null).setTopicId(id);
    }

    static void deletions(int v) throws Exception {
        String n = "gone" + v;
        for (String suffix : List.of("a", "b", "c", "d")) prepare(n + suffix, 1);
        delete("no topics", v);
        delete("deleted", v, n + "a");
        delete("deleted again", v, n + "a");
        delete("unknown", v, "nope");
        delete("no name", v, "");
        delete("several", v, n + "b", "nope", n + "a");
        delete("twice", v, n + "c", n + "c");
        delete("bad name", v, "bad name");
        create("created again", 7, topic(n + "a", 1, 1));
        ask("no time", v, v < 6 ? new DeleteTopicsRequestData().setTopicNames(List.of(n + "d")).setTimeoutMs(0)
            : new DeleteTopicsRequestData().setTopics(List.of(new DeleteTopicState().setName(n + "d"))).setTimeoutMs(0));
        if (v < 6) return;
        Uuid id = idOf(n + "d");
        ask("unknown id", v, new DeleteTopicsRequestData().setTimeoutMs(10000).setTopics(List.of(byId(NO_SUCH_ID))));
        ask("neither", v, new DeleteTopicsRequestData().setTimeoutMs(10000).setTopics(List.of(byId(Uuid.ZERO_UUID))));
        ask("name and id", v, new DeleteTopicsRequestData().setTimeoutMs(10000).setTopics(List.of(new DeleteTopicState().setName(n + "d").setTopicId(id))));
        ask("id twice", v, new DeleteTopicsRequestData().setTimeoutMs(10000).setTopics(List.of(byId(id), byId(id))));
        ask("by id and by name", v, new DeleteTopicsRequestData().setTimeoutMs(10000).setTopics(List.of(byId(id), new DeleteTopicState().setName(n + "d"))));
        ask("by id", v, new DeleteTopicsRequestData().setTimeoutMs(10000).setTopics(List.of(byId(id), byId(NO_SUCH_ID))));
        ask("by id again", v, new DeleteTopicsRequestData().setTimeoutMs(10000).setTopics(List.of(byId(id))));
    }

    // --- Metadata

    static MetadataRequestData about(int version, boolean mayCreate, String... topics) {
        MetadataRequestData request = new MetadataRequestData().setAllowAutoTopicCreation(version < 4 || mayCreate);
        for (String topic : topics) request.topics().add(new MetadataRequestTopic().setName(topic));
        return request;
    }

    static void metadata(int v) throws Exception {
        String n = "auto" + v;
        ask("all", v, v == 0 ? about(v, false) : new MetadataRequestData().setTopics(null).setAllowAutoTopicCreation(v < 4));
        if (v > 0) ask("none", v, about(v, false));
        ask("some", v, about(v, false, "described", "other"));
        ask("twice", v, about(v, false, "described", "described"));
        ask("bad names", v, about(v, true, "bad name", "", ".", LONGEST + "n"));
        ask("metadata log", v, about(v, true, "__cluster_metadata"));
        if (v >= 4) ask("must not be created", v, about(v, false, n, "described"));
        ask("created on first use", v, about(v, true, n, "described"));
        eventually("metadata of " + n, () ->
            ((MetadataResponseData) exchange(socket, 9, about(9, false, n))).topics().iterator().next().errorCode() == 0);
        awaitLeader(n, 2);
        know(n, ((MetadataResponseData) exchange(socket, 10, about(10, false, n))).topics().iterator().next().topicId());
        ask("created by then", v, about(v, true, n));
        ask("collides", v, about(v, true, "a_b.c"));
        if (v >= 8) ask("operations on topics", v, about(v, false, "described", "nope").setIncludeTopicAuthorizedOperations(v >= 8 || v < 4));
        if (v >= 8 && v <= 10) ask("operations on the cluster", v, about(v, false).setIncludeClusterAuthorizedOperations(true));
        if (v < 10) return;
        MetadataRequestData byId = about(v, true);
        byId.topics().add(new MetadataRequestTopic().setName(null).setTopicId(idOf("described")));
        if (v >= 12) byId.topics().add(new MetadataRequestTopic().setName(null).setTopicId(NO_SUCH_ID));
        ask("by id", v, byId);
        MetadataRequestData both = about(v, true);
        both.topics().add(new MetadataRequestTopic().setName("described").setTopicId(idOf("described")));
        ask("by id and name", v, both);
        MetadataRequestData mixed = about(v, true, "described");
        mixed.topics().add(new MetadataRequestTopic().setName(null).setTopicId(idOf(n)));
        ask("by id, and another by name", v, mixed);
        MetadataRequestData neither = about(v, true);
        neither.topics().add(new MetadataRequestTopic().setName(null));
        ask("neither id nor name", v, neither);
    }

    static void internalTopics() throws Exception {
        for (String name : List.of("__consumer_offsets", "__transaction_state")) {
            ask("internal, not there yet", 12, about(12, false, name));
            ask("internal, created on first use", 12, about(12, true, name));
            find(name, 2);
            for (int v = 0; v <= 13; v++) ask("internal", v, about(v, false, name));
        }
        delete("internal", 6, "__transaction_state");
        grow("internal", 3, true, grown("__consumer_offsets", 3));
    }

    // --- DescribeTopicPartitions

    static DescribeTopicPartitionsRequestData describe(int limit, String... topics) {
        DescribeTopicPartitionsRequestData request = new DescribeTopicPartitionsRequestData().setResponsePartitionLimit(limit);
        for (String topic : topics) request.topics().add(new TopicRequest().setName(topic));
        return request;
    }

    static DescribeTopicPartitionsRequestData from(String topic, int partition, DescribeTopicPartitionsRequestData request) {
        return request.setCursor(new DescribeTopicPartitionsRequestData.Cursor().setTopicName(topic).setPartitionIndex(partition));
    }

    static void descriptions() throws Exception {
        ask("all", 0, describe(2000));
        ask("all, a few", 0, describe(5));
        ask("one", 0, describe(2000, "described"));
        ask("several", 0, describe(2000, "other", "described", "nope", "bad name", "__consumer_offsets"));
        ask("twice", 0, describe(2000, "described", "described"));
        ask("limit 1", 0, describe(1, "described"));
        ask("limit 0", 0, describe(0, "described"));
        ask("limit -1", 0, describe(-1, "described"));
        ask("limit at the end of a topic", 0, describe(3, "described", "other"));
        ask("limit in the second topic", 0, describe(4, "described", "other"));
        ask("limit, unknown first", 0, describe(1, "a-nope", "described"));
        ask("cursor", 0, from("described", 1, describe(2000, "described", "other")));
        ask("cursor, limit", 0, from("described", 1, describe(1, "described", "other")));
        ask("cursor past the partitions", 0, from("described", 7, describe(2000, "described", "other")));
        ask("cursor in an unknown topic", 0, from("e-nope", 1, describe(2000, "described", "other")));
        ask("cursor in a requested unknown topic", 0, from("e-nope", 1, describe(2000, "described", "e-nope", "other")));
        ask("cursor before all", 0, from("a", 0, describe(2000, "described")));
        ask("cursor after all", 0, from("z", 0, describe(2000, "described")));
        ask("cursor, all topics", 0, from("other", 1, describe(4)));
        ask("negative cursor", 0, from("described", -1, describe(2000, "described")));
        ask("no topic in the cursor", 0, from("", 0, describe(2000, "described")));
    }

    public static void main(String[] args) throws Exception {
        start(args);
        prepare("described", 3);
        prepare("other", 3);
        prepare("a.b_c", 1);
        for (int v = 0; v <= 13; v++) metadata(v);
        internalTopics();
        descriptions();
        for (int v = 2; v <= 7; v++) creations(v);
        for (int v = 2; v <= 7; v++) configurations(v);
        for (int v = 0; v <= 3; v++) growth(v);
        for (int v = 1; v <= 6; v++) deletions(v);
        System.exit(0);
    }
}
