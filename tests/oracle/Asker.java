// What the programs that ask a broker share: connections, requests and answers of any version, and printing a line an answer:
// API, version, case, answer as JSON.
//
// A program Ask*.java of a suite extends this class. Its main gets HOST PORT CONTROLLER_PORT PHASE and begins with
// start(args). When it ends with restart() the broker is stopped and started again on the same data, and the program runs
// once more with the next phase.
//
// What two brokers cannot have in common gets a name: ids that the broker makes up, its ports, the time of an append. Each is
// checked before it is replaced.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;

public class Asker {
    static final int RESTART = 10;  // exit status; see answers.sh
    static final int SHOWN_PORT = 29392;
    static final Uuid NO_SUCH_ID = new Uuid(1, 2);

    static String host;
    static int port;
    static int controllerPort;
    static int phase;
    static String clientId = "oracle";
    static String clusterId;
    static Socket socket;
    static final Map<String, String> names = new LinkedHashMap<>();
    static final Map<String, Function<JsonNode, JsonNode>> byField = new HashMap<>();
    static final Map<String, Uuid> topicIds = new HashMap<>();
    static final Set<Long> appendTimes = new HashSet<>();
    static final Set<Long> newAppendTimes = new HashSet<>();  // of the answer that is being printed
    static long sentAt;
    static long answeredAt;

    static void start(String[] args) throws Exception {
        host = args[0];
        port = Integer.parseInt(args[1]);
        controllerPort = Integer.parseInt(args[2]);
        phase = Integer.parseInt(args[3]);
        byField.put("port", value -> value.asInt() == port ? IntNode.valueOf(SHOWN_PORT) : value);
        byField.put("clusterId", value -> {
            if (value.isNull()) return value;
            if (clusterId == null) clusterId = value.asText();
            return value.asText().equals(clusterId) ? TextNode.valueOf("CLUSTER-ID") : value;
        });
        for (String field : List.of("errorMessage", "batchIndexErrorMessage")) {
            byField.put(field, value -> value.isTextual() ? TextNode.valueOf(value.asText().replaceAll("-?\\b\\d{13,19}\\b", "TIME")) : value);
        }
        byField.put("logAppendTimeMs", value -> appendTime(value.asLong()));
        for (int i = 0; socket == null; i++) {
            try {
                socket = connect();
            } catch (java.net.ConnectException e) {
                if (i == 300) throw e;
                Thread.sleep(100);
            }
        }
    }

    static void restart() {
        System.out.flush();
        System.exit(RESTART);
    }

    // --- one request

    static Socket connect() throws Exception {
        Socket s = new Socket(host, port);
        s.setSoTimeout(30000);
        s.setTcpNoDelay(true);
        return s;
    }

    static void send(Socket s, int version, ApiMessage request) throws Exception {
        short v = (short) version;
        sendBytes(s, request.apiKey(), version, ApiMessageType.fromApiKey(request.apiKey()).requestHeaderVersion(v),
            MessageUtil.toByteBufferAccessor(request, v).buffer());
    }

    static void sendBytes(Socket s, int apiKey, int version, short headerVersion, ByteBuffer body) throws Exception {
        RequestHeaderData header = new RequestHeaderData().setRequestApiKey((short) apiKey).setRequestApiVersion((short) version)
            .setCorrelationId(7).setClientId(clientId);
        ByteBuffer head = MessageUtil.toByteBufferAccessor(header, headerVersion).buffer();
        ByteBuffer frame = ByteBuffer.allocate(4 + head.remaining() + body.remaining());
        frame.putInt(head.remaining() + body.remaining()).put(head).put(body);
        do {
            sentAt = System.currentTimeMillis();
        } while (appendTimes.contains(sentAt));  // or two appends could not be told apart
        new DataOutputStream(s.getOutputStream()).write(frame.array());
    }

