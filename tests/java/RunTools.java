// Runs command lines of Kafka's own tools one after the other in this one JVM: starting one for each costs more than what they do.
//
//     java -cp 'TOOLS/*' RunTools.java
//
// Standard input: a JSON object a line, {"command": ["kafka-topics", "--list", ...], "input": "..."}. Standard output: for each of them
// {"exit": 1, "out": "...", "err": "..."}.
import com.fasterxml.jackson.databind.ObjectMapper;

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

public class RunTools {
    static final Map<String, String> CLASSES = Map.ofEntries(
        Map.entry("kafka-broker-api-versions", "org.apache.kafka.tools.BrokerApiVersionsCommand"),
        Map.entry("kafka-configs", "kafka.admin.ConfigCommand"),
        Map.entry("kafka-console-consumer", "org.apache.kafka.tools.consumer.ConsoleConsumer"),
        Map.entry("kafka-console-producer", "org.apache.kafka.tools.ConsoleProducer"),
        Map.entry("kafka-consumer-groups", "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"),
        Map.entry("kafka-consumer-perf-test", "org.apache.kafka.tools.ConsumerPerformance"),
        Map.entry("kafka-delete-records", "org.apache.kafka.tools.DeleteRecordsCommand"),
        Map.entry("kafka-dump-log", "org.apache.kafka.tools.DumpLogSegments"),
        Map.entry("kafka-get-offsets", "org.apache.kafka.tools.GetOffsetShell"),
        Map.entry("kafka-log-dirs", "org.apache.kafka.tools.LogDirsCommand"),
        Map.entry("kafka-producer-perf-test", "org.apache.kafka.tools.ProducerPerformance"),
        Map.entry("kafka-storage", "kafka.tools.StorageTool"),
        Map.entry("kafka-topics", "org.apache.kafka.tools.TopicCommand"));
    static final int NO_ANSWER = 124;
    static final int SECONDS = 60;

    // One command line. Its thread never comes back from an exit: in a process of its own nothing would run after it either.
    static class Run {
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        final ByteArrayOutputStream err = new ByteArrayOutputStream();
        final List<Runnable> hooks = new ArrayList<>();
        final CountDownLatch ended = new CountDownLatch(1);
        volatile int status = NO_ANSWER;

        synchronized void end(int with) {
            if (ended.getCount() == 0) return;
            status = with;
            ended.countDown();
        }

        void leave(int with) {
            end(with);
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        void work(List<String> command) {
            try {
                var main = Class.forName(CLASSES.get(command.get(0))).getMethod("main", String[].class);
                main.invoke(null, (Object) command.subList(1, command.size()).toArray(new String[0]));
                end(0);
            } catch (InvocationTargetException e) {
                System.err.print("Exception in thread \"main\" ");
                e.getCause().printStackTrace();
                end(1);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }

        Map<String, Object> of(List<String> command, String input) throws InterruptedException {
            System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
            System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
            InvocationHandler leaves = (proxy, method, arguments) -> {
                leave((int) arguments[0]);
                return null;
            };
            onExit("setExitProcedure", "Procedure", leaves);
            onExit("setHaltProcedure", "Procedure", leaves);
            onExit("setShutdownHookAdder", "ShutdownHookAdder", (proxy, method, arguments) -> {
                hooks.add((Runnable) arguments[1]);
                return null;
            });
            Thread thread = new Thread(() -> work(command), "main");
            thread.setDaemon(true);
            thread.start();
            ended.await(SECONDS, TimeUnit.SECONDS);
            hooks.forEach(Runnable::run);
            return Map.of("exit", status, "out", out.toString(StandardCharsets.UTF_8), "err", err.toString(StandardCharsets.UTF_8));
        }
    }

    // Kafka's tools end the process through a class of its own, which has moved between versions.
    static void onExit(String setter, String kind, InvocationHandler handler) {
        for (String name : List.of("org.apache.kafka.common.utils.internals.Exit", "org.apache.kafka.common.utils.Exit")) {
            try {
                Class<?> type = Class.forName(name + "$" + kind);
                Object procedure = Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler);
                Class.forName(name).getMethod(setter, type).invoke(null, procedure);
                return;
            } catch (ClassNotFoundException e) {
                continue;
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }
        throw new IllegalStateException("Kafka's Exit is not where it was");
    }

    @SuppressWarnings("unchecked")
    public static void main(String[] args) throws Exception {
        PrintStream answers = System.out;
        ObjectMapper json = new ObjectMapper();
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            Map<String, Object> request = json.readValue(line, Map.class);
            Object input = request.getOrDefault("input", "");
            answers.println(json.writeValueAsString(new Run().of((List<String>) request.get("command"), (String) input)));
            answers.flush();
        }
        System.exit(0);
    }
}
