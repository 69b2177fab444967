import { describe, expect, it } from 'vitest'
import { chrF, PRESET_TESTS, scoreAnswer } from '../../../eval/presets/scores'
import type { ChatCompletionChunk } from '../../../src/contract/engine'
import { createMockEngine } from '../../../src/testing'
import { checkAnswer } from '../../../src/widget/presets/check-answer'
import { checkSql } from '../../../src/widget/presets/check-sql'
import { presetMessages } from '../../../src/widget/presets/preset'
import { createPresetEngine } from '../../../src/widget/presets/preset-engine'
import { PRESETS } from '../../../src/widget/presets/presets'

const keyOf = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join('\n')
const preset = (id: string) => PRESETS.find((one) => one.id === id)!

describe.each(PRESETS.map((one) => [one.id, one] as const))('preset %s', (id, one) => {
  it('is whole, in both languages, and its examples are of its own format', () => {
    const names = one.fields.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const words of [one.title, one.hint, ...one.fields.map(({ label }) => label)]) {
      expect(words.en).not.toBe('')
      expect(words.de).not.toBe('')
    }
    for (const [, name] of `${one.instruction}${one.template}`.matchAll(/\{(\w+)\}/g))
      expect(names).toContain(name)
    expect(one.examples.length).toBeGreaterThan(1)
    for (const { values, answer } of one.examples) {
      expect(Object.keys(values).sort()).toEqual(names.toSorted())
      expect({ answer, ...checkAnswer(one.format, answer, values) }).toMatchObject({ answer, fault: null })
      if (one.examplesBy !== undefined) {
        const { options } = one.fields.find(({ name }) => name === one.examplesBy)!
        expect(options!.map(({ value }) => value)).toContain(values[one.examplesBy])
      }
    }
  })

  it('is tested over examples of its own, none of which is in its prompt', () => {
    const { cases } = PRESET_TESTS[id]!
    expect(cases.length).toBeGreaterThanOrEqual(24)
    const shown = new Set(one.examples.map(({ values }) => keyOf(values)))
    for (const { values } of cases) {
      expect(Object.keys(values).sort()).toEqual(one.fields.map(({ name }) => name).sort())
      expect(shown.has(keyOf(values))).toBe(false)
    }
  })
})

describe('presetMessages', () => {
  it('fills in values once, whatever braces they hold', () => {
    const messages = presetMessages(preset('sql'), { schema: 'a(b)', question: '{schema} {x}' })
    expect(messages.at(-1)).toEqual({ role: 'user', content: 'a(b)\nQuestion: {schema} {x}\nSQL:' })
    expect(messages[0]!.role).toBe('system')
  })

  it('shows only the examples that are like the question, where a preset says so', () => {
    const messages = presetMessages(preset('translate'), { text: 'Hello.', language: 'German' })
    expect(messages.filter(({ content }) => /French|Spanish/.test(content))).toEqual([])
    expect(messages.length).toBeGreaterThan(5)
  })
})

describe('checkAnswer', () => {
  const fault = (id: string, answer: string, values: Record<string, string>) =>
    checkAnswer(preset(id).format, answer, values).fault

  it('holds texts against their source', () => {
    const values = {
      text: 'The bridge, built in 1,820, will be closed for repairs until the end of March, says the mayor.',
    }
    expect(fault('summarise', 'The bridge is closed until March.', values)).toBeNull()
    expect(fault('summarise', 'The bridge of 1820 is closed.', values)).toBeNull()
    expect(fault('summarise', 'The bridge is closed for 3 years.', values)).toBe('new-numbers')
    expect(fault('summarise', values.text, values)).toBe('too-long')
    expect(fault('summarise', ' \n', values)).toBe('empty')
    expect(fault('rewrite', 'go away!', { text: 'Go away', style: 'more polite' })).toBe('unchanged')
    expect(fault('tutor', 'Water falls.', { topic: 'rain', level: 'a child' })).toBe('no-question')
  })

  it('takes labels of the list only', () => {
    const values = { text: 'x', labels: 'billing, account access' }
    const checked = checkAnswer(
      preset('triage').format,
      '**Category:** Account Access.\nurgency: HIGH',
      values,
    )
    expect(checked).toEqual({ fault: null, text: 'Category: account access\nUrgency: high' })
    expect(fault('triage', 'Category: refund\nUrgency: low', values)).toBe('not-a-label')
    expect(fault('triage', 'Category: billing', values)).toBe('not-a-label')
  })

  it('takes JSON with the keys that were asked for and values out of the text', () => {
    const values = { text: 'Ann Lee paid 20 euros.', keys: 'name, amount' }
    const good = checkAnswer(
      preset('extract').format,
      'Sure: {"amount": "20 euros", "name": "Ann Lee", "x": 1} ok',
      values,
    )
    expect(good).toEqual({ fault: null, text: '{\n  "name": "Ann Lee",\n  "amount": "20 euros"\n}' })
    expect(fault('extract', '{"name": "Ann Lee", "amount": null}', values)).toBeNull()
    expect(fault('extract', '{"name": "Ann Lee"}', values)).toBe('missing-keys')
    expect(fault('extract', '{"name": "Bob", "amount": "20 euros"}', values)).toBe('not-in-text')
    for (const answer of ['{"name"', 'null', '[]', 'none', '{"name": ["Ann"]} }']) {
      expect(fault('extract', answer, values)).toBe('not-json')
    }
  })
})

