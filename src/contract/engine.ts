/**
 * The one interface of everything that answers: the local engine, other engines, remotes and the router.
 * Shapes follow OpenAI's chat completions; fields that are Minnow's own live under `minnow`.
 */

import type { ChatMessage } from './chat-messages'
import type { EngineErrorData } from './error'
import type { ResponseFormat, StructuredAnswer } from './response-format'
import type { OutgoingRequest, Price, RemoteSource, RouteEvent, RouteRequest, SettledRoute } from './route'
import type { PromptReading, TokenSignal } from './signals'
import type { ChatTool, ToolCall, ToolCallDelta, ToolChoice } from './tools'

export interface ChatCompletionParams {
  messages: readonly ChatMessage[]
  model?: string
  /** Upper bound of new tokens. Default: what is left of the context. */
  max_tokens?: number | null
  max_completion_tokens?: number | null
  /** 0 is greedy. Default 1, as OpenAI's. */
  temperature?: number | null
  /** Nucleus: smallest set of tokens with this total probability. Default 1 (off). */
  top_p?: number | null
  /** Keep the k most likely tokens. Default 0 (off). */
  top_k?: number | null
  /** Drop tokens less likely than min_p × the most likely one. Default 0 (off). */
  min_p?: number | null
  /** −2…2. Default 0. */
  frequency_penalty?: number | null
  /** −2…2. Default 0. */
  presence_penalty?: number | null
  /** Divides positive and multiplies negative logits of tokens seen in the last 64 tokens. Default 1 (off). */
  repetition_penalty?: number | null
  /** Token id → bias −100…100 added to its logit. */
  logit_bias?: Record<string, number> | null
  /** Same seed, same prompt, same settings: same text, whatever the number of threads. Default: random. */
  seed?: number | null
  stop?: string | readonly string[] | null
  /** Answers to give, 1…128. Choice i is drawn with seed + i. Default 1. */
  n?: number | null
  logprobs?: boolean | null
  /** 0…20 alternatives a token; needs `logprobs`. */
  top_logprobs?: number | null
  stream?: boolean | null
  stream_options?: { include_usage?: boolean } | null
  /** Default: text. */
  response_format?: ResponseFormat | null
  /** Functions that the model may want called. Not together with a `response_format` other than text. */
  tools?: readonly ChatTool[] | null
  /** Default 'auto' where there are tools. */
  tool_choice?: ToolChoice | null
  /** Whether an answer may hold several calls. Default true. */
  parallel_tool_calls?: boolean | null
  minnow?: MinnowParams
}

export interface MinnowParams {
  /** Prompt-lookup speculative decoding: same tokens, sooner. Default true. */
  promptLookup?: boolean
  /** What happens when the context is full. Default 'error'. 'slide' keeps the first tokens (attention sinks) and the newest. */
  overflow?: 'error' | 'slide'
  /** Go on with the last message, which must be the assistant's: the answer is what comes after it. Default false. */
  continueAnswer?: boolean
  /** Report the token ids of the answer. Default false. */
  tokenIds?: boolean
  /** Report how sure the model was of each token, and the prompt's last hidden state. Default false. */
  signals?: boolean
  /** For a router; other engines ignore it. */
  route?: RouteRequest
}

/** What an engine tells of its tokens, in an answer or in a chunk; each field only where it was asked for. */
export interface MinnowReadings {
  /** Tokens that begin in this text. */
  tokenIds?: number[]
  /** One for each of those tokens. */
  signals?: TokenSignal[]
  /** On the whole answer, or on its first chunk. */
  promptSignals?: PromptReading
}

/** A passage of a document that was given to the model, or that bears out what it wrote. */
export interface Citation {
  /** The answer's "[label]". Labels begin at 1; one that the answer does not name was only read. */
  label: number
  documentId: string
  /** The document's name. */
  document: string
  /** Titles above the passage, topmost first. */
  headings: string[]
  /** From 1; null where the document has no pages. */
  page: number | null
  /** Where it stands in the document's text: UTF-16 units, `slice(start, end)`. */
  start: number
  end: number
  text: string
}

/** How far an answer is that takes many steps, for instance the summary of a long text. */
export interface StepProgress {
  done: number
  total: number
}

/** Minnow's own fields of a chunk. */
export interface MinnowChunkPart extends MinnowReadings {
  /** With `finish_reason`, where a form was asked for: one entry. */
  structured?: StructuredAnswer[]
  /** Only from an engine over documents: all citations so far; takes the place of what came before. */
  citations?: Citation[]
  /** Only from an engine that takes many steps. */
  progress?: StepProgress
  /** Only from an engine that does a preset's job: what is wrong with the answer's form; null: nothing. */
  preset?: { id: string; fault: string | null }
  /** Only from a router. */
  route?: RouteEvent
  /** Only from a remote, on the first chunk. */
  remote?: RemoteSource
}

/** Minnow's own fields of a completion. */
export interface MinnowCompletionPart extends MinnowReadings {
  /** Where a form was asked for: one for each choice. */
  structured?: StructuredAnswer[]
  /** Only from an engine over documents. */
  citations?: Citation[]
  /** Only from a router. */
  route?: SettledRoute
  /** Only from a remote. */
  remote?: RemoteSource
}

/** 'content_filter': a remote cut its answer off; 'tool_calls': tools are to be called. */
export type FinishReason = 'stop' | 'length' | 'content_filter' | 'tool_calls'

