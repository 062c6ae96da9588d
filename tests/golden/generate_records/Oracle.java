import java.io.File;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.util.KafkaScheduler;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.RecordValidationException;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;

/** A partition log of Apache Kafka with a clock that stands still: takes bytes as a producer sends them. */
final class Oracle {
    static final long NOW = 1_700_000_000_000L;
    static final int EPOCH = 6;
    private static final int FILLERS = 3;

    private final PrintWriter out;
    private final KafkaScheduler scheduler = new KafkaScheduler(1);

    Oracle(PrintWriter out) {
        this.out = out;
        scheduler.startup();
    }

    void close() throws Exception {
        scheduler.shutdown();
    }

    private static final class StoppedClock implements Time {
        @Override public long milliseconds() { return NOW; }
        @Override public long nanoseconds() { return NOW * 1_000_000L; }
        @Override public long hiResClockMs() { return NOW; }
        @Override public void sleep(long ms) { }
        @Override public void waitObject(Object on, java.util.function.Supplier<Boolean> done, long deadline) { }
        @Override public org.apache.kafka.common.utils.Timer timer(long ms) { return Time.SYSTEM.timer(ms); }
    }

    void offer(String name, byte[] records, String... config) throws Exception {
        offer(name, 13, records, config);
    }

    void offer(String name, int produceVersion, byte[] records, String... config) throws Exception {
        Map<String, String> settings = new HashMap<>();
        for (int i = 0; i < config.length; i += 2) settings.put(config[i], config[i + 1]);
        String shown = config.length == 0 ? "-" : settings.entrySet().stream().sorted(Map.Entry.comparingByKey())
            .map(e -> e.getKey() + "=" + e.getValue()).collect(Collectors.joining(","));
        out.println("case " + name + " version=" + produceVersion + " " + shown);
        out.println("in " + hex(records));
        Path dir = Files.createTempDirectory("oracle");
        File partition = new File(dir.toFile(), "t-0");
        partition.mkdirs();
        UnifiedLog log = UnifiedLog.create(partition, new LogConfig(settings), 0, 0, scheduler, new BrokerTopicStats(),
            new StoppedClock(), 900_000, new ProducerStateManagerConfig(86_400_000, false), 600_000,
            new LogDirFailureChannel(1), true, Optional.of(Uuid.randomUuid()));
        try {
            SimpleRecord[] fillers = new SimpleRecord[FILLERS];
            for (int i = 0; i < FILLERS; i++) fillers[i] = new SimpleRecord(NOW, new byte[]{1}, new byte[]{2});
            log.appendAsLeader(MemoryRecords.withRecords(Compression.NONE, fillers), EPOCH);
            int before = (int) log.size();
            answer(log, produceVersion, records.clone(), before);
        } finally {
            log.close();
            try (var files = Files.walk(dir)) {
                files.sorted(java.util.Comparator.reverseOrder()).forEach(p -> p.toFile().delete());
            }
        }
    }

    private void answer(UnifiedLog log, int produceVersion, byte[] records, int before) throws Exception {
        try {
            MemoryRecords memory = MemoryRecords.readableRecords(ByteBuffer.wrap(records));
            ProduceRequest.validateRecords((short) produceVersion, memory);
            var info = log.appendAsLeader(memory, EPOCH);
            log.flush(true);
            byte[] file = Files.readAllBytes(log.activeSegment().log().file().toPath());
            byte[] appended = java.util.Arrays.copyOfRange(file, before, file.length);
            out.println("out NONE first=" + info.firstOffset() + " last=" + info.lastOffset() + " maxts="
                + info.maxTimestamp() + " append=" + info.logAppendTime() + " " + hex(appended));
        } catch (RecordValidationException e) {
            out.println("out " + Errors.forException(e.invalidException()).name() + " records=" + e.recordErrors().stream()
                .map(r -> Integer.toString(r.batchIndex)).collect(Collectors.joining(",")));
        } catch (Throwable e) {
            out.println("out " + Errors.forException(e).name());
        }
    }

    static String hex(byte[] bytes) {
        return bytes.length == 0 ? "-" : HexFormat.of().formatHex(bytes);
    }
}
