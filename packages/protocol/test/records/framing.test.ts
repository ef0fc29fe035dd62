import { describe, expect, it } from "vitest"
import { ProtocolError } from "../../src/bytes/fault.ts"
import {
  coordinatorRecordType,
  decodeCoordinatorKey,
  decodeCoordinatorValue,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from "../../src/records/coordinator-record.ts"
import { groupRecords, metadataRecords } from "../../src/records/index.ts"
import { decodeMetadataRecord, encodeMetadataRecord, metadataRecordHeader } from "../../src/records/metadata-record.ts"
import { OffsetCommitKey, OffsetCommitValue } from "../../src/records/offset-commit.ts"
import { FeatureLevelRecord } from "../../src/records/feature-level.ts"
import { TopicRecord } from "../../src/records/topic.ts"

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

describe("coordinator records", () => {
  const key = { group: "g", topic: "t", partition: 5 }
  const value = { offset: 7, metadata: "m", commitTimestamp: 1 }

  it("carry their type before the key and their version before the value", () => {
    const bytes = encodeCoordinatorKey(OffsetCommitKey, key)
    expect(hex(bytes)).toBe("000100016700017400000005")
    expect(coordinatorRecordType(bytes)).toBe(OffsetCommitKey.key)
    expect(groupRecords.get(coordinatorRecordType(bytes))?.key).toBe(OffsetCommitKey)
    expect(decodeCoordinatorKey(OffsetCommitKey, bytes)).toEqual(key)
  })

  it.each([0, 1, 2, 3, 4])("are read in the version they were written in (v%i)", (version) => {
    const bytes = encodeCoordinatorValue(OffsetCommitValue, version, value)
    expect(Buffer.from(bytes).readInt16BE()).toBe(version)
    expect(decodeCoordinatorValue(OffsetCommitValue, bytes)).toMatchObject(value)
  })

  it("of a later version or without one are refused", () => {
    expect(() => decodeCoordinatorValue(OffsetCommitValue, Buffer.from("0009", "hex"))).toThrow("valid are 0-4")
    expect(() => decodeCoordinatorValue(OffsetCommitValue, Buffer.from("00", "hex"))).toThrow(ProtocolError)
  })
})

describe("metadata records", () => {
  it("carry frame version, type and version", () => {
    const value = { name: "metadata.version", featureLevel: 25 }
    const bytes = encodeMetadataRecord(FeatureLevelRecord, 0, value)
    expect(hex(bytes.subarray(0, 3))).toBe("010c00")
    const header = metadataRecordHeader(bytes)
    expect(metadataRecords.get(header.type)).toBe(FeatureLevelRecord)
    expect(decodeMetadataRecord(FeatureLevelRecord, header, bytes)).toEqual(value)
    expect(() => decodeMetadataRecord(TopicRecord, header, bytes)).toThrow("the record is of type 12")
  })

  it.each(["", "020c00", "01"])("refuses %j", (text) => {
    expect(() => metadataRecordHeader(Buffer.from(text, "hex"))).toThrow(ProtocolError)
  })
})
