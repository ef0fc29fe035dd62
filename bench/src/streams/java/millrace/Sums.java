package millrace;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * The topology of suites "restore" and "rolling" in Kafka Streams' DSL, and the process that runs it with the defaults, state on disk
 * (RocksDB). It has a group.instance.id, as Millrace's processes have by themselves: without one the group would wait for the
 * killed member's session to end. The time told counts from the first restore's start to the last one's end.
 */
public final class Sums {
  private static final String STORE = "sum-by-key";

  public static void main(String[] args) throws Exception {
    JsonNode job = new ObjectMapper().readTree(args[0]);
    Properties config = new Properties();
    config.put("application.id", job.get("application").asText());
    config.put("bootstrap.servers", job.get("brokers").asText());
    config.put("state.dir", job.get("directory").asText());
    config.put("processing.guarantee", "exactly_once_v2");
    config.put("auto.offset.reset", "earliest");
    JsonNode instance = job.get("instance");
    config.put("group.instance.id", (instance == null ? job.get("application") : instance).asText());
    Serde<String> text = Serdes.String();
    Serde<Long> number = Serdes.Long();
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream(job.get("input").asText(), Consumed.with(text, number))
        .groupByKey(Grouped.with(text, number))
        .aggregate(
            () -> 0L,
            (key, value, sum) -> sum + value,
            Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as(STORE)
                .withKeySerde(text)
                .withValueSerde(number))
        .toStream()
        .to(job.get("output").asText(), Produced.with(text, number));
    KafkaStreams streams = new KafkaStreams(builder.build(config), config);
    Restored restored = new Restored();
    AtomicBoolean hasTold = new AtomicBoolean();
    streams.setGlobalStateRestoreListener(restored);
    streams.setStateListener(
        (now, before) -> {
          if (now != KafkaStreams.State.RUNNING || hasTold.getAndSet(true)) return;
          System.out.println("{\"restored\":" + restored.records.get() + ",\"ms\":" + restored.millis() + "}");
        });
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          Runtime.getRuntime().halt(1);
          return null;
        });
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }

  private static final class Restored implements StateRestoreListener {
    final AtomicLong records = new AtomicLong();
    private long start = -1;
    private long end = -1;

    @Override
    public synchronized void onRestoreStart(TopicPartition partition, String store, long from, long to) {
      if (start < 0) start = System.nanoTime();
    }

    @Override
    public void onBatchRestored(TopicPartition partition, String store, long offset, long count) {}

    @Override
    public synchronized void onRestoreEnd(TopicPartition partition, String store, long total) {
      records.addAndGet(total);
      end = System.nanoTime();
    }

    synchronized double millis() {
      return start < 0 ? 0 : (end - start) / 1e6;
    }
  }
}
