import * as z from 'zod/mini'
import { parseManifest, type Manifest } from './manifest'

const time = z.number().check(z.nonnegative())

const recordSchema = z.object({
  version: z.literal(1),
  /** Checked by itself. */
  manifest: z.unknown(),
  /** URLs by which it is asked for; a model without any was imported. */
  sources: z.array(z.string()),
  /** Whether every piece was held once. */
  complete: z.boolean(),
  /** Whether an engine was ever made of it. */
  state: z.enum(['untried', 'proven', 'failed']),
  /** Loads that began since it was last seen to work: a load may take its worker along. */
  attempts: z.int().check(z.nonnegative()),
  imported: z.boolean(),
  /** What a download by the URL of a GGUF file is known by, so that it can go on. */
  from: z.nullable(z.object({ url: z.string(), version: z.string(), sizeBytes: z.number() })),
  /** Milliseconds since 1970. */
  addedAt: time,
  lastUsedAt: z.nullable(time),
  /** A newer version at the source, which is not here. */
  update: z.nullable(z.object({ sha256: z.string(), name: z.string(), sizeBytes: z.number() })),
  /** SHA-256 of newer versions that did not load here. */
  refused: z.array(z.string()),
})

/** What is known of a model on this device, besides its bytes. */
export type ModelRecord = Omit<z.infer<typeof recordSchema>, 'manifest'> & { manifest: Manifest }

/** null for what is no record, or of another version of Minnow. */
export function parseRecord(value: unknown): ModelRecord | null {
  const result = recordSchema.safeParse(value)
  if (!result.success) return null
  try {
    return { ...result.data, manifest: parseManifest(result.data.manifest) }
  } catch {
    return null
  }
}

export function newRecord(
  manifest: Manifest,
  {
    sources = [],
    imported = false,
    from = null,
  }: Partial<Pick<ModelRecord, 'sources' | 'imported' | 'from'>>,
): ModelRecord {
  return {
    version: 1,
    manifest,
    sources,
    complete: false,
    state: 'untried',
    attempts: 0,
    imported,
    from,
    addedAt: Date.now(),
    lastUsedAt: null,
    update: null,
    refused: [],
  }
}
