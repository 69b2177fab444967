import { describe, expect, it } from 'vitest'
import { contentText } from '../../src/contract/chat-messages'
import { Chat } from '../../src/widget/chat'
import type { ChatEvents } from '../../src/widget/chat-options'
import type { Turn } from '../../src/widget/turn'
import type {
  ChatCompletionChunk,
  ChatCompletionParams,
  Engine,
  RequestOptions,
} from '../../src/contract/engine'
import { EngineError } from '../../src/contract/error'
import type { RouteEvent, SettledRoute } from '../../src/contract/route'

const INFO: Engine['info'] = {
  model: 'fake',
  backend: 'other',
  variant: 'fake',
  threads: 1,
  contextLength: 2048,
  weightsBytes: 10,
  memoryBytes: 20,
}

type Answer = (params: ChatCompletionParams, signal: AbortSignal | undefined) => AsyncIterable<string>

function fakeEngine(answer: Answer, seen: ChatCompletionParams[] = []): Engine {
  const create = async (params: ChatCompletionParams, { signal }: RequestOptions = {}) => {
    seen.push(structuredClone(params))
    return (async function* (): AsyncGenerator<ChatCompletionChunk> {
      for await (const content of answer(params, signal)) yield chunk(content, null)
      yield chunk('', 'stop')
    })()
  }
  return {
    info: INFO,
    chat: { completions: { create: create as unknown as Engine['chat']['completions']['create'] } },
    dispose: async () => undefined,
  }
}

function chunk(content: string, finish: 'stop' | null): ChatCompletionChunk {
  const choices = [{ index: 0, delta: { content }, finish_reason: finish, logprobs: null }]
  return { id: '', object: 'chat.completion.chunk', created: 0, model: INFO.model, choices }
}

async function* echo({ messages }: ChatCompletionParams): AsyncGenerator<string> {
  yield 'you said '
  yield contentText(messages.at(-1)?.content)
}

async function* endless(_: ChatCompletionParams, signal: AbortSignal | undefined): AsyncGenerator<string> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    if (signal?.aborted === true) throw signal.reason
    yield 'x'
  }
}

function record(): { log: string[]; turns: Turn[]; retries: (() => void)[]; events: ChatEvents } {
  const log: string[] = []
  const turns: Turn[] = []
  const retries: (() => void)[] = []
  return {
    log,
    turns,
    retries,
    events: {
      engineChanged: ({ phase }) => log.push(phase),
      turnsChanged: (shown) => {
        turns.splice(0, Infinity, ...shown)
      },
      answerGrew: () => undefined,
      answerReplaced: () => undefined,
      turnChanged: ({ state }) => log.push(state),
      measured: () => undefined,
      failed: (error, retry) => {
        log.push(error instanceof EngineError ? error.code : 'other')
        retries.push(retry)
      },
    },
  }
}

