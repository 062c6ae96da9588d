// Reads what is there, and what is not: Fetch, ListOffsets, OffsetForLeaderEpoch, DeleteRecords. Runs twice, with a restart of the broker
// between, so that logs have several leader epochs.
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopic;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.record.internal.CompressionType;

public class AskFetch extends Asker {
    static final long T = Records.T;
    static final int ALL = 1_000_000;

    // --- what is read

    static ProduceRequestData producing(String topic, int partition, byte[] batch) {
        ProduceRequestData request = new ProduceRequestData().setAcks((short) -1).setTimeoutMs(10000);
        ProduceRequestData.TopicProduceData row = new ProduceRequestData.TopicProduceData().setName(topic);
        row.partitionData().add(new ProduceRequestData.PartitionProduceData().setIndex(partition).setRecords(Records.toSend(batch)));
        request.topicData().add(row);
        return request;
    }

    static void produce(String topic, int partition, byte[]... batches) throws Exception {
        for (byte[] batch : batches) {
            var response = (ProduceResponseData) exchange(socket, 9, producing(topic, partition, batch));
            int error = response.responses().iterator().next().partitionResponses().get(0).errorCode();
            if (error != 0) throw new AssertionError("Produce to " + topic + ": " + error);
        }
    }

    // A record of timestamp T + at.
    static byte[] one(long at) throws Exception {
        return Records.plain(Records.rec(0).at(at)).maxTimestamp(T + at).encode();
    }

    static void fill() throws Exception {
        prepare("data", 4);
        prepare("zstd", 1, "compression.type=zstd");
        prepare("append", 1, "message.timestamp.type=LogAppendTime");
        prepare("small", 1, "segment.bytes=1048576");
        for (int i = 0; i < 6; i++) produce("data", 0, one(i * 10));
        produce("data", 0, Records.batch(CompressionType.GZIP, Records.rec(0).at(100), Records.rec(1).at(95), Records.rec(2).at(120)).maxTimestamp(T + 120).encode());
        for (int i = 0; i < 4; i++) produce("data", 1, one(i));
        produce("data", 1, Records.batch(CompressionType.ZSTD, Records.rec(0).at(4)).maxTimestamp(T + 4).encode());
        produce("data", 2, Records.plain(Records.rec(0).at(30), Records.rec(1).at(10), Records.rec(2).at(30)).maxTimestamp(T + 30).encode(), one(20));
        produce("zstd", 0, one(0), one(1));
        ask("with append time", 9, producing("append", 0, Records.plain(Records.rec(0), Records.rec(1).at(5)).encode()));
        for (int i = 0; i < 4; i++) produce("small", 0, Records.plain(Records.rec(0).at(i).value(Records.filled(400_000))).maxTimestamp(T + i).encode());
    }

    // --- Fetch

    record Part(String topic, int partition, long offset, int maxBytes, int epoch, int fetchedEpoch) {
        Part(String topic, int partition, long offset) {
            this(topic, partition, offset, ALL, -1, -1);
        }
        Part max(int bytes) {
            return new Part(topic, partition, offset, bytes, epoch, fetchedEpoch);
        }
        Part at(int current, int fetched) {
            return new Part(topic, partition, offset, maxBytes, current, fetched);
        }
    }

    static FetchRequestData fetch(int v, Part... parts) {
        FetchRequestData request = new FetchRequestData().setMaxWaitMs(0).setMinBytes(0).setMaxBytes(ALL);
        if (v < 15) request.setReplicaId(-1);
        FetchTopic topic = null;
        String name = null;
        for (Part part : parts) {
            if (!part.topic.equals(name)) {
                topic = new FetchTopic();
                if (v < 13) topic.setTopic(part.topic); else topic.setTopicId(idOf(part.topic));
                request.topics().add(topic);
                name = part.topic;
            }
            FetchPartition row = new FetchPartition().setPartition(part.partition).setFetchOffset(part.offset).setPartitionMaxBytes(part.maxBytes);
            if (v >= 9) row.setCurrentLeaderEpoch(part.epoch);
            if (v >= 12) row.setLastFetchedEpoch(part.fetchedEpoch);
            topic.partitions().add(row);
        }
        return request;
    }

    static FetchRequestData as(int v, int replica, FetchRequestData request) {
        if (v < 15) return request.setReplicaId(replica);
        return request.setReplicaState(new FetchRequestData.ReplicaState().setReplicaId(replica));
    }

