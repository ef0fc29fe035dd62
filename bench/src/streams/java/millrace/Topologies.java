package millrace;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.util.Utf8;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindows;

/**
 * The topologies of suite "streams" in Kafka Streams' DSL, and the process that runs one with the defaults, state on disk
 * (RocksDB), and commits as often as everybody else.
 *
 * JSON values are plain classes through Jackson; Avro values are generic records. The job is JSON: bench/src/streams/job.ts.
 */
public final class Topologies {
  public static class Order {
    public String id, customer, product, note;
    public int quantity, price;
    public long time;
  }

  public static class Customer {
    public String id, name, tier;
  }

  public static class Payment {
    public String order;
    public int amount;
  }

  public static class Bill {
    public String order, customer, tier;
    public long total;

    public Bill() {}

    Bill(String order, String customer, String tier, long total) {
      this.order = order;
      this.customer = customer;
      this.tier = tier;
      this.total = total;
    }
  }

  public static class Stats {
    public long count, total, greatest;

    Stats add(long amount) {
      Stats sum = new Stats();
      sum.count = count + 1;
      sum.total = total + amount;
      sum.greatest = Math.max(greatest, amount);
      return sum;
    }
  }

  private static final Duration MINUTE = Duration.ofMinutes(1);

  public static void main(String[] args) throws Exception {
    JsonNode job = new ObjectMapper().readTree(args[0]);
    String guarantee = job.get("guarantee").asText();
    Properties config = new Properties();
    config.put("application.id", job.get("application").asText());
    config.put("bootstrap.servers", job.get("brokers").asText());
    config.put("state.dir", job.get("directory").asText());
    config.put("processing.guarantee", guarantee.equals("exactly-once") ? "exactly_once_v2" : "at_least_once");
    config.put("commit.interval.ms", job.get("commitMs").asText());
    config.put("auto.offset.reset", "earliest");
    StreamsBuilder builder = new StreamsBuilder();
    if (job.get("format").asText().equals("json")) json(builder, job);
    else avro(builder, job);
    KafkaStreams streams = new KafkaStreams(builder.build(config), config);
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          Runtime.getRuntime().halt(1);
          return null;
        });
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }

  private static String topic(JsonNode job, String input) {
    return job.get("topics").get(input).asText();
  }

  private static void json(StreamsBuilder builder, JsonNode job) {
    Serde<String> text = Serdes.String();
    Serde<Order> order = new JsonSerde<>(Order.class);
    Serde<Bill> bill = new JsonSerde<>(Bill.class);
    Serde<Stats> stats = new JsonSerde<>(Stats.class);
    String output = job.get("output").asText();
    switch (job.get("workload").asText()) {
      case "stateless":
        builder.stream(topic(job, "orders"), Consumed.with(text, order))
            .filter((key, one) -> one.quantity > 5)
            .mapValues(one -> new Bill(one.id, one.customer, "none", (long) one.quantity * one.price))
            .to(output, Produced.with(text, bill));
        break;
      case "count":
        builder.stream(topic(job, "orders"), Consumed.with(text, order))
            .groupBy((key, one) -> one.product, Grouped.with("by-product", text, order))
            .count(Materialized.as("by-product"))
            .toStream()
            .to(output, Produced.with(text, Serdes.Long()));
        break;
      case "window":
        builder.stream(topic(job, "orders"), Consumed.with(text, order))
            .groupByKey(Grouped.with(text, order))
            .windowedBy(TimeWindows.ofSizeAndGrace(MINUTE, MINUTE))
            .aggregate(
                Stats::new,
                (key, one, sum) -> sum.add((long) one.quantity * one.price),
                Materialized.with(text, stats))
            .toStream((key, sum) -> key.key() + " " + key.window().start())
            .to(output, Produced.with(text, stats));
        break;
      case "join-table":
        builder.stream(topic(job, "orders"), Consumed.with(text, order))
            .join(
                builder.table(topic(job, "customers"), Consumed.with(text, new JsonSerde<>(Customer.class))),
                (one, customer) -> new Bill(one.id, customer.id, customer.tier, (long) one.quantity * one.price),
                Joined.with(text, order, new JsonSerde<>(Customer.class)))
            .to(output, Produced.with(text, bill));
        break;
      case "join-stream":
        builder.stream(topic(job, "orders-by-id"), Consumed.with(text, order))
            .join(
                builder.stream(topic(job, "payments"), Consumed.with(text, new JsonSerde<>(Payment.class))),
                (one, payment) -> new Bill(one.id, one.customer, "none", payment.amount),
                JoinWindows.ofTimeDifferenceWithNoGrace(MINUTE),
                StreamJoined.with(text, order, new JsonSerde<>(Payment.class)))
            .to(output, Produced.with(text, bill));
        break;
      default:
        throw new IllegalArgumentException(job.get("workload").asText());
    }
  }

  private static void avro(StreamsBuilder builder, JsonNode job) {
    Map<String, Schema> schemas = new HashMap<>();
    Map<String, Serde<GenericRecord>> serdes = new HashMap<>();
    for (JsonNode one : job.get("schemas")) {
      Schema schema = new Schema.Parser().parse(one.get("schema").asText());
      schemas.put(one.get("name").asText(), schema);
      serdes.put(one.get("name").asText(), new AvroSerde(one.get("id").asInt(), schema));
    }
    Serde<String> text = Serdes.String();
    Serde<GenericRecord> order = serdes.get("order");
    Serde<GenericRecord> customer = serdes.get("customer");
    Schema billSchema = schemas.get("bill");
    Schema statsSchema = schemas.get("stats");
    String output = job.get("output").asText();
    switch (job.get("workload").asText()) {
      case "stateless":
        builder.stream(topic(job, "orders"), Consumed.with(text, order))
            .filter((key, one) -> (long) one.get("quantity") > 5)
            .mapValues(one -> bill(billSchema, one.get("id"), one.get("customer"), NONE, total(one)))
            .to(output, Produced.with(text, serdes.get("bill")));
        break;
      case "count":
        builder.stream(topic(job, "orders"), Consumed.with(text, order))
            .groupBy((key, one) -> one.get("product").toString(), Grouped.with("by-product", text, order))
            .count(Materialized.as("by-product"))
            .toStream()
            .to(output, Produced.with(text, Serdes.Long()));
        break;
      case "window":
        builder.stream(topic(job, "orders"), Consumed.with(text, order))
            .groupByKey(Grouped.with(text, order))
            .windowedBy(TimeWindows.ofSizeAndGrace(MINUTE, MINUTE))
            .aggregate(
                () -> stats(statsSchema, 0, 0, 0),
                (key, one, sum) ->
                    stats(
                        statsSchema,
                        (long) sum.get("count") + 1,
                        (long) sum.get("total") + total(one),
                        Math.max((long) sum.get("greatest"), total(one))),
                Materialized.with(text, serdes.get("stats")))
            .toStream((key, sum) -> key.key() + " " + key.window().start())
            .to(output, Produced.with(text, serdes.get("stats")));
        break;
      case "join-table":
        builder.stream(topic(job, "orders"), Consumed.with(text, order))
            .join(
                builder.table(topic(job, "customers"), Consumed.with(text, customer)),
                (one, row) -> bill(billSchema, one.get("id"), row.get("id"), row.get("tier"), total(one)),
                Joined.with(text, order, customer))
            .to(output, Produced.with(text, serdes.get("bill")));
        break;
      case "join-stream":
        KStream<String, GenericRecord> payments =
            builder.stream(topic(job, "payments"), Consumed.with(text, serdes.get("payment")));
        builder.stream(topic(job, "orders-by-id"), Consumed.with(text, order))
            .join(
                payments,
                (one, paid) -> bill(billSchema, one.get("id"), one.get("customer"), NONE, (long) paid.get("amount")),
                JoinWindows.ofTimeDifferenceWithNoGrace(MINUTE),
                StreamJoined.with(text, order, serdes.get("payment")))
            .to(output, Produced.with(text, serdes.get("bill")));
        break;
      default:
        throw new IllegalArgumentException(job.get("workload").asText());
    }
  }

  private static final Utf8 NONE = new Utf8("none");

  private static long total(GenericRecord order) {
    return (long) order.get("quantity") * (long) order.get("price");
  }

  private static GenericRecord bill(Schema schema, Object order, Object customer, Object tier, long total) {
    GenericRecord bill = new GenericData.Record(schema);
    bill.put("order", order);
    bill.put("customer", customer);
    bill.put("tier", tier);
    bill.put("total", total);
    return bill;
  }

  private static GenericRecord stats(Schema schema, long count, long total, long greatest) {
    GenericRecord stats = new GenericData.Record(schema);
    stats.put("count", count);
    stats.put("total", total);
    stats.put("greatest", greatest);
    return stats;
  }
}
