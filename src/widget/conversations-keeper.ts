import type { Chat } from './chat'
import type { Conversation, ConversationChange, ConversationStore } from './conversations-store'
import { EngineError } from '../contract/error'
import { strings } from './strings'
import { takeLate, type LateAnswer } from './late-answer'
import { isUnderWay, type Turn } from './turn'
import { TurnLocks } from './turn-locks'
import { TurnTree } from './turn-tree'

/** Milliseconds between two writes of an answer that grows. */
const PACE_MS = 400
/** Milliseconds after which what could not be written is tried again. */
const RETRY_MS = 5000
const TITLE_LENGTH = 60

export interface KeeperOptions {
  /** The list of conversations changed. */
  onChange(): void
  /** Nothing can be written just now; told once. It is tried again, so that nothing is lost while the page is open. */
  onError(error: EngineError): void
}

/** Writes down what a chat holds while it changes, and shows what other tabs write. */
export class ConversationKeeper {
  readonly #chat: Chat
  readonly #store: ConversationStore
  readonly #options: KeeperOptions
  /** The conversation of the chat, once something was asked; its title may have been changed here. */
  #current: Conversation | null = null
  /** Ids of conversations that are or were in the store. */
  readonly #stored = new Set<string>()
  readonly #locks = new TurnLocks()
  #changed = new Map<string, Turn>()
  /** The settings of the chat, or which turns are shown. */
  #isViewChanged = false
  #isFailing = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(chat: Chat, store: ConversationStore, options: KeeperOptions) {
    this.#chat = chat
    this.#store = store
    this.#options = options
  }

  /** Call it whenever a turn of this tab changes or its answer grows. */
  note(turn: Turn): void {
    if (isUnderWay(turn)) this.#locks.hold(turn.id)
    this.#changed.set(turn.id, turn)
    this.#timer ??= setTimeout(() => void this.flush(), PACE_MS)
  }

  /** Writes at once; what is left at the end of a page gets there still. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const turns = [...this.#changed.values()]
    const ids = new Set(turns.map(({ conversation }) => conversation))
    if (this.#isViewChanged && this.#current?.id === this.#chat.id) ids.add(this.#chat.id)
    this.#changed = new Map()
    this.#isViewChanged = false
    for (const id of ids) {
      const group = turns.filter(({ conversation }) => conversation === id)
      const write = id === this.#chat.id ? this.#saveCurrent(group) : this.#saveOther(id, group)
      const written = write.then(
        () => {
          this.#isFailing = false
          for (const turn of group) if (!isUnderWay(turn)) this.#locks.release(turn.id)
        },
        (error: unknown) => this.#keepForLater(group, error),
      )
      this.#writing = Promise.all([this.#writing, written]).then(() => undefined)
    }
    return this.#writing
  }

  #keepForLater(turns: readonly Turn[], cause: unknown): void {
    for (const turn of turns) this.#changed.set(turn.id, turn)
    this.#isViewChanged = true
    this.#timer ??= setTimeout(() => void this.flush(), RETRY_MS)
    if (this.#isFailing) return
    this.#isFailing = true
    const isFull = cause instanceof Error && cause.name === 'QuotaExceededError'
    const code = isFull ? 'storage-full' : 'internal'
    this.#options.onError(new EngineError(code, strings().conversations.notKept, { cause }))
  }

  /** Shows a stored conversation. False where it is gone. */
  async open(id: string): Promise<boolean> {
    await this.flush()
    const found = await this.#store.read(id)
    if (found === null) return false
    const { conversation, turns } = found
    this.#stored.add(id)
    this.#current = conversation
    this.#chat.show({ ...conversation, turns: turns.map(asLeft) })
    return true
  }

  /** Begins a new one. */
  async begin(): Promise<void> {
    const writing = this.flush()
    this.#current = null
    this.#chat.clear()
    await writing
  }

  async rename(id: string, title: string): Promise<void> {
    const known = id === this.#current?.id ? this.#current : (await this.#store.read(id))?.conversation
    if (known === undefined) return
    const renamed = { ...known, title }
    if (id === this.#current?.id) this.#current = renamed
    await this.#store.update(renamed)
    this.#options.onChange()
  }

  async remove(id: string): Promise<void> {
    if (id === this.#chat.id) {
      this.#chat.stop()
      await this.begin()
    }
    await this.#store.remove(id)
    this.#options.onChange()
  }

  async removeAll(): Promise<void> {
    await this.begin()
    await this.#store.clear()
    this.#options.onChange()
  }

  /** Call it when the settings of the chat, or the turns that are shown, may have changed. */
  async noteView(): Promise<void> {
    const { settings, turns, id } = this.#chat
    const current = this.#current
    if (current?.id !== id) return
    if (current.settings === settings && current.leaf === (turns.at(-1)?.id ?? null)) return
    this.#isViewChanged = true
    await this.flush()
  }

  /** Puts an answer that came later into its conversation; nowhere, where that was deleted. */
  async settle(late: LateAnswer): Promise<void> {
    if (await this.#chat.settle(late)) return
    const found = await this.#store.read(late.conversation)
    if (found === null) return
    const tree = new TurnTree(found.turns, found.conversation.leaf)
    const turn = takeLate(tree, late)
    const leaf = tree.path().at(-1)?.id ?? null
    await this.#store.update({ ...found.conversation, updatedAt: Date.now(), leaf }, [turn])
    this.#options.onChange()
  }

  /** Another tab wrote. */
  async onOther({ conversation, turns }: ConversationChange): Promise<void> {
    this.#options.onChange()
    const { id } = this.#chat
    if (conversation !== id && conversation !== null) return
    if (conversation === null || turns.length === 0) {
      const found = await this.#store.read(id)
      if (this.#current === null || this.#chat.id !== id) return
      if (found === null) await this.begin()
      else {
        this.#current = found.conversation
        this.#chat.settings = found.conversation.settings
      }
      return
    }
    const read = await this.#store.readTurns(turns)
    if (this.#chat.id !== id) return
    this.#chat.merge(read)
    await Promise.all(read.filter(isUnderWay).map((turn) => this.#showHowItEnds(turn)))
  }

  /** A tab that is closed while it answers cannot say so. */
  async #showHowItEnds({ id, conversation }: Turn): Promise<void> {
    if (!(await this.#locks.released(id))) return
    const left = (await this.#store.readTurns([id])).filter(isUnderWay)
    if (left.length > 0 && this.#chat.id === conversation) this.#chat.merge(left.map(asLeft))
  }

  async #saveCurrent(turns: readonly Turn[]): Promise<void> {
    const chat = this.#chat
    const first = chat.turns[0]
    const isNew = this.#current?.id !== chat.id
    const known = isNew ? null : this.#current
    const now = Date.now()
    const conversation: Conversation = {
      id: chat.id,
      title: known?.title || titleOf(first?.question ?? ''),
      createdAt: known?.createdAt ?? first?.at ?? now,
      updatedAt: turns.length > 0 ? now : (known?.updatedAt ?? now),
      leaf: chat.turns.at(-1)?.id ?? null,
      settings: chat.settings,
    }
    this.#current = conversation
    if (this.#stored.has(chat.id)) await this.#store.update(conversation, turns)
    else {
      await this.#store.add(conversation, turns)
      this.#stored.add(conversation.id)
    }
    this.#options.onChange()
  }

  /** An answer that ended after another conversation was opened. */
  async #saveOther(id: string, turns: readonly Turn[]): Promise<void> {
    const found = await this.#store.read(id)
    if (found !== null) await this.#store.update({ ...found.conversation, updatedAt: Date.now() }, turns)
  }
}

export function titleOf(question: string): string {
  const line = question.trim().replaceAll(/\s+/g, ' ')
  return line.length <= TITLE_LENGTH ? line : `${line.slice(0, TITLE_LENGTH - 1).trimEnd()}…`
}

/** What was under way when a tab was closed was stopped by that. */
function asLeft(turn: Turn): Turn {
  return isUnderWay(turn) ? { ...turn, state: turn.answer === '' ? 'failed' : 'stopped' } : turn
}
