import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { getLlama, LlamaChatSession, LlamaLogLevel, type ChatHistoryItem } from 'node-llama-cpp'
import { cacheFolder, openSmolLm2 } from '../conformance/model-files'
import type { Answer, Answerer, ChatRequest } from './answers'

export interface NativeAnswers {
  readonly answer: Answerer
  readonly modelName: string
  readonly contextLength: number
  dispose(): Promise<void>
}

/** Gemma 3 270M where `scripts/fetch-gemma.py` has got it, else the embedded SmolLM2 135M; by llama.cpp, on the CPU. */
export async function loadNativeAnswers({ contextLength = 1024 } = {}): Promise<NativeAnswers> {
  const gemma = join(cacheFolder, 'gemma-3-270m-q4_k_m.gguf')
  const modelPath = existsSync(gemma) ? gemma : (await openSmolLm2()).path
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    progressLogs: false,
    logLevel: LlamaLogLevel.error,
    maxThreads: 0,
  })
  const model = await llama.loadModel({ modelPath })
  const context = await model.createContext({ contextSize: contextLength, threads: 2 })
  const sequence = context.getSequence()
  // One sequence: one answer at a time.
  let turn: Promise<unknown> = Promise.resolve()

  const generate = async (
    request: ChatRequest,
    signal: AbortSignal,
    onText: (text: string) => void,
  ): Promise<'stop' | 'length'> => {
    signal.throwIfAborted()
    const session = new LlamaChatSession({ contextSequence: sequence, autoDisposeSequence: false })
    try {
      const last = request.messages.at(-1)
      session.setChatHistory(request.messages.slice(0, -1).map(toHistory))
      const { stopReason } = await session.promptWithMeta(last?.content ?? '', {
        signal,
        stopOnAbortSignal: true,
        maxTokens: request.maxTokens,
        temperature: request.temperature,
        onTextChunk: onText,
      })
      return stopReason === 'maxTokens' ? 'length' : 'stop'
    } finally {
      session.dispose()
    }
  }

  const answer = (request: ChatRequest, signal: AbortSignal): Answer => {
    let finishReason: 'stop' | 'length' = 'stop'
    const text = new TransformStream<string, string>()
    const writer = text.writable.getWriter()
    const run = turn.then(async () => {
      finishReason = await generate(request, signal, (piece) => {
        writer.write(piece).catch(() => undefined)
      })
    })
    turn = run.catch(() => undefined)
    run
      .then(
        () => writer.close(),
        (error: unknown) => writer.abort(error),
      )
      .catch(() => undefined)
    return {
      pieces: text.readable,
      promptTokens: request.messages.reduce((sum, { content }) => sum + model.tokenize(content).length, 0),
      finishReason: () => finishReason,
    }
  }

  return {
    answer,
    modelName: modelPath === gemma ? 'gemma-3-270m' : 'smollm2-135m-instruct',
    contextLength,
    async dispose() {
      await turn
      await context.dispose()
      await model.dispose()
    },
  }
}

function toHistory({ role, content }: ChatRequest['messages'][number]): ChatHistoryItem {
  if (role === 'assistant') return { type: 'model', response: [content] }
  return { type: role === 'system' ? 'system' : 'user', text: content }
}
