// Sends group requests of every version; see Asker.java. golden.txt is what Apache Kafka 4.4.0 answers.
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.ApiMessage;

public class AskGroups extends Asker {
    static Uuid topicId;

    // --- requests

    static JoinGroupRequestData join(String group, String member, String instance, String... protocols) {
        JoinGroupRequestData data = new JoinGroupRequestData().setGroupId(group).setMemberId(member)
            .setProtocolType("consumer").setSessionTimeoutMs(20000).setRebalanceTimeoutMs(20000).setGroupInstanceId(instance);
        for (String protocol : protocols) {
            data.protocols().add(new JoinGroupRequestData.JoinGroupRequestProtocol().setName(protocol).setMetadata(subscription()));
        }
        return data;
    }

    static byte[] subscription() {  // to topic "t"
        return ByteBuffer.allocate(2 + 4 + 2 + 1 + 4).putShort((short) 0).putInt(1).putShort((short) 1).put((byte) 't').putInt(-1).array();
    }

    static SyncGroupRequestData sync(String group, String member, int generation, String instance, String... members) {
        SyncGroupRequestData data = new SyncGroupRequestData().setGroupId(group).setMemberId(member)
            .setGenerationId(generation).setGroupInstanceId(instance).setProtocolType("consumer").setProtocolName("range");
        for (String each : members) {
            data.assignments().add(new SyncGroupRequestData.SyncGroupRequestAssignment().setMemberId(each)
                .setAssignment("work".getBytes(StandardCharsets.UTF_8)));
        }
        return data;
    }

    static HeartbeatRequestData heartbeat(String group, String member, int generation, String instance) {
        return new HeartbeatRequestData().setGroupId(group).setMemberId(member).setGenerationId(generation).setGroupInstanceId(instance);
    }

    static LeaveGroupRequestData leave(int version, String group, String... members) {
        LeaveGroupRequestData data = new LeaveGroupRequestData().setGroupId(group);
        if (version < 3) return data.setMemberId(members[0]);
        for (String member : members) {
            boolean instance = member.startsWith("@");
            data.members().add(new LeaveGroupRequestData.MemberIdentity().setMemberId(instance ? "" : member)
                .setGroupInstanceId(instance ? member.substring(1) : null));
        }
        return data;
    }

    static OffsetCommitRequestData commit(int version, String group, String member, int generation, String topic, Uuid id,
                                          int partition, long offset, String metadata) {
        OffsetCommitRequestData data = new OffsetCommitRequestData().setGroupId(group).setMemberId(member)
            .setGenerationIdOrMemberEpoch(generation);
        OffsetCommitRequestData.OffsetCommitRequestTopic row = new OffsetCommitRequestData.OffsetCommitRequestTopic();
        if (version >= 10) row.setTopicId(id); else row.setName(topic);
        row.partitions().add(new OffsetCommitRequestData.OffsetCommitRequestPartition().setPartitionIndex(partition)
            .setCommittedOffset(offset).setCommittedMetadata(metadata).setCommittedLeaderEpoch(version >= 6 ? 3 : -1));
        data.topics().add(row);
        return data;
    }

    static OffsetFetchRequestData fetch(int version, boolean stable, String group, Map<String, List<Integer>> topics) {
        OffsetFetchRequestData data = new OffsetFetchRequestData().setRequireStable(stable);
        if (version < 8) {
            data.setGroupId(group).setTopics(null);
            if (topics != null) {
                List<OffsetFetchRequestData.OffsetFetchRequestTopic> rows = new ArrayList<>();
                topics.forEach((topic, partitions) -> rows.add(
                    new OffsetFetchRequestData.OffsetFetchRequestTopic().setName(topic).setPartitionIndexes(partitions)));
                data.setTopics(rows);
            }
            return data;
        }
        OffsetFetchRequestData.OffsetFetchRequestGroup row = new OffsetFetchRequestData.OffsetFetchRequestGroup().setGroupId(group);
        row.setTopics(null);
        if (topics != null) {
            List<OffsetFetchRequestData.OffsetFetchRequestTopics> rows = new ArrayList<>();
            topics.forEach((topic, partitions) -> {
                OffsetFetchRequestData.OffsetFetchRequestTopics out = new OffsetFetchRequestData.OffsetFetchRequestTopics().setPartitionIndexes(partitions);
                if (version >= 10) out.setTopicId(topic.equals("t") ? topicId : new Uuid(1, 2)); else out.setName(topic);
                rows.add(out);
            });
            row.setTopics(rows);
        }
        data.groups().add(row);
        return data;
    }

    // --- scripts

    // Joins as a new dynamic member; returns the id, and the parked answer.
    record Joining(String id, CompletableFuture<ApiMessage> answer) { }

