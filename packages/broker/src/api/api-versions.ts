/**
 * ApiVersions (key 18), v0-5: the APIs and versions served, and the cluster's features.
 *
 * v3 client software (KIP-511), features (KIP-584) · v4 may list features whose minimum level is 0, which older clients
 * cannot parse (KAFKA-17011) · v5 names the cluster and node the client means (KIP-1242). An unknown version is answered
 * in `dispatch.ts`. Errors: INVALID_REQUEST (malformed software name, a cluster without a node or the reverse), REBOOTSTRAP_REQUIRED (v5).
 */
import { ErrorCode } from "@millrace/protocol"
import { ApiVersions } from "@millrace/protocol/messages/api-versions"
import { supportedFeatures } from "../controller/features.ts"
import { type AnyHandler, handler } from "./handler.ts"
import { advertisedRange } from "./registry.ts"

const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/
const VERSION_SOFTWARE = 3
const VERSION_ZERO_LEVELS = 4
const VERSION_CLUSTER = 5
const NO_NODE = -1

/** `served` is asked at each request: the registry is built after its handlers. */
export const apiVersions = (served: () => Iterable<AnyHandler>) =>
  handler(ApiVersions, {
    // Asked before anyone is authenticated.
    permissions: [],
    handle(request, context, { image, clusterId, nodeId }, reply) {
      const { clientSoftwareName, clientSoftwareVersion } = request
      if (context.apiVersion >= VERSION_SOFTWARE) {
        if (!SOFTWARE.test(clientSoftwareName) || !SOFTWARE.test(clientSoftwareVersion)) {
          reply({ errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [] })
          return
        }
        context.connection.softwareName = clientSoftwareName
        context.connection.softwareVersion = clientSoftwareVersion
      }
      if (context.apiVersion >= VERSION_CLUSTER && (request.clusterId === null) !== (request.nodeId === NO_NODE)) {
        reply({ errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [] })
        return
      }
      // Only a client that names both means a certain node; it kept an address that is now someone else's.
      if (request.clusterId !== null && (request.clusterId !== clusterId || request.nodeId !== nodeId)) {
        reply({ errorCode: ErrorCode.REBOOTSTRAP_REQUIRED, apiKeys: [] })
        return
      }
      reply({
        errorCode: ErrorCode.NONE,
        apiKeys: [...served()].map(advertisedRange).sort((left, right) => left.apiKey - right.apiKey),
        supportedFeatures: supportedFeatures
          .filter(({ minLevel }) => minLevel > 0 || context.apiVersion >= VERSION_ZERO_LEVELS)
          .map(({ name, minLevel, maxLevel }) => ({ name, minVersion: minLevel, maxVersion: maxLevel })),
        // Clients believe in finalized features only under an epoch above -1.
        finalizedFeaturesEpoch: Math.max(0, image.offset),
        finalizedFeatures: [...image.features()].map(([name, level]) => ({
          name,
          maxVersionLevel: level,
          minVersionLevel: level,
        })),
      })
    },
  })