    static Part data(int partition, long offset) {
        return new Part("data", partition, offset);
    }

    static void reads(int v) throws Exception {
        ask("from the start", v, fetch(v, data(0, 0)));
        ask("from the middle", v, fetch(v, data(0, 3)));
        ask("inside a batch", v, fetch(v, data(0, 7)));
        ask("at the end", v, fetch(v, data(0, 9)));
        ask("past the end", v, fetch(v, data(0, 10)));
        ask("negative offset", v, fetch(v, data(0, -1)));
        ask("largest offset", v, fetch(v, data(0, Long.MAX_VALUE)));
        ask("no records yet", v, fetch(v, data(3, 0)));
        ask("several partitions", v, fetch(v, data(0, 5), data(2, 0), data(3, 0), data(1, 3)));
        ask("unknown topic", v, fetch(v, new Part("nope", 0, 0)));
        ask("unknown partition", v, fetch(v, data(9, 0)));
        ask("negative partition", v, fetch(v, data(-1, 0)));
        ask("one of several unknown", v, fetch(v, data(0, 5), data(9, 0), new Part("nope", 0, 0)));
        ask("one of several out of range", v, fetch(v, data(0, 50), data(2, 0)));
        ask("no topics", v, fetch(v));
        ask("zstd topic", v, fetch(v, new Part("zstd", 0, 0)));
        ask("zstd batch", v, fetch(v, data(1, 4)));
        ask("read committed", v, fetch(v, data(0, 0)).setIsolationLevel((byte) 1));
        ask("read committed, out of range", v, fetch(v, data(0, 50)).setIsolationLevel((byte) 1));
        if (phase == 1) ask("append time", v, fetch(v, new Part("append", 0, 0)));
        if (v >= 11) ask("rack", v, fetch(v, data(0, 5)).setRackId("somewhere"));
        if (v >= 13) {
            FetchRequestData request = fetch(v);
            request.topics().add(new FetchTopic().setTopicId(Uuid.ZERO_UUID).setPartitions(List.of(new FetchPartition().setPartitionMaxBytes(ALL))));
            ask("no topic id", v, request);
        } else {
            ask("no topic", v, fetch(v, new Part("", 0, 0)));
        }
    }

    static void limits(int v) throws Exception {
        ask("partition max 0", v, fetch(v, data(0, 0).max(0)));
        ask("partition max 1", v, fetch(v, data(0, 0).max(1)));
        ask("partition max 150", v, fetch(v, data(0, 0).max(150)));
        ask("partition max -1", v, fetch(v, data(0, 0).max(-1)));
        ask("max 0", v, fetch(v, data(0, 0)).setMaxBytes(0));
        ask("max 1", v, fetch(v, data(0, 0), data(1, 0)).setMaxBytes(1));
        ask("max 100", v, fetch(v, data(0, 0), data(1, 0)).setMaxBytes(100));
        ask("max 300", v, fetch(v, data(0, 0), data(1, 0), data(2, 0)).setMaxBytes(300));
        ask("max -1", v, fetch(v, data(0, 0)).setMaxBytes(-1));
        ask("partition max 100, several", v, fetch(v, data(0, 0).max(100), data(1, 0).max(100), data(2, 0).max(100)));
        ask("first partition empty, max 1", v, fetch(v, data(3, 0).max(1), data(1, 0).max(1)).setMaxBytes(1));
        ask("large batch, max 1000", v, fetch(v, new Part("small", 0, 0).max(1000), data(1, 0)).setMaxBytes(1000));
        ask("large batch second, max 1000", v, fetch(v, data(1, 0), new Part("small", 0, 0)).setMaxBytes(1000));
        ask("end of a segment", v, fetch(v, new Part("small", 0, 1)));
        ask("not enough, no time", v, fetch(v, data(0, 5)).setMinBytes(ALL));
        ask("enough", v, fetch(v, data(0, 5)).setMinBytes(70).setMaxWaitMs(20000));
        ask("enough in several", v, fetch(v, data(0, 5), data(1, 3)).setMinBytes(250).setMaxWaitMs(20000));
        ask("not enough, waits", v, fetch(v, data(0, 5)).setMinBytes(ALL).setMaxWaitMs(20));
        ask("nothing, waits", v, fetch(v, data(0, 9), data(3, 0)).setMinBytes(1).setMaxWaitMs(20));
        ask("negative time", v, fetch(v, data(0, 9)).setMinBytes(1).setMaxWaitMs(-1));
        ask("an error does not wait", v, fetch(v, data(0, 99)).setMinBytes(1).setMaxWaitMs(20000));
        ask("an error does not let others wait", v, fetch(v, data(3, 0), data(0, 99)).setMinBytes(1).setMaxWaitMs(20000));
        ask("an unknown topic does not wait", v, fetch(v, new Part("nope", 0, 0)).setMinBytes(1).setMaxWaitMs(20000));
    }

