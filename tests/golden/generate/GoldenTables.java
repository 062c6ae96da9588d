// Writes what Apache Kafka says of its API keys and error codes, and how it frames requests and records.
//
//   javac -cp 'JARS/*' -d OUT GoldenTables.java && java -cp 'OUT:JARS/*' GoldenTables ..

import java.io.File;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.message.ApiMessageType.ListenerType;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecord;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordSerde;
import org.apache.kafka.coordinator.group.generated.OffsetCommitKey;
import org.apache.kafka.coordinator.group.generated.OffsetCommitValue;
import org.apache.kafka.metadata.MetadataRecordSerde;
import org.apache.kafka.server.common.ApiMessageAndVersion;

public class GoldenTables {
    private static String text(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    public static void main(String[] args) throws Exception {
        File folder = new File(args[0]);
        try (PrintWriter out = new PrintWriter(new File(folder, "apis.txt"), StandardCharsets.UTF_8)) {
            apis(out);
        }
        try (PrintWriter out = new PrintWriter(new File(folder, "errors.txt"), StandardCharsets.UTF_8)) {
            for (Errors error : Errors.values()) {
                out.println(error.code() + " " + error.name() + " " + (error.exception() instanceof RetriableException));
            }
        }
        try (PrintWriter out = new PrintWriter(new File(folder, "frames.txt"), StandardCharsets.UTF_8)) {
            frames(out);
        }
    }

    // key, name, versions (stable, all), listeners; then for each version the header versions and a request header.
    private static void apis(PrintWriter out) {
        for (ApiKeys api : ApiKeys.values()) {
            if (!api.hasValidVersion()) continue;
            out.println("api " + api.id + " " + api.name + " " + api.oldestVersion() + " " + api.latestVersion(false) + " "
                + api.latestVersion(true) + " " + api.inScope(ListenerType.BROKER) + " " + api.inScope(ListenerType.CONTROLLER));
            for (short version = api.oldestVersion(); version <= api.latestVersion(true); version++) {
                RequestHeader header = new RequestHeader(api, version, "client-ž", 1000 + version);
                ObjectSerializationCache cache = new ObjectSerializationCache();
                ByteBuffer bytes = ByteBuffer.allocate(header.data().size(cache, header.headerVersion()));
                header.data().write(new ByteBufferAccessor(bytes), cache, header.headerVersion());
                out.println("version " + version + " " + api.requestHeaderVersion(version) + " "
                    + api.responseHeaderVersion(version) + " " + text(bytes.array()));
            }
        }
    }

    private static void frames(PrintWriter out) {
        List<ApiMessageAndVersion> records = List.of(
            new ApiMessageAndVersion(new TopicRecord().setName("orders").setTopicId(new Uuid(1, 2)), (short) 0),
            new ApiMessageAndVersion(new ConfigRecord().setResourceType((byte) 2).setResourceName("orders")
                .setName("retention.ms").setValue("1000"), (short) 0),
            new ApiMessageAndVersion(new PartitionChangeRecord().setPartitionId(3).setTopicId(new Uuid(1, 2))
                .setLeader(5).setIsr(List.of(5, 6)), (short) 2));
        for (ApiMessageAndVersion record : records) {
            ObjectSerializationCache cache = new ObjectSerializationCache();
            MetadataRecordSerde serde = MetadataRecordSerde.INSTANCE;
            ByteBuffer bytes = ByteBuffer.allocate(serde.recordSize(record, cache));
            serde.write(record, cache, new ByteBufferAccessor(bytes));
            out.println("metadata " + record.message().getClass().getSimpleName() + " " + text(bytes.array()));
        }
        GroupCoordinatorRecordSerde serde = new GroupCoordinatorRecordSerde();
        CoordinatorRecord commit = CoordinatorRecord.record(
            new OffsetCommitKey().setGroup("g").setTopic("t").setPartition(7),
            new ApiMessageAndVersion(new OffsetCommitValue().setOffset(42).setLeaderEpoch(3).setMetadata("m")
                .setCommitTimestamp(1000), (short) 3));
        out.println("key OffsetCommitKey " + text(serde.serializeKey(commit)));
        out.println("value OffsetCommitValue " + text(serde.serializeValue(commit)));
    }
}
