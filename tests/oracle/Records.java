// Batches that are sent, and what is read back of them: field by field, in their order.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseDataJsonConverter;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;

final class Records {
    static final long T = 1_700_000_000_000L;  // when records were made; retention is off
    static final int LOG_APPEND_TIME = 0x08;
    static final int HEADER = 12;  // base offset and length
    private static final Set<Long> sent = new HashSet<>();

    private Records() { }

    static Raw.Rec rec(int offsetDelta) {
        return new Raw.Rec(offsetDelta);
    }

    static Raw.Batch batch(CompressionType type, Raw.Rec... records) throws Exception {
        byte[] plain = Raw.encode(records);
        byte[] section = type == CompressionType.NONE ? plain : Raw.compress(type, plain);
        return new Raw.Batch(records.length, T, section).attributes(type.id);
    }

    static Raw.Batch plain(Raw.Rec... records) throws Exception {
        return batch(CompressionType.NONE, records);
    }

    static byte[] filled(int size) {
        byte[] bytes = new byte[size];
        Arrays.fill(bytes, (byte) 'v');
        return bytes;
    }

    // Remembers the checksums, so that what is read can be said to be what was sent.
    static MemoryRecords toSend(byte[] bytes) {
        if (bytes == null) return null;
        if (bytes.length >= 21) sent.add(ByteBuffer.wrap(bytes).getInt(17) & 0xffffffffL);
        return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes));
    }

    static JsonNode show(FetchResponseData response, short version) {
        JsonNode node = FetchResponseDataJsonConverter.write(response, version);
        for (int t = 0; t < response.responses().size(); t++) {
            var partitions = response.responses().get(t).partitions();
            for (int p = 0; p < partitions.size(); p++) {
                ((ObjectNode) node.get("responses").get(t).get("partitions").get(p)).set("records", show(partitions.get(p).records()));
            }
        }
        return node;
    }

    static JsonNode show(BaseRecords records) {
        if (records == null) return NullNode.instance;
        ByteBuffer buffer = ((MemoryRecords) records).buffer().duplicate();
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        int n = 0;
        while (buffer.remaining() >= HEADER) {
            int size = HEADER + buffer.getInt(buffer.position() + 8);
            if (size < HEADER || size > buffer.remaining()) break;
            ByteBuffer one = buffer.slice();
            one.limit(size);
            MutableRecordBatch batch = MemoryRecords.readableRecords(one).batchIterator().next();
            out.set("batch " + n++, show(batch));
            buffer.position(buffer.position() + size);
        }
        out.put("bytes of the next batch", buffer.remaining());
        return out;
    }

    private static ObjectNode show(MutableRecordBatch batch) {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        out.put("baseOffset", batch.baseOffset()).put("lastOffset", batch.lastOffset());
        out.put("partitionLeaderEpoch", batch.partitionLeaderEpoch()).put("magic", batch.magic());
        ByteBuffer bytes = ByteBuffer.allocate(batch.sizeInBytes());
        batch.writeTo(bytes);
        out.put("attributes", bytes.getShort(21)).put("compression", batch.compressionType().name);
        out.put("checksum", !batch.isValid() ? "wrong" : sent.contains(batch.checksum()) ? "as sent" : "valid");
        // A codec's version decides what comes of compressing again.
        if (sent.contains(batch.checksum()) || batch.compressionType() == CompressionType.NONE) out.put("size", batch.sizeInBytes());
        out.put("baseTimestamp", time(bytes.getLong(27))).put("maxTimestamp", time(batch.maxTimestamp()));
        out.put("batchProducerId", batch.producerId()).put("producerEpoch", batch.producerEpoch());
        out.put("baseSequence", batch.baseSequence()).put("lastSequence", batch.lastSequence());
        int n = 0;
        for (Record record : batch) out.put("record " + n++, show(record));
        return out;
    }

    private static String show(Record record) {
        StringBuilder out = new StringBuilder();
        out.append(record.offset()).append(" at ").append(time(record.timestamp())).append(": ");
        out.append(text(record.key())).append(" = ").append(text(record.value()));
        for (Header header : record.headers()) {
            out.append(", ").append(header.key()).append(": ").append(header.value() == null ? "null" : new String(header.value()));
        }
        return out.toString();
    }

    private static String time(long timestamp) {
        return Asker.appendTimes.contains(timestamp) ? "when it was appended" : Long.toString(timestamp);
    }

    private static String text(ByteBuffer bytes) {
        if (bytes == null) return "null";
        String text = StandardCharsets.UTF_8.decode(bytes.duplicate()).toString();
        boolean alike = text.length() > 20 && Collections.frequency(Arrays.asList(text.split("")), text.substring(0, 1)) == text.length();
        return alike ? text.length() + " times " + text.charAt(0) : text;
    }
}
