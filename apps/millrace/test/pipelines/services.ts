import { string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { Context, Effect } from "effect"

class Greeter extends Context.Service<Greeter, { greet(name: string): Effect.Effect<string> }>()("Greeter") {}

const Names = S.topic("names", { key: string, value: string })
const Greetings = S.topic("greetings", { key: string, value: string })

export const runOptions = {
  services: Context.make(Greeter, { greet: (name) => Effect.succeed(`hello ${name}`) }),
}

export default S.pipeline("services", () =>
  S.stream(Names).pipe(
    S.mapEffect((name) => Effect.flatMap(Greeter, (greeter) => greeter.greet(name)), {
      concurrency: 1,
      timeout: "1 second",
    }),
    S.to(Greetings),
  ),
)
