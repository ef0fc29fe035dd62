import { int64, string } from "@millrace/schema"
import * as S from "@millrace/streams"

const Lines = S.topic("lines", { key: string, value: string })
const Counts = S.topic("counts", { key: string, value: int64 })

export default S.pipeline("nameless", () => S.stream(Lines).pipe(S.count(""), S.toStream(), S.to(Counts)))
