import { html, LitElement, type TemplateResult } from 'lit'
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
    return html`<dialog
      aria-labelledby="title"
      @cancel=${(event: Event) => {
        event.preventDefault()
        this.#end(false)
      }}
    >
      <div class="head"><h2 id="title">There is no network</h2></div>
      <div class="body">
        <p>
          The bigger model cannot be reached. The question can wait on this device; you are asked again before
          it is sent.
        </p>
      </div>
      <div class="foot">
        <button class="secondary" type="button" autofocus @click=${() => this.#end(false)}>
          Do not wait
        </button>
        <button type="button" @click=${() => this.#end(true)}>Wait for the network</button>
      </div>
    </dialog>`
  }

  static override styles = [theme, dialogTheme]
}