    // Nothing when the broker closes the connection instead of answering.
    static ByteBuffer receiveBytes(Socket s) throws Exception {
        try {
            DataInputStream in = new DataInputStream(s.getInputStream());
            byte[] answer = new byte[in.readInt()];
            in.readFully(answer);
            answeredAt = System.currentTimeMillis();
            return ByteBuffer.wrap(answer);
        } catch (EOFException | SocketException e) {
            return null;
        }
    }

    static ApiMessage receive(Socket s, int version, ApiMessageType type) throws Exception {
        ByteBuffer answer = receiveBytes(s);
        if (answer == null) return null;
        ByteBufferAccessor reader = new ByteBufferAccessor(answer);
        new ResponseHeaderData(reader, type.responseHeaderVersion((short) version));
        ApiMessage response = type.newResponse();
        response.read(reader, (short) version);
        if (answer.hasRemaining()) throw new IOException(answer.remaining() + " bytes follow the answer of " + type.name);
        return response;
    }

    static ApiMessage exchange(Socket s, int version, ApiMessage request) throws Exception {
        send(s, version, request);
        return receive(s, version, ApiMessageType.fromApiKey(request.apiKey()));
    }

    static ApiMessage ask(String what, int version, ApiMessage request) throws Exception {
        ApiMessage response = exchange(socket, version, request);
        if (response == null) {
            closed(what, version, ApiMessageType.fromApiKey(request.apiKey()).name);
        } else {
            print(what, version, response);
        }
        return response;
    }

    static void closed(String what, int version, String api) throws Exception {
        System.out.println(api + "\t" + version + "\t" + what + "\t{\"connection\":\"closed\"}");
        socket.close();
        socket = connect();
    }

