import { isEngineError } from '../contract/error'

interface TextOutput {
  write(text: string): unknown
}

/** What a command has of the process. */
export interface CommandEnvironment {
  output: TextOutput
  messages: TextOutput & { isTTY?: boolean }
  onInterrupt(listener: () => void): void
}

export interface Command {
  readonly usage: string
  /** Until it is done or the signal fires. */
  run(argv: readonly string[], environment: CommandEnvironment, signal: AbortSignal): Promise<void>
}

/** Gives the exit code: 0 done, 1 failed, 2 wrong arguments, 130 interrupted. */
export async function runCommand(
  { usage, run }: Command,
  argv: readonly string[],
  environment: CommandEnvironment,
): Promise<number> {
  const { output, messages, onInterrupt } = environment
  const interrupt = new AbortController()
  onInterrupt(() => interrupt.abort())
  try {
    if (argv.includes('--help') || argv.includes('-h')) output.write(`${usage}\n`)
    else await run(argv, environment, interrupt.signal)
    return 0
  } catch (error) {
    if (interrupt.signal.aborted) {
      messages.write('\ninterrupted\n')
      return 130
    }
    if (isEngineError(error, 'invalid-argument')) {
      messages.write(`${error.message}\n\n${usage}\n`)
      return 2
    }
    messages.write(`${describe(error)}\n`)
    return 1
  }
}

function describe(error: unknown): string {
  if (isEngineError(error)) return `${error.code}: ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