    static Joining joinNew(int version, String group, String name) throws Exception {
        if (version < 4) {
            CompletableFuture<ApiMessage> answer = later(version, join(group, "", null, "range"));
            String id = ((JoinGroupResponseData) answer.get()).memberId();
            names.put(id, name);
            return new Joining(id, answer);
        }
        JoinGroupResponseData first = (JoinGroupResponseData) exchange(socket, version, join(group, "", null, "range"));
        names.put(first.memberId(), name);
        print("new member " + name, version, first);
        return new Joining(first.memberId(), later(version, join(group, first.memberId(), null, "range")));
    }

    static void life(int v) throws Exception {
        String g = "life" + v;
        int sv = Math.min(v, 5), hv = Math.min(v, 4), lv = Math.min(v, 5), dv = Math.min(v, 6);
        ask("no group id", v, join("", "x", null, "range"));
        ask("session too short", v, join(g, "x", null, "range").setSessionTimeoutMs(5999));
        ask("session too long", v, join(g, "x", null, "range").setSessionTimeoutMs(1800001));
        ask("unknown member", v, join(g, "ghost", null, "range"));
        ask("sync, unknown group", sv, sync(g, "ghost", 1, null));
        ask("heartbeat, unknown group", hv, heartbeat(g, "ghost", 1, null));
        ask("leave, unknown group", lv, leave(lv, g, "ghost"));
        ask("describe, unknown group", dv, new DescribeGroupsRequestData().setGroups(List.of(g)));
        ask("no protocol type", v, join(g, "", null, "range").setProtocolType(""));
        ask("no protocols", v, join(g, "", null));
        Joining a = joinNew(v, g, "A");
        print("joined", v, a.answer.get());
        ask("joined again", v, join(g, a.id, null, "range"));
        ask("other protocol", v, join(g, a.id, null, "sticky"));
        ask("sync, unknown member", sv, sync(g, "ghost", 1, null));
        ask("sync, old generation", sv, sync(g, a.id, 0, null));
        if (sv >= 5) {
            ask("sync, other protocol", sv, sync(g, a.id, 1, null).setProtocolName("sticky"));
            ask("sync, no protocol", sv, sync(g, a.id, 1, null).setProtocolName(null));
            ask("sync, no type", sv, sync(g, a.id, 1, null).setProtocolType(null));
        }
        ask("describe, before sync", dv, new DescribeGroupsRequestData().setGroups(List.of(g)));
        ask("commit before sync", 9, commit(9, g, a.id, 1, "t", null, 0, 5, ""));
        ask("sync", sv, sync(g, a.id, 1, null, a.id));
        ask("sync again", sv, sync(g, a.id, 1, null));
        ask("heartbeat", hv, heartbeat(g, a.id, 1, null));
        ask("heartbeat, other generation", hv, heartbeat(g, a.id, 2, null));
        ask("heartbeat, unknown member", hv, heartbeat(g, "ghost", 1, null));
        ask("heartbeat, no group id", hv, heartbeat("", a.id, 1, null));
        DescribeGroupsRequestData describe = new DescribeGroupsRequestData().setGroups(List.of(g));
        if (dv >= 3) describe.setIncludeAuthorizedOperations(true);
        ask("describe", dv, describe);
        // Another member comes, and the group rebalances.
        CompletableFuture<ApiMessage> b;
        String bId;
        if (v < 4) {
            b = later(v, join(g, "", null, "range"));
            bId = null;
        } else {
            Joining second = joinNew(v, g, "B");
            b = second.answer;
            bId = second.id;
        }
        ask("heartbeat while rebalancing", hv, heartbeat(g, a.id, 1, null));
        ask("sync while rebalancing", sv, sync(g, a.id, 1, null));
        ask("commit while rebalancing", 9, commit(9, g, a.id, 1, "t", null, 0, 6, ""));
        CompletableFuture<ApiMessage> rejoin = later(v, join(g, a.id, null, "range"));
        if (bId == null) {
            bId = ((JoinGroupResponseData) b.get()).memberId();
            names.put(bId, "B");
        }
        print("rejoined", v, rejoin.get());
        print("second joined", v, b.get());
        CompletableFuture<ApiMessage> follower = later(sv, sync(g, bId, 2, null));
        ask("leader syncs", sv, sync(g, a.id, 2, null, a.id, bId));
        print("follower synced", sv, follower.get());
        ask("follower joins unchanged", v, join(g, bId, null, "range"));
        ask("delete, not empty", Math.min(v, 3), new DeleteGroupsRequestData().setGroupsNames(List.of(g, "nobody", g)));
        ask("leave, one unknown", lv, lv < 3 ? leave(lv, g, "ghost") : leave(lv, g, bId, "ghost", "@nobody"));
        if (lv < 3) ask("leave", lv, leave(lv, g, bId));
        ask("last leaves", lv, leave(lv, g, a.id));
        ask("describe, empty", dv, new DescribeGroupsRequestData().setGroups(List.of(g)));
        ask("join an empty group as a member", v, join(g, a.id, null, "range"));
        ask("delete", Math.min(v, 3), new DeleteGroupsRequestData().setGroupsNames(List.of(g)));
    }

