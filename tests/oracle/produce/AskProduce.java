// Produces what producers may send and what they should not, and reads back what was stored: Produce, InitProducerId.
import com.fasterxml.jackson.databind.node.TextNode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

public class AskProduce extends Asker {
    static final int FIRST = 3;
    static final int LAST = 13;
    static final int VERSIONS = LAST - FIRST + 1;
    static final long T = Records.T;
    static final long NOW = System.currentTimeMillis();
    static final int TRANSACTIONAL = 0x10;
    static final int CONTROL = 0x20;

    record Part(String topic, int partition, byte[] records) { }

    static ProduceRequestData produce(int version, int acks, Part... parts) {
        ProduceRequestData request = new ProduceRequestData().setAcks((short) acks).setTimeoutMs(10000);
        TopicProduceData topic = null;
        String name = null;
        for (Part part : parts) {
            if (!part.topic.equals(name)) {
                topic = new TopicProduceData();
                if (version < 13) topic.setName(part.topic); else topic.setTopicId(idOf(part.topic));
                request.topicData().add(topic);
                name = part.topic;
            }
            topic.partitionData().add(new PartitionProduceData().setIndex(part.partition).setRecords(Records.toSend(part.records)));
        }
        return request;
    }

    static void offer(String what, int version, String topic, int partition, byte[] records) throws Exception {
        ask(what, version, produce(version, -1, new Part(topic, partition, records)));
    }

    // acks=0 is not answered: the connection is closed, or the end of the first partition becomes `end`, when ours has synced.
    static void offerUnanswered(String what, int version, int end, Part... parts) throws Exception {
        send(socket, version, produce(version, 0, parts));
        ListOffsetsResponseData[] found = {null};
        eventually("an end at " + end, () -> {
            found[0] = (ListOffsetsResponseData) exchange(socket, 1, endOf("plain" + version, 0));
            return found[0] == null || found[0].topics().get(0).partitions().get(0).offset() == end;
        });
        if (found[0] == null) closed(what, version, "Produce"); else print(what, version, found[0]);
    }

    static ListOffsetsRequestData endOf(String topic, int partition) {
        ListOffsetsRequestData request = new ListOffsetsRequestData().setReplicaId(-1);
        ListOffsetsRequestData.ListOffsetsTopic row = new ListOffsetsRequestData.ListOffsetsTopic().setName(topic);
        row.partitions().add(new ListOffsetsRequestData.ListOffsetsPartition().setPartitionIndex(partition).setTimestamp(-1));
        request.topics().add(row);
        return request;
    }

    static void readBack(int version, String topic, int partition) throws Exception {
        FetchRequestData request = new FetchRequestData().setMaxWaitMs(0).setMinBytes(0).setReplicaId(-1);
        FetchRequestData.FetchTopic row = new FetchRequestData.FetchTopic().setTopic(topic);
        row.partitions().add(new FetchRequestData.FetchPartition().setPartition(partition).setPartitionMaxBytes(10_000_000));
        request.topics().add(row);
        ask("what Produce " + version + " left in " + topic, 12, request);
    }

    static Raw.Rec rec(int offsetDelta) {
        return Records.rec(offsetDelta);
    }

    static Raw.Batch plain(Raw.Rec... records) throws Exception {
        return Records.plain(records);
    }

    static byte[] good() throws Exception {
        return plain(rec(0)).encode();
    }

    // --- Produce