    static void followers(int v) throws Exception {
        ask("as this broker", v, as(v, 1, fetch(v, data(0, 0))));
        ask("as an unknown broker", v, as(v, 5, fetch(v, data(0, 0))));
        ask("as a debugger", v, as(v, -2, fetch(v, data(0, 5))));
        ask("as -3", v, as(v, -3, fetch(v, data(0, 5))));
    }

    static void longPoll(int v) throws Exception {
        long end = v - 4;
        CompletableFuture<ApiMessage> parked = later(v, fetch(v, new Part("poll", 0, end)).setMinBytes(1).setMaxWaitMs(20000));
        if (parked.isDone()) throw new AssertionError("the fetch did not wait");
        produce("poll", 0, one(v));
        print("woken", v, parked.get());
    }

    static void epochs(int v, int current) throws Exception {
        if (v < 9) return;
        ask("current epoch", v, fetch(v, data(0, 5).at(current, -1)));
        ask("epoch ahead", v, fetch(v, data(0, 5).at(current + 1, -1)));
        ask("epoch behind", v, fetch(v, data(0, 5).at(current - 1, -1)));
        ask("epoch -2", v, fetch(v, data(0, 5).at(-2, -1)));
        ask("epoch ahead, out of range", v, fetch(v, data(0, 50).at(current + 1, -1)));
        ask("epoch ahead does not wait", v, fetch(v, data(0, 9).at(current + 1, -1)).setMinBytes(1).setMaxWaitMs(20000));
        if (v < 12) return;
        for (int fetched = 0; fetched <= current + 1; fetched++) {
            ask("fetched epoch " + fetched, v, fetch(v, data(0, 5).at(current, fetched)));
            ask("fetched epoch " + fetched + ", at the end", v, fetch(v, data(0, 9).at(-1, fetched)));
            ask("fetched epoch " + fetched + ", past it", v, fetch(v, data(0, 50).at(-1, fetched)));
            ask("fetched epoch " + fetched + ", waits", v, fetch(v, data(0, 9).at(-1, fetched)).setMinBytes(1).setMaxWaitMs(20));
            ask("fetched epoch " + fetched + ", no records", v, fetch(v, data(3, 0).at(-1, fetched)));
            ask("fetched epoch " + fetched + ", of two", v, fetch(v, data(3, 0).at(-1, fetched), data(1, 2)));
        }
        ask("fetched epoch -2", v, fetch(v, data(0, 5).at(current, -2)));
    }

    static final Map<Integer, String> sessionNames = new HashMap<>();

    static int session(ApiMessage response) {
        return ((FetchResponseData) response).sessionId();
    }

    static FetchRequestData in(int session, int epoch, FetchRequestData request) {
        return request.setSessionId(session).setSessionEpoch(epoch);
    }

    static void forget(int v, FetchRequestData request, String topic, int... partitions) {
        FetchRequestData.ForgottenTopic gone = new FetchRequestData.ForgottenTopic();
        if (v < 13) gone.setTopic(topic); else gone.setTopicId(idOf(topic));
        for (int partition : partitions) gone.partitions().add(partition);
        request.forgottenTopicsData().add(gone);
    }