    static void staticMembers(int v) throws Exception {
        String g = "static" + v;
        int sv = Math.min(v, 5), hv = Math.min(v, 4), lv = Math.min(v, 5);
        JoinGroupResponseData first = (JoinGroupResponseData) later(v, join(g, "", "one", "range", "sticky")).get();
        names.put(first.memberId(), "one-1");
        print("static joins", v, first);
        ask("static syncs", sv, sync(g, first.memberId(), 1, "one", first.memberId()));
        JoinGroupResponseData back = (JoinGroupResponseData) exchange(socket, v, join(g, "", "one", "range", "sticky"));
        names.put(back.memberId(), "one-2");
        print("static comes back", v, back);
        ask("old id heartbeats", hv, heartbeat(g, first.memberId(), 1, "one"));
        ask("old id without instance", hv, heartbeat(g, first.memberId(), 1, null));
        ask("unknown instance", hv, heartbeat(g, back.memberId(), 1, "two"));
        ask("old id syncs", sv, sync(g, first.memberId(), 1, "one"));
        ask("old id joins", v, join(g, first.memberId(), "one", "range"));
        ask("unknown instance joins", v, join(g, back.memberId(), "two", "range"));
        ask("old id commits", 9, commit(9, g, first.memberId(), 1, "t", null, 0, 1, "").setGroupInstanceId("one"));
        ask("new id commits", 9, commit(9, g, back.memberId(), 1, "t", null, 0, 1, "").setGroupInstanceId("one"));
        ask("new id syncs", sv, sync(g, back.memberId(), 1, "one"));
        ask("describe", 6, new DescribeGroupsRequestData().setGroups(List.of(g)));
        ask("old id leaves", lv, new LeaveGroupRequestData().setGroupId(g).setMembers(List.of(
            new LeaveGroupRequestData.MemberIdentity().setMemberId(first.memberId()).setGroupInstanceId("one"))));
        ask("offset delete, subscribed", 0, offsetDelete(g, "t", 0));
        ask("removed by instance", lv, leave(lv, g, "@one"));
        ask("offset delete, empty group", 0, offsetDelete(g, "t", 0));
    }

    static OffsetDeleteRequestData offsetDelete(String group, String topic, int partition) {
        OffsetDeleteRequestData data = new OffsetDeleteRequestData().setGroupId(group);
        OffsetDeleteRequestData.OffsetDeleteRequestTopic row = new OffsetDeleteRequestData.OffsetDeleteRequestTopic().setName(topic);
        row.partitions().add(new OffsetDeleteRequestData.OffsetDeleteRequestPartition().setPartitionIndex(partition));
        data.topics().add(row);
        return data;
    }

    static void maxSize() throws Exception {
        List<Joining> members = new ArrayList<>();
        for (int i = 0; i < 3; i++) members.add(joinNew(9, "full", "F" + i));
        ask("full while forming", 9, join("full", "", null, "range"));
        for (int i = 0; i < 3; i++) members.get(i).answer.get();
        ask("full", 9, join("full", "", null, "range"));
        for (Joining member : members) ask("leaves", 5, leave(5, "full", member.id));
    }

