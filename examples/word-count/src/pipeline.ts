/**
 * The smallest pipeline: lines in, a running count per word out.
 *
 *   npm exec millrace -- run examples/word-count/src/pipeline.ts --brokers 127.0.0.1:9092
 */
import { int64, string } from "@millrace/schema"
import * as S from "@millrace/streams"

export const Lines = S.topic("lines", { key: string, value: string })
export const Counts = S.topic("word-counts", { key: string, value: int64 })

export default S.pipeline("word-count", () =>
  S.stream(Lines).pipe(
    S.flatMap((line) =>
      line
        .toLowerCase()
        .split(/\W+/)
        .filter((word) => word !== ""),
    ),
    S.keyBy((word) => word),
    S.count("words"),
    S.toStream(),
    S.to(Counts),
  ),
)
