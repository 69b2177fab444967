import { describe, expect, it } from 'vitest'
import {
  languageOf,
  PROMPT_FEATURES,
  promptFeatures,
  readPrompt,
  taskOf,
} from '../../src/router/signals/prompt-signal'
import { quantile, TOKEN_FEATURES, tokenFeatures } from '../../src/router/signals/token-features'

describe('features of tokens', () => {
  it('are means, extremes and quantiles by name', () => {
    const tokens = [-1, -3, -2, -0.5, -0.5, -5].map((logprob, i) => ({
      logprob,
      margin: i + 1,
      entropy: 2 * i,
    }))
    const named: Record<string, number> = {}
    tokenFeatures(tokens).forEach((value, i) => (named[TOKEN_FEATURES[i]!] = value))
    expect(named).toEqual({
      meanLogprob: -2,
      minLogprob: -5,
      lowLogprob: -4,
      sumLogprob: -12,
      worstWindow: -2,
      firstLogprob: -1,
      firstMargin: 1,
      firstEntropy: 0,
      meanMargin: 3.5,
      minMargin: 1,
      meanEntropy: 5,
      maxEntropy: 10,
      logTokens: Math.log(6),
    })
  })

  it('are numbers for none, for one and for certain tokens', () => {
    for (const tokens of [[], [{ logprob: 0, margin: Infinity, entropy: 0 }]]) {
      const features = tokenFeatures(tokens)
      expect(features).toHaveLength(TOKEN_FEATURES.length)
      expect(features.every(Number.isFinite)).toBe(true)
    }
  })

  it('take quantiles between order statistics', () => {
    expect(quantile([3, 1, 2], 0.5)).toBe(2)
    expect(quantile([0, 10], 0.1)).toBe(1)
    expect(quantile([7], 0.9)).toBe(7)
  })
})

describe('prompts', () => {
  it.each([
    ['Write a function that sorts a list in Python', 'code'],
    ['Is this review positive or negative? I loved it.', 'classification'],
    ['Which planet is largest?\n- Mars\n- Jupiter\n- Venus', 'choice'],
    ['Passage: Trees grow.\nQuestion: do trees grow?', 'reading'],
    ['Complete the text with the next word.', 'completion'],
    ['Ann has 3 apples and buys 4. How many apples has she?', 'math'],
    ['Translate "good morning" for a card', 'writing'],
    ['Who painted the Mona Lisa?', 'question'],
    ['hello there', 'chat'],
  ])('%j is of the kind %s', (text, kind) => expect(taskOf(text)).toBe(kind))

  it.each([
    ['What is the capital of France and who lives there?', 'en'],
    ['Wie heißt die Hauptstadt von Frankreich und wer wohnt dort?', 'de'],
    ['Quelle est la capitale de la France et qui vit dans le pays ?', 'fr'],
    ['¿Cuál es la capital de España y quién vive en el país?', 'es'],
    ['日本の首都はどこですか', 'ja'],
    ['Какая столица Франции?', 'ru'],
    ['12 + 7', 'und'],
  ])('%j is in %s', (text, language) => expect(languageOf(text)).toBe(language))

  it('have plain measures, finite for an empty prompt too', () => {
    for (const text of ['', 'How tall is Mount Everest, 8848 m?']) {
      const features = promptFeatures(readPrompt(text, { hidden: null, tokens: text.length }))
      expect(features).toHaveLength(PROMPT_FEATURES.length)
      expect(features.every(Number.isFinite)).toBe(true)
    }
  })
})
