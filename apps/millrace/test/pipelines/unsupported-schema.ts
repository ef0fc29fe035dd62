import { avro, string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { Schema } from "effect"

class Loose extends Schema.Class<Loose>("Loose")({ anything: Schema.Unknown }) {}

const Things = S.topic("things", { key: string, value: avro(Loose) })

export default S.pipeline("loose", () => S.stream(Things).pipe(S.to(Things)))
