import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'

export type NativeRequest =
  | { call: 'open'; modelPath: string; threads: number; contextLength: number; ids: readonly number[] }
  | { call: 'prefill'; count: number }
  | { call: 'decode'; context: number; count: number }

export type NativeAnswer = { value: unknown; cpuSeconds: number } | { error: string }

/** llama.cpp in a child process, so that neither its threads nor its memory touch the benchmark or the browser. */
export class NativeLlama {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, 'native-child.ts'), {
    execArgv: ['--import', 'tsx'],
  })
  #cpuSeconds = 0

  /** @returns what llama.cpp says of itself */
  async open(
    options: Omit<Extract<NativeRequest, { call: 'open' }>, 'call'>,
  ): Promise<Record<string, unknown>> {
    return (await this.#call({ call: 'open', ...options })) as Record<string, unknown>
  }

  /** CPU time of the child's answers so far. */
  get cpuSeconds(): number {
    return this.#cpuSeconds
  }

  async prefill(count: number): Promise<number> {
    return toMilliseconds(await this.#call({ call: 'prefill', count }))
  }

  async decode(context: number, count: number): Promise<number> {
    return toMilliseconds(await this.#call({ call: 'decode', context, count }))
  }

  close(): void {
    this.#child.kill()
  }

  #call(request: NativeRequest): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null): void =>
        reject(new Error(`llama.cpp's process ended with ${code}`))
      this.#child.once('exit', onExit)
      this.#child.once('message', (answer: NativeAnswer) => {
        this.#child.off('exit', onExit)
        if ('error' in answer) {
          reject(new Error(answer.error))
          return
        }
        this.#cpuSeconds += answer.cpuSeconds
        resolve(answer.value)
      })
      this.#child.send(request)
    })
  }
}

function toMilliseconds(value: unknown): number {
  if (typeof value !== 'number') throw new TypeError(`llama.cpp's process answered ${String(value)}`)
  return value
}
