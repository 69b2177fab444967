/** What form an answer must have. The first three are OpenAI's; the others, and `schema`, are WebLLM's. */

import type { JsonSchema } from './tools'

export interface JsonSchemaFormat {
  type: 'json_schema'
  json_schema: {
    name?: string
    description?: string
    schema: JsonSchema
    /** Whether objects hold no other properties than those named, unless `additionalProperties` says so. Default true. */
    strict?: boolean | null
  }
}

/** Some JSON object, or what `schema` (JSON as text) asks for. */
export interface JsonObjectFormat {
  type: 'json_object'
  schema?: string | null
}

/** The rule `root` of a grammar in the EBNF of GBNF and XGrammar. */
export interface GrammarFormat {
  type: 'grammar'
  grammar: string
}

/** The whole answer matches. ECMAScript's syntax without groups that look around, back-references and anchors within. */
export interface RegexFormat {
  type: 'regex'
  regex: string
}

export type ResponseFormat =
  | { type: 'text' }
  | JsonObjectFormat
  | JsonSchemaFormat
  | GrammarFormat
  | RegexFormat

/** How far an answer of a given form came. */
export interface StructuredAnswer {
  /** Of the choice. */
  index: number
  /** Whether it is whole: of the form that was asked for. Else it was cut off. */
  complete: boolean
  /** Where it is not: what to put behind it so that it is of the form; null where that was not found. */
  repair: string | null
}
