/** What remote engines tell beyond `engine.ts`. */

import type { Engine, RequestOptions } from './engine'
import type { Price } from './route'

/** One entry of a provider's model list. */
export interface RemoteModel {
  readonly id: string
  /** Tokens; null where the provider does not tell. */
  readonly contextLength: number | null
  /** null where the provider does not tell. */
  readonly price: Price | null
}

export interface RemoteEngine extends Engine {
  readonly name: string
  /**
   * The provider's `/models`. Not retried.
   * @throws EngineError as a chat does; or `signal.reason`
   */
  models(options?: Pick<RequestOptions, 'signal'>): Promise<RemoteModel[]>
}
