/** Asks at the terminal before something is done that cannot be undone. */
import { createInterface } from "node:readline/promises"

/** Whether the answer to the question is the word that it asks for. */
export async function confirmed(question: string, word: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return (await lines.question(`${question} `)).trim() === word
  } finally {
    lines.close()
  }
}
