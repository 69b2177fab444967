import type { CheckedAnswer } from './check-answer'

const KEYWORDS = new Set(
  (
    'select from where and or not in is null like between as on join inner left right outer full cross group by order ' +
    'having limit offset distinct asc desc count sum avg min max union all exists case when then else end date year ' +
    'lower upper length round abs coalesce cast int integer text true false'
  ).split(' '),
)

/**
 * Whether a text is one query that only reads, with pairs of quotes and brackets, and names only what the schema has. Not a
 * parser: it finds what small models get wrong, and does not say that a database would run it.
 */
export function checkSql(text: string, schema: string): CheckedAnswer {
  const query = queryIn(text)
  if (query === null) return { fault: 'not-sql', text }
  const shown = `${query};`
  const code = query.replace(/'(?:[^']|'')*'/g, "''").replace(/"([^"]*)"/g, '$1')
  const opened = Array.from(code).reduce(
    (depth, sign) => (depth < 0 ? depth : depth + (sign === '(' ? 1 : sign === ')' ? -1 : 0)),
    0,
  )
  const isOne = opened === 0 && !/[;`]/.test(code) && code.replaceAll("''", '').indexOf("'") === -1
  const words: readonly string[] = code.toLowerCase().match(/[a-z_]\w*/g) ?? []
  const isQuery = words[0] === 'select' && (!words.includes('group') || words.includes('by'))
  if (!isOne || !isQuery || /\b(?:insert|update|delete|drop|alter|create|grant)\b/i.test(code)) {
    return { fault: 'not-sql', text: shown }
  }
  const known = new Set(schema.toLowerCase().match(/[a-z_]\w*/g))
  // What is named in the query itself: "AS total", "orders o".
  const named = new Set(
    [...code.toLowerCase().matchAll(/\b(?:as\s+|(?:from|join)\s+\w+\s+(?:as\s+)?)([a-z_]\w*)/g)].map(
      ([, name]) => name,
    ),
  )
  const isKnown = words.every((word) => KEYWORDS.has(word) || known.has(word) || named.has(word))
  return { fault: isKnown ? null : 'unknown-name', text: shown }
}

/** The first statement, out of a fence if it is in one. */
function queryIn(text: string): string | null {
  const fenced = /```(?:sql)?\s*([\s\S]*?)(?:```|$)/i.exec(text)?.[1] ?? text
  const query = /\bselect\b(?:'(?:[^']|'')*'|[^;'])*?(?=;|\n\s*\n|$)/i.exec(fenced)?.[0]
  return query === undefined ? null : query.replace(/\s+/g, ' ').trim()
}
