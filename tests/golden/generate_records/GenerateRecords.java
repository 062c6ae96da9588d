import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.message.LeaderChangeMessage;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;

/** Writes read.txt and validate.txt into the folder given. */
public final class GenerateRecords {
    private static final long T = Oracle.NOW;

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        try (PrintWriter out = new PrintWriter(folder.resolve("read.txt").toFile(), "UTF-8")) {
            new GenerateRecords(out).reading();
        }
        try (PrintWriter out = new PrintWriter(folder.resolve("validate.txt").toFile(), "UTF-8")) {
            Oracle oracle = new Oracle(out);
            new ProduceCases(oracle).all();
            oracle.close();
        }
        System.exit(0);
    }

    private final PrintWriter out;

    private GenerateRecords(PrintWriter out) {
        this.out = out;
    }

    private void reading() throws Exception {
        for (CompressionType type : CompressionType.values()) {
            for (byte magic = 0; magic <= 2; magic++) {
                if (magic < 2 && type == CompressionType.ZSTD) continue;
                for (TimestampType time : new TimestampType[]{TimestampType.CREATE_TIME, TimestampType.LOG_APPEND_TIME}) {
                    if (magic == 0 && time == TimestampType.LOG_APPEND_TIME) continue;
                    batch("magic" + magic + "_" + type.name + "_" + time.name().toLowerCase(), magic, type, time);
                }
            }
        }
        dump("commit_marker", MemoryRecords.withEndTransactionMarker(40, T, 3, 77L, (short) 5,
            new EndTransactionMarker(ControlRecordType.COMMIT, 9)));
        dump("abort_marker", MemoryRecords.withEndTransactionMarker(41, T, 3, 77L, (short) 5,
            new EndTransactionMarker(ControlRecordType.ABORT, 10)));
        dump("leader_change", MemoryRecords.withLeaderChangeMessage(0, T, 4, ByteBuffer.allocate(256),
            new LeaderChangeMessage().setVersion((short) 0).setLeaderId(1)));
        MemoryRecordsBuilder transactional = MemoryRecords.builder(ByteBuffer.allocate(512), (byte) 2, Compression.NONE,
            TimestampType.CREATE_TIME, 100, T, 4711L, (short) 2, 2147483646, true, 8);
        for (int i = 0; i < 4; i++) transactional.append(T + i, ("k" + i).getBytes(), null);
        dump("transactional_with_wrapping_sequence", transactional.build());
        MemoryRecordsBuilder gaps = MemoryRecords.builder(ByteBuffer.allocate(512), Compression.NONE,
            TimestampType.CREATE_TIME, 1000);
        gaps.appendWithOffset(1003, T, "a".getBytes(), "b".getBytes());
        gaps.appendWithOffset(1100, T - 50_000, "c".getBytes(), "d".getBytes());
        gaps.overrideLastOffset(1200);
        dump("compacted_with_gaps", gaps.build());
    }

    private void batch(String name, byte magic, CompressionType type, TimestampType time) throws Exception {
        MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(1 << 16), magic,
            Compression.of(type).build(), time, 500L, T + 99);
        Header[] headers = magic < 2 ? new Header[0]
            : new Header[]{new RecordHeader("trace", new byte[]{1, 2, 3}), new RecordHeader("nil", (byte[]) null)};
        long t = magic == 0 ? -1 : T;
        builder.append(t, "key".getBytes(), "value".getBytes(), headers);
        builder.append(magic == 0 ? -1 : T - 1000, null, "x".repeat(300).getBytes());
        builder.append(magic == 0 ? -1 : T + 5, "tomb".getBytes(), null);
        builder.append(t, new byte[0], new byte[0]);
        dump(name, builder.build());
    }

    private void dump(String name, MemoryRecords records) throws Exception {
        ByteBuffer buffer = records.buffer().duplicate();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        out.println("bytes " + name + " " + Oracle.hex(bytes));
        for (MutableRecordBatch b : records.batches()) {
            b.ensureValid();
            out.println("batch magic=" + b.magic() + " base=" + b.baseOffset() + " last=" + b.lastOffset() + " count="
                + b.countOrNull() + " maxts=" + b.maxTimestamp() + " type=" + b.timestampType().id + " codec="
                + b.compressionType().name + " pid=" + b.producerId() + " epoch=" + b.producerEpoch() + " seq="
                + b.baseSequence() + " lastseq=" + b.lastSequence() + " leader=" + b.partitionLeaderEpoch() + " txn="
                + (b.isTransactional() ? 1 : 0) + " control=" + (b.isControlBatch() ? 1 : 0) + " size=" + b.sizeInBytes());
            for (Record r : b) {
                List<String> headers = new ArrayList<>();
                for (Header h : r.headers()) headers.add(h.key() + ":" + nullable(h.value()));
                out.println("record offset=" + r.offset() + " ts=" + r.timestamp() + " seq=" + r.sequence() + " key="
                    + nullable(bytes(r.key())) + " value=" + nullable(bytes(r.value())) + " headers="
                    + (headers.isEmpty() ? "-" : String.join(",", headers)));
            }
        }
    }

    private static byte[] bytes(ByteBuffer buffer) {
        if (buffer == null) return null;
        byte[] copy = new byte[buffer.remaining()];
        buffer.duplicate().get(copy);
        return copy;
    }

    private static String nullable(byte[] bytes) {
        return bytes == null ? "null" : Oracle.hex(bytes);
    }
}
