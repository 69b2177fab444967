import type { DownloadProgress } from './download-progress'

/** What tabs of one origin tell each other about the models they share. */
export type StoreNews =
  /** A download runs somewhere. */
  | { type: 'progress'; key: string; progress: DownloadProgress }
  /** Models came, went, or have something new. */
  | { type: 'changed' }

/** The name of the BroadcastChannel. */
export const STORE_CHANNEL = 'minnow-models'

export class StoreChannel {
  readonly #channel: BroadcastChannel | null

  constructor() {
    this.#channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(STORE_CHANNEL)
  }

  tell(news: StoreNews): void {
    this.#channel?.postMessage(news)
  }

  /** @returns what stops it */
  listen(listener: (news: StoreNews) => void): () => void {
    const onMessage = ({ data }: MessageEvent<StoreNews>): void => listener(data)
    this.#channel?.addEventListener('message', onMessage)
    return () => this.#channel?.removeEventListener('message', onMessage)
  }

  close(): void {
    this.#channel?.close()
  }
}
