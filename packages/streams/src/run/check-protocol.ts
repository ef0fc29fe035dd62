/**
 * Whether the cluster and the other members speak the group protocol that a run asks for; in words that name the option and
 * what to do about it.
 */
import { type Admin, ErrorCode, KafkaError, UnsupportedVersionError } from "@millrace/client"
import { PipelineError } from "../errors.ts"
import type { ResolvedRunOptions } from "./options.ts"

type Asked = Pick<ResolvedRunOptions, "applicationId" | "groupProtocol">

/** Before anything is made in the cluster. */
export async function checkProtocol(admin: Admin, { applicationId, groupProtocol }: Asked): Promise<void> {
  if (groupProtocol !== "streams") return
  const fault = await admin.streamsGroupsFault()
  if (fault !== undefined) throw unsupported(applicationId, fault)
}

const unsupported = (applicationId: string, reason: string): PipelineError =>
  new PipelineError(
    `application "${applicationId}": groupProtocol "streams" needs a cluster that serves streams groups (KIP-1071), and ` +
      `${reason}: take groupProtocol "classic", or Kafka 4.2 or later with ` +
      "`kafka-features.sh --bootstrap-server HOST:PORT upgrade --feature streams.version=1`",
  )

/** A failure of the group's in the words of the run; others as they are. */
export function explainFailure(failure: unknown, { applicationId, groupProtocol }: Asked): unknown {
  if (failure instanceof UnsupportedVersionError && groupProtocol === "streams")
    return unsupported(applicationId, failure.message)
  if (!(failure instanceof KafkaError)) return failure
  const explained = (advice: string) =>
    new PipelineError(`application "${applicationId}": ${failure.message}: ${advice}`, { cause: failure })
  if (failure.code === ErrorCode.INCONSISTENT_GROUP_PROTOCOL || failure.code === ErrorCode.GROUP_ID_NOT_FOUND)
    return explained("all processes must have the same groupProtocol; stop the others first")
  if (groupProtocol !== "streams") return failure
  if (failure.code === ErrorCode.UNSUPPORTED_VERSION)
    return unsupported(applicationId, `it refuses them (${failure.message})`)
  return TOPOLOGY_FAULTS.has(failure.code)
    ? explained(
        "a streams group keeps the topology that it began with; stop all its members and delete the group, or give " +
          "this version of the pipeline its own applicationId",
      )
    : failure
}

const TOPOLOGY_FAULTS: ReadonlySet<number> = new Set([
  ErrorCode.INVALID_REQUEST,
  ErrorCode.STREAMS_INVALID_TOPOLOGY,
  ErrorCode.STREAMS_INVALID_TOPOLOGY_EPOCH,
  ErrorCode.STREAMS_TOPOLOGY_FENCED,
])
