/**
 * The samples as a picture: one panel over the other, each with a scale of its own, time from left to right.
 */
import { type Sample, totalOf } from "./samples.ts"

const WIDTH = 960
const PANEL_HEIGHT = 180
const MARGIN = { left: 60, right: 150, top: 24, bottom: 24 }
const COLOURS = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd"]

interface Panel {
  readonly title: string
  readonly lines: Readonly<Record<string, (sample: Sample, before: Sample | undefined) => number | undefined>>
}

const PANELS: readonly Panel[] = [
  {
    title: "memory, MB",
    lines: {
      resident: ({ rssMb }) => rssMb,
      "V8 heap": ({ heapMb }) => heapMb,
      "outside of it": ({ externalMb }) => externalMb,
    },
  },
  {
    title: "descriptors",
    lines: {
      all: ({ descriptors }) => totalOf(descriptors),
      sockets: ({ descriptors }) => descriptors.sockets,
      "data files": ({ descriptors }) => descriptors.data,
    },
  },
  { title: "threads", lines: { threads: ({ threads }) => threads } },
  {
    title: "records a second",
    lines: { written: rate(({ written }) => written), "read again": rate(({ audited }) => audited) },
  },
]

function rate(of: (sample: Sample) => number) {
  return (sample: Sample, before: Sample | undefined): number | undefined =>
    before && (of(sample) - of(before)) / (sample.seconds - before.seconds)
}

export function plot(samples: readonly Sample[]): string {
  const height = PANELS.length * PANEL_HEIGHT
  const panels = PANELS.map((panel, index) => drawn(panel, samples, index * PANEL_HEIGHT))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    ...panels,
    "</svg>\n",
  ].join("\n")
}

function drawn({ title, lines }: Panel, samples: readonly Sample[], y: number): string {
  const endSeconds = samples.at(-1)?.seconds ?? 1
  const series = Object.entries(lines).map(([name, of]) => ({
    name,
    points: samples.flatMap((sample, index) => {
      const value = of(sample, samples[index - 1])
      return value === undefined ? [] : [{ seconds: sample.seconds, value }]
    }),
  }))
  const most = Math.max(1, ...series.flatMap(({ points }) => points.map(({ value }) => value))) * 1.1
  const left = MARGIN.left
  const right = WIDTH - MARGIN.right
  const top = y + MARGIN.top
  const bottom = y + PANEL_HEIGHT - MARGIN.bottom
  const atX = (seconds: number) => left + ((right - left) * seconds) / endSeconds
  const atY = (value: number) => bottom - ((bottom - top) * value) / most
  const out = [`<text x="${left}" y="${top - 8}" font-weight="bold">${title}</text>`]
  for (const part of [0, 0.5, 1]) {
    const value = most * part
    out.push(
      `<line x1="${left}" x2="${right}" y1="${atY(value)}" y2="${atY(value)}" stroke="#ddd"/>`,
      `<text x="${left - 6}" y="${atY(value) + 4}" text-anchor="end">${value < 10 ? value.toFixed(1) : Math.round(value)}</text>`,
    )
  }
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    const seconds = endSeconds * part
    out.push(
      `<text x="${atX(seconds)}" y="${bottom + 14}" text-anchor="middle">${(seconds / 60).toFixed(1)} min</text>`,
    )
  }
  for (const [index, { name, points }] of series.entries()) {
    const path = points.map(({ seconds, value }) => `${atX(seconds).toFixed(1)},${atY(value).toFixed(1)}`).join(" ")
    out.push(
      `<polyline points="${path}" fill="none" stroke="${COLOURS[index]}" stroke-width="1.2"/>`,
      `<text x="${right + 8}" y="${top + 12 + index * 14}" fill="${COLOURS[index]}">${name}</text>`,
    )
  }
  return out.join("\n")
}