    static void sessions(int v) throws Exception {
        if (v < 7) return;
        String t = "session" + v;
        sessionNames.clear();
        prepare(t, 3);
        produce(t, 0, one(0), one(1));
        ask("session: none", v, in(0, -1, fetch(v, new Part(t, 0, 0))));
        ask("session: of nothing", v, in(0, 0, fetch(v)));
        int id = session(ask("session: opened", v, in(0, 0, fetch(v, new Part(t, 0, 0), new Part(t, 1, 0)))));
        ask("session: the same again", v, in(id, 1, fetch(v)));
        ask("session: moved", v, in(id, 2, fetch(v, new Part(t, 0, 2))));
        ask("session: nothing new", v, in(id, 3, fetch(v)));
        ask("session: nothing new, waits", v, in(id, 4, fetch(v)).setMinBytes(1).setMaxWaitMs(20));
        produce(t, 1, one(2));
        ask("session: new records", v, in(id, 5, fetch(v)));
        ask("session: added", v, in(id, 6, fetch(v, new Part(t, 2, 0), new Part(t, 1, 1))));
        FetchRequestData less = in(id, 7, fetch(v, new Part(t, 0, 0)));
        forget(v, less, t, 1, 2);
        ask("session: forgotten", v, less);
        ask("session: error", v, in(id, 8, fetch(v, new Part(t, 0, 99))));
        ask("session: error again", v, in(id, 9, fetch(v)));
        ask("session: error gone", v, in(id, 10, fetch(v, new Part(t, 0, 2))));
        ask("session: and quiet", v, in(id, 11, fetch(v)));
        ask("session: unknown partition", v, in(id, 12, fetch(v, new Part(t, 7, 0))));
        ask("session: unknown partition again", v, in(id, 13, fetch(v)));
        ask("session: unknown topic", v, in(id, 14, fetch(v, new Part("late" + v, 0, 0))));
        if (v < 13) {
            prepare("late" + v, 1);
            ask("session: unknown topic came", v, in(id, 15, fetch(v)));
        } else {
            ask("session: unknown topic again", v, in(id, 15, fetch(v)));
        }
        ask("session: wrong epoch", v, in(id, 99, fetch(v)));
        ask("session: epoch of before", v, in(id, 15, fetch(v)));
        ask("session: unknown id", v, in(id + 1, 1, fetch(v)));
        ask("session: id 0, epoch 1", v, in(0, 1, fetch(v)));
        ask("session: epoch -2", v, in(id, -2, fetch(v)));
        if (v == 12) {
            ask("session: with ids", 13, in(id, 16, fetch(13)));
            ask("session: with names again", 12, in(id, 16, fetch(12)));
        }
        if (v == 13) ask("session: with names", 12, in(id, 16, fetch(12)));
        int other = session(ask("session: replaced", v, in(id, 0, fetch(v, new Part(t, 0, 1)))));
        ask("session: the old one", v, in(id, 16, fetch(v)));
        ask("session: the new one", v, in(other, 1, fetch(v)));
        FetchRequestData none = in(other, 2, fetch(v));
        forget(v, none, t, 0);
        ask("session: all forgotten", v, none);
        ask("session: and after", v, in(other, 3, fetch(v, new Part(t, 0, 1))));
        int last = session(ask("session: another", v, in(0, 0, fetch(v, new Part(t, 1, 0)))));
        ask("session: closed", v, in(last, -1, fetch(v)));
        ask("session: after it was closed", v, in(last, 1, fetch(v)));
    }

    // --- ListOffsets

    static ListOffsetsRequestData list(String topic, int partition, long timestamp, int epoch) {
        ListOffsetsRequestData request = new ListOffsetsRequestData().setReplicaId(-1);
        ListOffsetsTopic row = new ListOffsetsTopic().setName(topic);
        row.partitions().add(new ListOffsetsPartition().setPartitionIndex(partition).setTimestamp(timestamp).setCurrentLeaderEpoch(epoch));
        request.topics().add(row);
        return request;
    }