    static void targets(int v) throws Exception {
        String t = "plain" + v;
        byte[] good = good();
        byte[] bad = Raw.with(good, good.length - 2, 'X');
        prepare(t, 3);
        ask("acks all", v, produce(v, -1, new Part(t, 0, good)));
        ask("acks 1", v, produce(v, 1, new Part(t, 0, plain(rec(0), rec(1).at(7)).maxTimestamp(T + 7).encode())));
        offerUnanswered("acks 0", v, 4, new Part(t, 0, good));
        ask("acks 2", v, produce(v, 2, new Part(t, 0, good), new Part("nope", 0, good)));
        ask("acks -2", v, produce(v, -2, new Part(t, 0, good)));
        offerUnanswered("acks 0, unknown topic", v, -1, new Part("nope", 0, good));
        offerUnanswered("acks 0, wrong checksum", v, -1, new Part(t, 0, bad));
        offerUnanswered("acks 0, one is wrong", v, -1, new Part(t, 0, good), new Part(t, 1, bad));
        ask("no topics", v, produce(v, -1));
        ask("topic without partitions", v, withTopic(v, t));
        ask("several partitions", v, produce(v, -1, new Part(t, 0, good), new Part(t, 2, good)));
        ask("several, some fail", v, produce(v, -1, new Part("nope", 0, good), new Part(t, 0, bad), new Part(t, 1, good), new Part(t, 7, good)));
        ask("magic 3 in one of several", v, produce(v, -1, new Part("nope", 0, good), new Part(t, 0, Raw.with(good, 16, 3)), new Part(t, 1, good)));
        ask("header too short in one of several", v, produce(v, -1, new Part("nope", 0, good),
            new Part(t, 0, Arrays.copyOf(Raw.with(good, 11, 30), 42)), new Part(t, 1, good)));
        ask("header a little too short in one of several", v, produce(v, -1, new Part("nope", 0, good),
            new Part(t, 0, Arrays.copyOf(Raw.with(good, 11, 40), 52)), new Part(t, 1, good)));
        ask("codec 5 in one of several", v, produce(v, -1, new Part("nope", 0, good), new Part(t, 0, plain(rec(0)).attributes(5).encode()),
            new Part(t, 1, good)));
        ask("acks 2, wrong frames", v, produce(v, 2, new Part(t, 0, new byte[0]), new Part(t, 1, good), new Part("__consumer_offsets", 0, good)));
        ask("partition twice", v, produce(v, -1, new Part(t, 0, good), new Part(t, 0, plain(rec(0), rec(1)).encode())));
        ask("topic twice", v, produce(v, -1, new Part(t, 0, good), new Part("append", v - FIRST, good), new Part(t, 1, good)));
        offer("unknown topic", v, "nope", 0, good);
        offer("unknown partition", v, t, 3, good);
        offer("negative partition", v, t, -1, good);
        offer("no topic", v, "", 0, good);
        offer("bad topic name", v, "bad name", 0, good);
        offer("internal topic", v, "__consumer_offsets", 0, good);
        clientId = "__admin_client";
        offer("internal topic, admin client", v, "__consumer_offsets", 0, bad);
        clientId = "oracle";
        if (v >= 13) ask("no topic id", v, withTopic(Uuid.ZERO_UUID, good));
        ask("no time", v, produce(v, -1, new Part(t, 2, good)).setTimeoutMs(0));
        ask("transactional id without transactional records", v, produce(v, -1, new Part(t, 2, good)).setTransactionalId("tx"));
        offer("transactional records", v, t, 0, plain(rec(0)).attributes(TRANSACTIONAL).producer(12, 0, 0).encode());
        ask("transactional records in one of two", v, produce(v, -1, new Part(t, 0, good),
            new Part(t, 1, plain(rec(0)).attributes(TRANSACTIONAL).producer(12, 0, 0).encode())));
        for (int p = 0; p < 3; p++) readBack(v, t, p);
    }

    static ProduceRequestData withTopic(int version, String name) {
        TopicProduceData topic = new TopicProduceData();
        if (version < 13) topic.setName(name); else topic.setTopicId(idOf(name));
        ProduceRequestData request = produce(version, -1);
        request.topicData().add(topic);
        return request;
    }

    static ProduceRequestData withTopic(Uuid id, byte[] records) {
        TopicProduceData topic = new TopicProduceData().setTopicId(id);
        topic.partitionData().add(new PartitionProduceData().setIndex(0).setRecords(Records.toSend(records)));
        ProduceRequestData request = produce(13, -1);
        request.topicData().add(topic);
        return request;
    }

