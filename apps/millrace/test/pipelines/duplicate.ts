import { int64, string } from "@millrace/schema"
import * as S from "@millrace/streams"

const Lines = S.topic("lines", { key: string, value: string })
const Counts = S.topic("counts", { key: string, value: int64 })

export default S.pipeline("twice", () => [
  S.stream(Lines).pipe(S.count("lines"), S.toStream(), S.to(Counts)),
  S.stream(Lines).pipe(S.count("lines"), S.toStream(), S.to(Counts)),
])
