/** Whether a free text says what is right, by rules that need no model. */

/** Lower case, without articles and punctuation, as TriviaQA's own judge compares. */
export function plainWords(text: string): string[] {
  const letters = text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s]/gu, ' ')
  return letters.split(/\s+/).filter((word) => word !== '' && !['a', 'an', 'the'].includes(word))
}

export function startsWithWords(answer: string, wanted: string): boolean {
  const words = plainWords(answer)
  const goal = plainWords(wanted)
  return goal.length > 0 && goal.every((word, i) => words[i] === word)
}

export function holdsWords(answer: string, wanted: string): boolean {
  const goal = plainWords(wanted).join(' ')
  return goal !== '' && ` ${plainWords(answer).join(' ')} `.includes(` ${goal} `)
}

/** Index of the name that comes first in the answer; −1 where none does. */
export function firstNamed(answer: string, names: readonly string[]): number {
  const words = plainWords(answer)
  return words.reduce((found, word) => (found >= 0 ? found : names.indexOf(word)), -1)
}

/** The choice whose words share most with the answer's (F1 of word counts); −1 where none shares any or two tie. */
export function chosen(answer: string, choices: readonly string[]): number {
  const words = plainWords(answer)
  const scores = choices.map((choice) => {
    const goal = plainWords(choice)
    const left = [...words]
    const shared = goal.filter((word) => {
      const at = left.indexOf(word)
      if (at >= 0) left.splice(at, 1)
      return at >= 0
    }).length
    return shared === 0 ? 0 : (2 * shared) / (words.length + goal.length)
  })
  const best = Math.max(...scores)
  return best === 0 || scores.filter((score) => score === best).length > 1 ? -1 : scores.indexOf(best)
}

export function lastNumber(text: string): number | null {
  const numbers = text.match(/-?\d[\d,]*(?:\.\d+)?/g)
  return numbers === null ? null : Number(numbers.at(-1)!.replaceAll(',', ''))
}

/** Without fences, blanks and case: exact match, which is stricter than running both. */
export function plainSql(text: string): string {
  const fenced = /```(?:sql)?\s*([\s\S]*?)```/i.exec(text)
  return (fenced?.[1] ?? text)
    .toLowerCase()
    .replaceAll(/[\s;]+/g, ' ')
    .trim()
}
