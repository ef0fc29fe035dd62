package millrace;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * End-to-end latency of suite "broker": a producer that sends at a steady rate and a consumer that reads it, in one process
 * with one clock. acks=all, no linger, one partition.
 *
 * A record's time counts from when it was due, not from when it was sent: what a stall holds up counts as held up.
 * Arguments: brokers, topic, records per second, seconds to warm up, seconds to measure. Prints one line of JSON.
 */
public final class Latency {
  private static final int VALUE_BYTES = 100;
  private static final long SILENCE_NANOS = 10_000_000_000L;

  public static void main(String[] args) throws Exception {
    String brokers = args[0];
    String topic = args[1];
    int rate = Integer.parseInt(args[2]);
    int warmUp = rate * Integer.parseInt(args[3]);
    int all = warmUp + rate * Integer.parseInt(args[4]);
    long[] dueAt = new long[all];
    long[] latencies = new long[all - warmUp];
    Map<String, Object> config =
        Map.of("bootstrap.servers", brokers, "acks", "all", "linger.ms", "0", "auto.offset.reset", "earliest");
    try (KafkaConsumer<byte[], byte[]> consumer =
            new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        KafkaProducer<byte[], byte[]> producer =
            new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
      List<TopicPartition> partitions = List.of(new TopicPartition(topic, 0));
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      consumer.poll(Duration.ofMillis(500));
      producer.partitionsFor(topic);
      Thread sender = new Thread(() -> send(producer, topic, rate, dueAt), "sender");
      sender.start();
      int seen = 0;
      long heardAt = System.nanoTime();
      while (seen < all) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          heardAt = System.nanoTime();
          // One producer, idempotent, one partition: record n has offset n, or something is very wrong.
          if (record.offset() != seen) throw new IllegalStateException("offset " + record.offset() + ", expected " + seen);
          if (seen >= warmUp) latencies[seen - warmUp] = heardAt - dueAt[seen];
          seen++;
        }
        if (System.nanoTime() - heardAt > SILENCE_NANOS) throw new IllegalStateException("only " + seen + " of " + all + " came");
      }
      sender.join();
    }
    Arrays.sort(latencies);
    System.out.println(
        String.format(
            java.util.Locale.ROOT,
            "{\"records\":%d,\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}",
            latencies.length, at(latencies, 0.5), at(latencies, 0.99), at(latencies, 1)));
  }

  private static void send(KafkaProducer<byte[], byte[]> producer, String topic, int rate, long[] dueAt) {
    byte[] value = "x".repeat(VALUE_BYTES).getBytes(StandardCharsets.US_ASCII);
    long start = System.nanoTime();
    for (int n = 0; n < dueAt.length; n++) {
      long due = start + n * 1_000_000_000L / rate;
      for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) LockSupport.parkNanos(left);
      // Written before the send, read after the record came: the producer's locks order the two.
      dueAt[n] = due;
      producer.send(new ProducerRecord<>(topic, 0, null, value));
    }
    producer.flush();
  }

  private static double at(long[] sorted, double part) {
    return sorted[Math.min(sorted.length - 1, (int) (sorted.length * part))] / 1e6;
  }
}
