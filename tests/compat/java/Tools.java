// Apache Kafka's own command-line tools, all in one process; a line a case, `ok` or `FAILED`.
//
//   java -cp 'KAFKA_JARS/*' tests/compat/java/Tools.java node HOST:PORT      against a running node
//   java -cp 'KAFKA_JARS/*' tests/compat/java/Tools.java files PROPERTIES    over the directory that this node left
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.common.utils.Exit;

public class Tools {
    interface Case {
        void run() throws Exception;
    }

    static class Exited extends RuntimeException {}

    static final PrintStream out = System.out;
    static String bootstrap;
    /** With what the running tool wanted to end first: it may catch Exited and end again. */
    static Integer status;
    /** What it wants done at its end. */
    static final List<Runnable> hooks = new ArrayList<>();

    public static void main(String[] args) throws Exception {
        Exit.Procedure leave = (wanted, message) -> {
            if (status == null) status = wanted;
            throw new Exited();
        };
        Exit.setExitProcedure(leave);
        Exit.setHaltProcedure(leave);
        Exit.setShutdownHookAdder((name, hook) -> hooks.add(hook));
        if (args[0].equals("node")) {
            bootstrap = args[1];
            node();
        } else {
            files(args[1]);
        }
        Runtime.getRuntime().halt(0);
    }

    static void node() {
        is("kafka-broker-api-versions", Tools::apiVersions);
        is("kafka-topics --create, --list, --describe, --alter", Tools::topics);
        is("kafka-console-producer and -consumer", Tools::console);
        is("kafka-get-offsets", Tools::offsets);
        is("kafka-consumer-groups --list, --describe, --reset-offsets, --delete", Tools::groups);
        is("kafka-configs --alter, --describe", Tools::configs);
        is("kafka-log-dirs", Tools::logDirs);
        is("kafka-delete-records", Tools::deleteRecords);
        is("kafka-topics --delete", Tools::deleteTopic);
        // What is left for `files`.
        is("a topic over several segments", Tools::fillSegments);
    }

    static void is(String name, Case test) {
        try {
            test.run();
            out.println("ok      " + name);
        } catch (Throwable e) {
            out.println("FAILED  " + name);
            out.println(e.toString().lines().map(line -> "        " + line).limit(25).collect(Collectors.joining("\n")));
        }
        out.flush();
    }

    /** What a tool prints; fails unless it ends with 0. */
    static String tool(String name, String... args) throws Exception {
        return toolWithInput("", name, args);
    }

    static String toolWithInput(String input, String name, String... args) throws Exception {
        var printed = new ByteArrayOutputStream();
        var stream = new PrintStream(printed, true);
        var main = Class.forName(name.contains(".kafka.") || name.startsWith("kafka.") ? name : "org.apache.kafka.tools." + name).getMethod("main", String[].class);
        status = null;
        System.setIn(new ByteArrayInputStream(input.getBytes()));
        System.setOut(stream);
        System.setErr(stream);
        try {
            // The output of Scala's println is a setting of its own.
            scala.Console$.MODULE$.withOut(stream, () -> {
                try {
                    return main.invoke(null, (Object) args);
                } catch (ReflectiveOperationException e) {
                    throw e.getCause() instanceof Exited exited ? exited : new RuntimeException(e.getCause());
                }
            });
        } catch (Exited e) {
            // In `status`.
        } finally {
            hooks.forEach(Runnable::run);
            hooks.clear();
            System.setOut(out);
        }
        if (status != null && status != 0) throw new AssertionError(name + " ended with " + status + ":\n" + printed);
        return printed.toString();
    }

    static String withNode(String name, String... args) throws Exception {
        var all = new ArrayList<>(List.of("--bootstrap-server", bootstrap));
        all.addAll(Arrays.asList(args));
        return tool(name, all.toArray(String[]::new));
    }

    static String topicCommand(String... args) throws Exception {
        return withNode("TopicCommand", args);
    }

    static String groupCommand(String... args) throws Exception {
        return withNode("consumer.group.ConsumerGroupCommand", args);
    }

    static void has(String text, String... patterns) {
        for (String pattern : patterns)
            if (!Pattern.compile(pattern, Pattern.MULTILINE).matcher(text).find()) throw new AssertionError("no /" + pattern + "/ in\n" + text);
    }

