import { string } from "@millrace/schema"
import * as S from "@millrace/streams"

const Numbers = S.topic("numbers", { key: string, value: string })
const Doubled = S.topic("doubled", { key: string, value: string })

export default S.pipeline("fails", () =>
  S.stream(Numbers).pipe(
    S.map((text) => {
      if (Number.isNaN(Number(text))) throw new Error(`${text} is no number`)
      return String(2 * Number(text))
    }),
    S.to(Doubled),
  ),
)
