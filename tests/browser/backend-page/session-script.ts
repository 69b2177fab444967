import type { Backend, BackendSession, Draw, LogitDetail, Logits } from '../../../src/backend/backend'
import { isEngineError } from '../../../src/contract/error'

/** What is done with a session, as data: it crosses into a page, and runs on the reference as well. */
export type SessionStep =
  | { forward: number[]; outputs?: number; detail?: LogitDetail; temperature?: number }
  /** So many of the likeliest tokens, or of drawn ones; two calls under way where the backend follows itself. */
  | { follow: number; detail?: LogitDetail; temperature?: number; draw?: Draw }
  | { truncate: number }
  | { shift: [from: number, to: number] }

export interface StepResult {
  /** Tokens in the KV cache afterwards. */
  length: number
  outputs: Output[]
  /** Code of the error the step was refused with. */
  error: string | null
}

/** Logits as they cross into a page; what the step's detail does not give is null. */
export interface Output {
  /** That a step of following appended by itself. */
  token: number | null
  argmax: number
  maximum: number
  logSumExp: number
  margin: number
  entropy: number
  tempered: number | null
  top: { ids: number[]; logits: number[] } | null
  values: number[] | null
  hidden: number[] | null
}

export async function runScript(
  backend: Backend,
  contextLength: number,
  steps: readonly SessionStep[],
): Promise<StepResult[]> {
  const session = backend.createSession({ contextLength })
  const results: StepResult[] = []
  let newest: Output | undefined
  for (const step of steps) {
    let outputs: Output[] = []
    let error: string | null = null
    try {
      outputs = await runStep(session, step, newest)
    } catch (thrown) {
      if (!isEngineError(thrown)) throw thrown
      error = thrown.code
    }
    newest = outputs.at(-1) ?? newest
    results.push({ length: session.length, outputs, error })
  }
  session.dispose()
  return results
}

async function runStep(
  session: BackendSession,
  step: SessionStep,
  newest: Output | undefined,
): Promise<Output[]> {
  if ('truncate' in step) {
    session.truncate(step.truncate)
    return []
  }
  if ('shift' in step) {
    session.shift(...step.shift)
    return []
  }
  const { detail = 'all', temperature } = step
  if ('forward' in step) {
    const { outputs = 1 } = step
    const rows = await session.forward(step.forward, { outputs, detail, temperature })
    return rows.map((logits) => copyOf(logits, detail))
  }
  const outputs: Output[] = []
  if (session.follow === undefined) {
    for (let token = newest!.argmax; outputs.length < step.follow; token = outputs.at(-1)!.argmax) {
      const [logits] = await session.forward([token], { detail })
      outputs.push(copyOf(logits!, detail))
    }
    return outputs
  }
  const { draw } = step
  let ahead = session.follow({ detail, temperature, draw })
  for (let i = 0; i < step.follow; i++) {
    const current = ahead
    if (i + 1 < step.follow) ahead = session.follow({ detail, temperature, draw })
    const logits = await current
    outputs.push({ ...copyOf(logits, detail), token: logits.token })
  }
  return outputs
}

function copyOf(logits: Logits, detail: LogitDetail): Output {
  const { argmax, maximum, logSumExp, margin, entropy, tempered = null, top } = logits
  return {
    token: null,
    argmax,
    maximum,
    logSumExp,
    margin,
    entropy,
    tempered,
    top: top && { ids: Array.from(top.ids), logits: Array.from(top.logits) },
    values: detail === 'all' ? Array.from(logits.values()) : null,
    hidden: detail === 'all' ? Array.from(logits.hidden()) : null,
  }
}