    static void apiVersions() throws Exception {
        has(withNode("BrokerApiVersionsCommand"), "id: 1 ", "Produce\\(0\\): ", "Fetch\\(1\\): ", "JoinGroup\\(11\\): ");
    }

    static void topics() throws Exception {
        has(topicCommand("--create", "--topic", "tools", "--partitions", "2", "--config", "retention.ms=3600000"), "Created topic tools");
        has(topicCommand("--list"), "^tools$");
        has(topicCommand("--describe", "--topic", "tools"), "PartitionCount: 2", "ReplicationFactor: 1", "retention.ms=3600000",
                "Partition: 1\\s+Leader: 1\\s+Replicas: 1\\s+Isr: 1");
        topicCommand("--alter", "--topic", "tools", "--partitions", "3");
        has(topicCommand("--describe", "--topic", "tools"), "PartitionCount: 3", "Partition: 2");
        has(topicCommand("--create", "--if-not-exists", "--topic", "tools", "--partitions", "2"), "^");
    }

    static void console() throws Exception {
        String lines = IntStream.range(0, 100).mapToObj(i -> "k" + i + ":v" + i).collect(Collectors.joining("\n"));
        toolWithInput(lines, "ConsoleProducer", "--bootstrap-server", bootstrap, "--topic", "tools", "--reader-property", "parse.key=true",
                "--reader-property", "key.separator=:", "--compression-codec", "zstd");
        String found = consumeTools("--group", "tooled", "--max-messages", "100");
        has(found, "^k0:v0$", "^k99:v99$", "Processed a total of 100 messages");
    }

    static String consumeTools(String... more) throws Exception {
        var args = new ArrayList<>(List.of("--topic", "tools", "--from-beginning", "--timeout-ms", "15000", "--formatter-property", "print.key=true",
                "--formatter-property", "key.separator=:"));
        args.addAll(Arrays.asList(more));
        return withNode("consumer.ConsoleConsumer", args.toArray(String[]::new));
    }

    static long sum(String offsets) {
        return offsets.lines().filter(line -> line.matches("tools:\\d+:\\d+")).mapToLong(line -> Long.parseLong(line.split(":")[2])).sum();
    }

    static void offsets() throws Exception {
        String latest = withNode("GetOffsetShell", "--topic", "tools");
        String earliest = withNode("GetOffsetShell", "--topic", "tools", "--time", "earliest");
        if (sum(latest) != 100 || sum(earliest) != 0) throw new AssertionError(latest + earliest);
        has(withNode("GetOffsetShell", "--topic-partitions", "tools:1", "--time", "1"), "^tools:1:0$");
    }

    static void groups() throws Exception {
        has(groupCommand("--list", "--state"), "^tooled\\s+Empty");
        has(groupCommand("--describe", "--group", "tooled"), "^tooled\\s+tools\\s+0\\s+\\d+\\s+\\d+\\s+0\\s");
        has(groupCommand("--describe", "--group", "tooled", "--state"), "Empty\\s+0");
        has(groupCommand("--reset-offsets", "--group", "tooled", "--topic", "tools", "--to-earliest", "--execute"), "^tooled\\s+tools\\s+1\\s+0");
        has(groupCommand("--describe", "--group", "tooled", "--offsets"), "^tooled\\s+tools\\s+0\\s+0\\s");
        has(consumeTools("--group", "tooled", "--max-messages", "100"), "Processed a total of 100 messages");
        has(groupCommand("--delete", "--group", "tooled"), "successful");
        if (groupCommand("--list").contains("tooled")) throw new AssertionError("the group is still listed");
    }

    static void configs() throws Exception {
        withNode(configCommand(), "--alter", "--entity-type", "topics",
                "--entity-name", "tools", "--add-config", "max.message.bytes=123456");
        has(withNode(configCommand(), "--describe", "--entity-type", "topics", "--entity-name", "tools"),
                "max.message.bytes=123456");
    }

    /** It moved between releases. */
    static String configCommand() {
        try {
            return Class.forName("kafka.admin.ConfigCommand").getName();
        } catch (ClassNotFoundException e) {
            return "org.apache.kafka.tools.ConfigCommand";
        }
    }

    static void logDirs() throws Exception {
        has(withNode("LogDirsCommand", "--describe", "--topic-list", "tools"), "\"partition\":\"tools-0\",\"size\":\\d+,\"offsetLag\":0,\"isFuture\":false");
    }