    static void offsets() throws Exception {
        Uuid unknown = new Uuid(1, 2);
        for (int v = 2; v <= 10; v++) {
            String g = "offsets" + v;
            ask("unknown group, generation", v, commit(v, g, "x", 1, "t", topicId, 0, 1, ""));
            ask("unknown topic", v, commit(v, g, "", -1, "nope", unknown, 0, 1, ""));
            ask("unknown partition", v, commit(v, g, "", -1, "t", topicId, 9, 1, ""));
            ask("by hand", v, commit(v, g, "", -1, "t", topicId, 0, 40 + v, "note"));
            ask("null metadata", v, commit(v, g, "", -1, "t", topicId, 1, 7, null));
            ask("metadata too large", v, commit(v, g, "", -1, "t", topicId, 2, 7, "x".repeat(4097)));
            if (v == 8) ask("metadata at the limit", v, commit(v, g, "", -1, "t", topicId, 3, 7, "\u00fc".repeat(4096)));
            ask("negative offset", v, commit(v, g, "", -1, "t", topicId, 2, -5, ""));
            OffsetCommitRequestData mixed = commit(v, g, "", -1, "t", topicId, 0, 3, "");
            mixed.topics().addAll(commit(v, g, "", -1, "nope", unknown, 0, 3, "").topics());
            mixed.topics().get(0).partitions().add(new OffsetCommitRequestData.OffsetCommitRequestPartition().setPartitionIndex(12));
            ask("mixed", v, mixed);
            ask("no topics", v, new OffsetCommitRequestData().setGroupId(g));
            ask("no group id", v, commit(v, "", "", -1, "t", topicId, 0, 1, ""));
        }
        Map<String, List<Integer>> some = new LinkedHashMap<>();
        some.put("t", List.of(0, 1, 3, 9));
        some.put("nope", List.of(0));
        for (int v = 1; v <= 10; v++) {
            ask("some", v, fetch(v, false, "offsets6", some));
            if (v >= 2) ask("all", v, fetch(v, false, "offsets6", null));
            if (v >= 7) ask("stable", v, fetch(v, true, "offsets6", some));
            ask("unknown group", v, fetch(v, false, "nobody", some));
            if (v >= 2) ask("all of an unknown group", v, fetch(v, false, "nobody", null));
            if (v >= 8) {
                OffsetFetchRequestData batch = fetch(v, true, "offsets6", some);
                batch.groups().addAll(fetch(v, true, "offsets7", null).groups());
                batch.groups().addAll(fetch(v, true, "nobody", null).groups());
                ask("several groups", v, batch);
            }
        }
        ask("unknown group", 0, offsetDelete("nobody", "t", 0));
        ask("no group id", 0, offsetDelete("", "t", 0));
        ask("unknown topic", 0, offsetDelete("offsets6", "nope", 0));
        ask("unknown partition", 0, offsetDelete("offsets6", "t", 9));
        ask("deleted", 0, offsetDelete("offsets6", "t", 0));
        ask("deleted again", 0, offsetDelete("offsets6", "t", 0));
        ask("after the delete", 9, fetch(9, true, "offsets6", some));
    }

    static void lists() throws Exception {
        for (int v = 0; v <= 5; v++) {
            ask("all", v, new ListGroupsRequestData());
            if (v >= 4) {
                ask("stable", v, new ListGroupsRequestData().setStatesFilter(List.of("STABLE")));
                ask("empty", v, new ListGroupsRequestData().setStatesFilter(List.of(" empty ", "dead")));
                ask("no such state", v, new ListGroupsRequestData().setStatesFilter(List.of("nonsense")));
            }
            if (v >= 5) {
                ask("classic", v, new ListGroupsRequestData().setTypesFilter(List.of("Classic")));
                ask("consumer", v, new ListGroupsRequestData().setTypesFilter(List.of("consumer")));
                ask("no such type", v, new ListGroupsRequestData().setTypesFilter(List.of("nonsense")));
            }
        }
        for (int v = 0; v <= 3; v++) {
            ask("delete", v, new DeleteGroupsRequestData().setGroupsNames(List.of("offsets" + (v + 2), "nobody", "nobody")));
        }
        for (int v = 0; v <= 6; v++) {
            ask("simple and unknown", v, new DescribeGroupsRequestData().setGroups(List.of("offsets8", "nobody", "")));
        }
    }

    static void coordinators() throws Exception {
        for (int v = 0; v <= 6; v++) {
            FindCoordinatorRequestData data = new FindCoordinatorRequestData();
            if (v < 4) data.setKey("a group"); else data.setCoordinatorKeys(List.of("a group", "another", ""));
            ask("groups", v, data);
        }
        ask("share group, too early", 5, new FindCoordinatorRequestData().setKeyType((byte) 2).setCoordinatorKeys(List.of("x")));
    }

    public static void main(String[] args) throws Exception {
        start(args);
        prepare("t", 4);
        topicId = idOf("t");
        ask("before the topic exists", 6, new FindCoordinatorRequestData().setCoordinatorKeys(List.of("g")));
        for (int i = 0; i < 20; i++) {  // some group of every partition
            String group = "g" + i;
            eventually("a coordinator of " + group, () -> {
                FindCoordinatorResponseData found = (FindCoordinatorResponseData) exchange(socket, 6,
                    new FindCoordinatorRequestData().setCoordinatorKeys(List.of(group)));
                HeartbeatResponseData loaded = (HeartbeatResponseData) exchange(socket, 4, heartbeat(group, "m", 1, null));
                return found.coordinators().get(0).errorCode() == 0 && loaded.errorCode() == 25;
            });
        }
        coordinators();
        for (int v = 0; v <= 9; v++) life(v);
        for (int v = 5; v <= 9; v++) staticMembers(v);
        maxSize();
        offsets();
        lists();
        System.exit(0);
    }
}
