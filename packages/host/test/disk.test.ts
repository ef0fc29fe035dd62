import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { describe } from "vitest"
import { nodeDisk } from "../src/node/index.ts"
import { diskConformance } from "./conformance/disk.ts"

describe("the real disk", () => diskConformance(nodeDisk, () => mkdtempSync(path.join(tmpdir(), "millrace-disk-"))))
