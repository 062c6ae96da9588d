// Writes files for kafka-dump-log into a folder, with Kafka's own classes: internal topics that no single broker of a test fills, old
// message formats, every codec, and files that are damaged in one way each.
//
//     java -cp 'TOOLS/*' FillDumped.java ../dumped
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.message.LeaderChangeMessage;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.coordinator.share.generated.ShareSnapshotKey;
import org.apache.kafka.coordinator.share.generated.ShareSnapshotValue;
import org.apache.kafka.coordinator.share.generated.ShareUpdateKey;
import org.apache.kafka.coordinator.share.generated.ShareUpdateValue;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogKey;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogValue;
import org.apache.kafka.server.log.remote.metadata.storage.serialization.RemoteLogMetadataSerde;
import org.apache.kafka.server.log.remote.storage.RemoteLogMetadata;
import org.apache.kafka.server.log.remote.storage.RemoteLogSegmentId;
import org.apache.kafka.server.log.remote.storage.RemoteLogSegmentMetadata;
import org.apache.kafka.server.log.remote.storage.RemoteLogSegmentMetadata.CustomMetadata;
import org.apache.kafka.server.log.remote.storage.RemoteLogSegmentMetadataUpdate;
import org.apache.kafka.server.log.remote.storage.RemoteLogSegmentState;
import org.apache.kafka.server.log.remote.storage.RemotePartitionDeleteMetadata;
import org.apache.kafka.server.log.remote.storage.RemotePartitionDeleteState;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;

public class FillDumped {
    static final long TIME = 1_767_225_600_000L;
    static final String FIRST = "00000000000000000000";
    static final Uuid TOPIC = new Uuid(1, 2);
    static Path root;

    static void write(String name, byte[] bytes) throws IOException {
        Path path = root.resolve(name);
        Files.createDirectories(path.getParent());
        Files.write(path, bytes);
    }

