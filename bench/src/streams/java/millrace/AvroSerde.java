package millrace;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Avro in the registry's wire format: a zero byte, the schema's id, the value. Encoders, decoders and buffers are used
 * again and again, one of each per instance: suite "streams" runs with one stream thread.
 */
final class AvroSerde implements Serde<GenericRecord> {
  private static final int PREFIX_BYTES = 5;
  private final Schema schema;
  private final byte[] prefix;

  AvroSerde(int id, Schema schema) {
    this.schema = schema;
    this.prefix = ByteBuffer.allocate(PREFIX_BYTES).put((byte) 0).putInt(id).array();
  }

  @Override
  public Serializer<GenericRecord> serializer() {
    GenericDatumWriter<GenericRecord> writer = new GenericDatumWriter<>(schema);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    BinaryEncoder[] encoder = new BinaryEncoder[1];
    return (topic, value) -> {
      if (value == null) return null;
      try {
        out.reset();
        out.write(prefix);
        encoder[0] = EncoderFactory.get().directBinaryEncoder(out, encoder[0]);
        writer.write(value, encoder[0]);
        return out.toByteArray();
      } catch (IOException cause) {
        throw new UncheckedIOException(cause);
      }
    };
  }

  @Override
  public Deserializer<GenericRecord> deserializer() {
    GenericDatumReader<GenericRecord> reader = new GenericDatumReader<>(schema);
    BinaryDecoder[] decoder = new BinaryDecoder[1];
    return (topic, bytes) -> {
      if (bytes == null) return null;
      try {
        decoder[0] =
            DecoderFactory.get().binaryDecoder(bytes, PREFIX_BYTES, bytes.length - PREFIX_BYTES, decoder[0]);
        return reader.read(null, decoder[0]);
      } catch (IOException cause) {
        throw new UncheckedIOException(cause);
      }
    };
  }
}
