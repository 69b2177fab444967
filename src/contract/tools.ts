/** Functions that a model may have called, in OpenAI's shapes. */

/** A JSON Schema, draft 2020-12; which keywords are taken is said at `ResponseFormat`. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown }

/** A function that the model may want called. */
export interface ChatTool {
  type: 'function'
  function: {
    /** 1…64 letters, digits, '_' or '-'. */
    name: string
    description?: string
    /** Of its arguments: an object's. Default: there are none. */
    parameters?: JsonSchema
    /** Whether objects hold no other properties than those named, as in `JsonSchemaFormat`. */
    strict?: boolean | null
  }
}

/** 'auto': text or calls, as the model likes; 'required': at least one call; an object: a call of this one. */
export type ToolChoice =
  | 'none'
  | 'auto'
  | 'required'
  | { readonly type: 'function'; readonly function: { readonly name: string } }

/** A function that the model wants called. */
export interface ToolCall {
  id: string
  type: 'function'
  /** `arguments` should be JSON; from Minnow's own engine it is, by the tool's schema, unless the answer was cut off. */
  function: { name: string; arguments: string }
}

/** A piece of a call in a stream: id and name come with its first piece, `arguments` are to be joined. */
export interface ToolCallDelta {
  /** Of the call in this answer. */
  index: number
  id?: string
  type?: 'function'
  function?: { name?: string; arguments?: string }
}
