import { html, LitElement, type TemplateResult } from 'lit'
import { escalationStrings } from './strings/escalation'
import { dialogTheme, theme } from './theme'

/** Asks whether a question should wait for the network. */
export class WaitDialog extends LitElement {
  #answer: ((waits: boolean) => void) | null = null

  async ask(): Promise<boolean> {
    await this.updateComplete
    const dialog = this.renderRoot.querySelector('dialog')
    if (dialog === null) return false
    // A question asked while another is still open: the earlier one is not to wait.
    this.#end(false)
    dialog.showModal()
    return new Promise((resolve) => {
      this.#answer = resolve
    })
  }

  #end(waits: boolean): void {
    this.renderRoot.querySelector('dialog')?.close()
    this.#answer?.(waits)
    this.#answer = null
  }

  override render(): TemplateResult {
    const words = escalationStrings.of(this).wait
    return html`<dialog
      aria-labelledby="title"
      @cancel=${(event: Event) => {
        event.preventDefault()
        this.#end(false)
      }}
    >
      <div class="head"><h2 id="title">${words.title}</h2></div>
      <div class="body">
        <p>${words.words}</p>
      </div>
      <div class="foot">
        <button class="secondary" type="button" autofocus @click=${() => this.#end(false)}>
          ${words.no}
        </button>
        <button type="button" @click=${() => this.#end(true)}>${words.yes}</button>
      </div>
    </dialog>`
  }

  static override styles = [theme, dialogTheme]
}
