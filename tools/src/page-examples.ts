/**
 * The examples of a page as files: each block of TypeScript is named by the paragraph before it, which ends with, or has
 * as its last file name, `like-this.ts`. Blocks of one name are one file.
 */
const BLOCK = /(?:^|\n\n)((?:(?!```)[^\n]+\n)*?)\n```ts\n([\s\S]*?)\n```/g
const FILE = /`(?:[^`]* )?([\w-]+(?:\.test)?\.ts)`/g

export function examplesOf(page: string, markdown: string): Map<string, string> {
  const files = new Map<string, string>()
  for (const [, paragraph, code] of markdown.matchAll(BLOCK)) {
    const file = [...paragraph!.matchAll(FILE)].at(-1)?.[1]
    if (file === undefined)
      throw new Error(`${page}: the paragraph before this example names no file, like \`words.ts\`:\n${code}`)
    files.set(file, `${files.get(file) ?? ""}${code}\n`)
  }
  return files
}
