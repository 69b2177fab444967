import { expose } from 'comlink'
import type { Backend } from '../../src/backend/backend'
import { loadWasm } from '../../src/backend/wasm/index'
import { parseGguf } from '../../src/gguf/parse'
import { readModel } from '../../src/model/read-model'
import { openModelUrl } from '../../src/store/model-url'
import { type ChatTemplate, loadChatTemplate } from '../../src/tokenizer/chat-template'
import { createTokenizer, type Tokenizer } from '../../src/tokenizer/tokenizer'

/** Two choices closer than this say nothing about who is right; conformance tests use the same. */
const NEAR_TIE_NATS = 0.05

/** Forced decoding: what Minnow's WebAssembly backend thinks of somebody's answer, token by token. */
class Judge {
  #backend: Backend | null = null
  #tokenizer: Tokenizer | null = null
  #template: ChatTemplate | null = null

  async load(modelUrl: string): Promise<void> {
    const { source } = await openModelUrl(modelUrl)
    const gguf = await parseGguf(source)
    this.#tokenizer = createTokenizer(gguf)
    this.#template = await loadChatTemplate(gguf, this.#tokenizer)
    this.#backend = await loadWasm({ model: await readModel(gguf, source), bytes: source })
  }

  /** Tokens of `answer`, and how many of them are the likeliest there or as good as that. */
  async agreement(question: string, answer: string): Promise<{ tokens: number; agreed: number }> {
    if (!this.#backend || !this.#tokenizer || !this.#template) throw new Error('load() comes first')
    const prompt = this.#template.encode([{ role: 'user', content: question }])
    const ids = [...prompt, ...this.#tokenizer.encode(answer)]
    const session = this.#backend.createSession({ contextLength: ids.length })
    let agreed = 0
    try {
      while (session.length < ids.length - 1) {
        const start = session.length
        const batch = ids.slice(start, Math.min(start + this.#backend.maxBatch, ids.length - 1))
        const rows = await session.forward(batch, { outputs: batch.length })
        rows.forEach((logits, i) => {
          const at = start + i + 1
          if (at < prompt.length) return
          if (logits.maximum - logits.values()[ids[at]!]! <= NEAR_TIE_NATS) agreed++
        })
      }
    } finally {
      session.dispose()
    }
    return { tokens: ids.length - prompt.length, agreed }
  }
}

export type { Judge }

expose(new Judge())
