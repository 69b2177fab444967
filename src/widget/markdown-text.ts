import { css, html, LitElement, type PropertyValues, type TemplateResult } from 'lit'
import { closeMarks } from './markdown-marks'
import type { CodeFrame, MarkdownBlock } from './markdown-render'
import { strings } from './strings'
import { theme } from './theme'

type Renderer = typeof import('./markdown-render')

let renderer: Renderer | null = null
let loading: Promise<Renderer> | null = null

/** Loads what turns Markdown into nodes; until then texts are shown as they are written. */
export function loadMarkdown(): Promise<Renderer> {
  loading ??= import('./markdown-render').then((loaded) => (renderer = loaded))
  return loading
}

/** A part of the main thread that drawing may take while a text grows. */
const SHARE = 0.25

interface DrawnBlock {
  readonly block: MarkdownBlock
  /** What was drawn, with open marks closed. */
  readonly raw: string
  readonly element: HTMLElement
  readonly frame: CodeFrame | null
}

/**
 * Shows Markdown, while it is written too: finished blocks stay as they are, only the last one is drawn again, at most
 * once a frame. What is HTML in it is shown as text.
 */
export class MarkdownText extends LitElement {
  static override properties = { text: { attribute: false }, streaming: { type: Boolean } }
  declare text: string
  /** The text still grows. */
  declare streaming: boolean
  /** The source of the blocks that stay. */
  #finished = ''
  #last: DrawnBlock | null = null
  #frame = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  /** When the next drawing may be, by `performance.now()`. */
  #notBefore = 0
  /** What was finished goes on: its last block may grow. */
  #isReopened = false

  constructor() {
    super()
    this.text = ''
    this.streaming = false
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    cancelAnimationFrame(this.#frame)
    clearTimeout(this.#timer)
    this.#frame = 0
    this.#timer = undefined
  }

  override connectedCallback(): void {
    super.connectedCallback()
    if (this.hasUpdated) this.#draw()
  }

  override render(): TemplateResult {
    return html`<div id="text" part="text"></div>`
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.get('streaming') === false && this.streaming) this.#isReopened = true
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!this.streaming || changed.get('text') === undefined) this.#draw()
    else this.#drawSoon()
  }