describe('Chat', () => {
  it('answers, once the engine is there, with the conversation so far', async () => {
    const seen: ChatCompletionParams[] = []
    const { events, turns, log } = record()
    const chat = new Chat({ open: async () => fakeEngine(echo, seen), events })
    await chat.ask('one')
    await chat.ask('two')
    expect(turns.map(({ answer }) => answer)).toEqual(['you said one', 'you said two'])
    expect(seen[1]?.messages[0]?.role).toBe('system')
    expect(seen[1]?.messages.slice(1)).toEqual([
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'you said one' },
      { role: 'user', content: 'two' },
    ])
    expect(log).toEqual(['loading', 'ready', 'answering', 'done', 'answering', 'done'])
    expect(chat.busy).toBe(false)
  })

  it('keeps what was answered when it is stopped', async () => {
    const { events, turns } = record()
    const chat = new Chat({ open: async () => fakeEngine(endless), events })
    const asking = chat.ask('go on')
    await expect.poll(() => turns[0]?.answer.length ?? 0).toBeGreaterThan(2)
    chat.stop()
    await asking
    expect(turns[0]?.state).toBe('stopped')
    expect(turns[0]?.answer).toMatch(/^x{3,}$/)
  })

  it('stops a question that waits for the engine', async () => {
    const { events, turns } = record()
    const chat = new Chat({ open: () => new Promise(() => undefined), events })
    const asking = chat.ask('anyone?')
    chat.stop()
    await asking
    expect(turns[0]?.state).toBe('stopped')
  })

  it('loads again and asks again after a failed load', async () => {
    const { events, log, turns, retries } = record()
    let attempts = 0
    const open = async (): Promise<Engine> => {
      if (++attempts === 1) throw new EngineError('network', 'no way there')
      return fakeEngine(echo)
    }
    const chat = new Chat({ open, events })
    await chat.ask('hello')
    expect(log).toEqual(['loading', 'failed', 'network', 'failed'])
    retries[0]?.()
    await expect.poll(() => turns[0]?.state).toBe('done')
    expect(turns.map(({ answer }) => answer)).toEqual(['you said hello'])
  })

  it('opens a new engine after its worker died', async () => {
    const { events, log, turns, retries } = record()
    let opened = 0
    const open = async (): Promise<Engine> => {
      opened++
      return fakeEngine(opened === 1 ? lost : echo)
    }
    const chat = new Chat({ open, events })
    await chat.ask('hello')
    expect(log).toContain('worker-lost')
    retries[0]?.()
    await expect.poll(() => turns[0]?.state).toBe('done')
    expect(opened).toBe(2)
  })

  it('loads another engine when it is told to, and gives up the one that was or was to come', async () => {
    const { events, log, turns } = record()
    const signals: AbortSignal[] = []
    const disposed: number[] = []
    let arrive = (): void => undefined
    const chat = new Chat({
      events,
      open: async ({ signal }) => {
        const id = signals.push(signal)
        if (id === 1) {
          await new Promise<void>((resolve) => {
            arrive = resolve
          })
        }
        return { ...fakeEngine(id === 3 ? echo : endless), dispose: async () => void disposed.push(id) }
      },
    })
    chat.load()
    chat.reload()
    arrive()
    const asking = chat.ask('hello')
    await expect.poll(() => turns[0]?.answer.length ?? 0).toBeGreaterThan(2)
    chat.reload()
    await asking
    expect(turns[0]?.state).toBe('stopped')
    await chat.ask('again')
    expect(turns[1]?.answer).toBe('you said again')
    expect(disposed).toEqual([1, 2])
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, false])
    expect(log).not.toContain('failed')
  })

  it('leaves turns without an answer out of the conversation', async () => {
    const seen: ChatCompletionParams[] = []
    const { events } = record()
    let failing = true
    const answer: Answer = (params) => (failing ? overflowing() : echo(params))
    const chat = new Chat({ open: async () => fakeEngine(answer, seen), events })
    await chat.ask('too long')
    failing = false
    await chat.ask('short')
    expect(seen[1]?.messages.slice(1)).toEqual([{ role: 'user', content: 'short' }])
  })

  it('keeps an edited question and another answer as branches, and tells the engine of one only', async () => {
    const seen: ChatCompletionParams[] = []
    const { events, turns } = record()
    const chat = new Chat({ open: async () => fakeEngine(echo, seen), events })
    await chat.ask('one')
    await chat.ask('two')
    const [one, two] = [...turns]
    await chat.edit(one!, 'uno')
    expect(turns.map(({ question }) => question)).toEqual(['uno'])
    await chat.ask('due')
    expect(
      seen
        .at(-1)
        ?.messages.slice(1)
        .map(({ content }) => content),
    ).toEqual(['uno', 'you said uno', 'due'])
    chat.select(one!)
    expect(turns).toEqual([one, two])
    await chat.regenerate(two!)
    expect(turns[1]).toMatchObject({ question: 'two', answer: 'you said two' })
    expect(chat.siblings(two!)).toEqual([two, turns[1]])
    expect(chat.allTurns).toHaveLength(5)
  })

  it('goes on with an answer that was cut, and keeps it where that fails', async () => {
    const seen: ChatCompletionParams[] = []
    const { events, turns, log } = record()
    let answer: Answer = endless
    const chat = new Chat({ open: async () => fakeEngine((...given) => answer(...given), seen), events })
    const asking = chat.ask('go on')
    await expect.poll(() => turns[0]?.answer.length ?? 0).toBeGreaterThan(2)
    chat.stop()
    await asking
    const begun = turns[0]!.answer
    answer = overflowing
    await chat.continueAnswer(turns[0]!)
    expect(turns[0]).toMatchObject({ answer: begun, state: 'stopped' })
    expect(log).toContain('context-overflow')
    answer = async function* () {
      yield ' and on'
    }
    await chat.continueAnswer(turns[0]!)
    expect(turns[0]).toMatchObject({ answer: `${begun} and on`, state: 'done' })
    expect(seen.at(-1)).toMatchObject({
      minnow: { continueAnswer: true, route: { mode: 'only-on-device' } },
    })
    expect(seen.at(-1)?.messages.at(-1)).toEqual({ role: 'assistant', content: begun })
  })

  it('asks with the settings of the conversation', async () => {
    const seen: ChatCompletionParams[] = []
    const { events } = record()
    const chat = new Chat({ open: async () => fakeEngine(echo, seen), events })
    chat.settings = { system: '', temperature: 1.5, topP: 0.5, maxTokens: 9, mode: 'only-on-device' }
    await chat.ask('one')
    expect(seen[0]).toMatchObject({
      messages: [{ role: 'user', content: 'one' }],
      temperature: 1.5,
      top_p: 0.5,
      max_tokens: 9,
      minnow: { route: { mode: 'only-on-device', scope: chat.id } },
    })
    chat.clear()
    await chat.ask('two')
    expect(seen[1]?.messages[0]?.role).toBe('system')
    expect(seen[1]?.minnow?.route?.scope).not.toBe(seen[0]?.minnow?.route?.scope)
  })

  it('asks anew while what was stopped still ends', async () => {
    const { events, turns } = record()
    let answer: Answer = endless
    const chat = new Chat({ open: async () => fakeEngine((...given) => answer(...given)), events })
    const asking = chat.ask('go on')
    await expect.poll(() => turns[0]?.answer.length ?? 0).toBeGreaterThan(2)
    chat.clear()
    answer = echo
    expect(chat.busy).toBe(false)
    await Promise.all([asking, chat.ask('short')])
    expect(turns.map(({ answer: text }) => text)).toEqual(['you said short'])
  })

  it('takes one question at a time', async () => {
    const { events, turns } = record()
    const chat = new Chat({ open: async () => fakeEngine(echo), events })
    const asking = chat.ask('first')
    expect(await chat.ask('second')).toBe(false)
    expect(await asking).toBe(true)
    expect(turns.map(({ question }) => question)).toEqual(['first'])
  })
})

