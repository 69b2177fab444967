import { expect, test } from 'vitest'
import { isJson, mayBecomeJson } from '../../../src/router/signals/text-faults'

const TEXTS = [
  '{"a": [1, -2.5e+3, true, false, null], "b\\n\\u00e9 \\" ]}": {"c": {}, "d": []}, "": "x"}\n',
  ' [ [ ] , { } , "\\\\" , 0.5 ] ',
  '"only a [string {"',
  '-12.5E-7',
  'false',
]

test.each(TEXTS)('every beginning of %j may become JSON', (text) => {
  expect(isJson(text)).toBe(true)
  for (let length = 0; length <= text.length; length++) {
    expect(mayBecomeJson(text.slice(0, length)), text.slice(0, length)).toBe(true)
  }
})

test.each([
  'Here is',
  '```json',
  '{"a" 1',
  "{'a'",
  '[1 2',
  '[1,]',
  '{"a":1]',
  '[}',
  '01',
  '{} {',
  '"\\x',
  '{"a":nil',
  '{a',
])('%j cannot become JSON, whatever follows', (text) => {
  expect(mayBecomeJson(text)).toBe(false)
  expect(mayBecomeJson(`${text} "}]`)).toBe(false)
})