    // A request that may be parked, on a connection of its own; a moment later it has arrived.
    static CompletableFuture<ApiMessage> later(int version, ApiMessage request) throws Exception {
        Socket own = connect();
        CompletableFuture<ApiMessage> done = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try (own) {
                done.complete(exchange(own, version, request));
            } catch (Exception e) {
                done.completeExceptionally(e);
            }
        });
        thread.setDaemon(true);
        thread.start();
        Thread.sleep(150);
        return done;
    }

    // --- printing

    static JsonNode json(ApiMessage message, int version) throws Exception {
        if (message instanceof FetchResponseData) return Records.show((FetchResponseData) message, (short) version);
        Class<?> converter = Class.forName(message.getClass().getName() + "JsonConverter");
        return (JsonNode) converter.getMethod("write", message.getClass(), short.class).invoke(null, message, (short) version);
    }

    static void print(String what, int version, ApiMessage response) throws Exception {
        print(what, version, response.getClass().getSimpleName().replace("ResponseData", ""), json(response, version));
    }

    static void print(String what, int version, String api, JsonNode node) {
        rename(node);
        appendTimes.addAll(newAppendTimes);
        sort(node);
        System.out.println(api + "\t" + version + "\t" + what + "\t" + named(node.toString()));
    }

    static String named(String text) {
        for (Map.Entry<String, String> name : names.entrySet()) text = text.replace(name.getKey(), name.getValue());
        return text;
    }

    static void rename(JsonNode node) {
        node.forEach(Asker::rename);
        if (!(node instanceof ObjectNode)) return;
        ObjectNode object = (ObjectNode) node;
        if (object.has("topicId") && object.path("name").isTextual()) meet(object.get("name").asText(), Uuid.fromString(object.get("topicId").asText()));
        List<String> fields = new ArrayList<>();
        object.fieldNames().forEachRemaining(fields::add);
        for (String field : fields) {
            Function<JsonNode, JsonNode> replacement = byField.get(field);
            if (replacement != null) object.set(field, replacement.apply(object.get(field)));
        }
    }

    // Brokers keep topics, partitions, groups and members in hash maps: the order of a list says nothing.
    static void sort(JsonNode node) {
        node.forEach(Asker::sort);
        if (!(node instanceof ArrayNode)) return;
        ArrayNode array = (ArrayNode) node;
        List<JsonNode> items = new ArrayList<>();
        array.forEach(items::add);
        items.sort(Comparator.comparing(item -> named(item.toString())));
        array.removeAll();
        items.forEach(array::add);
    }

    // The time of an append lies between the request and its answer; records read later must carry the same.
    static JsonNode appendTime(long time) {
        if (appendTimes.contains(time)) return TextNode.valueOf("of an earlier append");
        if (time < sentAt || time > answeredAt) return LongNode.valueOf(time);
        newAppendTimes.add(time);
        return TextNode.valueOf("during the request");
    }

    // --- topics

    // Creates a topic ("name=value" settings) and waits until all its partitions can be used.
    static void prepare(String name, int partitions, String... settings) throws Exception {
        CreateTopicsRequestData.CreatableTopic topic = new CreateTopicsRequestData.CreatableTopic().setName(name)
            .setNumPartitions(partitions).setReplicationFactor((short) 1);
        for (String setting : settings) {
            String[] pair = setting.split("=", 2);
            topic.configs().add(new CreateTopicsRequestData.CreatableTopicConfig().setName(pair[0]).setValue(pair[1]));
        }
        CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(10000);
        request.topics().add(topic);
        CreateTopicsResponseData.CreatableTopicResult result = null;
        for (int i = 0; i < 100; i++) {
            result = ((CreateTopicsResponseData) exchange(socket, 7, request)).topics().iterator().next();
            if (result.errorCode() != 38) break;  // no broker is registered yet
            Thread.sleep(100);
        }
        if (result.errorCode() != 0) throw new IOException(name + " was not created: " + result);
        know(name, result.topicId());
        awaitLeader(name, partitions);
    }

    static void know(String topic, Uuid id) {
        topicIds.put(topic, id);
        names.put(id.toString(), "ID-OF-" + topic);
    }

    // The first answer that gives the id of a topic is believed; the others must give the same.
    static void meet(String topic, Uuid id) {
        if (!id.equals(Uuid.ZERO_UUID) && !names.containsKey(id.toString()) && !topicIds.containsKey(topic)) know(topic, id);
    }

    static Uuid idOf(String topic) {
        return topicIds.getOrDefault(topic, NO_SUCH_ID);
    }

    // A topic that an earlier phase created.
    static void find(String name, int partitions) throws Exception {
        MetadataRequestData request = new MetadataRequestData().setAllowAutoTopicCreation(false)
            .setTopics(List.of(new MetadataRequestData.MetadataRequestTopic().setName(name)));
        eventually("metadata of " + name, () -> {
            MetadataResponseData.MetadataResponseTopic topic =
                ((MetadataResponseData) exchange(socket, 12, request)).topics().iterator().next();
            if (topic.errorCode() == 0) know(name, topic.topicId());
            return topic.errorCode() == 0;
        });
        awaitLeader(name, partitions);
    }

    static void awaitLeader(String name, int partitions) throws Exception {
        ListOffsetsRequestData request = new ListOffsetsRequestData().setReplicaId(-1);
        ListOffsetsRequestData.ListOffsetsTopic topic = new ListOffsetsRequestData.ListOffsetsTopic().setName(name);
        for (int i = 0; i < partitions; i++) {
            topic.partitions().add(new ListOffsetsRequestData.ListOffsetsPartition().setPartitionIndex(i).setTimestamp(-1));
        }
        request.topics().add(topic);
        eventually("a leader of " + name, () -> {
            ListOffsetsResponseData response = (ListOffsetsResponseData) exchange(socket, 5, request);
            return response.topics().get(0).partitions().stream().allMatch(partition -> partition.errorCode() == 0);
        });
    }

    interface Condition {
        boolean holds() throws Exception;
    }

    static void eventually(String what, Condition condition) throws Exception {
        for (int i = 0; !condition.holds(); i++) {
            if (i == 1000) throw new IOException("it did not come to " + what);
            Thread.sleep(20);
        }
    }
}
