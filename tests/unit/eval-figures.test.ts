import { describe, expect, it } from 'vitest'
import { continued } from '../../eval/ask'
import { formatCounts, formatTasks, parseCounts, parseTasks } from '../../eval/counts'
import { conversed } from '../../src/router/calibration/ask-item'
import { chosen, holdsWords, lastNumber, startsWithWords } from '../../src/router/calibration/judge-answer'
import { parseItem } from '../../src/router/calibration/labelled-item'
import type { ScoredItem } from '../../eval/evaluate-task'
import { leaveOneTaskOut } from '../../eval/leave-one-task-out'
import { fitSubjectGaps } from '../../eval/subject-gaps'
import { wordFeatures } from '../../eval/word-features'
import { bootstrap, eceFloor, riskCoverage, seededRandom } from '../../eval/metrics'
import { apgr, cpt, escalatedAt, qualityCurve } from '../../eval/routing-metrics'
import { scoredChoices } from '../../src/cli/scored-choices'

describe('routing figures', () => {
  // Weak right: b, d. Strong right: a, b, c. Gains: a 1, b 0, c 1, d −1.
  const outcomes = { a: [0, 1], b: [1, 1], c: [0, 1], d: [1, 0] } as const
  const routed = (scores: Record<'a' | 'b' | 'c' | 'd', number>) =>
    Object.entries(outcomes).map(([name, [weak, strong]]) => ({ score: scores[name as 'a'], weak, strong }))

  it('follow the quality from all weak to all strong', () => {
    expect(qualityCurve(routed({ a: 4, c: 3, b: 2, d: 1 }))).toEqual([0.5, 0.75, 1, 1, 0.75])
  })

  it('APGR is the area over the weak model, by the gap', () => {
    // Trapezoids of the curve above .5: (.125 + .375 + .5 + .375) / 4 / .25
    expect(apgr(routed({ a: 4, c: 3, b: 2, d: 1 }))).toBeCloseTo(1.375, 12)
    expect(apgr(routed({ a: 1, b: 1, c: 1, d: 1 }))).toBeCloseTo(0.5, 12)
    expect(apgr([{ score: 1, weak: 1, strong: 1 }])).toBeNull()
  })

  it('name the least share that is enough', () => {
    const items = routed({ a: 4, c: 3, b: 2, d: 1 })
    expect(cpt(items, 0.5)).toBe(0.25)
    expect(cpt(items, 1)).toBe(0.25)
    expect(escalatedAt(items, 0.6)).toBe(0)
    expect(escalatedAt(items, 0.95)).toBe(0.25)
  })

  it('random scores recover about half', () => {
    const random = seededRandom(8)
    const items = Array.from({ length: 4000 }, () => ({
      score: random(),
      weak: random() < 0.5 ? 1 : 0,
      strong: random() < 0.9 ? 1 : 0,
    }))
    expect(Math.abs(apgr(items)! - 0.5)).toBeLessThan(0.05)
  })
})

describe('counts of items', () => {
  it('are one for all tasks, or one for each', () => {
    expect(parseCounts('300')('a')).toBe(300)
    expect(parseCounts('all')('a')).toBe(Infinity)
    const some = parseCounts('a:300,b:all')
    expect([some('a'), some('b'), some('c')]).toEqual([300, Infinity, 0])
    expect([...parseTasks('a,b:40,')]).toEqual([
      ['a', Infinity],
      ['b', 40],
    ])
    for (const wrong of ['', 'x', '-1', '1.5', 'a:', 'a:x'])
      expect(() => parseCounts(wrong)).toThrow(/whole number/)
  })

  it('are written as they are read', () => {
    const asked = [
      { task: 'a', count: 10, available: 10 },
      { task: 'b', count: 4, available: 10 },
    ]
    expect([formatTasks(asked), formatCounts(asked)]).toEqual(['a,b:4', 'a:all,b:4'])
    expect([...parseTasks(formatTasks(asked))]).toEqual([
      ['a', Infinity],
      ['b', 4],
    ])
  })
})

describe('gaps by subject', () => {
  it('are expected of what a text says, not of a label', () => {
    const texts = { law: 'the court held the contract void', physics: 'the force on a mass is constant' }
    const items = Object.entries(texts).flatMap(([subject, text]) =>
      Array.from({ length: 40 }, (_, n) => ({
        words: wordFeatures(`${text} in case ${n}`),
        subject,
        gap: subject === 'law' ? 1 : 0,
      })),
    )
    const expected = fitSubjectGaps(items)
    expect(expected(wordFeatures('is this contract void'))).toBeGreaterThan(0.7)
    expect(expected(wordFeatures('a constant force'))).toBeLessThan(0.3)
    const unknown = expected(wordFeatures('bread'))
    expect(unknown).toBeGreaterThan(0.4)
    expect(unknown).toBeLessThan(0.6)
  })
})

describe('a task never seen', () => {
  const random = seededRandom(9)
  /** Log-odds that say the truth, moved by `bias`. */
  const task = (bias: number, empty = 0): ScoredItem[] =>
    Array.from({ length: 600 }, (_, n) => {
      const truth = random()
      const isEmpty = n < empty
      const logOdds = Math.log(truth / (1 - truth)) + bias
      const common = isEmpty ? null : ({ way: 'continued', logOdds } as const)
      return { right: !isEmpty && random() < truth ? 1 : 0, example: { common } } as unknown as ScoredItem
    })

  it('is judged by the others; where it is unlike them, a few judgements mend most of it', () => {
    const left = leaveOneTaskOut({
      a: task(0),
      b: task(0),
      c: task(0, 300),
      d: task(0),
      e: task(0),
      odd: task(2),
    })!
    expect(left['a']!.auroc).toBeGreaterThan(0.8)
    expect(left['a']!.ece).toBeLessThan(0.12)
    // Half of it is empty, which no other task needs to have shown.
    expect(left['c']!.ece).toBeLessThan(0.12)
    expect(left['odd']!.ece).toBeGreaterThan(0.2)
    expect(left['odd']!.ece_judged).toBeLessThan(left['odd']!.ece / 2)
    expect(leaveOneTaskOut({ a: task(0) })).toBeNull()
  })
})

