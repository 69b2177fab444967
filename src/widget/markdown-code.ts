import type { HLJSApi, LanguageFn } from 'highlight.js'

/** Loaded one by one, when code in them was written. */
const GRAMMARS: Readonly<Record<string, () => Promise<{ default: LanguageFn }>>> = {
  bash: () => import('highlight.js/lib/languages/bash'),
  c: () => import('highlight.js/lib/languages/c'),
  cpp: () => import('highlight.js/lib/languages/cpp'),
  csharp: () => import('highlight.js/lib/languages/csharp'),
  css: () => import('highlight.js/lib/languages/css'),
  diff: () => import('highlight.js/lib/languages/diff'),
  go: () => import('highlight.js/lib/languages/go'),
  java: () => import('highlight.js/lib/languages/java'),
  javascript: () => import('highlight.js/lib/languages/javascript'),
  json: () => import('highlight.js/lib/languages/json'),
  php: () => import('highlight.js/lib/languages/php'),
  python: () => import('highlight.js/lib/languages/python'),
  ruby: () => import('highlight.js/lib/languages/ruby'),
  rust: () => import('highlight.js/lib/languages/rust'),
  sql: () => import('highlight.js/lib/languages/sql'),
  typescript: () => import('highlight.js/lib/languages/typescript'),
  xml: () => import('highlight.js/lib/languages/xml'),
  yaml: () => import('highlight.js/lib/languages/yaml'),
}

const ALIASES: Readonly<Record<string, string>> = {
  'c#': 'csharp',
  'c++': 'cpp',
  cs: 'csharp',
  html: 'xml',
  js: 'javascript',
  jsx: 'javascript',
  py: 'python',
  rb: 'ruby',
  rs: 'rust',
  sh: 'bash',
  shell: 'bash',
  svg: 'xml',
  ts: 'typescript',
  tsx: 'typescript',
  yml: 'yaml',
  zsh: 'bash',
}

/** UTF-16 units: of more, the main thread would feel it. */
const LONGEST = 8000

let core: Promise<HLJSApi> | null = null

/** The code as HTML of spans with classes; null where the language is not known or the code too long. */
export async function highlight(code: string, language: string): Promise<string | null> {
  const name = ALIASES[language] ?? language
  const load = Object.hasOwn(GRAMMARS, name) ? GRAMMARS[name] : undefined
  if (load === undefined || code.length > LONGEST) return null
  core ??= import('highlight.js/lib/core').then((loaded) => loaded.default)
  const [highlighter, grammar] = await Promise.all([core, load()])
  if (highlighter.getLanguage(name) === undefined) highlighter.registerLanguage(name, grammar.default)
  return highlighter.highlight(code, { language: name, ignoreIllegals: true }).value
}