    static void framing(int v) throws Exception {
        int p = v - FIRST;
        byte[] good = good();
        // Null records are not here: Kafka 4.4.0 never answers them, as its error answer fails at them too.
        offer("no bytes", v, "frames", p, new byte[0]);
        offer("a byte", v, "frames", p, new byte[1]);
        offer("cut short", v, "frames", p, Arrays.copyOf(good, good.length - 1));
        offer("only a prefix", v, "frames", p, Arrays.copyOf(good, 17));
        offer("followed by part of a batch", v, "frames", p, Raw.concat(good, Arrays.copyOf(good, 30)));
        offer("followed by bytes", v, "frames", p, Raw.concat(good, new byte[]{1, 2, 3}));
        offer("followed by zeros", v, "frames", p, Raw.concat(good, new byte[40]));
        offer("two batches", v, "frames", p, Raw.concat(good, good));
        offer("wrong checksum", v, "frames", p, Raw.with(good, good.length - 2, 'X'));
        offer("other checksum", v, "frames", p, Raw.with(good, 17, good[17] ^ 1));
        offer("magic 3", v, "frames", p, Raw.with(good, 16, 3));
        offer("magic -1", v, "frames", p, Raw.with(good, 16, -1));
        offer("length 0", v, "frames", p, Raw.concat(new byte[12], Arrays.copyOfRange(good, 12, good.length)));
        offer("negative length", v, "frames", p, Raw.with(good, 8, 0xff));
        offer("length too large", v, "frames", p, Raw.with(good, 10, 1));
        offer("length below a header", v, "frames", p, Arrays.copyOf(Raw.with(good, 11, 30), 42));
        for (byte magic = 0; magic < 2; magic++) {
            for (CompressionType type : new CompressionType[]{CompressionType.NONE, CompressionType.GZIP}) {
                MemoryRecords old = MemoryRecords.withRecords(magic, Compression.of(type).build(), new SimpleRecord(T, new byte[]{1}, new byte[]{2}));
                byte[] bytes = new byte[old.sizeInBytes()];
                old.buffer().duplicate().get(bytes);
                offer("magic " + magic + ", " + type.name, v, "frames", p, bytes);
            }
        }
        readBack(v, "frames", p);
    }

    static void headers(int v) throws Exception {
        int p = v - FIRST;
        String t = "headers";
        offer("base offset 1", v, t, p, plain(rec(0)).baseOffset(1).encode());
        offer("base offset -1", v, t, p, plain(rec(0)).baseOffset(-1).encode());
        offer("no records", v, t, p, new Raw.Batch(0, T, new byte[0]).encode());
        offer("no records, delta 0", v, t, p, new Raw.Batch(0, T, new byte[0]).lastOffsetDelta(0).encode());
        Raw.Batch negative = plain(rec(0));
        negative.count = -1;
        offer("negative count", v, t, p, negative.encode());
        Raw.Batch many = plain(rec(0));
        many.count = Integer.MAX_VALUE;
        offer("largest count", v, t, p, many.encode());
        offer("more records than the count", v, t, p, new Raw.Batch(1, T, Raw.encode(rec(0), rec(1))).encode());
        offer("fewer records than the count", v, t, p, new Raw.Batch(3, T, Raw.encode(rec(0), rec(1))).encode());
        offer("delta larger than the count", v, t, p, plain(rec(0), rec(1)).lastOffsetDelta(5).encode());
        offer("negative delta", v, t, p, plain(rec(0)).lastOffsetDelta(-2).encode());
        offer("gap in the offsets", v, t, p, plain(rec(0), rec(5), rec(2)).encode());
        offer("control batch", v, t, p, plain(rec(0)).attributes(CONTROL).producer(12, 0, -1).encode());
        offer("unused attributes", v, t, p, plain(rec(0)).attributes(0x4280).encode());
        offer("delete horizon", v, t, p, plain(rec(0)).attributes(0x40).encode());
        for (int codec = 5; codec <= 7; codec++) offer("codec " + codec, v, t, p, plain(rec(0)).attributes(codec).encode());
        offer("record too long", v, t, p, plain(rec(0), rec(1).lengthError(3)).encode());
        offer("record too short", v, t, p, plain(rec(0).lengthError(-2)).encode());
        offer("negative record length", v, t, p, new Raw.Batch(1, T, new byte[]{1, 0, 0, 0}).encode());
        offer("negative header count", v, t, p, plain(rec(0).headers(-1)).encode());
        offer("too many headers", v, t, p, plain(rec(0).headers(1000)).encode());
        offer("header without key", v, t, p, plain(rec(0).headers(1, new byte[]{1, 1})).encode());
        offer("headers", v, t, p, plain(rec(0).headers(2, new byte[]{2, 'a', 2, 'b', 2, 'c', 1})).encode());
        offer("null key and value", v, t, p, plain(rec(0).key(null).value(null)).encode());
        readBack(v, t, p);
    }

