/**
 * UpdateFeatures (key 57), v0-2: raises or lowers the levels of the cluster's features (KIP-584). v1 kinds of downgrade and
 * validateOnly (KIP-778) · v2 one error for all features. metadata.version cannot be lowered; without group.version or
 * streams.version the groups of that protocol are not served.
 *
 * Errors: INVALID_UPDATE_VERSION, CLUSTER_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { UpdateFeatures } from "@millrace/protocol/messages/update-features"
import { updateFeatures as decide } from "../controller/features.ts"
import { handler } from "./handler.ts"

const VERSION_ONE_ERROR = 2

export const updateFeatures = handler(UpdateFeatures, {
  permissions: [{ operation: "ALTER", resource: "CLUSTER" }],
  handle(request, context, { image, controller }, reply) {
    if (!context.may("ALTER", "CLUSTER")) {
      const errorMessage = "Cluster authorization failed."
      return reply({ errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, errorMessage, results: [] })
    }
    const outcome = controller.commit(decide(image, request))
    const tellsEach = outcome.errorCode === ErrorCode.NONE && context.apiVersion < VERSION_ONE_ERROR
    reply({
      ...outcome,
      results: tellsEach ? request.featureUpdates.map(({ feature }) => ({ feature, ...outcome })) : [],
    })
  },
})