    static void offsets(int v, int current) throws Exception {
        for (int partition = 0; partition < 4; partition++) {
            for (long special = -8; special <= 0; special++) {
                ask("special " + special + " of " + partition, v, list("data", partition, special, -1));
            }
            for (long at : new long[]{0, 1, 10, 11, 20, 30, 31, 95, 100, 101, 120, 121}) {
                ask("T + " + at + " of " + partition, v, list("data", partition, T + at, -1));
            }
            ask("T - 1 of " + partition, v, list("data", partition, T - 1, -1));
            ask("end of time of " + partition, v, list("data", partition, Long.MAX_VALUE, -1));
        }
        ask("segments, T + 3", v, list("small", 0, T + 3, -1));
        ask("segments, largest", v, list("small", 0, -3, -1));
        if (phase == 1) ask("append time, largest", v, list("append", 0, -3, -1));
        ask("unknown topic", v, list("nope", 0, -1, -1));
        ask("unknown partition", v, list("data", 9, -1, -1));
        ask("no topic", v, list("", 0, -1, -1));
        ask("bad topic", v, list("bad name", 0, -1, -1));
        ask("no topics", v, new ListOffsetsRequestData().setReplicaId(-1));
        ListOffsetsRequestData twice = list("data", 0, -1, -1);
        twice.topics().get(0).partitions().add(twice.topics().get(0).partitions().get(0).duplicate().setTimestamp(-2));
        twice.topics().get(0).partitions().add(twice.topics().get(0).partitions().get(0).duplicate().setPartitionIndex(1));
        ask("partition twice", v, twice);
        ListOffsetsRequestData several = list("data", 0, -1, -1);
        several.topics().get(0).partitions().add(new ListOffsetsPartition().setPartitionIndex(9).setTimestamp(-1));
        several.topics().addAll(list("nope", 0, -2, -1).topics());
        several.topics().addAll(list("zstd", 0, -2, -1).topics());
        ask("several", v, several);
        for (int replica : new int[]{1, 5, -2, -3}) ask("as " + replica, v, list("data", 0, -1, -1).setReplicaId(replica));
        if (v >= 2) {
            ask("read committed, latest", v, list("data", 0, -1, -1).setIsolationLevel((byte) 1));
            ask("read committed, by time", v, list("data", 0, T + 95, -1).setIsolationLevel((byte) 1));
        }
        if (v < 4) return;
        for (int epoch : new int[]{-2, current - 1, current, current + 1}) {
            ask("epoch " + epoch, v, list("data", 0, -1, epoch));
            ask("epoch " + epoch + ", by time", v, list("data", 0, T, epoch));
        }
    }

    // --- OffsetForLeaderEpoch

    static OffsetForLeaderEpochRequestData ends(int replica, String topic, int partition, int current, int epoch) {
        OffsetForLeaderEpochRequestData request = new OffsetForLeaderEpochRequestData().setReplicaId(replica);
        OffsetForLeaderTopic row = new OffsetForLeaderTopic().setTopic(topic);
        row.partitions().add(new OffsetForLeaderPartition().setPartition(partition).setCurrentLeaderEpoch(current).setLeaderEpoch(epoch));
        request.topics().add(row);
        return request;
    }

    static void epochEnds(int v, int current) throws Exception {
        int me = v >= 3 ? -1 : -2;
        for (int epoch = -2; epoch <= current + 1; epoch++) {
            for (int partition : new int[]{0, 1, 3}) ask("epoch " + epoch + " of " + partition, v, ends(me, "data", partition, -1, epoch));
        }
        for (int c : new int[]{-2, current - 1, current, current + 1}) ask("current epoch " + c, v, ends(me, "data", 0, c, 0));
        ask("unknown topic", v, ends(me, "nope", 0, -1, 0));
        ask("unknown partition", v, ends(me, "data", 9, -1, 0));
        ask("no topics", v, new OffsetForLeaderEpochRequestData().setReplicaId(me));
        if (v >= 3) for (int replica : new int[]{1, 5, -2}) ask("as " + replica, v, ends(replica, "data", 0, -1, 0));
        OffsetForLeaderEpochRequestData several = ends(me, "data", 0, -1, 0);
        several.topics().find("data").partitions().add(new OffsetForLeaderPartition().setPartition(9).setLeaderEpoch(0));
        several.topics().addAll(List.copyOf(ends(me, "nope", 0, -1, 0).topics()).stream().map(OffsetForLeaderTopic::duplicate).toList());
        ask("several", v, several);
    }

    // --- DeleteRecords

    static DeleteRecordsRequestData before(String topic, int partition, long offset) {
        DeleteRecordsRequestData request = new DeleteRecordsRequestData().setTimeoutMs(10000);
        DeleteRecordsRequestData.DeleteRecordsTopic row = new DeleteRecordsRequestData.DeleteRecordsTopic().setName(topic);
        row.partitions().add(new DeleteRecordsRequestData.DeleteRecordsPartition().setPartitionIndex(partition).setOffset(offset));
        request.topics().add(row);
        return request;
    }

