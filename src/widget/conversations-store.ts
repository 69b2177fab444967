import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import { DEFAULT_CHAT_SETTINGS, type ChatSettings } from './chat-settings'
import type { Turn } from './turn'

/** A conversation without its turns. */
export interface Conversation {
  readonly id: string
  /** Empty until something was asked. */
  readonly title: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly updatedAt: number
  /** Id of the last turn that was shown; null: the newest. */
  readonly leaf: string | null
  readonly settings: ChatSettings
}

/** A turn as it is kept: what only matters while it is answered is left out. */
export type StoredTurn = Omit<Turn, 'progress' | 'tokens' | 'steps' | Added> & Partial<Pick<Turn, Added>>
/** Came later than the first conversations. */
type Added = 'job' | 'citations' | 'fault' | 'said' | 'corrected'

/** What another tab changed: these turns of a conversation; without turns the conversation itself; null: all of them. */
export interface ConversationChange {
  readonly conversation: string | null
  readonly turns: readonly string[]
}

interface Schema extends DBSchema {
  conversations: { key: string; value: Conversation }
  turns: { key: string; value: StoredTurn; indexes: { conversation: string } }
}

const NAME = 'minnow-conversations'

/** Conversations on this device, in IndexedDB; tabs tell each other what they change. */
export class ConversationStore {
  #database: Promise<IDBPDatabase<Schema>> | null = null
  readonly #channel: BroadcastChannel

  /** @throws DOMException where the browser keeps nothing, as in some private windows. */
  static async open(onChange: (change: ConversationChange) => void): Promise<ConversationStore> {
    const store = new ConversationStore(onChange)
    await store.#open()
    return store
  }

  private constructor(onChange: (change: ConversationChange) => void) {
    this.#channel = new BroadcastChannel(NAME)
    this.#channel.addEventListener('message', ({ data }) => onChange(data as ConversationChange))
  }

  /** Anew where the browser closed it. */
  #open(): Promise<IDBPDatabase<Schema>> {
    const forget = (): void => {
      this.#database = null
    }
    if (this.#database !== null) return this.#database
    this.#database = openDB<Schema>(NAME, 1, {
      upgrade(opened) {
        opened.createObjectStore('conversations', { keyPath: 'id' })
        opened.createObjectStore('turns', { keyPath: 'id' }).createIndex('conversation', 'conversation')
      },
      // A newer version in another tab waits for this one otherwise.
      blocking(_current, _blocked, event) {
        const database = event.target as IDBDatabase
        database.close()
        forget()
      },
      terminated: forget,
    })
    this.#database.catch(forget)
    return this.#database
  }

  /** The newest first. */
  async list(): Promise<Conversation[]> {
    const rows = await (await this.#open()).getAll('conversations')
    return rows
      .map((row) => ({ ...row, settings: { ...DEFAULT_CHAT_SETTINGS, ...row.settings } }))
      .toSorted((a, b) => b.updatedAt - a.updatedAt)
  }

  /** null where it is not there (any more). */
  async read(id: string): Promise<{ conversation: Conversation; turns: Turn[] } | null> {
    const database = await this.#open()
    const [row, turns] = await Promise.all([
      database.get('conversations', id),
      database.getAllFromIndex('turns', 'conversation', id),
    ])
    if (row === undefined) return null
    const conversation = { ...row, settings: { ...DEFAULT_CHAT_SETTINGS, ...row.settings } }
    return { conversation, turns: turns.map(toTurn) }
  }

  async readTurns(ids: readonly string[]): Promise<Turn[]> {
    const database = await this.#open()
    const rows = await Promise.all(ids.map((id) => database.get('turns', id)))
    return rows.filter((row) => row !== undefined).map(toTurn)
  }

  /** Puts a new conversation and these of its turns, all or nothing. */
  async add(conversation: Conversation, turns: readonly Turn[]): Promise<void> {
    await this.#put(conversation, turns, false)
  }

  /** The same of one that is there. False where it was deleted meanwhile, maybe by another tab: it does not come back. */
  async update(conversation: Conversation, turns: readonly Turn[] = []): Promise<boolean> {
    return this.#put(conversation, turns, true)
  }

  async #put(conversation: Conversation, turns: readonly Turn[], mustBeThere: boolean): Promise<boolean> {
    const transaction = (await this.#open()).transaction(['conversations', 'turns'], 'readwrite')
    const conversations = transaction.objectStore('conversations')
    const rows = transaction.objectStore('turns')
    const known = conversations.getKey(conversation.id).catch(() => null)
    // All is asked for at once: at the end of a page nothing runs after an answer.
    const done = Promise.all([
      conversations.put(conversation),
      ...turns.map((turn) => rows.put(toStored(turn))),
      transaction.done,
    ])
    if (mustBeThere && (await known) === undefined) {
      transaction.abort()
      await done.catch(() => undefined)
      return false
    }
    await done
    this.#tell({ conversation: conversation.id, turns: turns.map(({ id }) => id) })
    return true
  }

  async remove(id: string): Promise<void> {
    const transaction = (await this.#open()).transaction(['conversations', 'turns'], 'readwrite')
    const rows = transaction.objectStore('turns')
    const keys = await rows.index('conversation').getAllKeys(id)
    await Promise.all([
      transaction.objectStore('conversations').delete(id),
      ...keys.map((key) => rows.delete(key)),
      transaction.done,
    ])
    this.#tell({ conversation: id, turns: [] })
  }

  async clear(): Promise<void> {
    const transaction = (await this.#open()).transaction(['conversations', 'turns'], 'readwrite')
    await Promise.all([
      transaction.objectStore('conversations').clear(),
      transaction.objectStore('turns').clear(),
      transaction.done,
    ])
    this.#tell({ conversation: null, turns: [] })
  }

  /** Ids of the conversations with this text in their title, a question or an answer. Any case. */
  async search(text: string): Promise<Set<string>> {
    const wanted = text.toLocaleLowerCase()
    const has = (each: string): boolean => each.toLocaleLowerCase().includes(wanted)
    const found = new Set((await this.list()).filter(({ title }) => has(title)).map(({ id }) => id))
    let cursor = await (await this.#open()).transaction('turns').store.openCursor()
    while (cursor !== null) {
      const { conversation, question, answer } = cursor.value
      if (!found.has(conversation) && (has(question) || has(answer))) found.add(conversation)
      cursor = await cursor.continue()
    }
    return found
  }

  close(): void {
    this.#channel.close()
    void this.#database?.then((database) => database.close())
  }

  #tell(change: ConversationChange): void {
    this.#channel.postMessage(change)
  }
}

function toStored({ progress: _progress, tokens: _tokens, steps: _steps, ...turn }: Turn): StoredTurn {
  return turn
}

export function toTurn(row: StoredTurn): Turn {
  const added: Pick<Turn, Added> = { job: null, citations: [], fault: null, said: null, corrected: false }
  return { ...added, ...row, progress: null, tokens: null, steps: null }
}