    static byte[] bytes(MemoryRecords... batches) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (MemoryRecords batch : batches) {
            byte[] copy = new byte[batch.sizeInBytes()];
            batch.buffer().duplicate().get(copy);
            out.writeBytes(copy);
        }
        return out.toByteArray();
    }

    static byte[] utf8(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }

    static SimpleRecord record(int n, String key, String value, Header... headers) {
        return new SimpleRecord(TIME + n, utf8(key), utf8(value), headers);
    }

    static MemoryRecords batch(byte magic, long base, Compression codec, TimestampType type, SimpleRecord... records) {
        var builder = MemoryRecords.builder(ByteBuffer.allocate(4096), magic, codec, type, base, TIME + 9);
        for (SimpleRecord record : records) builder.append(record);
        return builder.build();
    }

    static byte[] versioned(int version, Message message) {
        ByteBuffer buffer = MessageUtil.toVersionPrefixedByteBuffer((short) version, message);
        byte[] out = new byte[buffer.remaining()];
        buffer.get(out);
        return out;
    }

    // Key, value, key, value ... as one batch.
    static byte[] internal(byte[]... keysAndValues) {
        SimpleRecord[] records = new SimpleRecord[keysAndValues.length / 2];
        for (int i = 0; i < records.length; i++) {
            records[i] = new SimpleRecord(TIME + i, keysAndValues[2 * i], keysAndValues[2 * i + 1]);
        }
        return bytes(MemoryRecords.withRecords(Compression.NONE, records));
    }

    static void internalTopics() throws IOException {
        byte[] txnKey = versioned(0, new TransactionLogKey().setTransactionalId("payments"));
        TransactionLogValue txn = new TransactionLogValue().setProducerId(4000).setProducerEpoch((short) 3).setTransactionTimeoutMs(60000)
            .setTransactionStatus((byte) 1).setTransactionLastUpdateTimestampMs(TIME).setTransactionStartTimestampMs(TIME - 5)
            .setTransactionPartitions(List.of(new TransactionLogValue.PartitionsSchema().setTopic("orders").setPartitionIds(List.of(0, 2))));
        byte[] old = versioned(0, txn);
        byte[] empty = versioned(0, new TransactionLogValue().setProducerId(1).setTransactionPartitions(null));
        byte[] tagged = versioned(1, txn.setPreviousProducerId(3999).setNextProducerId(4001).setNextProducerEpoch((short) 4).setClientTransactionVersion((short) 2));
        write("transactions/" + FIRST + ".log", internal(txnKey, old, txnKey, empty, txnKey, tagged, txnKey, null, new byte[] {0, 9, 1}, old,
            txnKey, new byte[] {0}, new byte[] {7}, old));

        byte[] shareKey = versioned(0, new ShareSnapshotKey().setGroupId("readers").setTopicId(TOPIC).setPartition(1));
        byte[] updateKey = versioned(1, new ShareUpdateKey().setGroupId("readers").setTopicId(TOPIC).setPartition(1));
        byte[] snapshot = versioned(0, new ShareSnapshotValue().setSnapshotEpoch(2).setStateEpoch(1).setLeaderEpoch(5).setStartOffset(10)
            .setDeliveryCompleteCount(3).setCreateTimestamp(TIME).setWriteTimestamp(TIME + 1).setStateBatches(List.of(
                new ShareSnapshotValue.StateBatch().setFirstOffset(10).setLastOffset(19).setDeliveryState((byte) 2).setDeliveryCount((short) 1))));
        byte[] update = versioned(0, new ShareUpdateValue().setSnapshotEpoch(2).setLeaderEpoch(5).setStartOffset(12).setStateBatches(List.of()));
        write("shares/" + FIRST + ".log", internal(shareKey, snapshot, updateKey, update, shareKey, null));

        TopicIdPartition partition = new TopicIdPartition(TOPIC, new TopicPartition("tiered", 3));
        RemoteLogSegmentId segment = new RemoteLogSegmentId(partition, new Uuid(3, 4));
        RemoteLogMetadataSerde serde = new RemoteLogMetadataSerde();
        List<RemoteLogMetadata> remote = List.of(
            new RemoteLogSegmentMetadata(segment, 0, 99, TIME, 1, TIME + 1, 4096, Optional.of(new CustomMetadata(new byte[] {1, 2, 3})),
                RemoteLogSegmentState.COPY_SEGMENT_STARTED, Map.of(0, 0L, 2, 50L), true),
            new RemoteLogSegmentMetadata(segment, 0, 99, TIME, 1, TIME + 1, 4096, Map.of(0, 0L)),
            new RemoteLogSegmentMetadataUpdate(segment, TIME + 2, Optional.empty(), RemoteLogSegmentState.COPY_SEGMENT_FINISHED, 1),
            new RemotePartitionDeleteMetadata(partition, RemotePartitionDeleteState.DELETE_PARTITION_MARKED, TIME + 3, 1));
        write("remote/" + FIRST + ".log", bytes(MemoryRecords.withRecords(Compression.NONE,
            remote.stream().map(one -> new SimpleRecord(TIME, null, serde.serialize(one))).toArray(SimpleRecord[]::new))));
    }

    static void formats() throws IOException {
        byte v0 = RecordBatch.MAGIC_VALUE_V0, v1 = RecordBatch.MAGIC_VALUE_V1, v2 = RecordBatch.MAGIC_VALUE_V2;
        SimpleRecord[] two = {record(0, "a", "one"), record(7, null, "two")};
        TimestampType create = TimestampType.CREATE_TIME;
        byte[] old = bytes(
            batch(v0, 0, Compression.NONE, TimestampType.NO_TIMESTAMP_TYPE, new SimpleRecord(RecordBatch.NO_TIMESTAMP, utf8("a"), utf8("one"))),
            batch(v0, 1, Compression.gzip().build(), TimestampType.NO_TIMESTAMP_TYPE, new SimpleRecord(RecordBatch.NO_TIMESTAMP, utf8("a"), utf8("one")),
                new SimpleRecord(RecordBatch.NO_TIMESTAMP, null, utf8("two"))),
            batch(v1, 3, Compression.NONE, create, record(1, "a", null)),
            batch(v1, 4, Compression.snappy().build(), create, two),
            batch(v1, 6, Compression.lz4().build(), TimestampType.LOG_APPEND_TIME, two));
        write("old/" + FIRST + ".log", old);
        byte[] damaged = old.clone();
        damaged[14] ^= 1;  // the checksum of the first message
        write("old-damaged/" + FIRST + ".log", damaged);
        write("codecs/" + FIRST + ".log", bytes(
            batch(v2, 0, Compression.gzip().build(), create, two), batch(v2, 2, Compression.snappy().build(), create, two),
            batch(v2, 4, Compression.lz4().build(), create, two), batch(v2, 6, Compression.zstd().build(), create, two),
            batch(v2, 8, Compression.NONE, TimestampType.LOG_APPEND_TIME,
                record(1, "wörter", "日本", new RecordHeader("h", utf8("x")), new RecordHeader("ö", null)), record(2, "", ""))));
        // Bytes that are no UTF-8, of each kind.
        write("binary/" + FIRST + ".log", bytes(MemoryRecords.withRecords(Compression.NONE,
            new SimpleRecord(TIME, new byte[] {0, 0, 0, 7}, new byte[] {0, 0, 0, 0, 0, 0, 0, 9}),
            new SimpleRecord(TIME, new byte[] {(byte) 0xff, 'a', (byte) 0xc0, (byte) 0x80}, new byte[] {(byte) 0xed, (byte) 0xa0, (byte) 0x80, 'b', (byte) 0xe2, (byte) 0x82}),
            new SimpleRecord(TIME, new byte[] {(byte) 0xf0, (byte) 0x9f, (byte) 0x98, 'c'}, new byte[] {(byte) 0xe0, (byte) 0x80, (byte) 0x80, (byte) 0xf5, (byte) 0xc3}))));
    }

    static void controls() throws IOException {
        var markers = MemoryRecords.withEndTransactionMarker(3, TIME, 2, 77L, (short) 1, new EndTransactionMarker(ControlRecordType.COMMIT, 6));
        var leader = MemoryRecords.withLeaderChangeMessage(4, TIME, 2, ByteBuffer.allocate(512), new LeaderChangeMessage().setLeaderId(1)
            .setVoters(List.of(new LeaderChangeMessage.Voter().setVoterId(1), new LeaderChangeMessage.Voter().setVoterId(2)))
            .setGrantingVoters(List.of(new LeaderChangeMessage.Voter().setVoterId(1))));
        var numbered = MemoryRecords.withRecords(RecordBatch.MAGIC_VALUE_V2, 0, Compression.NONE, TimestampType.CREATE_TIME, 77L, (short) 1, 5, 2, true,
            record(0, "k", "v"), record(1, null, null), record(2, "k", "w"));
        byte[] all = bytes(numbered, markers, leader);
        write("controls/" + FIRST + ".log", all);
        byte[] cut = Arrays.copyOf(all, all.length - 9);
        write("cut/" + FIRST + ".log", cut);
        write("zeroes/" + FIRST + ".log", Arrays.copyOf(all, all.length + 60));
        byte[] flipped = all.clone();
        flipped[all.length - 1] ^= 1;
        write("flipped/" + FIRST + ".log", flipped);
    }

    static byte[] index(long... pairs) {
        ByteBuffer out = ByteBuffer.allocate(pairs.length * 4);
        for (long number : pairs) out.putInt((int) number);
        return out.array();
    }

    static byte[] timeIndex(long... pairs) {
        ByteBuffer out = ByteBuffer.allocate(pairs.length * 6);
        for (int i = 0; i < pairs.length; i += 2) out.putLong(pairs[i]).putInt((int) pairs[i + 1]);
        return out.array();
    }

    // Offsets 10 to 15 in three batches, and a hole before the last.
    static void indexes() throws IOException {
        String name = "00000000000000000010";
        MemoryRecords[] log = {
            MemoryRecords.withRecords(10, Compression.NONE, record(0, null, "a"), record(1, null, "b")),
            MemoryRecords.withRecords(12, Compression.NONE, record(2, null, "c")),
            MemoryRecords.withRecords(15, Compression.NONE, record(5, null, "d"))};
        int second = log[0].sizeInBytes(), third = second + log[1].sizeInBytes();
        Map<String, byte[][]> kinds = Map.of(
            "indexes/good/", new byte[][] {index(1, 0, 2, second, 5, third), timeIndex(TIME + 1, 1, TIME + 2, 2, TIME + 5, 5)},
            "indexes/running/", new byte[][] {index(2, second, 5, third, 0, 0, 0, 0), timeIndex(TIME + 2, 2, TIME + 5, 5, 0, 0, 0, 0)},
            "indexes/wrong/", new byte[][] {index(1, 0, 3, second, 4, third), timeIndex(TIME + 1, 1, TIME, 2, TIME + 9, 5, TIME + 10, 9)},
            "indexes/backwards/", new byte[][] {index(5, third, -3, 0), timeIndex(TIME + 5, 5, TIME + 2, 2)},
            "indexes/beyond/", new byte[][] {index(1, 0, 2, 100000), timeIndex(TIME + 2, 2)},
            "indexes/odd/", new byte[][] {new byte[] {0, 0, 0, 1, 0, 0, 0, 0, 9}, Arrays.copyOf(timeIndex(TIME + 1, 1), 14)},
            "indexes/empty/", new byte[][] {new byte[0], new byte[0]});
        for (var kind : kinds.entrySet()) {
            write(kind.getKey() + name + ".log", bytes(log));
            write(kind.getKey() + name + ".index", kind.getValue()[0]);
            write(kind.getKey() + name + ".timeindex", kind.getValue()[1]);
        }
        byte[] aborted = ByteBuffer.allocate(70).putShort((short) 0).putLong(7).putLong(10).putLong(12).putLong(10)
            .putShort((short) 0).putLong(8).putLong(11).putLong(11).putLong(10).putShort((short) 0).array();
        write("indexes/good/" + name + ".txnindex", aborted);
        aborted[1] = 5;
        write("indexes/wrong/" + name + ".txnindex", aborted);
    }

    static void producers() throws IOException {
        ByteBuffer body = ByteBuffer.allocate(4 + 3 * 46).putInt(3);
        body.putLong(9).putShort((short) 1).putInt(2).putLong(40).putInt(5).putLong(TIME).putInt(4).putLong(35);
        body.putLong(3).putShort((short) 0).putInt(-1).putLong(-1).putInt(0).putLong(TIME).putInt(-1).putLong(-1);
        body.putLong(5).putShort((short) 0).putInt(7).putLong(12).putInt(7).putLong(TIME + 1).putInt(-1).putLong(-1);
        CRC32C crc = new CRC32C();
        crc.update(body.array());
        byte[] good = ByteBuffer.allocate(6 + body.capacity()).putShort((short) 1).putInt((int) crc.getValue()).put(body.array()).array();
        String name = "00000000000000000050.snapshot";
        write("producers/good/" + name, good);
        write("producers/cut/" + name, Arrays.copyOf(good, 40));
        byte[] flipped = good.clone();
        flipped[20] ^= 1;
        write("producers/flipped/" + name, flipped);
        byte[] newer = good.clone();
        newer[1] = 2;
        write("producers/newer/" + name, newer);
    }

    public static void main(String[] args) throws Exception {
        root = Path.of(args[0]);
        internalTopics();
        formats();
        controls();
        indexes();
        producers();
    }
}
