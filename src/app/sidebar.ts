import type { Chat } from '../widget/chat'
import { ConversationKeeper } from '../widget/conversations-keeper'
import { ConversationList, type ConversationAction } from '../widget/conversations-list'
import { ConversationStore, type ConversationChange } from '../widget/conversations-store'
import { define } from '../widget/define'
import { strings } from '../widget/strings'
import { saveFile } from '../widget/save-file'

export interface SidebarOptions {
  chat: Chat
  /** Where the list is on wide screens. */
  aside: HTMLElement
  /** Where it is on narrow ones. */
  drawer: HTMLDialogElement
  /** Opens the drawer. */
  opener: HTMLButtonElement
  /** Another conversation is shown. */
  onOpened(): void
  /** A conversation was deleted; null: all were. */
  onRemoved(id: string | null): void
  onError(error: unknown): void
}

export interface Sidebar {
  /** null where the browser keeps nothing. */
  readonly keeper: ConversationKeeper | null
  /** The conversation that is shown may be another one. */
  refresh(): void
}

/** sessionStorage: which conversation this tab shows, so that a reload shows it again. */
const SHOWN_KEY = 'minnow-conversation'
/** As in style.css. */
const WIDE = '(min-width: 68rem)'

/** The list of conversations, and what keeps them. */
export async function openSidebar(options: SidebarOptions): Promise<Sidebar> {
  const { chat, aside, drawer, opener, onOpened, onRemoved, onError } = options
  define('minnow-conversations', ConversationList)
  const list = document.createElement('minnow-conversations') as ConversationList
  const wide = matchMedia(WIDE)
  const place = (): void => {
    if (wide.matches && drawer.open) drawer.close()
    const home = wide.matches ? aside : drawer
    home.append(list)
  }
  wide.addEventListener('change', place)
  place()
  opener.addEventListener('click', () => drawer.showModal())
  // A click beside it closes it: what is hit then is the dialog itself.
  drawer.addEventListener('click', (event) => {
    if (event.target === drawer) drawer.close()
  })

  let onOther = (_change: ConversationChange): void => undefined
  const store = await ConversationStore.open((change) => onOther(change)).catch(() => null)
  if (store === null) {
    list.conversations = null
    return { keeper: null, refresh: () => undefined }
  }
  const refresh = async (): Promise<void> => {
    list.conversations = await store.list()
    list.current = chat.id
    remember(chat.id)
  }
  const refreshSoon = (): void => void refresh().catch(onError)
  const keeper = new ConversationKeeper(chat, store, { onChange: refreshSoon, onError })
  onOther = (change) => void keeper.onOther(change).catch(onError)
  list.search = (text) => store.search(text)
  addEventListener('pagehide', () => void keeper.flush())
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') void keeper.flush()
  })
  list.addEventListener('minnow-conversation', (event) => {
    list.notice = ''
    act((event as CustomEvent<ConversationAction>).detail)
      .then(refresh)
      .catch(onError)
  })

  async function act(action: ConversationAction): Promise<void> {
    switch (action.type) {
      case 'open':
        drawer.close()
        await keeper.open(action.id)
        return onOpened()
      case 'begin':
        drawer.close()
        await keeper.begin()
        return onOpened()
      case 'rename':
        return keeper.rename(action.id, action.title)
      case 'remove':
        onRemoved(action.id)
        return keeper.remove(action.id)
      case 'remove-all':
        onRemoved(null)
        return keeper.removeAll()
      case 'markdown':
        return exportThem(action.id)
      case 'export':
        return exportThem(null)
      case 'import':
        return importThem(action.file)
    }
  }

  /** @param id null for all, as JSON */
  async function exportThem(id: string | null): Promise<void> {
    await keeper.flush()
    const { writeJson, writeMarkdown } = await import('../widget/conversations-file')
    const ids = id === null ? (await store!.list()).map((each) => each.id) : [id]
    const contents = (await Promise.all(ids.map((each) => store!.read(each)))).filter((each) => each !== null)
    const [first] = contents
    if (first === undefined) return
    if (id === null) {
      saveFile('minnow-conversations.json', 'application/json', writeJson(contents))
      const hasDocuments = contents.some(({ turns }) => turns.some(({ citations }) => citations.length > 0))
      if (hasDocuments) list.notice = strings().conversations.exported
    } else saveFile(`${fileNameOf(first.conversation.title)}.md`, 'text/markdown', writeMarkdown(first))
  }

  async function importThem(file: File): Promise<void> {
    const { readConversations } = await import('../widget/conversations-file')
    try {
      const contents = readConversations(await file.text())
      for (const { conversation, turns } of contents) await store!.add(conversation, turns)
      list.notice = strings().conversations.imported(contents.length)
    } catch (error) {
      list.notice = error instanceof Error ? error.message : String(error)
    }
  }

  const shown = remembered()
  if (shown !== null && chat.turns.length === 0 && (await keeper.open(shown))) onOpened()
  await refresh()
  return { keeper, refresh: refreshSoon }
}

function fileNameOf(title: string): string {
  return (
    title
      .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
      .replaceAll(/^-|-$/g, '')
      .slice(0, 60) || 'conversation'
  )
}

function remembered(): string | null {
  try {
    return sessionStorage.getItem(SHOWN_KEY)
  } catch {
    return null
  }
}

function remember(id: string): void {
  try {
    sessionStorage.setItem(SHOWN_KEY, id)
  } catch {
    // Then a reload begins a new one.
  }
}