    static void deleteRecords() throws Exception {
        Path file = Files.createTempFile("delete", ".json");
        Files.writeString(file, "{\"partitions\": [{\"topic\": \"tools\", \"partition\": 0, \"offset\": 5}], \"version\": 1}");
        has(withNode("DeleteRecordsCommand", "--offset-json-file", file.toString()), "partition: tools-0\\s+low_watermark: 5");
        Files.delete(file);
    }

    static void deleteTopic() throws Exception {
        topicCommand("--create", "--topic", "short-lived");
        topicCommand("--delete", "--topic", "short-lived");
        if (topicCommand("--list").contains("short-lived")) throw new AssertionError("the topic is still listed");
    }

    static void fillSegments() throws Exception {
        topicCommand("--create", "--topic", "segments", "--config", "segment.bytes=1048576");
        String lines = IntStream.range(0, 4000).mapToObj(i -> "x".repeat(1000)).collect(Collectors.joining("\n"));
        toolWithInput(lines, "ConsoleProducer", "--bootstrap-server", bootstrap, "--topic", "segments", "--request-required-acks", "all");
        has(withNode("GetOffsetShell", "--topic", "segments"), "^segments:0:4000$");
    }

    static List<String> dirFiles(File dir, String suffix) {
        return Arrays.stream(dir.list()).filter(name -> name.endsWith(suffix)).sorted().map(name -> new File(dir, name).getPath()).toList();
    }

    static void files(String properties) throws Exception {
        var settings = new Properties();
        settings.load(Files.newBufferedReader(Path.of(properties)));
        File data = new File(settings.getProperty("log.dirs"));
        is("kafka-storage info", () -> has(tool("kafka.tools.StorageTool", "info", "-c", properties),
                "Found log director", "Found metadata: .*(clusterId|cluster.id)=?"));
        is("kafka-dump-log reads the segments", () -> dumpSegments(new File(data, "segments-0")));
        is("kafka-dump-log reads the indexes", () -> dumpIndexes(new File(data, "segments-0")));
        is("kafka-dump-log decodes the offsets of groups", () -> dumpOffsets(data));
        is("kafka-dump-log decodes the cluster's metadata", () -> dumpMetadata(new File(data, "__cluster_metadata-0")));
    }

    static String dump(List<String> files, String... more) throws Exception {
        var args = new ArrayList<>(List.of("--files", String.join(",", files)));
        args.addAll(Arrays.asList(more));
        String found = tool("DumpLogSegments", args.toArray(String[]::new));
        if (found.contains("isvalid: false") || found.contains("Found ") || found.contains("Exception")) throw new AssertionError(found);
        return found;
    }

    static void dumpSegments(File dir) throws Exception {
        List<String> logs = dirFiles(dir, ".log");
        if (logs.size() < 4) throw new AssertionError("only " + logs);
        var records = Pattern.compile("^\\| offset: (\\d+) ", Pattern.MULTILINE).matcher(dump(logs, "--deep-iteration"));
        for (long offset = 0; offset < 4000; offset++)
            if (!records.find() || Long.parseLong(records.group(1)) != offset) throw new AssertionError("offset " + offset + " is missing");
    }

    static void dumpIndexes(File dir) throws Exception {
        List<String> indexes = dirFiles(dir, ".index");
        has(dump(indexes, "--index-sanity-check"), "passed sanity check");
        has(dump(indexes), "offset: \\d+ position: \\d+");
        has(dump(dirFiles(dir, ".timeindex")), "timestamp: \\d+ offset: \\d+");
    }

    static void dumpOffsets(File data) throws Exception {
        var logs = new ArrayList<String>();
        for (String dir : data.list())
            if (dir.startsWith("__consumer_offsets-")) logs.addAll(dirFiles(new File(data, dir), ".log"));
        has(dump(logs, "--offsets-decoder"), "\"group\":\"tooled\"", "\"topic\":\"tools\"");
    }

    static void dumpMetadata(File dir) throws Exception {
        has(dump(dirFiles(dir, ".log"), "--cluster-metadata-decoder"), "REGISTER_BROKER_RECORD", "\"name\":\"segments\"", "PARTITION_RECORD");
        has(dump(dirFiles(dir, ".checkpoint"), "--cluster-metadata-decoder"), "FEATURE_LEVEL_RECORD", "SnapshotHeader");
    }
}
