import * as z from 'zod/mini'
import { EngineError } from '../contract/error'
import { PROBE_READINGS, PROBE_TOKENS, READING_TOKENS } from '../contract/probe'

// A name in the manifest becomes part of a path or a URL: no separators, no leading dot.
const fileName = z.string().check(z.regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/))
const text = z.string().check(z.minLength(1), z.maxLength(1000))
const positive = z.int().check(z.positive())
const digest = z.string().check(z.regex(/^[0-9a-f]{64}$/))

const chunkSchema = z.object({
  file: fileName,
  sizeBytes: positive,
  /** Lower-case hex. */
  sha256: digest,
  /**
   * The chunk cut further, in order, without gaps; the last piece may be shorter. Who has these hashes can use a
   * piece while the rest still comes. Without: the chunk is verified whole.
   */
  pieces: z.optional(z.object({ sizeBytes: positive, sha256: z.array(digest).check(z.maxLength(65_536)) })),
})

const tokenId = z.int().check(z.nonnegative(), z.maximum(2 ** 24))
const readingSchema = z
  .object({
    ids: z.array(tokenId).check(z.minLength(1), z.maxLength(READING_TOKENS)),
    logprobs: z.array(z.number().check(z.maximum(0))),
  })
  .check(z.refine(({ ids, logprobs }) => ids.length === logprobs.length))
const probeSchema = z.object({
  tokens: z.array(tokenId).check(z.length(PROBE_TOKENS)),
  readings: z.array(readingSchema).check(z.length(PROBE_READINGS)),
})

const manifestSchema = z.object({
  schemaVersion: z.literal(1),
  /** The folder's name. */
  id: z.string().check(z.regex(/^[a-z0-9][a-z0-9._-]{0,99}$/)),
  name: text,
  /** As in `general.architecture`. */
  architecture: text,
  /** The type of most weights, for instance 'Q4_1'. */
  quantization: text,
  /** Tokens. */
  contextLength: positive,
  /** Number of weights. */
  parameters: positive,
  /** SPDX identifier. */
  licence: text,
  /** Where the file comes from and whom to name. */
  source: z.object({ url: z.optional(text), attribution: text }),
  /** Name of the whole file. */
  file: fileName,
  sizeBytes: positive,
  /** Of the whole file, lower-case hex. */
  sha256: digest,
  /** What a correct device makes of some tokens: a GPU that does not is refused. Made on the reference. */
  probe: z.optional(probeSchema),
  /** The file, cut: in order, without gaps. */
  chunks: z.array(chunkSchema).check(z.minLength(1), z.maxLength(65_536)),
})

/** One piece of a model's file. */
export type ManifestChunk = Readonly<z.infer<typeof chunkSchema>>

/** What `manifest.json` of a model's folder holds. */
export type Manifest = Readonly<z.infer<typeof manifestSchema>>

/**
 * Checks a manifest, given as the text or the value of its JSON.
 * @throws EngineError 'invalid-model' naming the first field that is wrong and what it is.
 */
export function parseManifest(json: unknown): Manifest {
  let value = json
  if (typeof json === 'string') {
    try {
      value = JSON.parse(json)
    } catch (cause) {
      throw new EngineError(
        'invalid-model',
        `The manifest is no JSON: it starts with "${json.slice(0, 40)}".`,
        { cause },
      )
    }
  }
  const result = manifestSchema.safeParse(value)
  if (!result.success) {
    const path = result.error.issues[0]?.path ?? []
    throw invalidManifest(path.join('.') || 'the manifest', `is ${show(valueAt(value, path))}`)
  }
  const manifest = result.data
  const total = manifest.chunks.reduce((sum, chunk) => sum + chunk.sizeBytes, 0)
  if (total !== manifest.sizeBytes) {
    throw invalidManifest(
      'sizeBytes',
      `is ${manifest.sizeBytes}, but the chunks together have ${total} bytes`,
    )
  }
  for (const [index, { sizeBytes, pieces }] of manifest.chunks.entries()) {
    if (pieces === undefined || pieces.sha256.length === Math.ceil(sizeBytes / pieces.sizeBytes)) continue
    throw invalidManifest(
      `chunks.${index}.pieces`,
      `are ${pieces.sha256.length} of ${pieces.sizeBytes} bytes, but the chunk has ${sizeBytes}`,
    )
  }
  const files = new Set(manifest.chunks.map((chunk) => chunk.file))
  if (files.size !== manifest.chunks.length) throw invalidManifest('chunks', 'name a file twice')
  return manifest
}

function invalidManifest(field: string, problem: string): EngineError {
  return new EngineError(
    'invalid-model',
    `The manifest is not valid: ${field} ${problem}. Make it again with "npm run models:add".`,
    { details: { field } },
  )
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key): unknown => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    value,
  )
}

function show(value: unknown): string {
  if (value === undefined) return 'absent'
  if (Array.isArray(value)) return `an array of ${value.length}`
  const json = JSON.stringify(value) ?? typeof value
  return json.length > 60 ? `${json.slice(0, 60)}…` : json
}
