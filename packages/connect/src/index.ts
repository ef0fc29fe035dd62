/**
 * Connectors: the face for those who write them (`sdk.ts` alone, without the runtime) and for those who run them.
 */
export * from "./sdk.ts"
export { workerConfig } from "./config/worker-config.ts"
export { type Converter, type ConverterDefinition, defineConverter } from "./converter/converter.ts"
export { standardConverters } from "./converter/standard.ts"
export { startConnect, type Connect, type ConnectOptions } from "./start.ts"
export { type ConfigStore, memoryConfigStore, type StoredConnector } from "./store/config-store.ts"
