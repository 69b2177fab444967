import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit'
import type { Engine } from '../contract/engine'
import { DEFAULT_MODEL_BYTES } from '../client/model-reference'
import { isEngineError } from '../contract/error'
import type { Router } from '../router/create-router'
import type { AnswerAction } from './answer-footer'
import { Chat } from './chat'
import { Announcer } from './chat-announcer'
import type { EngineState } from './chat-engine'
import { define } from './define'
import { chooseRemedy, type Remedy } from './error-remedy'
import { errorText } from './error-text'
import { describeError } from './error-words'
import type { AnswerDetail, ErrorDetail, EscalateDetail, MinnowChatEvents } from './minnow-chat-types'
import { openLocal } from './open-local'
import { withPage } from './page-context'
import { loadStrings, pickLanguage, strings, type Language } from './strings'
import { theme } from './theme'
import { isUnderWay, type Turn } from './turn'
import { defineTurnElements } from './turn-elements'
import type { TurnActionDetail, TurnList } from './turn-list'
import type { WidgetRemote } from './widget-router'

/** What the element around it was told. */
export interface PanelSettings {
  readonly model: string | null
  readonly remote: string | null
  readonly remoteModel: string | null
  readonly policy: string | null
  readonly frame: string | null
  readonly engine: Engine | null
  context(): Promise<string | null>
}

/** Tokens of an answer, at most: it is a small panel, and the context needs room beside it. */
const MAX_TOKENS = 384

/** Registers the panel and its parts and makes one. @param language BCP 47; null: the browser's. */
export async function createChatPanel(language: string | null): Promise<ChatPanel> {
  defineTurnElements()
  define('minnow-chat-panel', ChatPanel)
  const panel = document.createElement('minnow-chat-panel') as ChatPanel
  await panel.speak(language)
  return panel
}

/** The conversation in `<minnow-chat>`. Its events are those of the element around it. */
export class ChatPanel extends LitElement {
  static override shadowRootOptions: ShadowRootInit = {
    ...LitElement.shadowRootOptions,
    delegatesFocus: true,
  }
  static override properties = {
    settings: { attribute: false },
    busy: { state: true },
    turns: { state: true },
    engineState: { state: true },
    failure: { state: true },
  }
  declare settings: PanelSettings
  declare private busy: boolean
  declare private turns: readonly Turn[]
  declare private engineState: EngineState | null
  declare private failure: { error: unknown; retry: () => void } | null
  readonly #chat: Chat
  #announcer: Announcer | null = null
  #router: { local: Engine; remote: WidgetRemote; engine: Promise<Router> } | null = null
  #wanted: Language | null = null
  /** Whose asking was told already. */
  #escalated: Turn | null = null