    static void deletions(int v) throws Exception {
        String t = "trimmed" + v;
        prepare(t, 2);
        prepare("compacted" + v, 1, "cleanup.policy=compact");
        prepare("both" + v, 1, "cleanup.policy=compact,delete");
        for (int i = 0; i < 5; i++) produce(t, 0, one(i));
        produce("compacted" + v, 0, one(0));
        produce("both" + v, 0, one(0));
        ask("nothing", v, before(t, 0, 0));
        ask("some", v, before(t, 0, 2));
        ask("less than before", v, before(t, 0, 1));
        ask("past the end", v, before(t, 0, 6));
        ask("negative", v, before(t, 0, -2));
        ask("smallest", v, before(t, 0, Long.MIN_VALUE));
        ask("no time", v, before(t, 0, 3).setTimeoutMs(0));
        ask("unknown topic", v, before("nope", 0, 1));
        ask("unknown partition", v, before(t, 9, 1));
        ask("compacted", v, before("compacted" + v, 0, 1));
        ask("compacted and deleted", v, before("both" + v, 0, 1));
        ask("internal", v, before("__consumer_offsets", 0, 0));
        ask("no topics", v, new DeleteRecordsRequestData().setTimeoutMs(1000));
        DeleteRecordsRequestData several = before(t, 0, 4);
        several.topics().get(0).partitions().add(new DeleteRecordsRequestData.DeleteRecordsPartition().setPartitionIndex(1).setOffset(1));
        several.topics().get(0).partitions().add(new DeleteRecordsRequestData.DeleteRecordsPartition().setPartitionIndex(7).setOffset(1));
        ask("several", v, several);
        ask("fetch before the start", 12, fetch(12, new Part(t, 0, 2)));
        ask("fetch at the start", 12, fetch(12, new Part(t, 0, 4)));
        ask("fetched epoch before the start", 12, fetch(12, new Part(t, 0, 2).at(-1, 0)));
        for (long special = -6; special < 0; special++) ask("special " + special + " after a deletion", 11, list(t, 0, special, -1));
        ask("T after a deletion", 11, list(t, 0, T, -1));
        ask("all", v, before(t, 0, -1));
        ask("all again", v, before(t, 0, -1));
        ask("fetch after all", 12, fetch(12, new Part(t, 0, 5)));
        for (long special = -6; special < 0; special++) ask("special " + special + " of nothing", 11, list(t, 0, special, -1));
        ask("epoch 0 of nothing", 4, ends(-1, t, 0, -1, 0));
    }

    // Every version once; with more epochs again what depends on them.
    static void everything(int current) throws Exception {
        for (int v = current == 0 ? 4 : 18; v <= 18; v++) {
            reads(v);
            limits(v);
            followers(v);
        }
        for (int v = 9; v <= 18; v++) epochs(v, current);
        for (int v = current == 0 ? 1 : 11; v <= 11; v++) offsets(v, current);
        for (int v = 2; v <= 4; v++) epochEnds(v, current);
    }

    public static void main(String[] args) throws Exception {
        start(args);
        byField.put("sessionId", id -> id.asInt() == 0 ? id : TextNode.valueOf(
            sessionNames.computeIfAbsent(id.asInt(), unknown -> "session " + sessionNames.size())));
        byField.put("timestamp", time -> appendTimes.contains(time.asLong()) ? TextNode.valueOf("when it was appended") : time);
        if (phase == 1) {
            fill();
            prepare("poll", 1);
            exchange(socket, 4, new FindCoordinatorRequestData().setCoordinatorKeys(List.of("g")));
            find("__consumer_offsets", 2);
            everything(0);
            for (int v = 4; v <= 18; v++) {
                longPoll(v);
                sessions(v);
            }
            for (int v = 0; v <= 2; v++) deletions(v);
            restart();
        }
        for (String topic : List.of("zstd", "append", "small", "trimmed2")) find(topic, 1);
        find("data", 4);
        if (phase == 2) {
            produce("data", 0, one(1));
            produce("data", 1, one(1));
            restart();
        }
        var described = (MetadataResponseData) exchange(socket, 12, new MetadataRequestData()
            .setTopics(List.of(new MetadataRequestData.MetadataRequestTopic().setName("data"))));
        int epoch = described.topics().iterator().next().partitions().get(0).leaderEpoch();
        everything(epoch);
        ask("special -2 after a restart", 11, list("trimmed2", 0, -2, -1));
        System.exit(0);
    }
}
