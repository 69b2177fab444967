import { define } from './define'
import { MinnowChat } from './minnow-chat'

/** Registers `<minnow-chat>`, or the same under another name; a name that is taken stays as it is. */
export function defineMinnowChat(name = 'minnow-chat'): void {
  // One class has one name.
  define(name, name === 'minnow-chat' ? MinnowChat : class extends MinnowChat {})
}
