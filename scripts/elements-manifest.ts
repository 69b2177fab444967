import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

/**
 * Lists of a declaration (https://github.com/webcomponents/custom-elements-manifest), by the tags of its
 * docblock.
 */
const LISTS = {
  attr: 'attributes',
  fires: 'events',
  slot: 'slots',
  csspart: 'cssParts',
  cssprop: 'cssProperties',
} as const

export interface NamedEntry {
  name: string
  description: string
  type?: { text: string }
}

export type ElementDeclaration = Record<(typeof LISTS)[keyof typeof LISTS], NamedEntry[]> & {
  kind: 'class'
  name: string
  tagName: string
  customElement: true
  description: string
  members: NamedEntry[]
}

/**
 * What editors and catalogues are told of `<minnow-chat>`, read from its source: the docblock and the public
 * members.
 */
export function readElement(): ElementDeclaration {
  const source = readFileSync(join(ROOT, 'src/widget/minnow-chat.ts'), 'utf8')
  const match = /\/\*\*((?:(?!\*\/)[^])*)\*\/\nexport class (\w+) extends LitElement/.exec(source)
  if (match?.[1] === undefined || match[2] === undefined)
    throw new Error('minnow-chat.ts has no documented class')
  const text = match[1].replaceAll(/^\s*\* ?/gm, '')
  const [description = '', ...tags] = text.split(/^@/m)
  const declaration: ElementDeclaration = {
    kind: 'class',
    name: match[2],
    tagName: 'minnow-chat',
    customElement: true,
    description: oneLine(description),
    attributes: [],
    events: [],
    slots: [],
    cssParts: [],
    cssProperties: [],
    members: membersOf(source),
  }
  for (const tag of tags) {
    const parsed = /^(\w+)\s+(?:\{([^}]*)\}\s+)?([\w-]+)\s+-\s+([^]*)$/.exec(tag)
    const list = LISTS[parsed?.[1] as keyof typeof LISTS]
    const [, , type, name, words] = parsed ?? []
    if (list === undefined || name === undefined || words === undefined)
      throw new Error(`not understood: @${tag}`)
    const entry: NamedEntry = { name, description: oneLine(words) }
    if (list === 'attributes') entry.type = { text: type ?? 'string' }
    if (list === 'events') entry.type = { text: 'CustomEvent' }
    declaration[list].push(entry)
  }
  return declaration
}

/** Documented fields and methods. */
function membersOf(source: string): NamedEntry[] {
  const pattern = /^ {2}\/\*\* (.*) \*\/\n {2}(?:declare (\w+): (.+)|(?:async )?(\w+)\((.*)\): (.+) \{)$/gm
  return Array.from(source.matchAll(pattern), ([, words = '', field, type, method, parameters, result]) =>
    field === undefined
      ? {
          kind: 'method',
          name: method ?? '',
          description: words,
          type: { text: `(${parameters}) => ${result}` },
        }
      : { kind: 'field', name: field, description: words, type: { text: type ?? '' } },
  )
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

/** The content of `custom-elements.json`. */
export function elementsManifest(): object {
  const declaration = readElement()
  const reference = { name: declaration.name, module: 'dist/widget-element.js' }
  return {
    schemaVersion: '1.0.0',
    modules: [
      {
        kind: 'javascript-module',
        path: 'dist/widget-element.js',
        declarations: [declaration],
        exports: [{ kind: 'js', name: declaration.name, declaration: reference }],
      },
      {
        kind: 'javascript-module',
        path: 'dist/widget.js',
        exports: [{ kind: 'custom-element-definition', name: declaration.tagName, declaration: reference }],
      },
    ],
  }
}
