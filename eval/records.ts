import type { TokenSignal } from '../src/contract/signals'
import { createLocalEngine } from '../src/engine/local-engine'
import { conversed } from '../src/router/calibration/ask-item'
import type { LabelledItem } from '../src/router/calibration/labelled-item'
import { scoredChoices } from '../src/cli/scored-choices'
import { continued } from './ask'
import type { BareModel } from '../src/workbench/node-open-model'
import { CONTEXT_LENGTH, TextReader } from '../src/workbench/text-reader'

/** Three numbers a token: logprob, margin, entropy. */
export type SignalRow = readonly [number, number, number]

/** What one run of the model on one item left behind; all that fitting needs. */
export interface ItemRecord {
  /** Hidden state of the prompt's last token, base64 of little-endian f32. */
  readonly hidden: string
  readonly promptTokens: number
  /** By comparing texts: each choice's signals, characters, and log-probability without its question. */
  readonly choices?: readonly {
    readonly signals: readonly SignalRow[]
    readonly characters: number
    readonly neutral: number
  }[]
  readonly gold?: number
  /** By generating: what was said, whether it is right, and its signals. */
  readonly text?: string
  readonly isRight?: boolean
  readonly signals?: readonly SignalRow[]
}

export const METHODS = ['score', 'chat', 'read'] as const
/**
 * 'score' compares texts of choices, or goes on with a text; 'chat' asks through the engine, by its chat template;
 * 'read' only evaluates the prompt, for prompt-only routers.
 */
export type Method = (typeof METHODS)[number]

/** Asks the model items of one kind; null where an item cannot be asked so. */
export type Recorder = (item: LabelledItem) => Promise<ItemRecord | null>

export function createRecorder(model: BareModel, method: Method): { record: Recorder; dispose: () => void } {
  if (method === 'chat') return chatRecorder(model)
  const reader = new TextReader(model)
  const neutrals = new Map<string, number>()
  const neutralLogprob = async (context: string, continuation: string): Promise<number> => {
    const key = JSON.stringify([context, continuation])
    const known = neutrals.get(key)
    if (known !== undefined) return known
    const { signals } = await reader.read(reader.encode(context), reader.encodeContinuation(continuation))
    const sum = signals.reduce((total, { logprob }) => total + logprob, 0)
    neutrals.set(key, sum)
    return sum
  }

  const score: Recorder = async (item) => {
    const choices = scoredChoices(item)
    if (choices === null) return goOn(item)
    const rows = []
    let hidden: Float32Array | null = null
    let promptTokens = 0
    for (const { context, continuation } of choices.pairs) {
      const contextIds = reader.encode(context)
      const read = await reader.read(contextIds, reader.encodeContinuation(continuation))
      hidden ??= read.hidden
      promptTokens = Math.max(promptTokens, contextIds.length)
      rows.push({ signals: rowsOf(read.signals), characters: continuation.length, neutral: 0 })
    }
    // Asked last, all together: the question's prefill is shared as long as nothing comes between.
    for (const [index, { continuation }] of choices.pairs.entries()) {
      rows[index]!.neutral = round(await neutralLogprob(choices.neutral, continuation))
    }
    return { hidden: packFloats(hidden!), promptTokens, choices: rows, gold: choices.gold }
  }

  const goOn: Recorder = async (item) => {
    const task = continued(item)
    if (task === null) return null
    const context = reader.encode(task.context)
    const leading = /^\s+/
    const ends = (text: string): boolean => task.stop.test(text.replace(leading, ''))
    const { hidden, signals, text } = await reader.continue(context, task.maxTokens, ends)
    const answer = text.replace(leading, '').split(task.stop)[0]!
    return {
      hidden: packFloats(hidden),
      promptTokens: context.length,
      text: answer,
      isRight: task.isRight(answer),
      signals: rowsOf(signals),
    }
  }

  const read: Recorder = async (item) => {
    if (item.form !== 'routingChoice' && item.form !== 'routingMath') return null
    const context = [...model.template.encode([{ role: 'user', content: item.question }])]
    const { hidden } = await reader.continue(context, 1, () => true)
    return { hidden: packFloats(hidden), promptTokens: context.length }
  }
  return { record: method === 'score' ? score : read, dispose: () => reader.dispose() }
}

function chatRecorder(model: BareModel): { record: Recorder; dispose: () => void } {
  const engine = createLocalEngine({
    id: model.id,
    backend: model.backend,
    tokenizer: model.tokenizer,
    chatTemplate: model.template,
    contextLength: CONTEXT_LENGTH,
    maxSessions: 1,
  })
  const record: Recorder = async (item) => {
    const task = conversed(item)
    if (task === null) return null
    const completion = await engine.chat.completions.create({
      messages: [{ role: 'user', content: task.context }],
      temperature: 0,
      max_tokens: task.maxTokens,
      minnow: { signals: true, overflow: 'slide' },
    })
    const { signals, promptSignals } = completion.minnow!
    const text = completion.choices[0]!.message.content
    return {
      hidden: packFloats(promptSignals!.hidden!),
      promptTokens: promptSignals!.tokens,
      text,
      isRight: task.isRight(text),
      signals: rowsOf(signals!),
    }
  }
  return { record, dispose: () => undefined }
}

function rowsOf(signals: readonly TokenSignal[]): SignalRow[] {
  return signals.map(({ logprob, margin, entropy }) => [round(logprob), round(margin), round(entropy)])
}

function round(value: number): number {
  return Math.round(value * 1e4) / 1e4
}

export function packFloats(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64')
}

export function unpackFloats(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64')
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}
