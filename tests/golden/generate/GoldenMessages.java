// Writes what Apache Kafka's own message classes make of every message at every version: bytes and JSON side by side.
//
//   javac -cp 'JARS/*' -d OUT GoldenMessages.java && java -cp 'OUT:JARS/*' GoldenMessages JARS ../messages
//
// JARS is a folder with the jars of one Kafka release (see README.md). The values are made from counters, so a second
// run gives the same files. Each line of a file: version, case, bytes in base64, JSON.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BinaryNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.PrintWriter;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Enumeration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

public class GoldenMessages {
    enum Case { DEFAULT, FILLED, NULLS, EMPTY, LARGE, TAGS }

    private static final int LARGE_ARRAY = 130;  // a count that takes two bytes as a varint
    private static int counter;

    private static MemoryRecords records() {
        return MemoryRecords.withRecords(Compression.NONE,
            new SimpleRecord(1_700_000_000_000L, "key".getBytes(StandardCharsets.UTF_8), "value".getBytes(StandardCharsets.UTF_8)));
    }

    private static String name(Class<?> type) {
        String name = type.getSimpleName();
        return name.endsWith("RequestData") || name.endsWith("ResponseData") ? name.substring(0, name.length() - 4) : name;
    }

    public static void main(String[] args) throws Exception {
        Map<String, Class<?>> messages = new TreeMap<>();
        for (File file : new File(args[0]).listFiles((dir, name) -> name.startsWith("kafka-") && name.endsWith(".jar"))) {
            try (JarFile jar = new JarFile(file)) {
                for (Enumeration<JarEntry> entries = jar.entries(); entries.hasMoreElements(); ) {
                    String entry = entries.nextElement().getName();
                    if (!entry.endsWith("JsonConverter.class")) continue;
                    String type = entry.substring(0, entry.length() - "JsonConverter.class".length()).replace('/', '.');
                    Class<?> found;
                    try {
                        found = Class.forName(type);
                    } catch (ClassNotFoundException e) {
                        continue;
                    }
                    if (Message.class.isAssignableFrom(found)) messages.put(name(found), found);
                }
            }
        }
        long lines = 0;
        for (Map.Entry<String, Class<?>> message : messages.entrySet()) {
            try (PrintWriter out = new PrintWriter(new File(args[1], message.getKey() + ".txt"), StandardCharsets.UTF_8)) {
                lines += write(message.getValue(), out);
            }
        }
        System.out.println(messages.size() + " messages, " + lines + " cases");
    }

    private static long write(Class<?> type, PrintWriter out) throws Exception {
        Schema[] schemas = (Schema[]) type.getField("SCHEMAS").get(null);
        short lowest = (short) type.getField("LOWEST_SUPPORTED_VERSION").get(null);
        short highest = (short) type.getField("HIGHEST_SUPPORTED_VERSION").get(null);
        Method toJson = Class.forName(type.getName() + "JsonConverter").getMethod("write", type, short.class);
        long lines = 0;
        for (short version = lowest; version <= highest; version++) {
            for (Case kind : Case.values()) {
                if (kind == Case.LARGE && version != lowest && version != highest) continue;
                if (kind == Case.TAGS && !isFlexible(schemas[version])) continue;
                counter = 1;
                Message message = (Message) type.getConstructor().newInstance();
                if (kind == Case.DEFAULT) {
                    fillMissingRecords(message, schemas[version]);
                } else {
                    fill(message, schemas[version], kind, 0);
                }
                ObjectSerializationCache cache = new ObjectSerializationCache();
                ByteBuffer bytes = ByteBuffer.allocate(message.size(cache, version));
                message.write(new ByteBufferAccessor(bytes), cache, version);
                if (bytes.hasRemaining()) throw new IllegalStateException(type + " is shorter than it says");
                JsonNode json = (JsonNode) toJson.invoke(null, message, version);
                putRecords(json);
                out.println(version + " " + kind.name().toLowerCase(Locale.ROOT) + " "
                    + Base64.getEncoder().encodeToString(bytes.array()) + " " + json);
                lines++;
            }
        }
        return lines;
    }

    private static boolean isFlexible(Schema schema) {
        BoundField[] fields = schema.fields();
        return fields.length > 0 && fields[fields.length - 1].def.type instanceof TaggedFields;
    }

    // Kafka's JSON leaves the content of records out; ours has it.
    private static void putRecords(JsonNode node) {
        for (JsonNode child : node) putRecords(child);
        for (String field : List.of("records", "unalignedRecords")) {
            if (node.isObject() && node.path(field).isBinary()) {
                byte[] raw = new byte[records().sizeInBytes()];
                records().buffer().get(raw);
                ((ObjectNode) node).set(field, new BinaryNode(raw));
            }
        }
    }

    private static void fillMissingRecords(Message message, Schema schema) throws Exception {
        for (BoundField field : schema.fields()) {
            if (isRecords(field.def.type) && !field.def.type.isNullable()) set(message, field.def.name, records());
        }
    }

    private static boolean isRecords(Type type) {
        return type == Type.RECORDS || type == Type.COMPACT_RECORDS || type == Type.NULLABLE_RECORDS
            || type == Type.COMPACT_NULLABLE_RECORDS;
    }

