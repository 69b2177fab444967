/** What remote engines tell beyond `engine.ts`. */

import type { ChatMessage, TextPart } from './chat-messages'
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  Engine,
  RequestOptions,
} from './engine'
import type { Price } from './route'

/** One entry of a provider's model list. */
export interface RemoteModel {
  readonly id: string
  /** Tokens; null where the provider does not tell. */
  readonly contextLength: number | null
  /** null where the provider does not tell. */
  readonly price: Price | null
}

/** What some remotes read besides text, in OpenAI's shapes. */
export type ContentPart =
  | TextPart
  /** An address, or a data: URL. */
  | { type: 'image_url'; image_url: { url: string; detail?: 'auto' | 'low' | 'high' } }
  /** Base64. */
  | { type: 'input_audio'; input_audio: { data: string; format: 'wav' | 'mp3' } }

/** A message for a remote: the user may show and say things. */
export type RemoteMessage = ChatMessage | { role: 'user'; content: readonly ContentPart[]; name?: string }

/** What remotes take, and routers over them. Minnow's own engine refuses what it cannot do. */
export interface RemoteParams extends Omit<ChatCompletionParams, 'messages'> {
  messages: readonly RemoteMessage[]
}

export interface RemoteCompletions {
  create(
    params: RemoteParams & { stream: true },
    options?: RequestOptions,
  ): Promise<AsyncIterable<ChatCompletionChunk>>
  create(params: RemoteParams & { stream?: false | null }, options?: RequestOptions): Promise<ChatCompletion>
}

export interface RemoteEngine extends Engine {
  readonly chat: { readonly completions: RemoteCompletions }
  readonly name: string
  /**
   * The provider's `/models`. Not retried.
   * @throws EngineError as a chat does; or `signal.reason`
   */
  models(options?: Pick<RequestOptions, 'signal'>): Promise<RemoteModel[]>
}
