// Prints what Apache Kafka's own classes know about each setting: name, type, default, allowed values, importance, and how it
// may be changed at run time. Facts only; the sentences about settings are Dohle's own and live in settings/notes.txt.
//
//   java -cp 'KAFKA_JARS/*' tools/settings/DumpSettings.java SECTION > src/broker/config/settings/SECTION.txt
//
// SECTION is server, topic, group or client-metrics. tools/settings/dump.sh writes all four.
import java.lang.reflect.Field;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.DynamicBrokerConfig;
import org.apache.kafka.server.config.DynamicConfig;
import org.apache.kafka.server.config.ServerTopicConfigSynonyms;
import org.apache.kafka.server.metrics.ClientMetricsConfigs;
import org.apache.kafka.storage.internals.log.LogConfig;

public class DumpSettings {
    // Fields of a row, in order.
    static final String HEADER = "# name | type | default | allowed | importance | change | synonyms | flags";

    public static void main(String[] args) throws Exception {
        System.out.println(HEADER);
        switch (args[0]) {
            case "server" -> server();
            case "topic" -> topic();
            case "group" -> group();
            case "client-metrics" -> rows(ClientMetricsConfigs.configDef().configKeys(), k -> "cluster", k -> "", "");
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    interface Column { String of(String key); }

    static void server() {
        Map<String, String> modes = DynamicBrokerConfig.dynamicConfigUpdateModes();
        rows(AbstractKafkaConfig.CONFIG_DEF.configKeys(),
            k -> switch (modes.getOrDefault(k, "read-only")) {
                case "per-broker" -> "broker";
                case "cluster-wide" -> "cluster";
                default -> "static";
            },
            k -> {
                List<String> names = DynamicBrokerConfig.brokerConfigSynonyms(k, false);
                return names.size() > 1 ? String.join(",", names) : "";
            }, "");
        // Settings that have no place in server.properties and can only be set at run time.
        Map<String, ConfigDef.ConfigKey> dynamic = new TreeMap<>(DynamicConfig.Broker.configKeys());
        dynamic.keySet().removeAll(AbstractKafkaConfig.CONFIG_DEF.names());
        rows(dynamic, k -> "cluster", k -> "", "dynamic-only");
    }

    static void topic() {
        rows(LogConfig.configKeys(), k -> "cluster", k -> {
            var list = ServerTopicConfigSynonyms.ALL_TOPIC_CONFIG_SYNONYMS.get(k);
            if (list == null) return "";
            return list.stream().map(s -> s.name() + unit(s.converter().apply("1"))).collect(Collectors.joining(","));
        }, "");
    }

    // What one unit of the synonym is worth in the topic's unit.
    static String unit(String converted) {
        return converted.equals("1") ? "" : "*" + converted;
    }

    static void group() throws Exception {
        Field def = GroupConfig.class.getDeclaredField("CONFIG_DEF");
        def.setAccessible(true);
        rows(((ConfigDef) def.get(null)).configKeys(), k -> "cluster", k -> GroupConfig.brokerSynonym(k).orElse(""), "");
    }

    static void rows(Map<String, ConfigDef.ConfigKey> keys, Column change, Column synonyms, String flag) {
        for (ConfigDef.ConfigKey key : new TreeMap<>(keys).values()) {
            System.out.println(String.join(" | ", key.name, key.type.name().toLowerCase(), defaultOf(key), allowed(key.validator),
                key.importance.name().toLowerCase(), change.of(key.name), synonyms.of(key.name),
                key.internalConfig ? "internal" : flag).stripTrailing());
        }
    }

    static String defaultOf(ConfigDef.ConfigKey key) {
        if (!key.hasDefault()) return "required";
        if (key.defaultValue == null) return "null";
        if (key.name.equals("listener.security.protocol.map")) {
            // Kafka joins a hash map here; any order means the same.
            return List.of(((String) key.defaultValue).split(",")).stream().sorted().collect(Collectors.joining(","));
        }
        String text = key.defaultValue instanceof org.apache.kafka.common.config.types.Password p
            ? p.value() : ConfigDef.convertToString(key.defaultValue, key.type);
        return text.isEmpty() ? "\"\"" : text;
    }

    static Object field(Object of, String name) {
        try {
            Field f = of.getClass().getDeclaredField(name);
            f.setAccessible(true);
            return f.get(of);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    static String allowed(ConfigDef.Validator v) {
        if (v == null) return "";
        String kind = v.getClass().getSimpleName();
        switch (kind) {
            case "Range": {
                Object min = field(v, "min"), max = field(v, "max");
                return "range " + (min == null ? "" : min) + ".." + (max == null ? "" : max);
            }
            case "ValidString":
                return "in " + join((Collection<?>) field(v, "validStrings"));
            case "CaseInsensitiveValidString":
                return "in-any-case " + join((Collection<?>) field(v, "validStrings"));
            case "ValidList": {
                Collection<?> values = (Collection<?>) field(field(v, "validString"), "validStrings");
                return "list" + ((boolean) field(v, "isEmptyAllowed") ? " empty-ok" : "")
                    + ((boolean) field(v, "isNullAllowed") ? " null-ok" : "")
                    + (values.isEmpty() ? "" : " in " + join(values));
            }
            case "CompositeValidator":
                return ((List<?>) field(v, "validators")).stream().map(x -> allowed((ConfigDef.Validator) x))
                    .collect(Collectors.joining(" & "));
            case "NonEmptyString": return "non-empty";
            case "NonNullValidator": return "non-null";
            case "ListSize": return "at-most " + field(v, "maxSize");
            case "LambdaValidator":
                if (v.toString().equals("[1,...,9] or -1")) return "gzip-level";
                break;
            case "ControllerQuorumVotersValidator": return "quorum-voters";
            case "ControllerQuorumBootstrapServersValidator": return "host-ports";
            case "ThrottledReplicaListValidator": return "replica-list";
            case "Validator": return "reset-strategy";
            default: break;
        }
        throw new IllegalArgumentException("no word for the validator " + kind + " " + v);
    }

    static String join(Collection<?> values) {
        return values.stream().map(Object::toString).sorted().collect(Collectors.joining(" "));
    }
}
