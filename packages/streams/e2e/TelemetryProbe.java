import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricsReporter;
import org.apache.kafka.server.telemetry.ClientTelemetryContext;
import org.apache.kafka.server.telemetry.ClientTelemetryExporter;
import org.apache.kafka.server.telemetry.ClientTelemetryExporterProvider;
import org.apache.kafka.server.telemetry.ClientTelemetryPayload;
import org.apache.kafka.shaded.io.opentelemetry.proto.common.v1.KeyValue;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.Metric;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.MetricsData;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.NumberDataPoint;

/**
 * A broker's plugin that takes what clients push and writes it to a file, a line each:
 * "push CLIENT_ID INSTANCE TERMINATING RESOURCE" and "metric NAME KIND VALUE ATTRIBUTES". Read by OpenTelemetry's own classes.
 */
public final class TelemetryProbe implements MetricsReporter, ClientTelemetryExporterProvider {
  private Path file;

  @Override
  public void configure(Map<String, ?> configs) {
    file = Path.of(String.valueOf(configs.get("telemetry.probe.file")));
  }

  @Override
  public ClientTelemetryExporter clientTelemetryExporter() {
    return this::export;
  }

  private synchronized void export(ClientTelemetryContext context, ClientTelemetryPayload payload) {
    StringBuilder lines = new StringBuilder();
    try {
      ByteBuffer bytes = payload.data();
      MetricsData data = MetricsData.parseFrom(bytes);
      data.getResourceMetricsList().forEach(resource -> {
        lines.append(String.join(" ", "push", context.authorizableRequestContext().clientId(),
            payload.clientInstanceId().toString(), String.valueOf(payload.isTerminating()),
            attributes(resource.getResource().getAttributesList()))).append('\n');
        resource.getScopeMetricsList().forEach(scope -> scope.getMetricsList().forEach(metric -> add(lines, metric)));
      });
      Files.writeString(file, lines, StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException cause) {
      throw new RuntimeException(cause);
    }
  }

  private static void add(StringBuilder lines, Metric metric) {
    List<NumberDataPoint> points =
        metric.hasSum() ? metric.getSum().getDataPointsList() : metric.getGauge().getDataPointsList();
    String kind = metric.hasSum() ? metric.getSum().getAggregationTemporality().name() : "GAUGE";
    for (NumberDataPoint point : points) {
      lines.append(String.join(" ", "metric", metric.getName(), kind, String.valueOf(point.getAsDouble()),
          attributes(point.getAttributesList()))).append('\n');
    }
  }

  private static String attributes(List<KeyValue> list) {
    StringBuilder text = new StringBuilder("-");
    for (KeyValue one : list) text.append(one.getKey()).append('=').append(one.getValue().getStringValue()).append(',');
    return text.toString();
  }

  @Override
  public void init(List<KafkaMetric> metrics) {}

  @Override
  public void metricChange(KafkaMetric metric) {}

  @Override
  public void metricRemoval(KafkaMetric metric) {}

  @Override
  public void close() {}
}