describe('checkSql', () => {
  const schema = 'orders(id, product, price)\ncustomers(id, name)'

  it('takes queries over the schema', () => {
    expect(
      checkSql('```sql\nSELECT product,\n  COUNT(*) FROM orders GROUP BY product;\n```', schema),
    ).toEqual({
      fault: null,
      text: 'SELECT product, COUNT(*) FROM orders GROUP BY product;',
    })
    for (const query of [
      "SELECT o.price AS cost FROM orders o WHERE o.product = 'a;b ('",
      'SELECT name FROM customers WHERE id IN (SELECT id FROM orders) ORDER BY name DESC LIMIT 3',
    ]) {
      expect(checkSql(query, schema).fault).toBeNull()
    }
  })

  it('says what is none', () => {
    for (const text of [
      'DROP TABLE orders',
      'I select nothing of (that',
      "SELECT product FROM orders WHERE product = 'a",
      'SELECT COUNT( FROM orders',
      'SELECT id FROM orders WHERE DELETE',
      'no query',
    ]) {
      expect(checkSql(text, schema).fault).toBe('not-sql')
    }
    expect(checkSql('SELECT colour FROM orders', schema).fault).toBe('unknown-name')
    expect(checkSql('SELECT price FROM invoices', schema).fault).toBe('unknown-name')
  })
})

describe('createPresetEngine', () => {
  async function run(id: string, values: Record<string, string>, replies: string[]) {
    const inner = createMockEngine({
      reply: () => replies[Math.min(inner.calls.length, replies.length) - 1]!,
    })
    const stream = await createPresetEngine(inner, preset(id), values).chat.completions.create({
      messages: [{ role: 'user', content: 'anything' }],
      stream: true,
    })
    const chunks: ChatCompletionChunk[] = []
    for await (const chunk of stream) chunks.push(chunk)
    return {
      inner,
      text: chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''),
      preset: chunks.findLast(({ minnow }) => minnow?.preset !== undefined)?.minnow?.preset,
      chunks,
    }
  }

  it('streams a text with what stands around it, and says how the check went', async () => {
    const values = { text: 'Where is my lamp?', notes: 'sent today' }
    const { text, preset: told, chunks } = await run('reply', values, ['We have sent it today.'])
    expect(text).toBe('Hello,\n\nWe have sent it today.\n\nKind regards')
    expect(told).toEqual({ id: 'reply', fault: null })
    expect(chunks.length).toBeGreaterThan(5)
    const long = await run('summarise', { text: 'Short text.' }, ['word '.repeat(30)])
    expect(long.preset).toEqual({ id: 'summarise', fault: 'too-long' })
  })

  it('asks again where the form is wrong, and shows one answer', async () => {
    const values = { text: 'x', labels: 'billing, other' }
    const right = 'Category: other\nUrgency: low'
    const { inner, text, preset: told } = await run('triage', values, ['Category: sport', right])
    expect(text).toBe('Category: other  \nUrgency: low')
    expect(told!.fault).toBeNull()
    expect(inner.calls.map(({ temperature }) => temperature)).toEqual([0, 0.6])
    const never = await run('triage', values, ['none'])
    expect(never.inner.calls).toHaveLength(3)
    expect(never.preset!.fault).toBe('not-a-label')
  })
})

describe('scores', () => {
  it('are 0 for a wrong form, and count what is right', () => {
    const triage = PRESET_TESTS['triage']!.cases[0]!
    expect(scoreAnswer(preset('triage'), 'Category: billing\nUrgency: normal', triage)).toBe(1)
    expect(scoreAnswer(preset('triage'), 'Category: billing\nUrgency: low', triage)).toBe(0.5)
    expect(scoreAnswer(preset('triage'), 'billing', triage)).toBe(0)
    const extract = PRESET_TESTS['extract']!.cases[0]!
    expect(
      scoreAnswer(preset('extract'), '{"name":"Lena Hartwig","job":"nurse","city":null}', extract),
    ).toBeCloseTo(2 / 3)
    const [how] = PRESET_TESTS['sql']!.cases
    expect(scoreAnswer(preset('sql'), 'select count( * ) from customers', how!)).toBe(1)
    expect(scoreAnswer(preset('sql'), 'SELECT COUNT(*) FROM orders', how!)).toBe(0)
  })

  it('chrF is 1 for the same text and 0 for nothing shared', () => {
    expect(chrF('Der Hund schläft.', 'Der Hund schläft.')).toBe(1)
    expect(chrF('xyz', 'Der Hund')).toBe(0)
    expect(chrF('Der Hund bellt.', 'Der Hund schläft.')).toBeGreaterThan(0.3)
  })
})
