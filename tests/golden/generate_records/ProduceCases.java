import java.nio.ByteBuffer;
import java.util.Arrays;

import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/** What producers may send, and what they should not. */
final class ProduceCases {
    private static final long T = Oracle.NOW;
    private static final int LOG_APPEND_TIME = 0x08;
    private static final int TRANSACTIONAL = 0x10;
    private static final int CONTROL = 0x20;

    private final Oracle oracle;

    ProduceCases(Oracle oracle) {
        this.oracle = oracle;
    }

    void all() throws Exception {
        for (CompressionType type : CompressionType.values()) {
            wellFormed(type);
            badRecords(type);
        }
        framing();
        headers();
        timestamps();
        targets();
        streams();
    }

    private static Raw.Rec rec(int offsetDelta) {
        return new Raw.Rec(offsetDelta);
    }

    private static byte[] section(CompressionType type, Raw.Rec... records) throws Exception {
        byte[] plain = Raw.encode(records);
        return type == CompressionType.NONE ? plain : Raw.compress(type, plain);
    }

    private static Raw.Batch batch(CompressionType type, Raw.Rec... records) throws Exception {
        return new Raw.Batch(records.length, T, section(type, records)).attributes(type.id);
    }

    private static Raw.Batch plain(Raw.Rec... records) throws Exception {
        return batch(CompressionType.NONE, records);
    }

    private void wellFormed(CompressionType type) throws Exception {
        String n = type.name + "_";
        oracle.offer(n + "in_place", batch(type, rec(0), rec(1).at(-5), rec(2).at(3)).maxTimestamp(T + 3).encode());
        oracle.offer(n + "wrong_max_timestamp", batch(type, rec(0), rec(1).at(7)).maxTimestamp(T + 100).encode());
        oracle.offer(n + "append_time", batch(type, rec(0), rec(1)).encode(), "message.timestamp.type", "LogAppendTime");
        oracle.offer(n + "null_key", batch(type, rec(0).key(null), rec(1)).encode());
        oracle.offer(n + "null_key_compacted", batch(type, rec(0), rec(1).key(null), rec(2).key(null)).encode(),
            "cleanup.policy", "compact");
        oracle.offer(n + "empty_key_compacted", batch(type, rec(0).key("")).encode(), "cleanup.policy", "compact");
        oracle.offer(n + "record_headers", batch(type, rec(0).headers(2, new byte[]{2, 'a', 2, 'b', 0, 1})).encode());
        oracle.offer(n + "idempotent", batch(type, rec(0), rec(1)).producer(12, 0, 0).encode());
        oracle.offer(n + "large_value", batch(type, rec(0).value(new byte[type == CompressionType.NONE ? 3000 : 200_000])).encode());
    }

    private void badRecords(CompressionType type) throws Exception {
        String n = type.name + "_";
        oracle.offer(n + "inner_offsets_with_gap", batch(type, rec(0), rec(5), rec(2)).encode());
        oracle.offer(n + "fewer_records_than_declared", new Raw.Batch(3, T, section(type, rec(0), rec(1))).attributes(type.id).encode());
        oracle.offer(n + "more_records_than_declared", new Raw.Batch(1, T, section(type, rec(0), rec(1))).attributes(type.id).encode());
        oracle.offer(n + "record_length_too_long", batch(type, rec(0), rec(1).lengthError(3)).encode());
        oracle.offer(n + "record_length_too_short", batch(type, rec(0).lengthError(-2)).encode());
        oracle.offer(n + "negative_header_count", batch(type, rec(0).headers(-1)).encode());
        oracle.offer(n + "too_many_headers", batch(type, rec(0).headers(1000)).encode());
        oracle.offer(n + "header_without_key", batch(type, rec(0).headers(1, new byte[]{1, 1})).encode());
        oracle.offer(n + "varint_without_end", new Raw.Batch(1, T, sectionOf(type, filled(12, 0xff))).attributes(type.id).encode());
        oracle.offer(n + "negative_record_length", new Raw.Batch(1, T, sectionOf(type, new byte[]{1, 0, 0, 0})).attributes(type.id).encode());
        oracle.offer(n + "no_records_at_all", new Raw.Batch(1, T, sectionOf(type, new byte[0])).attributes(type.id).encode());
    }

    private static byte[] sectionOf(CompressionType type, byte[] plain) throws Exception {
        return type == CompressionType.NONE ? plain : Raw.compress(type, plain);
    }