    static void timestamps(int v) throws Exception {
        int p = v - FIRST;
        for (String t : List.of("headers", "old", "append")) {
            offer(t + ": negative", v, t, p, plain(rec(0).at(-T - 7)).encode());
            offer(t + ": none", v, t, p, plain(rec(0).at(-T - 1)).maxTimestamp(-1).encode());
            offer(t + ": smallest", v, t, p, plain(rec(0).at(Long.MIN_VALUE)).encode());
            offer(t + ": years ago", v, t, p, plain(rec(0), rec(1).at(-5)).encode());
            offer(t + ": two hours ahead", v, t, p, plain(rec(0), rec(1).at(NOW - T + 7_200_000)).encode());
            offer(t + ": wrong maximum", v, t, p, plain(rec(0), rec(1).at(9)).maxTimestamp(T + 100).encode());
            offer(t + ": claims append time", v, t, p, plain(rec(0), rec(1)).attributes(Records.LOG_APPEND_TIME).encode());
            offer(t + ": claims append time ahead", v, t, p,
                plain(rec(0)).attributes(Records.LOG_APPEND_TIME).maxTimestamp(NOW + 7_200_000).encode());
        }
        offer("append: gzip", v, "append", p, Records.batch(CompressionType.GZIP, rec(0), rec(1).at(4)).encode());
        for (String t : List.of("old", "append")) readBack(v, t, p);
    }

    static void sizes(int v) throws Exception {
        int p = v - FIRST;
        byte[] large = plain(rec(0).value(new byte[200])).encode();
        byte[] limit = plain(rec(0).value(new byte[229])).encode();
        if (limit.length != 300) throw new AssertionError("the batch has " + limit.length + " bytes");
        offer("small enough", v, "small", p, large);
        offer("as large as allowed", v, "small", p, limit);
        offer("a byte too large", v, "small", p, plain(rec(0).value(new byte[230])).encode());
        offer("compressed small enough", v, "small", p, Records.batch(CompressionType.GZIP, rec(0).value(new byte[5000])).encode());
        offer("larger than the default", v, "plain" + v, 0, plain(rec(0).value(new byte[1_048_576])).encode());
        if (v == LAST || v == FIRST) offer("larger than a segment", v, "segment", 0, plain(rec(0).value(new byte[1_048_576])).encode());
        offer("uncompressed too large", v, "small uncompressed".replace(' ', '-'), p,
            Records.batch(CompressionType.GZIP, rec(0).value(new byte[5000])).encode());
        readBack(v, "small", p);
    }

    static void codecs(int v) throws Exception {
        int p = v - FIRST;
        for (CompressionType from : CompressionType.values()) {
            byte[] batch = Records.batch(from, rec(0).key("from " + from.name), rec(1).at(9).headers(1, new byte[]{2, 'h', 1}), rec(2).key(null))
                .maxTimestamp(T + 9).encode();
            for (String to : List.of("producer", "uncompressed", "gzip", "snappy", "lz4", "zstd")) {
                offer(from.name + " to " + to, v, "to-" + to, p, batch);
            }
            if (from == CompressionType.NONE) continue;
            byte[] good = Raw.compress(from, Raw.encode(rec(0), rec(1)));
            offer(from.name + " cut short", v, "to-producer", p, compressed(from, Arrays.copyOf(good, good.length - 5)));
            offer(from.name + " of nothing", v, "to-producer", p, compressed(from, new byte[0]));
            offer(from.name + " of garbage", v, "to-producer", p, compressed(from, Records.filled(60)));
            offer(from.name + " with a gap", v, "to-producer", p, Records.batch(from, rec(0), rec(5)).encode());
            offer(from.name + " without a key", v, "compacted", p, Records.batch(from, rec(0), rec(1).key(null)).encode());
        }
        for (String to : List.of("producer", "uncompressed", "gzip", "snappy", "lz4", "zstd")) readBack(v, "to-" + to, p);
    }

