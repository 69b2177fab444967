import { makeProbe } from '../backend/device/probe'
import { loadReference } from '../backend/reference/load'
import type { ByteSource } from '../contract/bytes'
import { isEngineError } from '../contract/error'
import { type Probe, SAMPLE_TEXT } from '../contract/probe'
import { parseGguf } from '../gguf/parse'
import { readModel } from '../model/read-model'
import { createTokenizer } from '../tokenizer/tokenizer'

/**
 * What the plain reference makes of a text, for the manifest. Needs four bytes a weight.
 * @returns null for a model that Minnow does not run
 */
export async function probeOf(bytes: ByteSource): Promise<Probe | null> {
  const gguf = await parseGguf(bytes)
  try {
    const tokens = Array.from(createTokenizer(gguf).encode(SAMPLE_TEXT))
    const reference = await loadReference({ model: await readModel(gguf, bytes), bytes })
    try {
      return await makeProbe(reference, tokens)
    } finally {
      reference.dispose()
    }
  } catch (error) {
    if (isEngineError(error, 'unsupported')) return null
    throw error
  }
}