/** Chunks as a router gives them: text, and its events. */
function router(answers: (RouteEvent | string | Error)[][], seen: ChatCompletionParams[] = []): Engine {
  const create = async (params: ChatCompletionParams) => {
    seen.push(structuredClone(params))
    const parts = answers.shift() ?? []
    return (async function* (): AsyncGenerator<ChatCompletionChunk> {
      for (const part of parts) {
        await Promise.resolve()
        if (part instanceof Error) throw part
        if (typeof part === 'string') yield chunk(part, null)
        else {
          if (part.type === 'settled') yield chunk('', 'stop')
          yield { ...chunk('', null), choices: [], minnow: { route: part } }
        }
      }
    })()
  }
  return {
    info: INFO,
    chat: { completions: { create: create as unknown as Engine['chat']['completions']['create'] } },
    dispose: async () => undefined,
  }
}

const DECISION = {
  action: 'escalate',
  stage: 'after',
  reason: 'unsure',
  confidence: 0.2,
  threshold: 0.5,
  rule: null,
} as const
const ASKING: RouteEvent = { type: 'asking', purpose: 'answer', model: 'large' }
const UPGRADING: RouteEvent = { type: 'upgrading', model: 'large', decision: DECISION }
const SENT = {
  purpose: 'answer',
  at: 1,
  to: 'https://large.example',
  text: '{}',
  attempt: 1,
  redacted: [],
} as const

function settledBy(kind: 'local' | 'unverified' | 'remote', sent: SettledRoute['sent'] = []): SettledRoute {
  return {
    type: 'settled',
    id: kind,
    source: { kind, model: kind === 'remote' ? 'large' : 'fake', verifiedBy: null },
    confidence: 0.2,
    decision: DECISION,
    sent,
    cost: { spentUsd: 0, savedUsd: 0, priced: false },
    errorCode: null,
    human: false,
  }
}

