import { describe, expect, it } from 'vitest'
import { parseParams } from '../../src/engine/params/parse-params'
import { user } from './engine-harness'

const messages = [user('hi')]
const weather = { type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }
const call = { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{}' } }

const parse = (params: object): ReturnType<typeof parseParams> => parseParams({ messages, ...params }, 260, 0)

describe('messages', () => {
  it('become what a template takes', () => {
    const parsed = parse({
      messages: [
        { role: 'developer', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Is it ' },
            { type: 'text', text: 'raining?' },
          ],
        },
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c1', content: 'No.' },
        { role: 'assistant', content: 'It is not.', tool_calls: null },
      ],
    })
    expect(parsed.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Is it raining?' },
      { role: 'assistant', content: '', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c1', name: 'weather', content: 'No.' },
      { role: 'assistant', content: 'It is not.' },
    ])
  })

  it('tell the model of a result that has a wrong shape, or answers no call', () => {
    const asked = { role: 'assistant', tool_calls: [call] }
    const contentOf = (result: object): string =>
      parse({ messages: [asked, { role: 'tool', ...result }] }).messages[1]!.content
    expect(contentOf({ tool_call_id: 'c1', content: { rain: true } })).toMatch(
      /^Error: .*'weather'.*an object/,
    )
    expect(contentOf({ tool_call_id: 'c1' })).toMatch(/^Error: .*undefined/)
    expect(contentOf({ tool_call_id: 'c2', content: 'No.' })).toMatch(/^Error: .*"c2"/)
    expect(contentOf({ content: 'No.' })).toMatch(/^Error: /)
  })

  it('are refused where they cannot be read', () => {
    expect(() => parse({ messages: [{ role: 'user', content: [{ type: 'image_url' }] }] })).toThrow(
      expect.objectContaining({ code: 'unsupported' }),
    )
    expect(() => parse({ messages: [{ role: 'assistant', content: null }] })).toThrow(/content/)
    expect(() => parse({ messages: [{ role: 'assistant', tool_calls: [{ id: 'c1' }] }] })).toThrow(
      /messages\[0\]\.tool_calls\[0\]/,
    )
  })
})

describe('tools', () => {
  it('are read with their defaults', () => {
    expect(parse({ tools: [weather] }).tools).toEqual({
      functions: [
        {
          name: 'weather',
          description: '',
          parameters: { type: 'object' },
          strict: true,
          path: 'tools[0].function.parameters',
        },
      ],
      choice: 'auto',
      parallel: true,
    })
    expect(parse({ tools: [weather], tool_choice: 'none' }).tools).toBe(null)
    expect(parse({ tools: [] }).tools).toBe(null)
    const named = { type: 'function', function: { name: 'weather' } }
    expect(parse({ tools: [weather], tool_choice: named, parallel_tool_calls: false }).tools).toMatchObject({
      choice: { name: 'weather' },
      parallel: false,
    })
  })

  it.each([
    [{ tools: {} }, /'tools'/],
    [{ tools: [{ type: 'custom' }] }, /'tools\[0\]'/],
    [{ tools: [{ type: 'function', function: { name: 'a b' } }] }, /name/],
    [{ tools: [weather, weather] }, /tools\[1\]\.function\.name/],
    [{ tools: [{ type: 'function', function: { name: 'a', parameters: 3 } }] }, /parameters/],
    [{ tools: [weather], tool_choice: 'any' }, /tool_choice/],
    [{ tool_choice: 'required' }, /tool_choice/],
    [{ tools: [weather], tool_choice: { type: 'function', function: { name: 'b' } } }, /tool_choice/],
    [{ tools: [weather], response_format: { type: 'json_object' } }, /response_format/],
  ])('refuse %j', (params, message) => {
    expect(() => parse(params)).toThrow(message)
  })
})

describe('response formats', () => {
  it.each([
    [null, null],
    [{ type: 'text' }, null],
    [
      { type: 'json_object' },
      { type: 'json', schema: { type: 'object' }, strict: true, path: 'response_format.schema' },
    ],
    [
      { type: 'json_object', schema: '{"type":"array"}' },
      { type: 'json', schema: { type: 'array' }, strict: true, path: 'response_format.schema' },
    ],
    [
      { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'array' }, strict: false } },
      { type: 'json', schema: { type: 'array' }, strict: false, path: 'response_format.json_schema.schema' },
    ],
    [
      { type: 'regex', regex: '[a-z]+' },
      { type: 'regex', regex: '[a-z]+' },
    ],
    [
      { type: 'grammar', grammar: 'root ::= "a"' },
      { type: 'grammar', grammar: 'root ::= "a"' },
    ],
  ])('read %j', (given, read) => {
    expect(parse({ response_format: given }).format).toEqual(read)
  })

  it.each([
    ['json', /'response_format'/],
    [{ type: 'xml' }, /response_format\.type/],
    [{ type: 'json_schema', json_schema: { name: 'x' } }, /json_schema\.schema/],
    [{ type: 'json_object', schema: '{' }, /response_format\.schema/],
    [{ type: 'regex', regex: '' }, /response_format\.regex/],
    [{ type: 'grammar', grammar: 'x'.repeat(100_001) }, /100001 characters/],
  ])('refuse %j', (given, message) => {
    expect(() => parse({ response_format: given })).toThrow(message)
  })
})