export interface TopLogprob {
  token: string
  /** Natural logarithm, from raw logits at temperature 1. */
  logprob: number
  bytes: number[] | null
}

export interface TokenLogprob extends TopLogprob {
  top_logprobs: TopLogprob[]
}

/** What a generation took. Durations in milliseconds, wall clock. */
export interface Timings {
  timeToFirstTokenMs: number
  prefillMs: number
  decodeMs: number
  /** Prompt tokens evaluated (without cached ones) a second; 0 where none. */
  prefillTokensPerSecond: number
  /** Tokens after the first a second; 0 where none. */
  decodeTokensPerSecond: number
  /** Tokens proposed and accepted by prompt lookup; 0 from remotes. */
  draftedTokens: number
  acceptedTokens: number
}

export interface Usage {
  prompt_tokens: number
  completion_tokens: number
  total_tokens: number
  prompt_tokens_details: { cached_tokens: number }
  /** From remotes: as seen from here, the network included. */
  minnow: Timings
  /** True where a remote did not count: about four UTF-8 bytes a token, then. */
  estimated?: true
}

export interface ChatCompletion {
  id: string
  object: 'chat.completion'
  created: number
  model: string
  /** What computed it: the same seed gives the same text wherever this is the same. Absent where it is not known. */
  system_fingerprint?: string
  choices: {
    index: number
    /** `content` is '' where there are only calls. */
    message: { role: 'assistant'; content: string; tool_calls?: ToolCall[] }
    finish_reason: FinishReason
    logprobs: { content: TokenLogprob[] } | null
  }[]
  usage: Usage
  minnow?: MinnowCompletionPart
}

export interface ChatCompletionChunk {
  id: string
  object: 'chat.completion.chunk'
  created: number
  model: string
  system_fingerprint?: string
  choices: {
    index: number
    delta: { role?: 'assistant'; content?: string; tool_calls?: ToolCallDelta[] }
    finish_reason: FinishReason | null
    logprobs: { content: TokenLogprob[] } | null
  }[]
  /** On the last chunk, when `stream_options.include_usage`. */
  usage?: Usage | null
  minnow?: MinnowChunkPart
}

export interface RequestOptions {
  signal?: AbortSignal
  /**
   * Called by engines that send over a network, before every request (retries and fallbacks too), with exactly what is
   * about to leave. What it throws stops the request, is not retried, and is what the call rejects with.
   */
  beforeSend?: (outgoing: OutgoingRequest) => void | Promise<void>
  /** Called by the same engines when the newest request gave no text, with why. Another may follow. */
  onFailure?: (error: unknown) => void
}

export interface ChatCompletions {
  create(
    params: ChatCompletionParams & { stream: true },
    options?: RequestOptions,
  ): Promise<AsyncIterable<ChatCompletionChunk>>
  create(
    params: ChatCompletionParams & { stream?: false | null },
    options?: RequestOptions,
  ): Promise<ChatCompletion>
}

/** Where the model runs: 'auto' is what was measured to be faster on this device. */
export type BackendPreference = 'auto' | 'wasm' | 'webgpu'

/** Integers that keys and values are kept as, each head's vector with a scale of its own. */
export type KvCache = '8-bit' | '16-bit'

/** What an engine is, for people and for the ledger. */
export interface EngineInfo {
  model: string
  backend: 'reference' | 'wasm' | 'webgpu' | 'remote' | 'other'
  /** For instance 'relaxed-simd'. */
  variant: string
  /** Why this backend runs and what happened to it since, for people; absent where there is no choice. */
  backendReason?: string
  threads: number
  /** Tokens; Infinity where a remote's is not known. */
  contextLength: number
  /** SHA-256 of the model's file, lower-case hex, where it is known: what calibrations are bound to. */
  modelHash?: string
  /** Type of most weights, for instance 'Q4_1', where it is known. */
  quantization?: string
  /** Bytes of the weights as they lie in memory. */
  weightsBytes: number
  /** All bytes the backend holds: weights, KV cache, scratch. */
  memoryBytes: number
  /** Why the model does not stay on this device ('storage-full' with sizes); absent where it does, or was not to. */
  notKept?: EngineErrorData
  /** What it charges, where it is a remote and that is known. */
  price?: Price
  /** Requests that a call may send, retries included. Absent: one. */
  mostRequests?: number
  /** Where it is several engines as one: each that may answer. */
  members?: readonly EngineInfo[]
}

export interface Engine {
  readonly chat: { readonly completions: ChatCompletions }
  readonly info: EngineInfo
  /**
   * What a call may send, to the letter, and where to: one for each remote that may be asked, the likeliest first. Sends
   * nothing. Only of engines that send over a network.
   * @throws EngineError as the call would
   */
  outgoing?(params: ChatCompletionParams): readonly OutgoingRequest[]
  /** Frees everything; running calls reject with code 'disposed'. */
  dispose(): Promise<void>
}

/** Progress of `createEngine()`. `fraction` never decreases and ends at 1. */
export interface LoadProgress {
  phase: 'download' | 'load' | 'ready'
  /** The file (chunk) worked on, if any. */
  file: string | null
  loadedBytes: number
  totalBytes: number
  fraction: number
  /** The model is used, but will not stay on this device: 'storage-full' with sizes in its details. */
  notKept?: EngineErrorData
}