    private static void fill(Message message, Schema schema, Case kind, int depth) throws Exception {
        for (BoundField field : schema.fields()) {
            if (field.def.type instanceof TaggedFields) {
                for (org.apache.kafka.common.protocol.types.Field tagged : ((TaggedFields) field.def.type).fields().values()) {
                    fillField(message, tagged.name, tagged.type, kind, depth);
                }
                if (kind == Case.TAGS) {
                    message.unknownTaggedFields().add(new RawTaggedField(50 + depth, bytes(3)));
                    message.unknownTaggedFields().add(new RawTaggedField(70_000, bytes(depth == 0 ? 150 : 0)));
                }
            } else {
                fillField(message, field.def.name, field.def.type, kind, depth);
            }
        }
    }

    private static void fillField(Message message, String name, Type type, Case kind, int depth) throws Exception {
        Field field = fieldOf(message.getClass(), name);
        if (kind == Case.NULLS && type.isNullable()) {
            set(message, name, null);
            return;
        }
        Class<?> java = field.getType();
        if (Collection.class.isAssignableFrom(java)) {
            set(message, name, collection(field, elementOf(type), kind, depth));
        } else if (Message.class.isAssignableFrom(java)) {
            Message inner = (Message) java.getConstructor().newInstance();
            fill(inner, schemaOf(type), kind, depth + 1);
            set(message, name, inner);
        } else {
            set(message, name, value(java, type, kind));
        }
    }

    // The schema of a struct, through the wrapper of a nullable one.
    private static Schema schemaOf(Type type) throws Exception {
        if (type instanceof Schema) return (Schema) type;
        for (Field field : type.getClass().getDeclaredFields()) {
            if (Schema.class.isAssignableFrom(field.getType())) {
                field.setAccessible(true);
                return (Schema) field.get(type);
            }
        }
        throw new IllegalStateException("no schema in " + type.getClass());
    }

    private static Type elementOf(Type type) throws Exception {
        return type.arrayElementType().orElseThrow();
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Object collection(Field field, Type element, Case kind, int depth) throws Exception {
        Collection out = field.getType() == List.class ? new ArrayList<>()
            : (Collection) field.getType().getConstructor().newInstance();
        Class<?> java = elementClass(field);
        boolean struct = Message.class.isAssignableFrom(java);
        int count = kind == Case.EMPTY ? 0 : kind != Case.LARGE ? 2 : depth == 0 ? LARGE_ARRAY : 1;
        for (int i = 0; i < count; i++) {
            if (struct) {
                Message inner = (Message) java.getConstructor().newInstance();
                fill(inner, schemaOf(element), i < 2 ? kind : Case.EMPTY, depth + 1);
                out.add(inner);
            } else {
                out.add(value(java, element, kind));
            }
        }
        return out;
    }

    private static Class<?> elementClass(Field field) throws Exception {
        if (field.getType() == List.class) {
            return (Class<?>) ((ParameterizedType) field.getGenericType()).getActualTypeArguments()[0];
        }
        return (Class<?>) ((ParameterizedType) field.getType().getGenericSuperclass()).getActualTypeArguments()[0];
    }

    private static byte[] bytes(int size) {
        byte[] out = new byte[size];
        for (int i = 0; i < size; i++) out[i] = (byte) (i * 37 + counter);
        counter++;
        return out;
    }

    private static Object value(Class<?> java, Type type, Case kind) {
        boolean empty = kind == Case.EMPTY;
        int n = ++counter;
        if (java == String.class) {
            return empty ? "" : kind == Case.LARGE && n % 7 == 0 ? "l" + "o".repeat(140) + "ng-" + n : "č-\"" + n;
        }
        if (java == byte[].class) return empty ? new byte[0] : bytes(n % 5 == 0 ? 200 : 5);
        if (java == ByteBuffer.class) return ByteBuffer.wrap(empty ? new byte[0] : bytes(6));
        if (java == Uuid.class) return empty ? Uuid.ZERO_UUID : new Uuid(0x0123456789abcdefL + n, -n);
        if (isRecords(type)) return records();
        long number = empty ? 0 : n % 4 == 0 ? Long.MAX_VALUE : n % 4 == 1 ? -n : n % 4 == 2 ? n * 1_000_003L : n;
        if (java == boolean.class || java == Boolean.class) return n % 2 == 0;
        if (java == byte.class || java == Byte.class) return n % 4 == 0 ? Byte.MAX_VALUE : (byte) number;
        if (type == Type.UINT16) return (int) (n % 4 == 0 ? 65535 : number & 0xffff);
        if (type == Type.UNSIGNED_INT32) return n % 4 == 0 ? 0xffffffffL : number & 0xffffffffL;
        if (java == short.class || java == Short.class) return n % 4 == 0 ? Short.MIN_VALUE : (short) number;
        if (java == int.class || java == Integer.class) return n % 4 == 0 ? Integer.MIN_VALUE : (int) number;
        if (java == long.class || java == Long.class) return n % 8 == 0 ? Long.MIN_VALUE : number;
        if (java == double.class || java == Double.class) return empty ? 0.0 : n * 1.25 - 3;
        throw new IllegalStateException("no value for " + java);
    }

    private static String plain(String name) {
        return name.replace("_", "").toLowerCase(Locale.ROOT);
    }

    private static Field fieldOf(Class<?> type, String name) {
        for (Field field : type.getDeclaredFields()) {
            if (plain(field.getName()).equals(plain(name)) && !field.getName().startsWith("_")) {
                field.setAccessible(true);
                return field;
            }
        }
        throw new IllegalStateException(type + " has no field " + name);
    }

    private static void set(Message message, String name, Object value) throws Exception {
        fieldOf(message.getClass(), name).set(message, value);
    }
}
