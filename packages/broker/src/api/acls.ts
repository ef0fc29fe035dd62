/**
 * DescribeAcls (key 29), CreateAcls (30) and DeleteAcls (31), v1-3: this broker keeps no access control lists, and says so
 * as a Kafka without an authorizer does: SECURITY_DISABLED, which tools and MirrorMaker know to live with.
 */
import { ErrorCode } from "@millrace/protocol"
import { CreateAcls } from "@millrace/protocol/messages/create-acls"
import { DeleteAcls } from "@millrace/protocol/messages/delete-acls"
import { DescribeAcls } from "@millrace/protocol/messages/describe-acls"
import { handler } from "./handler.ts"

const disabled = {
  errorCode: ErrorCode.SECURITY_DISABLED,
  errorMessage: "No authorizer keeps access control lists on this broker.",
}
const refused = { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, errorMessage: null }

export const describeAcls = handler(DescribeAcls, {
  permissions: [{ operation: "DESCRIBE", resource: "CLUSTER" }],
  handle(_, context, __, reply) {
    reply({ ...(context.may("DESCRIBE", "CLUSTER") ? disabled : refused), resources: [] })
  },
})

export const createAcls = handler(CreateAcls, {
  permissions: [{ operation: "ALTER", resource: "CLUSTER" }],
  handle({ creations }, context, _, reply) {
    const result = context.may("ALTER", "CLUSTER") ? disabled : refused
    reply({ results: creations.map(() => result) })
  },
})

export const deleteAcls = handler(DeleteAcls, {
  permissions: [{ operation: "ALTER", resource: "CLUSTER" }],
  handle({ filters }, context, _, reply) {
    const result = context.may("ALTER", "CLUSTER") ? disabled : refused
    reply({ filterResults: filters.map(() => ({ ...result, matchingAcls: [] })) })
  },
})
