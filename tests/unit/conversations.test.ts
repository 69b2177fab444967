import * as fakes from 'fake-indexeddb'
import { deleteDB, openDB } from 'idb'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Citation } from '../../src/contract/engine'
import type { EngineError } from '../../src/contract/error'
import { Chat } from '../../src/widget/chat'
import type { ChatEvents } from '../../src/widget/chat-options'
import { DEFAULT_CHAT_SETTINGS } from '../../src/widget/chat-settings'
import { readConversations, writeJson, writeMarkdown } from '../../src/widget/conversations-file'
import { ConversationKeeper, titleOf } from '../../src/widget/conversations-keeper'
import { ConversationStore } from '../../src/widget/conversations-store'
import type { Turn, TurnJob } from '../../src/widget/turn'
import { createMockEngine } from '../../src/testing/index'

// What `idb` asks of the global scope.
Object.assign(globalThis, fakes, { indexedDB: new fakes.IDBFactory() })

interface Tab {
  chat: Chat
  store: ConversationStore
  keeper: ConversationKeeper
  errors: EngineError[]
}

const tabs: Tab[] = []

/** Web Locks as far as they are used here: one holder, and who waits for it. */
class FakeLocks {
  readonly #held = new Map<string, { ended: Promise<void>; end(): void }>()

  async request(name: string, ...rest: unknown[]): Promise<void> {
    const [run] = rest.slice(-1) as [() => Promise<void> | undefined]
    await this.#held.get(name)?.ended
    const work = run()
    if (work === undefined) return
    let end = (): void => undefined
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    this.#held.set(name, { ended, end })
    await work
    this.end(name)
  }

  /** What happens when the holder's tab is closed. */
  end(name: string): void {
    this.#held.get(name)?.end()
    this.#held.delete(name)
  }
}

/** A page with a conversation, as the app puts it together. */
async function openTab(reply: string): Promise<Tab> {
  let keeper: ConversationKeeper | null = null
  const note = (turn: Turn): void => keeper?.note(turn)
  const events: ChatEvents = {
    engineChanged: () => undefined,
    turnsChanged: () => undefined,
    answerGrew: note,
    answerReplaced: note,
    turnChanged: note,
    measured: () => undefined,
    failed: () => undefined,
  }
  const chat = new Chat({ open: async () => createMockEngine({ reply, wordMs: 5 }), events })
  const store = await ConversationStore.open((change) => void keeper?.onOther(change))
  const errors: EngineError[] = []
  keeper = new ConversationKeeper(chat, store, {
    onChange: () => undefined,
    onError: (error) => errors.push(error),
  })
  const tab = { chat, store, keeper, errors }
  tabs.push(tab)
  return tab
}

