import type { JsonSchema } from '../../contract/tools'
import { checkSchema } from './response-format'
import { describe, flag, invalid, isAbsent, isRecord } from './values'

export interface ToolFunction {
  readonly name: string
  readonly description: string
  readonly parameters: JsonSchema
  readonly strict: boolean
  /** Of `parameters` in the request. */
  readonly path: string
}

/** What may be called, and whether it must be. */
export interface ToolSettings {
  readonly functions: readonly ToolFunction[]
  /** An object: a call of this one. */
  readonly choice: 'auto' | 'required' | { readonly name: string }
  readonly parallel: boolean
}

const MOST_TOOLS = 128
const NO_ARGUMENTS: JsonSchema = { type: 'object', properties: {}, additionalProperties: false }

/** null where nothing may be called. */
export function parseTools(given: Record<string, unknown>): ToolSettings | null {
  const { tools, tool_choice: choice } = given
  const parallel = flag(given, 'parallel_tool_calls', true)
  if (!isAbsent(tools) && (!Array.isArray(tools) || tools.length > MOST_TOOLS)) {
    throw invalid('tools', `a list of at most ${MOST_TOOLS} tools`, tools)
  }
  const functions = ((tools ?? []) as unknown[]).map(parseTool)
  const names = functions.map(({ name }) => name)
  const twice = names.findIndex((name, index) => names.indexOf(name) < index)
  if (twice >= 0) throw invalid(`tools[${twice}].function.name`, 'a name of its own', names[twice])
  const chosen = parseChoice(choice, names)
  return chosen === 'none' || functions.length === 0 ? null : { functions, choice: chosen, parallel }
}

function parseTool(tool: unknown, index: number): ToolFunction {
  const path = `tools[${index}]`
  const called = isRecord(tool) && tool['type'] === 'function' ? tool['function'] : undefined
  if (!isRecord(called)) {
    throw invalid(path, "{ type: 'function', function: { name, description, parameters } }", tool)
  }
  const { name, description = '', parameters } = called
  if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name)) {
    throw invalid(`${path}.function.name`, "1 to 64 letters, digits, '_' or '-'", name)
  }
  if (typeof description !== 'string') throw invalid(`${path}.function.description`, 'a string', description)
  return {
    name,
    description,
    parameters: isAbsent(parameters) ? NO_ARGUMENTS : checkSchema(parameters, `${path}.function.parameters`),
    strict: flag(called, 'strict', true, `${path}.function.`),
    path: `${path}.function.parameters`,
  }
}

function parseChoice(choice: unknown, names: readonly string[]): ToolSettings['choice'] | 'none' {
  if (isAbsent(choice)) return 'auto'
  if (choice === 'none' || choice === 'auto') return choice
  if (choice === 'required' && names.length > 0) return choice
  const called = isRecord(choice) ? choice['function'] : undefined
  const name = isRecord(called) ? called['name'] : undefined
  if (typeof name === 'string' && names.includes(name)) return { name }
  const got = name ?? choice
  throw invalid(
    'tool_choice',
    `'none', 'auto', 'required' or { type: 'function', function: { name } } of one of the tools (${describe(names.join(', '))})`,
    got,
  )
}
