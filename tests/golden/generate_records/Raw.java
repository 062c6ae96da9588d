import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.utils.internals.ByteBufferOutputStream;
import org.apache.kafka.common.utils.internals.ByteUtils;
import org.apache.kafka.common.utils.internals.Crc32C;

/** Bytes that Kafka's own builders would refuse to write. */
final class Raw {
    private Raw() { }

    static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }

    static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) out.writeBytes(part);
        return out.toByteArray();
    }

    /** A record; negative lengths and counts are written as they are. */
    static final class Rec {
        int lengthError = 0;
        long timestampDelta = 0;
        int offsetDelta;
        byte[] key = bytes("k");
        byte[] value = bytes("value");
        int headerCount = 0;
        byte[] headers = {};

        Rec(int offsetDelta) { this.offsetDelta = offsetDelta; }
        Rec key(String text) { key = bytes(text); return this; }
        Rec value(byte[] bytes) { value = bytes; return this; }
        Rec at(long delta) { timestampDelta = delta; return this; }
        Rec lengthError(int by) { lengthError = by; return this; }
        Rec headers(int count, byte... encoded) { headerCount = count; headers = encoded; return this; }

        byte[] encode() throws Exception {
            ByteArrayOutputStream raw = new ByteArrayOutputStream();
            DataOutputStream body = new DataOutputStream(raw);
            body.write(0);
            ByteUtils.writeVarlong(timestampDelta, body);
            ByteUtils.writeVarint(offsetDelta, body);
            nullable(body, key);
            nullable(body, value);
            ByteUtils.writeVarint(headerCount, body);
            body.write(headers);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ByteUtils.writeVarint(raw.size() + lengthError, new DataOutputStream(out));
            raw.writeTo(out);
            return out.toByteArray();
        }

        private static void nullable(DataOutputStream out, byte[] bytes) throws Exception {
            ByteUtils.writeVarint(bytes == null ? -1 : bytes.length, out);
            if (bytes != null) out.write(bytes);
        }
    }

    static byte[] encode(Rec... records) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Rec record : records) out.writeBytes(record.encode());
        return out.toByteArray();
    }

    static byte[] compress(CompressionType type, byte[] plain) throws Exception {
        ByteBufferOutputStream buffer = new ByteBufferOutputStream(128);
        try (OutputStream out = Compression.of(type).build().wrapForOutput(buffer, (byte) 2)) {
            out.write(plain);
        }
        ByteBuffer written = buffer.buffer();
        written.flip();
        byte[] result = new byte[written.remaining()];
        written.get(result);
        return result;
    }

    /** A v2 batch around a records section, with a right CRC. */
    static final class Batch {
        long baseOffset = 0;
        int attributes = 0;
        int lastOffsetDelta;
        long baseTimestamp;
        long maxTimestamp;
        long producerId = -1;
        int producerEpoch = -1;
        int baseSequence = -1;
        int count;
        byte[] section;

        Batch(int count, long timestamp, byte[] section) {
            this.count = count;
            this.lastOffsetDelta = count - 1;
            this.baseTimestamp = timestamp;
            this.maxTimestamp = timestamp;
            this.section = section;
        }
        Batch attributes(int bits) { attributes = bits; return this; }
        Batch lastOffsetDelta(int delta) { lastOffsetDelta = delta; return this; }
        Batch baseOffset(long offset) { baseOffset = offset; return this; }
        Batch maxTimestamp(long timestamp) { maxTimestamp = timestamp; return this; }
        Batch producer(long id, int epoch, int sequence) {
            producerId = id;
            producerEpoch = epoch;
            baseSequence = sequence;
            return this;
        }

        byte[] encode() {
            ByteBuffer out = ByteBuffer.allocate(61 + section.length);
            out.putLong(baseOffset).putInt(49 + section.length).putInt(-1).put((byte) 2).putInt(0);
            out.putShort((short) attributes).putInt(lastOffsetDelta).putLong(baseTimestamp).putLong(maxTimestamp);
            out.putLong(producerId).putShort((short) producerEpoch).putInt(baseSequence).putInt(count).put(section);
            out.putInt(17, (int) Crc32C.compute(out.array(), 21, out.capacity() - 21));
            return out.array();
        }
    }

    static byte[] with(byte[] bytes, int at, int value) {
        byte[] changed = Arrays.copyOf(bytes, bytes.length);
        changed[at] = (byte) value;
        return changed;
    }
}