    static byte[] compressed(CompressionType type, byte[] stream) {
        return new Raw.Batch(2, T, stream).attributes(type.id).encode();
    }

    static void keys(int v) throws Exception {
        int p = v - FIRST;
        offer("key", v, "compacted", p, good());
        offer("empty key", v, "compacted", p, plain(rec(0).key("")).encode());
        offer("no key", v, "compacted", p, plain(rec(0).key(null)).encode());
        offer("no key in some", v, "compacted", p, plain(rec(0), rec(1).key(null), rec(2).key(null)).encode());
        offer("no key, and wrong timestamps", v, "compacted", p, plain(rec(0).at(-T - 7), rec(1).key(null)).encode());
        offer("tombstone", v, "compacted", p, plain(rec(0).value(null)).encode());
        readBack(v, "compacted", p);
    }

    static byte[] from(long id, int epoch, int sequence, int records) throws Exception {
        Raw.Rec[] all = new Raw.Rec[records];
        for (int i = 0; i < records; i++) all[i] = rec(i);
        return plain(all).producer(id, epoch, sequence).encode();
    }

    static void idempotence(int v) throws Exception {
        int p = v - FIRST;
        String t = "idempotent";
        long id = 1000;
        offer("first", v, t, p, from(id, 0, 0, 2));
        offer("second", v, t, p, from(id, 0, 2, 1));
        offer("second again", v, t, p, from(id, 0, 2, 1));
        offer("first again", v, t, p, from(id, 0, 0, 2));
        ask("first again, acks 1", v, produce(v, 1, new Part(t, p, from(id, 0, 0, 2))));
        offer("gap", v, t, p, from(id, 0, 4, 1));
        offer("overlaps", v, t, p, from(id, 0, 2, 2));
        offer("begins like a duplicate", v, t, p, from(id, 0, 0, 1));
        for (int i = 3; i < 8; i++) offer("number " + i, v, t, p, from(id, 0, i, 1));
        offer("duplicate of the oldest kept", v, t, p, from(id, 0, 3, 1));
        offer("duplicate of one forgotten", v, t, p, from(id, 0, 2, 1));
        offer("new epoch, not from 0", v, t, p, from(id, 1, 8, 1));
        offer("new epoch", v, t, p, from(id, 1, 0, 1));
        offer("old epoch", v, t, p, from(id, 0, 8, 1));
        offer("old epoch's duplicate", v, t, p, from(id, 0, 7, 1));
        offer("epoch skipped", v, t, p, from(id, 5, 0, 1));
        offer("unknown producer, in the middle", v, t, p, from(id + 1, 0, 5, 1));
        offer("and on", v, t, p, from(id + 1, 0, 6, 1));
        offer("near the end", v, t, p, from(id + 2, 0, Integer.MAX_VALUE - 1, 2));
        offer("wraps after the end", v, t, p, from(id + 2, 0, 0, 1));
        offer("near the end again", v, t, p, from(id + 3, 0, Integer.MAX_VALUE - 1, 1));
        offer("wraps inside", v, t, p, from(id + 3, 0, Integer.MAX_VALUE, 3));
        offer("wraps inside, again", v, t, p, from(id + 3, 0, Integer.MAX_VALUE, 3));
        offer("after the wrap", v, t, p, from(id + 3, 0, 2, 1));
        offer("no sequence", v, t, p, from(id + 4, 0, -1, 1));
        offer("negative sequence", v, t, p, from(id + 4, 0, -5, 1));
        offer("no epoch", v, t, p, from(id + 5, -1, 0, 1));
        offer("negative epoch", v, t, p, from(id + 5, -2, 0, 1));
        offer("negative id", v, t, p, from(-2, 0, 0, 1));
        offer("no id, but a sequence", v, t, p, from(-1, -1, 0, 1));
        offer("largest epoch", v, t, p, from(id + 6, Short.MAX_VALUE, 0, 1));
        offer("compressed", v, t, p, Records.batch(CompressionType.LZ4, rec(0), rec(1)).producer(id + 7, 0, 0).encode());
        offer("compressed again", v, t, p, Records.batch(CompressionType.LZ4, rec(0), rec(1)).producer(id + 7, 0, 0).encode());
        offer("recompressed", v, "to-gzip", p, Records.batch(CompressionType.LZ4, rec(0), rec(1)).producer(id + 7, 0, 0).encode());
        offer("recompressed again", v, "to-gzip", p, Records.batch(CompressionType.LZ4, rec(0), rec(1)).producer(id + 7, 0, 0).encode());
        offer("with append time", v, "append", p, from(id, 0, 0, 1));
        offer("with append time again", v, "append", p, from(id, 0, 0, 1));
        readBack(v, t, p);
    }