describe('conversations', () => {
  beforeEach(async () => {
    const { store } = await openTab('')
    await store.clear()
  })

  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
    for (const { store } of tabs.splice(0)) store.close()
  })

  it('are written while they are answered, and shown again with their branches', async () => {
    const { chat, keeper, store } = await openTab('one two three')
    await chat.ask('What is it?')
    await chat.regenerate(chat.turns[0]!)
    await keeper.flush()
    const other = await openTab('')
    const [listed] = await store.list()
    expect(listed).toMatchObject({ id: chat.id, title: 'What is it?' })
    expect(await other.keeper.open(listed!.id)).toBe(true)
    expect(other.chat.turns).toMatchObject([
      { question: 'What is it?', answer: 'one two three', state: 'done' },
    ])
    expect(other.chat.siblings(other.chat.turns[0]!)).toHaveLength(2)
    expect(other.chat.turns[0]?.id).toBe(chat.turns[0]?.id)
  })

  it('keep what was answered when a tab is closed in the middle', async () => {
    const { chat, keeper } = await openTab('word '.repeat(400))
    const asking = chat.ask('Go on')
    await expect.poll(() => chat.turns[0]?.answer.length ?? 0).toBeGreaterThan(20)
    await keeper.flush()
    const other = await openTab('')
    await other.keeper.open(chat.id)
    expect(other.chat.turns[0]?.answer).toMatch(/^word word/)
    expect(other.chat.turns[0]?.state).toBe('stopped')
    chat.stop()
    await asking
  })

  it('show what another tab asks in the same one', async () => {
    const first = await openTab('here')
    await first.chat.ask('One?')
    await first.keeper.flush()
    const second = await openTab('there')
    await second.keeper.open(first.chat.id)
    await second.chat.ask('Two?')
    await second.keeper.flush()
    await expect.poll(() => first.chat.turns.map(({ answer }) => answer)).toEqual(['here', 'there'])
    await second.keeper.remove(second.chat.id)
    await expect.poll(() => first.chat.turns).toEqual([])
  })

  it.each(['remove', 'removeAll'] as const)(
    'stay deleted (%s) where another tab is answering in the same one',
    async (how) => {
      const first = await openTab('here')
      await first.chat.ask('One?')
      await first.keeper.flush()
      const second = await openTab('word '.repeat(400))
      await second.keeper.open(first.chat.id)
      const asking = second.chat.ask('Two?')
      await expect.poll(() => second.chat.turns[1]?.answer.length ?? 0).toBeGreaterThan(20)
      await first.keeper[how](first.chat.id)
      await expect.poll(() => second.chat.turns).toEqual([])
      await asking
      await second.keeper.flush()
      expect(await first.store.list()).toEqual([])
      expect(await first.store.search('word')).toEqual(new Set())
    },
  )

  it('show that an answer was left when the tab that wrote it is closed', async () => {
    const locks = new FakeLocks()
    vi.stubGlobal('navigator', { locks })
    const first = await openTab('here')
    await first.chat.ask('One?')
    await first.keeper.flush()
    const second = await openTab('word '.repeat(400))
    await second.keeper.open(first.chat.id)
    const asking = second.chat.ask('Two?')
    await expect.poll(() => first.chat.turns[1]?.state).toBe('answering')
    const { id } = first.chat.turns[1]!
    expect(first.chat.turns[1]).not.toBe(second.chat.turns[1])
    // As if the tab were gone.
    second.keeper.note = () => undefined
    locks.end(`minnow-turn ${id}`)
    await expect.poll(() => first.chat.turns[1]?.state).toBe('stopped')
    second.chat.stop()
    await asking
  })

  it('get the answers that come late, open or not', async () => {
    const { chat, store, keeper } = await openTab('here')
    await chat.ask('One?')
    const { id } = chat
    const route = chat.turns[0]!.route!
    await keeper.begin()
    await chat.ask('Other?')
    await keeper.flush()
    const late = { conversation: id, answer: 'later', route }
    await keeper.settle({ ...late, id: route.id, question: 'One?' })
    await keeper.settle({ ...late, id: 'waited', question: 'Two?' })
    await keeper.settle({ ...late, id: 'deleted', question: 'Three?', conversation: 'gone' })
    expect(chat.turns.map(({ question }) => question)).toEqual(['Other?'])
    expect(await store.list()).toHaveLength(2)
    await keeper.open(id)
    expect(chat.turns).toMatchObject([
      { question: 'One?', answer: 'later', state: 'done' },
      { question: 'Two?', answer: 'later', state: 'done' },
    ])
  })

  it('are written later where there was no room, and say so once', async () => {
    const { chat, store, keeper, errors } = await openTab('here')
    await chat.ask('One?')
    const full = new DOMException('no room', 'QuotaExceededError')
    const add = vi.spyOn(store, 'add').mockRejectedValueOnce(full).mockRejectedValueOnce(full)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await keeper.flush()
    expect(errors.map(({ code }) => code)).toEqual(['storage-full'])
    for (let attempt = 2; attempt <= 3; attempt++) {
      vi.advanceTimersByTime(6000)
      await keeper.flush()
    }
    expect(add).toHaveBeenCalledTimes(3)
    expect(errors).toHaveLength(1)
    expect((await store.read(chat.id))?.turns).toMatchObject([{ question: 'One?', answer: 'here' }])
    chat.settings = { ...DEFAULT_CHAT_SETTINGS, system: 'Be brief.' }
    vi.spyOn(store, 'update').mockRejectedValueOnce(new Error('closed'))
    await keeper.noteView()
    expect(errors.map(({ code }) => code)).toEqual(['storage-full', 'internal'])
    vi.advanceTimersByTime(6000)
    await keeper.flush()
    expect((await store.read(chat.id))?.conversation.settings.system).toBe('Be brief.')
  })

  it('make way for a later version of the page, and are there again', async () => {
    const { chat, store, keeper } = await openTab('here')
    await chat.ask('One?')
    await keeper.flush()
    const later = await openDB('minnow-conversations', 2)
    later.close()
    await deleteDB('minnow-conversations')
    expect(await store.list()).toEqual([])
  })

  it('are found by their words, renamed and deleted', async () => {
    const { chat, keeper, store } = await openTab('The Quick brown fox')
    await chat.ask('One?')
    await keeper.flush()
    await keeper.begin()
    await chat.ask('Another?')
    await keeper.flush()
    const [another, one] = await store.list()
    expect(await store.search('quick')).toEqual(new Set([one!.id, another!.id]))
    expect(await store.search('ANOTHER')).toEqual(new Set([another!.id]))
    await keeper.rename(one!.id, 'Renamed')
    expect(await store.search('renam')).toEqual(new Set([one!.id]))
    await keeper.remove(one!.id)
    expect(await store.read(one!.id)).toBeNull()
    await keeper.removeAll()
    expect(await store.list()).toEqual([])
    expect(chat.turns).toEqual([])
  })

  it('go through a file as new ones, without what was sent', async () => {
    const { chat, keeper, store } = await openTab('**bold** answer')
    chat.settings = { ...DEFAULT_CHAT_SETTINGS, system: 'Be brief.' }
    await chat.ask('One\ntwo?')
    await keeper.flush()
    await chat.edit(chat.turns[0]!, 'Other?')
    await keeper.flush()
    const content = (await store.read(chat.id))!
    expect(writeMarkdown(content)).toBe('# One two?\n\n**You**\n\n> Other?\n\n**mock**\n\n**bold** answer\n')
    const json = writeJson([content])
    expect(json).not.toMatch(/"sent"|"route"|"usage"/)
    const [read] = readConversations(json)
    expect(read!.conversation).toMatchObject({ title: 'One two?', settings: { system: 'Be brief.' } })
    expect(read!.conversation.id).not.toBe(chat.id)
    expect(read!.turns.map(({ question }) => question).toSorted()).toEqual(['One\ntwo?', 'Other?'])
    await store.add(read!.conversation, read!.turns)
    await keeper.open(read!.conversation.id)
    expect(chat.turns).toMatchObject([{ question: 'Other?', answer: '**bold** answer', route: null }])
  })

  it('take along through a file what an answer was made of', async () => {
    const { chat, keeper, store } = await openTab('Seven euros [1]')
    const job: TurnJob = { type: 'preset', id: 'translate', values: { text: 'Hallo' } }
    await chat.ask('Translate', job)
    const citation: Citation = {
      label: 1,
      documentId: 'guide',
      document: 'guide.pdf',
      headings: ['Tickets'],
      page: 2,
      start: 3,
      end: 9,
      text: 'Seven euros',
    }
    Object.assign(chat.turns[0]!, { citations: [citation], fault: 'unchanged' })
    keeper.note(chat.turns[0]!)
    await keeper.flush()
    const json = writeJson([(await store.read(chat.id))!])
    expect(readConversations(json)[0]?.turns).toMatchObject([
      { question: 'Translate', job, citations: [citation], fault: 'unchanged' },
    ])
    expect(() => readConversations(json.replace('"preset"', '"shell"'))).toThrow(/job/)
    expect(() => readConversations(json.replace('"start": 3', '"start": -3'))).toThrow(/citations/)
    const older = json.replaceAll(/"(job|citations|fault)"/g, '"x-$1"')
    expect(readConversations(older)[0]?.turns).toMatchObject([{ job: null, citations: [], fault: null }])
  })

  it.each(['no json', '{}', '{"format":"minnow-conversations","version":1,"conversations":[{"title":1}]}'])(
    'refuse the file %j and say why',
    (json) => {
      expect(() => readConversations(json)).toThrow(/^This file holds no/)
    },
  )

  it('have short titles', () => {
    expect(titleOf('  a\n b ')).toBe('a b')
    expect(titleOf('x'.repeat(80))).toBe(`${'x'.repeat(59)}…`)
  })
})