    private static byte[] filled(int size, int value) {
        byte[] bytes = new byte[size];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    private void framing() throws Exception {
        byte[] good = plain(rec(0)).encode();
        oracle.offer("nothing", new byte[0]);
        oracle.offer("cut_short", Arrays.copyOf(good, good.length - 1));
        oracle.offer("only_a_prefix", Arrays.copyOf(good, 17));
        oracle.offer("trailing_partial_batch", Raw.concat(good, Arrays.copyOf(good, 30)));
        oracle.offer("trailing_bytes", Raw.concat(good, new byte[]{1, 2, 3}));
        oracle.offer("trailing_garbage", Raw.concat(good, new byte[40]));
        oracle.offer("two_batches", Raw.concat(good, good));
        oracle.offer("bad_crc", Raw.with(good, good.length - 2, 'X'));
        oracle.offer("bad_crc_field", Raw.with(good, 17, good[17] ^ 1));
        oracle.offer("magic_3", Raw.with(good, 16, 3));
        oracle.offer("magic_negative", Raw.with(good, 16, -1));
        oracle.offer("length_zero", Raw.concat(new byte[8], new byte[4], Arrays.copyOfRange(good, 12, good.length)));
        oracle.offer("length_negative", Raw.with(good, 8, 0xff));
        byte[] shortened = Raw.with(good, 11, 30);
        oracle.offer("length_below_header", Arrays.copyOf(shortened, 42));
        byte[] large = plain(rec(0).value(new byte[200])).encode();
        oracle.offer("too_large", large, "max.message.bytes", Integer.toString(large.length - 1));
        oracle.offer("just_large_enough", large, "max.message.bytes", Integer.toString(large.length));
        for (byte magic = 0; magic < 2; magic++) {
            MemoryRecords old = MemoryRecords.withRecords(magic, Compression.NONE, new SimpleRecord(T, new byte[]{1}, new byte[]{2}));
            ByteBuffer buffer = old.buffer().duplicate();
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            oracle.offer("message_set_v" + magic, bytes);
        }
    }

    private void headers() throws Exception {
        oracle.offer("base_offset_set", plain(rec(0)).baseOffset(1).encode());
        oracle.offer("count_zero", new Raw.Batch(0, T, new byte[0]).encode());
        oracle.offer("count_zero_delta_zero", new Raw.Batch(0, T, new byte[0]).lastOffsetDelta(0).encode());
        Raw.Batch negative = plain(rec(0));
        negative.count = -1;
        oracle.offer("count_negative", negative.encode());
        oracle.offer("delta_larger_than_count", plain(rec(0), rec(1)).lastOffsetDelta(5).encode());
        oracle.offer("delta_negative", plain(rec(0)).lastOffsetDelta(-2).encode());
        oracle.offer("control_batch", plain(rec(0)).attributes(CONTROL).producer(12, 0, -1).encode());
        oracle.offer("control_batch_gzip", batch(CompressionType.GZIP, rec(0)).attributes(CONTROL | 1).encode());
        oracle.offer("producer_without_sequence", plain(rec(0)).producer(12, 0, -1).encode());
        oracle.offer("transactional", plain(rec(0)).attributes(TRANSACTIONAL).producer(12, 0, 0).encode());
        oracle.offer("unused_attributes_kept", plain(rec(0)).attributes(0x4200).encode());
        oracle.offer("unused_attributes_dropped", plain(rec(0)).attributes(0x4280).maxTimestamp(T + 50).encode());
        oracle.offer("delete_horizon_set", plain(rec(0)).attributes(0x40).encode());
        for (int id = 5; id <= 7; id++) oracle.offer("codec_" + id, plain(rec(0)).attributes(id).encode());
        oracle.offer("zstd_in_produce_6", 6, batch(CompressionType.ZSTD, rec(0)).encode());
        oracle.offer("zstd_in_produce_7", 7, batch(CompressionType.ZSTD, rec(0)).encode());
        oracle.offer("codec_7_in_produce_6", 6, plain(rec(0)).attributes(7).encode());
    }

    private void timestamps() throws Exception {
        String before = "message.timestamp.before.max.ms";
        String after = "message.timestamp.after.max.ms";
        for (CompressionType type : new CompressionType[]{CompressionType.NONE, CompressionType.LZ4}) {
            String n = type.name + "_";
            oracle.offer(n + "too_old", batch(type, rec(0), rec(1).at(-1001)).encode(), before, "1000");
            oracle.offer(n + "just_not_too_old", batch(type, rec(0), rec(1).at(-1000)).encode(), before, "1000");
            oracle.offer(n + "too_far_ahead", batch(type, rec(0).at(3_600_001)).encode());
            oracle.offer(n + "just_not_too_far", batch(type, rec(0).at(3_600_000)).maxTimestamp(T + 3_600_000).encode());
            oracle.offer(n + "far_ahead_append_time", batch(type, rec(0).at(9_999_999)).encode(), "message.timestamp.type", "LogAppendTime");
            oracle.offer(n + "far_ahead_allowed", batch(type, rec(0).at(9_999_999)).encode(), after, "99999999");
            oracle.offer(n + "no_timestamp", batch(type, rec(0).at(-T - 1)).encode(), before, "1000");
            oracle.offer(n + "below_no_timestamp", batch(type, rec(0).at(-T - 7)).encode());
            oracle.offer(n + "smallest_timestamp", batch(type, rec(0).at(Long.MIN_VALUE)).encode());
            oracle.offer(n + "claims_append_time", batch(type, rec(0), rec(1)).attributes(type.id | LOG_APPEND_TIME).encode());
            oracle.offer(n + "claims_append_time_old", batch(type, rec(0)).attributes(type.id | LOG_APPEND_TIME).maxTimestamp(5).encode(), before, "1000");
            oracle.offer(n + "claims_append_time_none", batch(type, rec(0)).attributes(type.id | LOG_APPEND_TIME).maxTimestamp(-1).encode());
            oracle.offer(n + "claims_append_time_too", batch(type, rec(0)).attributes(type.id | LOG_APPEND_TIME).encode(), "message.timestamp.type", "LogAppendTime");
            oracle.offer(n + "old_and_without_key", batch(type, rec(0).key(null), rec(1).at(-5000), rec(2)).encode(), before, "1000", "cleanup.policy", "compact");
        }
    }

    private void targets() throws Exception {
        String target = "compression.type";
        CompressionType[] types = CompressionType.values();
        for (CompressionType from : types) {
            for (CompressionType to : types) {
                String name = to == CompressionType.NONE ? "uncompressed" : to.name;
                oracle.offer("from_" + from.name + "_to_" + name,
                    batch(from, rec(0), rec(1).at(9).headers(1, new byte[]{2, 'h', 1}), rec(2).key(null)).producer(5, 1, 0).encode(),
                    target, name);
            }
        }
        oracle.offer("recompressed_append_time", batch(CompressionType.GZIP, rec(0), rec(1).at(-4)).encode(), target, "zstd", "message.timestamp.type", "LogAppendTime");
        oracle.offer("decompressed_too_large", batch(CompressionType.GZIP, rec(0).value(new byte[5000])).encode(), target, "uncompressed", "max.message.bytes", "1000");
        oracle.offer("zeros_beyond_the_limit", batch(CompressionType.GZIP, rec(0).value(new byte[500_000])).encode(), "max.message.bytes", "2000");
        oracle.offer("recompressed_bad_record", batch(CompressionType.GZIP, rec(0), rec(1).lengthError(-1)).encode(), target, "lz4");
        oracle.offer("recompressed_without_key", batch(CompressionType.GZIP, rec(0), rec(1).key(null)).encode(), target, "lz4", "cleanup.policy", "compact");
        oracle.offer("recompressed_gap", batch(CompressionType.GZIP, rec(0), rec(7)).encode(), target, "lz4");
    }

    /** Streams that are odd in the codec's own way. */
    private void streams() throws Exception {
        byte[] records = Raw.encode(rec(0), rec(1));
        byte[] first = Raw.encode(rec(0));
        byte[] second = Raw.encode(rec(1));
        for (CompressionType type : CompressionType.values()) {
            if (type == CompressionType.NONE) continue;
            String n = type.name + "_stream_";
            byte[] good = Raw.compress(type, records);
            offer(n + "cut_short", type, Arrays.copyOf(good, good.length - 5));
            offer(n + "cut_to_nothing", type, new byte[0]);
            offer(n + "cut_to_a_byte", type, Arrays.copyOf(good, 1));
            offer(n + "garbage", type, filled(60, 0x5a));
            offer(n + "flipped_header", type, Raw.with(good, 1, good[1] ^ 0x40));
            offer(n + "flipped_middle", type, Raw.with(good, good.length / 2, good[good.length / 2] ^ 0xff));
            offer(n + "flipped_end", type, Raw.with(good, good.length - 1, good[good.length - 1] ^ 0xff));
            offer(n + "followed_by_garbage", type, Raw.concat(good, filled(20, 0x5a)));
            offer(n + "followed_by_a_byte", type, Raw.concat(good, new byte[]{7}));
            offer(n + "twice_half", type, Raw.concat(Raw.compress(type, first), Raw.compress(type, second)));
        }
        offer("snappy_raw", CompressionType.SNAPPY, org.xerial.snappy.Snappy.compress(records));
        offer("gzip_as_zlib", CompressionType.GZIP, Raw.with(Raw.compress(CompressionType.GZIP, records), 2, 7));
        byte[] lz4 = Raw.compress(CompressionType.LZ4, records);
        offer("lz4_bad_header_checksum", CompressionType.LZ4, Raw.with(lz4, 6, lz4[6] ^ 1));
        offer("lz4_reserved_flag", CompressionType.LZ4, Raw.with(lz4, 4, lz4[4] | 1));
        offer("lz4_dependent_blocks", CompressionType.LZ4, Raw.with(lz4, 4, lz4[4] & ~0x20));
        offer("lz4_block_size_3", CompressionType.LZ4, Raw.with(lz4, 5, 0x30));
        offer("zstd_skippable_frame", CompressionType.ZSTD, Raw.concat(new byte[]{0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9},
            Raw.compress(CompressionType.ZSTD, records)));
    }

    private void offer(String name, CompressionType type, byte[] stream) throws Exception {
        oracle.offer(name, new Raw.Batch(2, T, stream).attributes(type.id).encode());
    }
}
