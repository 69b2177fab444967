import type { JsonSchema } from '../../contract/tools'
import { EngineError } from '../../contract/error'
import { describe, flag, invalid, isAbsent, isRecord } from './values'

/** A form that an answer must have. */
export type FixedFormat =
  | { readonly type: 'json'; readonly schema: JsonSchema; readonly strict: boolean; readonly path: string }
  | { readonly type: 'grammar'; readonly grammar: string }
  | { readonly type: 'regex'; readonly regex: string }

/** Most characters of a grammar, a regular expression, or a schema as text. */
const MOST_CHARACTERS = 100_000

/** null: any text. What the form itself says is checked where it is compiled. */
export function parseResponseFormat(value: unknown): FixedFormat | null {
  if (isAbsent(value)) return null
  if (!isRecord(value)) throw invalid('response_format', 'an object with a type', value)
  switch (value['type']) {
    case 'text':
      return null
    case 'json_object':
      return parseJsonObject(value['schema'])
    case 'json_schema':
      return parseJsonSchema(value['json_schema'])
    case 'grammar':
      return { type: 'grammar', grammar: text(value['grammar'], 'response_format.grammar') }
    case 'regex':
      return { type: 'regex', regex: text(value['regex'], 'response_format.regex') }
    default:
      throw invalid(
        'response_format.type',
        "'text', 'json_object', 'json_schema', 'grammar' or 'regex'",
        value['type'],
      )
  }
}

function parseJsonObject(schema: unknown): FixedFormat {
  const path = 'response_format.schema'
  if (isAbsent(schema)) return { type: 'json', schema: { type: 'object' }, strict: true, path }
  const source = text(schema, path)
  let parsed: unknown
  try {
    parsed = JSON.parse(source)
  } catch {
    throw invalid(path, 'a JSON Schema as text', source)
  }
  return { type: 'json', schema: checkSchema(parsed, path), strict: true, path }
}

function parseJsonSchema(value: unknown): FixedFormat {
  const path = 'response_format.json_schema'
  if (!isRecord(value)) throw invalid(path, 'an object with a schema', value)
  const schema = checkSchema(value['schema'], `${path}.schema`)
  return {
    type: 'json',
    schema,
    strict: flag(value, 'strict', true, `${path}.`),
    path: `${path}.schema`,
  }
}

/** That it is one at all, and not too long. */
export function checkSchema(value: unknown, path: string): JsonSchema {
  if (typeof value !== 'boolean' && !isRecord(value)) throw invalid(path, 'a JSON Schema', value)
  let length: number
  try {
    length = JSON.stringify(value).length
  } catch (cause) {
    throw new EngineError('invalid-argument', `'${path}' is no JSON: ${String(cause)}.`, {
      details: { parameter: path, got: describe(value) },
    })
  }
  if (length > MOST_CHARACTERS) throw tooLong(path, length)
  return value
}

function text(value: unknown, path: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(path, 'a string that is not empty', value)
  if (value.length > MOST_CHARACTERS) throw tooLong(path, value.length)
  return value
}

function tooLong(path: string, length: number): EngineError {
  return new EngineError(
    'invalid-argument',
    `'${path}' has ${length} characters; at most ${MOST_CHARACTERS} are taken.`,
    { details: { parameter: path, got: length } },
  )
}
