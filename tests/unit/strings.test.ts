import { afterEach, describe, expect, it } from 'vitest'
import { de } from '../../src/widget/strings/de'
import { de as deDetails } from '../../src/widget/strings/details-de'
import { en as enDetails } from '../../src/widget/strings/details-en'
import { de as deEscalation } from '../../src/widget/strings/escalation-de'
import { en as enEscalation } from '../../src/widget/strings/escalation-en'
import { en } from '../../src/widget/strings/en'
import { pickLanguage, setLanguage, strings } from '../../src/widget/strings'

/** Every string of a table by its path; functions are called with what numbers and names may be. */
function flatten(table: object, path = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of Object.entries(table) as [string, unknown][]) {
    const at = `${path}${key}`
    if (typeof value === 'string') found.set(at, value)
    else if (typeof value === 'function')
      found.set(at, String((value as (...of: number[]) => unknown)(7, 3, 2, 1, 5)))
    else for (const [inner, text] of flatten(value as object, `${at}.`)) found.set(inner, text)
  }
  return found
}

/** Questions that this model understands, and what is put together of names. */
const SAME = new Set([
  ...[0, 1, 2].map((index) => `page.exampleQuestions.${index}`),
  'markdown.codeIn',
  'store.about',
])

describe('strings', () => {
  afterEach(() => setLanguage('en'))

  it.each([
    ['main', en, de],
    ['details', enDetails, deDetails],
    ['escalation', enEscalation, deEscalation],
  ])('are complete in German: %s', (_, english, german) => {
    const [from, to] = [flatten(english), flatten(german)]
    expect([...to.keys()].toSorted()).toEqual([...from.keys()].toSorted())
    const same = [...from].filter(([key, text]) => text.includes(' ') && text === to.get(key))
    // Any other phrase that is the same in both was forgotten.
    expect(same.map(([key]) => key).filter((key) => !SAME.has(key))).toEqual([])
  })

  it('are those of the language that was chosen', async () => {
    expect(strings().errors.network).toMatch(/^The connection/)
    await setLanguage(pickLanguage(['fr-FR', 'de-AT', 'en']))
    expect(strings().errors.network).toMatch(/^Die Verbindung/)
  })
})