    static void tooOld() throws Exception {
        ByteBuffer body = ByteBuffer.allocate(10).putShort((short) 1).putInt(1000).putInt(0);
        for (int v = 0; v < FIRST; v++) {
            body.rewind();
            sendBytes(socket, 0, v, (short) 1, body);
            if (receiveBytes(socket) != null) throw new AssertionError("Produce " + v + " was answered");
            closed("not served", v, "Produce");
        }
    }

    // --- InitProducerId

    static InitProducerIdRequestData init(String transactionalId, long id, int epoch) {
        return new InitProducerIdRequestData().setTransactionalId(transactionalId).setTransactionTimeoutMs(60000)
            .setProducerId(id).setProducerEpoch((short) epoch);
    }

    static void producerIds(int v) throws Exception {
        ask("new", v, init(null, -1, -1));
        ask("and another", v, init(null, -1, -1));
        ask("no time", v, init(null, -1, -1).setTransactionTimeoutMs(0));
        ask("negative time", v, init(null, -1, -1).setTransactionTimeoutMs(-1));
        ask("empty transactional id", v, init("", -1, -1));
        if (v < 3) return;
        ask("had an id", v, init(null, 0, 0));
        ask("had an unknown id", v, init(null, 999_999, 3));
        ask("had the last epoch", v, init(null, 0, Short.MAX_VALUE));
        ask("only an id", v, init(null, 5, -1));
        ask("only an epoch", v, init(null, -1, 5));
        ask("negative id", v, init(null, -2, 5));
        ask("negative epoch", v, init(null, 5, -2));
    }

    public static void main(String[] args) throws Exception {
        start(args);
        Set<Long> ids = new HashSet<>();
        byField.put("producerId", id -> id.asLong() >= 0 && ids.add(id.asLong()) ? TextNode.valueOf("a new one") : id);
        for (String topic : List.of("frames", "headers", "idempotent", "to-producer")) prepare(topic, VERSIONS);
        prepare("compacted", VERSIONS, "cleanup.policy=compact", "segment.ms=9223372036854775807");
        prepare("append", VERSIONS, "message.timestamp.type=LogAppendTime");
        prepare("old", VERSIONS, "message.timestamp.before.max.ms=1000");
        prepare("small", VERSIONS, "max.message.bytes=300");
        prepare("small-uncompressed", VERSIONS, "max.message.bytes=300", "compression.type=uncompressed");
        prepare("segment", 1, "segment.bytes=1048576", "max.message.bytes=2000000");
        for (String codec : List.of("uncompressed", "gzip", "snappy", "lz4", "zstd")) prepare("to-" + codec, VERSIONS, "compression.type=" + codec);
        exchange(socket, 4, new FindCoordinatorRequestData().setCoordinatorKeys(List.of("g")));
        find("__consumer_offsets", 2);
        for (int v = FIRST; v <= LAST; v++) {
            targets(v);
            framing(v);
            headers(v);
            timestamps(v);
            sizes(v);
            codecs(v);
            keys(v);
            idempotence(v);
        }
        tooOld();
        eventually("the first block of producer ids", () ->
            ((InitProducerIdResponseData) exchange(socket, 4, init(null, -1, -1))).errorCode() != 14);
        for (int v = 0; v <= 5; v++) producerIds(v);
        System.exit(0);
    }
}
