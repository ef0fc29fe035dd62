/**
 * The converters that a worker offers unless it is given others.
 */
import { avroConverter } from "./avro.ts"
import { basicConverters } from "./basic.ts"
import type { ConverterDefinition } from "./converter.ts"
import { jsonConverter } from "./json.ts"

export const standardConverters: readonly ConverterDefinition[] = [avroConverter, jsonConverter, ...basicConverters]
