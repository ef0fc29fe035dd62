/**
 * THE table of routes, in the order in which they are tried.
 */
import { compatibilityRoutes } from "./compatibility.ts"
import { type Identity, metadataRoutes } from "./metadata.ts"
import type { Route } from "./route.ts"
import { schemaRoutes } from "./schemas.ts"
import { settingRoutes } from "./settings.ts"
import { subjectRoutes } from "./subjects.ts"

export const routes = (identity: () => Identity): readonly Route[] => [
  ...metadataRoutes(identity),
  ...schemaRoutes,
  ...subjectRoutes,
  ...compatibilityRoutes,
  ...settingRoutes,
]