  constructor() {
    super()
    this.busy = false
    this.turns = []
    this.engineState = null
    this.failure = null
    this.#chat = new Chat({
      open: async ({ onProgress, signal }) => {
        const { engine, frame, model } = this.settings
        if (engine !== null) return borrowed(engine)
        return openLocal(frame ?? 'auto', { onProgress, signal, ...(model === null ? {} : { model }) })
      },
      route: async (local) => withPage(await this.#route(local), () => this.settings.context()),
      events: {
        engineChanged: (state) => {
          this.engineState = state
        },
        turnsChanged: (turns) => {
          this.turns = turns
          this.#list?.show(turns)
        },
        answerGrew: (turn, text) => {
          this.#list?.grow(turn)
          this.#announcer?.grow(text)
        },
        answerReplaced: (turn) => {
          this.#list?.refresh(turn)
          this.#announcer?.begin()
        },
        turnChanged: (turn) => this.#showTurn(turn),
        measured: () => undefined,
        failed: (error, retry) => this.#fail(error, retry),
      },
    })
    this.#chat.settings = { ...this.#chat.settings, maxTokens: MAX_TOKENS }
  }

  /** @param language BCP 47; null: the browser's */
  async speak(language: string | null): Promise<void> {
    const picked = pickLanguage(language === null ? navigator.languages : [language])
    // The last one that was asked for holds, whichever is loaded last.
    this.#wanted = picked
    await loadStrings(picked)
    if (this.#wanted !== picked || this.lang === picked) return
    this.lang = picked
    drawAnew(this)
  }

  async ask(question: string): Promise<void> {
    const text = question.trim()
    if (text === '') return
    this.failure = null
    this.#announcer?.begin()
    await this.#chat.ask(text)
  }

  stop(): void {
    this.#chat.stop()
  }

  clear(): void {
    this.#chat.clear()
    this.failure = null
  }

  /** Frees the engine, until the next question. */
  release(): void {
    this.#chat.stop()
    this.#chat.release()
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    this.toggleAttribute('alone', this.settings.remote === null)
    const before = changed.get('settings')
    if (before === undefined) return
    const { model, engine, frame } = this.settings
    // Another engine is meant from now on.
    if (before.model !== model || before.engine !== engine || before.frame !== frame) this.release()
  }

  protected override firstUpdated(): void {
    this.addEventListener('keydown', (event) => this.#onEscape(event))
    const { renderRoot } = this
    this.#announcer = new Announcer(renderRoot.querySelector<HTMLElement>('[role=log]')!)
    const list = this.#list
    if (list !== null) {
      list.scroller = renderRoot.querySelector('.scroll')
      list.show(this.turns)
    }
  }

  get #list(): TurnList | null {
    return this.renderRoot.querySelector<TurnList>('minnow-turns')
  }

  #tell<Name extends keyof MinnowChatEvents>(name: Name, detail: MinnowChatEvents[Name]['detail']): void {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }))
  }

  #showTurn(turn: Turn): void {
    this.busy = this.#chat.busy
    this.#list?.refresh(turn)
    if (turn.progress?.type === 'asking' && this.#escalated !== turn) {
      this.#escalated = turn
      const { purpose, model } = turn.progress
      const detail: EscalateDetail = { question: turn.question, purpose, model }
      this.#tell('minnow-escalate', detail)
    }
    if (isUnderWay(turn) || this.busy) return
    this.#escalated = null
    this.#announcer?.end()
    if (turn.state === 'failed') return
    const { question, answer, route, usage } = turn
    const detail: AnswerDetail = { question, answer, stopped: turn.state === 'stopped', route, usage }
    this.#tell('minnow-answer', detail)
  }

  #fail(error: unknown, retry: () => void): void {
    this.failure = { error, retry }
    const message = error instanceof Error ? error.message : String(error)
    const detail: ErrorDetail = { code: isEngineError(error) ? error.code : 'internal', message, error }
    this.#tell('minnow-error', detail)
  }

  /** The router, where the page names a remote; an embedder's own engine may be one already. */
  async #route(local: Engine): Promise<Engine> {
    const { remote: url, remoteModel, policy, engine } = this.settings
    if (url === null || engine !== null) return local
    const remote: WidgetRemote = { url, model: remoteModel ?? '', policy }
    const current = this.#router
    if (current?.local === local && JSON.stringify(current.remote) === JSON.stringify(remote))
      return current.engine
    const { openWidgetRouter } = await import('./widget-router')
    const opened = openWidgetRouter(local, remote, this.renderRoot, (item) =>
      this.#tell('minnow-human', item),
    )
    this.#router = { local, remote, engine: opened }
    return opened
  }

  #onSubmit(event: Event): void {
    event.preventDefault()
    if (this.busy) {
      this.stop()
      return
    }
    const input = this.renderRoot.querySelector('textarea')!
    const question = input.value
    input.value = ''
    void this.ask(question)
  }

  /** Escape stops an answer; if there is none, it closes the panel, which is not done here. */
  #onEscape(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || !this.busy) return
    event.preventDefault()
    this.stop()
  }

  #onKeydown(event: KeyboardEvent): void {
    // While an input method composes, Enter accepts its suggestion.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    if (!this.busy) (event.target as HTMLTextAreaElement).form?.requestSubmit()
  }

  #onTurn({ detail: { turn, action } }: CustomEvent<TurnActionDetail>): void {
    const chat = this.#chat
    if (action.type === 'edit') void chat.edit(turn, action.question)
    else if (action.type === 'regenerate') void chat.regenerate(turn)
    else if (action.type === 'continue') void chat.continueAnswer(turn)
    else if (action.type === 'correct') void this.#correct(turn, action.answer)
    else if (action.type === 'answer') void this.#onAnswer(turn, action.action)
    else {
      const siblings = chat.siblings(turn)
      const next = siblings[siblings.indexOf(turn) + (action.type === 'next' ? 1 : -1)]
      if (next !== undefined) chat.select(next)
    }
  }

  async #onAnswer(turn: Turn, action: AnswerAction): Promise<void> {
    if (action === 'ask-bigger') {
      await this.#chat.askBigger(turn)
      return
    }
    turn.said = action
    this.#list?.refresh(turn)
    if (turn.route !== null) await (await this.#router?.engine)?.feedback.add(turn.route.id, action)
  }

  async #correct(turn: Turn, answer: string): Promise<void> {
    this.#chat.correct(turn, answer)
    if (turn.route !== null) await (await this.#router?.engine)?.feedback.add(turn.route.id, 'edit', answer)
  }

  override render(): TemplateResult {
    const { composer, page } = strings(this)
    return html`
      <div
        class="scroll"
        part="conversation"
        tabindex=${this.turns.length > 0 ? '0' : nothing}
        role="region"
        aria-label=${page.conversation}
      >
        ${
          this.turns.length === 0
            ? html`<slot name="empty"><p class="soft">${this.#greeting()}</p></slot>`
            : nothing
        }
        <minnow-turns
          .busy=${this.busy}
          .placeOf=${(turn: Turn) => {
            const siblings = this.#chat.siblings(turn)
            return { number: siblings.indexOf(turn) + 1, count: siblings.length }
          }}
          @minnow-turn=${this.#onTurn}
        ></minnow-turns>
      </div>
      <div class="visually-hidden" role="log" aria-live="polite"></div>
      ${this.#loading()} ${this.#failure()}
      <form part="composer" @submit=${this.#onSubmit}>
        <textarea
          rows="1"
          aria-label=${composer.question}
          placeholder=${composer.placeholder}
          autocomplete="off"
          enterkeyhint="send"
          @keydown=${this.#onKeydown}
        ></textarea>
        <button type="submit">${this.busy ? composer.stop : composer.send}</button>
      </form>
    `
  }

  #greeting(): string {
    const { empty, emptyWithRemote, download, downloadOfUnknownSize } = strings(this).widget
    const { model, engine, remote } = this.settings
    const greeting = remote === null ? empty : emptyWithRemote
    if (engine !== null) return greeting
    const size = model === null ? download((DEFAULT_MODEL_BYTES / 1e6).toFixed(0)) : downloadOfUnknownSize
    return `${greeting} ${size}`
  }

  #loading(): TemplateResult | typeof nothing {
    if (this.engineState?.phase !== 'loading') return nothing
    const { progress } = this.engineState
    const words = strings(this).loading
    const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0)
    const what = progress === null || progress.phase === 'ready' ? words.starting : words[progress.phase]
    const text =
      progress === null || progress.totalBytes === 0
        ? what
        : words.ofMegabytes(what, megabytes(progress.loadedBytes), megabytes(progress.totalBytes))
    return html`<label class="loading"
      >${text}<progress max="1" .value=${progress?.fraction ?? 0}></progress
    ></label>`
  }

  #failure(): TemplateResult | typeof nothing {
    if (this.failure === null) return nothing
    const { error, retry } = this.failure
    const { page } = strings(this)
    const labels: { readonly [kind in Remedy]?: string } = {
      retry: page.tryAgain,
      'new-conversation': page.newConversation,
    }
    const remedy = chooseRemedy(error, { retry, 'new-conversation': () => this.clear() })
    return html`<div class="failure" role="alert">
      <div>${errorText(describeError(error, strings(this)), page)}</div>
      ${
        remedy === null
          ? nothing
          : html`<button
              class="secondary"
              type="button"
              @click=${() => {
                this.failure = null
                remedy.run()
              }}
            >
              ${labels[remedy.kind]}
            </button>`
      }
    </div>`
  }

  static override styles = [
    theme,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 0;
      }

      /* There is no bigger model, and nobody who would learn from thumbs. */
      :host([alone]) {
        --_bigger-display: none;
        --_thumbs-display: none;
      }

      .scroll {
        flex: 1 1 auto;
        min-height: 0;
        padding: 1.125em;
        overflow-y: auto;
        overscroll-behavior: contain;
      }

      .scroll:focus-visible {
        outline-offset: -2px;
      }

      .loading,
      .failure,
      form {
        flex: none;
        margin: 0 1.125em 0.75em;
      }

      .loading {
        display: grid;
        gap: 0.25em;
        color: var(--_soft);
        font-size: 0.875em;
      }

      progress {
        width: 100%;
        accent-color: var(--_accent);
      }

      .failure {
        display: grid;
        gap: 0.5em;
        padding: 0.75em;
        border: 1px solid var(--_alert);
        border-radius: 0.5em;
      }

      .failure p {
        overflow-wrap: anywhere;
      }

      form {
        display: flex;
        align-items: end;
        gap: 0.5em;
      }

      textarea {
        flex: 1 1 auto;
        min-width: 0;
        min-height: 2.75em;
        max-height: 8em;
        padding: 0.5em 0.75em;
        border: 1px solid var(--_soft);
        border-radius: 0.5em;
        background: var(--_wash);
        color: inherit;
        font: inherit;
        resize: none;
        field-sizing: content;
      }

      textarea::placeholder {
        color: var(--_soft);
        opacity: 1;
      }

      textarea:focus-visible {
        outline: 2px solid var(--_accent);
        outline-offset: 1px;
      }
    `,
  ]
}

/** An engine of the embedder, who disposes of it. */
function borrowed(engine: Engine): Engine {
  return {
    chat: engine.chat,
    get info() {
      return engine.info
    },
    dispose: async () => undefined,
  }
}

/** Elements know nothing of the language around them: all below are told. */
function drawAnew(root: LitElement): void {
  root.requestUpdate()
  for (const each of root.renderRoot?.querySelectorAll('*') ?? []) {
    if (each instanceof LitElement) drawAnew(each)
  }
}
