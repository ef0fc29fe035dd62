import { int64, string } from "@millrace/schema"
import * as S from "@millrace/streams"

const Lines = S.topic("lines", { key: string, value: string })
const Counts = S.topic("word-counts", { key: string, value: int64 })

export default S.pipeline("words", () =>
  S.stream(Lines).pipe(
    S.flatMap((line) => line.split(" ")),
    S.keyBy((word) => word),
    S.count("counts"),
    S.toStream(),
    S.to(Counts),
  ),
)