  #drawSoon(): void {
    if (this.#frame !== 0 || this.#timer !== undefined) return
    const wait = this.#notBefore - performance.now()
    const onFrame = (): void => {
      this.#frame = 0
      this.#draw()
    }
    if (wait <= 0) this.#frame = requestAnimationFrame(onFrame)
    else {
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        this.#frame = requestAnimationFrame(onFrame)
      }, wait)
    }
  }

  #draw(): void {
    const root = this.renderRoot.querySelector('#text')
    if (root === null) return
    const source = this.text.replaceAll(/\r\n?/g, '\n')
    if (renderer === null) {
      this.#reset(root)
      root.className = 'plain'
      root.textContent = source
      loadMarkdown().then(
        () => this.isConnected && this.#draw(),
        // Without the network, say: the text is there, and is asked for again with the next one.
        () => (loading = null),
      )
      return
    }
    const startedAt = performance.now()
    if (root.className !== '' || this.#isReopened || !source.startsWith(this.#finished)) this.#reset(root)
    const blocks = renderer.readBlocks(source.slice(this.#finished.length))
    for (const [index, block] of blocks.entries()) {
      const isOpen = this.streaming && index === blocks.length - 1
      this.#place(renderer, root, block, isOpen)
    }
    if (blocks.length === 0 && this.#last !== null) {
      this.#last.element.remove()
      this.#last = null
    }
    this.#notBefore = startedAt + (performance.now() - startedAt) / SHARE
  }

  #reset(root: Element): void {
    root.className = ''
    root.replaceChildren()
    this.#isReopened = false
    this.#finished = ''
    this.#last = null
  }

  #place(drawer: Renderer, root: Element, block: MarkdownBlock, isOpen: boolean): void {
    const drawn = this.#drawn(drawer, block, isOpen)
    if (drawn.element !== this.#last?.element) {
      if (this.#last === null) root.append(drawn.element)
      else this.#last.element.replaceWith(drawn.element)
    }
    if (isOpen) this.#last = drawn
    else {
      this.#last = null
      this.#finished += block.raw
      drawn.frame?.highlight().catch(() => undefined)
    }
  }

  /** The open block grown or replaced. */
  #drawn(drawer: Renderer, block: MarkdownBlock, isOpen: boolean): DrawnBlock {
    const last = this.#last
    if (block.kind === 'code') {
      const known = last?.block.language === block.language ? last.frame : null
      const frame = known ?? new drawer.CodeFrame(block.language, strings(this).markdown)
      frame.code = block.code
      return { block, raw: block.raw, element: frame.element, frame }
    }
    const raw = isOpen ? closeMarks(block.raw) : block.raw
    if (last !== null && last.frame === null && last.raw === raw) return { ...last, block }
    const closed = isOpen ? (drawer.readBlocks(raw)[0] ?? block) : block
    const element = last !== null && last.frame === null ? last.element : document.createElement('div')
    element.replaceChildren(drawer.renderBlock(closed, strings(this).markdown))
    return { block, raw, element, frame: null }
  }

  static override styles = [
    theme,
    css`
      :host {
        display: block;
        overflow-wrap: anywhere;
      }

      .plain {
        white-space: pre-wrap;
      }

      #text > * + * {
        margin-top: 0.875em;
      }

      h3,
      h4,
      h5,
      h6 {
        margin: 0.375em 0 0;
        font-size: 1.0625em;
        font-weight: 650;
        line-height: 1.35;
      }

      h3 {
        font-size: 1.25em;
      }

      h4 {
        font-size: 1.125em;
      }

      ul,
      ol {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.25em;
        margin: 0;
        padding-inline-start: 1.5em;
      }

      ul {
        list-style: disc;
      }

      li > :is(ul, ol) {
        margin-top: 0.25em;
      }

      li::marker {
        color: var(--_soft);
      }

      /* Looser when more comes: nothing of what is read already may move. */
      li > p + p {
        margin-top: 0.5em;
      }

      blockquote {
        margin: 0;
        padding-inline-start: 1em;
        border-inline-start: 3px solid var(--_line);
        color: var(--_soft);
      }

      blockquote > * + * {
        margin-top: 0.5em;
      }

      a {
        color: var(--_accent);
        text-underline-offset: 0.15em;
      }

      hr {
        height: 1px;
        margin: 0.5em 0;
        border: 0;
        background: var(--_line);
      }

      code {
        padding: 0.1em 0.3em;
        border-radius: 0.25em;
        background: var(--_wash);
        font:
          0.875em/1.5 ui-monospace,
          'Cascadia Mono',
          'DejaVu Sans Mono',
          monospace;
      }

      code[data-kind='math'] {
        background: none;
        font-family: 'Cambria Math', 'STIX Two Math', Georgia, serif;
        font-size: 1em;
        font-style: italic;
      }

      .code {
        overflow: hidden;
        border: 1px solid var(--_line);
        border-radius: 0.5rem;
        background: var(--_wash);
      }

      .code-head {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 1rem;
        padding-inline: 0.75rem;
        border-bottom: 1px solid var(--_line);
        color: var(--_soft);
        font-size: 0.8125rem;
      }

      .code-head button {
        font-size: inherit;
      }

      pre {
        max-height: none;
        border: 0;
        border-radius: 0;
        background: none;
        overflow-x: auto;
        overflow-wrap: normal;
        white-space: pre;
      }

      pre:focus-visible {
        outline-offset: -2px;
      }

      pre code {
        padding: 0;
        background: none;
        font: inherit;
      }

      .table {
        overflow-x: auto;
      }

      table {
        width: 100%;
        min-width: calc(var(--columns) * 7.5rem);
        border-collapse: collapse;
        table-layout: fixed;
        font-size: 0.9375em;
        font-variant-numeric: tabular-nums;
      }

      th,
      td {
        padding: 0.375rem 0.75rem 0.375rem 0;
        border-bottom: 1px solid var(--_line);
        text-align: start;
        vertical-align: top;
      }

      th {
        font-weight: 650;
      }

      [data-align='right'] {
        text-align: end;
      }

      [data-align='center'] {
        text-align: center;
      }

      .hljs-comment,
      .hljs-quote,
      .hljs-meta {
        color: var(--_soft);
        font-style: italic;
      }

      .hljs-keyword,
      .hljs-selector-tag,
      .hljs-built_in,
      .hljs-literal,
      .hljs-type {
        color: var(--_accent);
      }

      .hljs-string,
      .hljs-regexp,
      .hljs-addition,
      .hljs-attr {
        color: light-dark(#3d6b1f, #a8cc8c);
      }

      .hljs-number,
      .hljs-symbol,
      .hljs-variable,
      .hljs-deletion {
        color: light-dark(#8a3d00, #e8b07a);
      }

      .hljs-title,
      .hljs-name,
      .hljs-section {
        font-weight: 650;
      }
    `,
  ]
}