describe('figures', () => {
  it('bootstrap intervals hold the value and narrow with more items', () => {
    const draw = (count: number) => {
      const random = seededRandom(count)
      const items = Array.from({ length: count }, () => (random() < 0.3 ? 1 : 0))
      return bootstrap<number>(
        items,
        (sample) => sample.reduce((sum, x) => sum + x, 0) / sample.length,
        random,
      )!
    }
    const [few, many] = [draw(100), draw(2500)]
    for (const { value, low, high } of [few, many]) expect(low < value && value < high).toBe(true)
    expect(many.high - many.low).toBeLessThan((few.high - few.low) / 3)
    expect(bootstrap([1], () => null, seededRandom(1))).toBeNull()
  })

  it('the floor of the ECE shrinks with more items', () => {
    const items = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ confidence: (i + 0.5) / count, right: 0 }))
    const [few, many] = [100, 2500].map((count) => eceFloor(items(count), seededRandom(2), 50))
    expect(few).toBeGreaterThan(0.08)
    expect(many).toBeLessThan(few! / 3)
  })

  it('risk rises as coverage takes in wrong answers', () => {
    const items = [0.9, 0.8, 0.7, 0.6].map((confidence, i) => ({ confidence, right: i < 2 ? 1 : 0 }))
    expect(riskCoverage(items)).toEqual([
      { coverage: 0.25, risk: 0 },
      { coverage: 0.5, risk: 0 },
      { coverage: 0.75, risk: 1 / 3 },
      { coverage: 1, risk: 0.5 },
    ])
  })
})

describe('items', () => {
  const lines = {
    choice: { query: 'Q', choices: ['a', 'b'], gold: 1 },
    contexts: { context_options: ['a', 'b'], continuation: 'c', gold: 0 },
    label: { text: 'fine', label: 1 },
    completion: { context: 'The', continuation: 'end' },
    question: { context: 'Q', answer: 'A', aliases: [] },
    plain: { question: 'Q', answer: 'A' },
    math: { context: 'Q', chain_of_thought: '', answer: '7' },
    turns: { question_id: 1, category: 'x', turns: ['hi'] },
    sql: { db_id: 'd', question: 'q', query: 'SELECT 1' },
    routingChoice: {
      domain: 'd',
      question: 'q',
      choices: ['a', 'b'],
      gold: 0,
      mixtral_correct: 1,
      gpt4_correct: 1,
    },
    routingMath: { question: 'q', answer: '1', steps: 2, mixtral_correct: 0, gpt4_correct: 1 },
  }

  it.each(Object.entries(lines))('of the form %s are told by their fields', (form, line) => {
    expect(parseItem(JSON.stringify(line))?.form).toBe(form)
  })

  it('of no known form, or no JSON, are none', () => {
    for (const line of [
      '{',
      '[]',
      '{"a":1}',
      '{"text":"x","label":2}',
      '{"query":"Q","choices":["a"],"gold":0}',
    ]) {
      expect(parseItem(line)).toBeNull()
    }
  })

  it('are asked in the way of their form', () => {
    const ways = Object.entries(lines).map(([form, line]) => {
      const item = parseItem(JSON.stringify(line))!
      return [
        form,
        [scoredChoices(item), continued(item), conversed(item)].map((way) => (way === null ? 0 : 1)).join(''),
      ]
    })
    expect(Object.fromEntries(ways)).toEqual({
      choice: '101',
      contexts: '101',
      label: '101',
      completion: '011',
      question: '011',
      plain: '001',
      math: '001',
      turns: '000',
      sql: '001',
      routingChoice: '100',
      routingMath: '001',
    })
  })
})

describe('judges', () => {
  it('compare words, not case, marks or articles', () => {
    expect(startsWithWords('The U.S.A. is', 'the usa')).toBe(false)
    expect(startsWithWords('France, of course', 'france')).toBe(true)
    expect(startsWithWords('Francesco', 'France')).toBe(false)
    expect(holdsWords('It was painted by Leonardo da Vinci.', 'Leonardo Da Vinci')).toBe(true)
    expect(holdsWords('anything', '')).toBe(false)
  })

  it('find the choice an answer means', () => {
    const choices = ['safety goggles', 'a breathing mask', 'rubber gloves']
    expect(chosen('You should wear a breathing mask.', choices)).toBe(1)
    expect(chosen('I do not know', choices)).toBe(-1)
    expect(chosen('goggles gloves', ['goggles x', 'gloves x'])).toBe(-1)
  })

  it('take the last number', () => {
    expect(lastNumber('2 + 2 = 4, so 1,200.5')).toBe(1200.5)
    expect(lastNumber('none')).toBeNull()
    const ask = conversed({ form: 'math', context: 'Q', chain_of_thought: '', answer: '1,200' })!
    expect([ask.isRight('so it is 1200.'), ask.isRight('1200 or 3')]).toEqual([true, false])
  })

  it('take the first label named', () => {
    const ask = conversed({ form: 'label', text: 'x', label: 1 })!
    expect([ask.isRight('Positive, not negative'), ask.isRight('negative'), ask.isRight('no idea')]).toEqual([
      true,
      false,
      false,
    ])
  })
})
