/** Follows a text as it streams in, and knows whether what comes next may become part of an address. */
export interface UrlWatch {
  read(text: string): void
  /** Doubt counts as yes: in the destination of a link or picture in Markdown, in a tag of HTML, in a word that is an address. */
  readonly mayBeInUrl: boolean
}

/** What makes a word an address, also where slashes are turned round, escaped or written as entities. */
const ADDRESS = /[/\\]{2}|\w:[/\\&]|&[#a-z]|\bwww\./i
/** Characters in which that shows. */
const ADDRESS_LENGTH = 5

/** Where in a tag a renderer of HTML is, as far as that tells where the tag ends. */
type TagState = 'tag' | 'after equals' | '"' | "'"

/** More than one where HTML has names or bare values with quotes in them. */
function nextTagStates(state: TagState, char: string): readonly TagState[] {
  if (state === '"' || state === "'") return [char === state ? 'tag' : state]
  if (char === '>') return []
  if (char === '=' && state === 'tag') return ['after equals']
  if (state === 'after equals' && /\s/.test(char)) return [state]
  if (state === 'after equals' && (char === '"' || char === "'")) return [char, 'tag']
  return ['tag']
}

/** A destination behind `](` or `]:`: before its first character, within `<…>`, or plain and with so many open parentheses. */
interface Destination {
  form: 'waiting' | 'angled' | 'plain'
  depth: number
}

export function createUrlWatch(): UrlWatch {
  let last = ''
  let newlines = 0
  let word = ''
  let isAddress = false
  let destination: Destination | null = null
  let isEscaped = false
  // All that may be: what looks like a tag may be none, as in code or a comment, and then the next one is.
  let tags: ReadonlySet<TagState> = new Set()

  const readWord = (char: string, isBlank: boolean): void => {
    word = isBlank ? '' : (word + char).slice(-ADDRESS_LENGTH)
    isAddress = !isBlank && (isAddress || ADDRESS.test(word))
  }

  const readDestination = (char: string, isBlank: boolean): void => {
    if (destination !== null) {
      // No paragraph, so no link, goes on behind an empty line.
      if (newlines > 1) destination = null
      else if (isEscaped) isEscaped = false
      else if (char === '\\') isEscaped = true
      else if (destination.form === 'angled') destination.form = char === '>' ? 'plain' : 'angled'
      else if (destination.form === 'plain' || !isBlank) {
        destination.form = destination.form === 'waiting' && char === '<' ? 'angled' : 'plain'
        if (char === '(') destination.depth++
        if (char === ')') destination.depth--
        if (isBlank && destination.depth <= 0) destination = null
      }
    }
    if (last !== ']' || (char !== '(' && char !== ':') || destination?.form === 'angled') return
    destination = { form: 'waiting', depth: destination?.depth ?? (char === '(' ? 1 : 0) }
    isEscaped = false
  }

  const readTags = (char: string): void => {
    const opened: TagState[] = last === '<' && /[a-z]/i.test(char) ? ['tag'] : []
    if (tags.size + opened.length > 0)
      tags = new Set([...[...tags].flatMap((state) => nextTagStates(state, char)), ...opened])
  }

  return {
    read(text) {
      for (const char of text) {
        const isBlank = /\s/.test(char)
        newlines = char === '\n' ? newlines + 1 : isBlank ? newlines : 0
        readWord(char, isBlank)
        readDestination(char, isBlank)
        readTags(char)
        last = char
      }
    },
    get mayBeInUrl() {
      return isAddress || destination !== null || tags.size > 0
    },
  }
}
