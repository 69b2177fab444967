import type { CommandEnvironment } from './command'

/** Says how far a command is: one line that changes in a terminal, else one line for each tenth. */
export function createProgress(
  messages: CommandEnvironment['messages'],
  what: string,
): { at(done: number, total: number): void; end(): void } {
  const isTerminal = messages.isTTY === true
  let last = -1
  return {
    at(done, total) {
      const share = Math.floor((done / total) * (isTerminal ? 100 : 10)) * (isTerminal ? 1 : 10)
      if (share === last) return
      last = share
      messages.write(isTerminal ? `\r${what} ${share} %` : `${what} ${share} %\n`)
    },
    end() {
      if (isTerminal) messages.write('\r\u001B[K')
    },
  }
}