describe('Chat over a router', () => {
  it('replaces a draft as a whole, and brings it back', async () => {
    const { events, turns } = record()
    const shown: string[] = []
    const chat = new Chat({
      open: async () => fakeEngine(echo),
      route: () =>
        router([
          [
            'a ',
            'draft',
            ASKING,
            UPGRADING,
            'the ',
            { type: 'restoring', model: 'fake' },
            'a draft',
            settledBy('unverified', [SENT]),
          ],
        ]),
      events: { ...events, answerReplaced: ({ answer }) => shown.push(answer) },
    })
    await chat.ask('hello')
    expect(shown).toEqual(['', ''])
    expect(turns[0]).toMatchObject({ answer: 'a draft', progress: null })
    expect(turns[0]?.route?.source.kind).toBe('unverified')
  })

  it('without a router says that the device answered, and sent nothing', async () => {
    const { events, turns } = record()
    const chat = new Chat({ open: async () => fakeEngine(echo), events })
    await chat.ask('hello')
    expect(turns[0]?.route).toMatchObject({ source: { kind: 'local', model: 'fake' }, sent: [] })
  })

  it('keeps the old answer until the bigger model speaks, and takes its own', async () => {
    const { events, turns } = record()
    const seen: ChatCompletionParams[] = []
    const engine = router(
      [
        ['old', settledBy('local')],
        [ASKING, 'new', settledBy('remote', [SENT])],
      ],
      seen,
    )
    const texts: string[] = []
    const chat = new Chat({
      open: async () => fakeEngine(echo),
      route: () => engine,
      events: { ...events, turnChanged: ({ answer }) => texts.push(answer) },
    })
    await chat.ask('hello')
    texts.length = 0
    await chat.askBigger(turns[0]!)
    expect(texts.slice(0, 2)).toEqual(['old', 'old'])
    expect(turns[0]).toMatchObject({ answer: 'new', route: { source: { kind: 'remote' } } })
    expect(seen[1]?.minnow?.route).toMatchObject({
      mode: 'only-in-cloud',
      scope: seen[0]?.minnow?.route?.scope,
    })
  })

  it("goes on from a reader's correction; a new answer takes its place, one that fails does not", async () => {
    const { events, turns } = record()
    const seen: ChatCompletionParams[] = []
    const engine = router(
      [
        ['wrong', settledBy('local')],
        ['more', settledBy('local')],
        [ASKING, new EngineError('network', 'gone')],
        ['bigger', settledBy('remote')],
      ],
      seen,
    )
    const chat = new Chat({ open: async () => fakeEngine(echo), route: () => engine, events })
    await chat.ask('hello')
    const turn = turns[0]!
    chat.correct(turn, 'right')
    expect(turn).toMatchObject({ answer: 'right', corrected: true, state: 'done' })
    await chat.ask('and then?')
    expect(seen[1]?.messages.find(({ role }) => role === 'assistant')?.content).toBe('right')
    await chat.askBigger(turn)
    expect(turn).toMatchObject({ answer: 'right', corrected: true })
    await chat.askBigger(turn)
    expect(turn).toMatchObject({ answer: 'bigger', corrected: false })
    const stranger = { ...turn, id: 'elsewhere' }
    chat.correct(stranger, 'x')
    expect(stranger.answer).toBe('bigger')
  })

  it('keeps the old answer, unconfirmed, where the bigger model breaks off; tells what was sent', async () => {
    const { events, turns, log } = record()
    const engine = router([
      ['old', settledBy('local')],
      [ASKING, 'ne', new EngineError('network', 'gone')],
    ])
    const chat = new Chat({
      open: async () => fakeEngine(echo),
      route: () => engine,
      trace: async () => settledBy('remote', [SENT]),
      events,
    })
    await chat.ask('hello')
    await chat.askBigger(turns[0]!)
    expect(turns[0]).toMatchObject({
      answer: 'old',
      state: 'done',
      route: { source: { kind: 'unverified', model: 'fake' }, errorCode: 'network', sent: [SENT] },
    })
    expect(log).toContain('network')
  })

  it('changes nothing and complains of nothing where the user does not consent', async () => {
    const { events, turns, log } = record()
    const refused = new EngineError('forbidden', 'no', { details: { reason: 'no-consent' } })
    const engine = router([['old', settledBy('local')], [refused]])
    const chat = new Chat({ open: async () => fakeEngine(echo), route: () => engine, events })
    await chat.ask('hello')
    await chat.askBigger(turns[0]!)
    expect(turns[0]).toMatchObject({ answer: 'old', state: 'done', route: { source: { kind: 'local' } } })
    expect(log).not.toContain('forbidden')
  })

  it('asks no bigger model in a conversation that is to stay on the device', async () => {
    const { events, turns, log } = record()
    const asked: ChatCompletionParams[] = []
    const engine = router([['old', settledBy('local')]], asked)
    const chat = new Chat({ open: async () => fakeEngine(echo), route: () => engine, events })
    chat.settings = { ...chat.settings, mode: 'only-on-device' }
    await chat.ask('hello')
    await chat.askBigger(turns[0]!)
    expect(asked).toHaveLength(1)
    expect(turns[0]).toMatchObject({ answer: 'old', state: 'done', route: { source: { kind: 'local' } } })
    expect(log).toContain('forbidden')
  })

  it('shows an answer that comes later in the place of its turn, or as a new one', async () => {
    const { events, turns } = record()
    const chat = new Chat({
      open: async () => fakeEngine(echo),
      route: () => router([['old', settledBy('local')]]),
      events,
    })
    await chat.ask('hello')
    const late = { conversation: chat.id, route: settledBy('remote') }
    expect(await chat.settle({ ...late, id: 'local', question: 'hello', answer: 'later' })).toBe(true)
    expect(await chat.settle({ ...late, id: 'another', question: 'who?', answer: 'them' })).toBe(true)
    const other = { ...late, conversation: 'another', id: 'third', question: 'where?', answer: 'there' }
    expect(await chat.settle(other)).toBe(false)
    expect(turns.map(({ question, answer }) => [question, answer])).toEqual([
      ['hello', 'later'],
      ['who?', 'them'],
    ])
  })
})

async function* lost(): AsyncGenerator<string> {
  yield 'some'
  throw new EngineError('worker-lost', 'gone')
}

async function* overflowing(): AsyncGenerator<string> {
  yield ''
  throw new EngineError('context-overflow', 'too long')
}
