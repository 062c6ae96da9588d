import java.util.*; import org.apache.kafka.clients.producer.*; import org.apache.kafka.clients.admin.*; import org.apache.kafka.common.serialization.*;
public class FillLogDir {
  public static void main(String[] a) throws Exception {
    String topic = a[1]; int n = Integer.parseInt(a[2]); boolean create = Boolean.parseBoolean(a[3]); boolean txn = Boolean.parseBoolean(a[4]);
    Properties p = new Properties(); p.put("bootstrap.servers", a[0]);
    if (create) { try (Admin ad = Admin.create(p)) { NewTopic t = new NewTopic(topic, 1, (short)1); t.configs(Map.of("segment.index.bytes","48","index.interval.bytes","150")); ad.createTopics(List.of(t)).all().get(); } Thread.sleep(1500); }
    p.put("linger.ms","0");
    try (var pr = new KafkaProducer<>(p, new StringSerializer(), new StringSerializer())) {
      for (int i = 0; i < n; i++) pr.send(new ProducerRecord<>(topic, 0, 1767225600000L + 10*i, "k"+i, "value-"+i+"-".repeat(i%17))).get();
    }
    if (txn) { p.put("transactional.id","tx-"+topic);
      try (var pr = new KafkaProducer<>(p, new StringSerializer(), new StringSerializer())) {
        pr.initTransactions(); pr.beginTransaction(); pr.send(new ProducerRecord<>(topic,0,1767225700000L,"a","aborted")).get(); pr.abortTransaction();
        pr.beginTransaction(); pr.send(new ProducerRecord<>(topic,0,1767225700010L,"c","committed")).get(); pr.commitTransaction(); }
    }
  }
}
