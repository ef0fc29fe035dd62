import { describe, expect, it } from "vitest"
import { ErrorCode, errorCodes, errorMessage, errorName, isRetriable, KafkaError } from "../src/errors.ts"

describe("the error table", () => {
  it("has every code from -1 to 136 once, in order", () => {
    expect(errorCodes()).toEqual(Array.from({ length: 138 }, (_, i) => i - 1))
  })

  it("goes from name to code and back", () => {
    for (const [name, code] of Object.entries(ErrorCode)) expect(errorName(code)).toBe(name)
  })

  it("says something of its own for each code, in one line", () => {
    const messages = errorCodes().map(errorMessage)
    expect(new Set(messages).size).toBe(messages.length)
    for (const message of messages) expect(message).toMatch(/^[a-z].{5,}[^.\n]$/)
  })

  it.each([
    ["NOT_LEADER_OR_FOLLOWER", 6, true],
    ["COORDINATOR_LOAD_IN_PROGRESS", 14, true],
    ["NOT_ENOUGH_REPLICAS_AFTER_APPEND", 20, true],
    ["REBALANCE_IN_PROGRESS", 27, false],
    ["INVALID_PRODUCER_EPOCH", 47, false],
    ["CONCURRENT_TRANSACTIONS", 51, true],
    ["UNSTABLE_OFFSET_COMMIT", 88, true],
    ["PRODUCER_FENCED", 90, false],
    ["UNKNOWN_TOPIC_ID", 100, true],
    ["TRANSACTION_ABORTABLE", 120, false],
    ["SHARE_SESSION_LIMIT_REACHED", 133, true],
    ["CONTROLLER_ID_NOT_REGISTERED", 136, false],
  ] as const)("%s is %i, retriable %s", (name, code, retriable) => {
    expect(ErrorCode[name]).toBe(code)
    expect(isRetriable(code)).toBe(retriable)
  })

  it("names codes of a later Kafka without knowing them", () => {
    expect(errorName(999)).toBe("UNKNOWN_ERROR_999")
    expect(isRetriable(999)).toBe(false)
    expect(errorMessage(999)).toContain("999")
  })
})

describe("KafkaError", () => {
  it("carries code, name and whether to try again", () => {
    const error = new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "topic flights, partition 3")
    expect(error).toMatchObject({ code: 3, errorName: "UNKNOWN_TOPIC_OR_PARTITION", retriable: true })
    expect(error.message).toBe("UNKNOWN_TOPIC_OR_PARTITION: topic flights, partition 3")
  })

  it("says what the code means when there is no detail", () => {
    expect(new KafkaError(25).message).toBe("UNKNOWN_MEMBER_ID: the coordinator knows no such member; rejoin the group")
  })
})
