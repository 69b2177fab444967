import { describe, expect, it } from 'vitest'
import { ask } from '../../src/cli/ask'
import { readAskArguments } from '../../src/cli/ask-arguments'
import { readCalibrateArguments } from '../../src/cli/calibrate-file'
import { runCommand } from '../../src/cli/command'
import { serve } from '../../src/cli/serve'

describe('readAskArguments', () => {
  it('reads every option', () => {
    const argv =
      '--max-tokens 5 --temperature 0 --seed 7 --threads 2 --context 256 --kv-cache 8-bit --system s --model m.gguf --json'
    expect(readAskArguments(['hello there', ...argv.split(' ')])).toEqual({
      prompt: 'hello there',
      system: 's',
      model: 'm.gguf',
      maxTokens: 5,
      temperature: 0,
      seed: 7,
      threads: 2,
      contextLength: 256,
      kvCache: '8-bit',
      json: true,
    })
  })

  it('leaves what is not given to the engine', () => {
    expect(readAskArguments(['hello'])).toMatchObject({
      prompt: 'hello',
      model: null,
      maxTokens: null,
      temperature: null,
      threads: null,
      kvCache: null,
      json: false,
    })
  })

  it.each([
    ['--max-tokens', ['x', '--max-tokens', '0']],
    ['--max-tokens', ['x', '--max-tokens', '1e3']],
    ['--threads', ['x', '--threads', '-1']],
    ['--threads', ['x', '--threads=two']],
    ['--temperature', ['x', '--temperature', '3']],
    ['--temperature', ['x', '--temperature', ' ']],
    ['--seed', ['x', '--seed', '1.5']],
    ['--kv-cache', ['x', '--kv-cache', '8']],
    ['--no-such', ['x', '--no-such']],
    ['--model', ['x', '--model']],
    ['2', ['two', 'prompts']],
  ])('names %s where it is wrong', (name, argv) => {
    expect(() => readAskArguments(argv)).toThrow(name)
  })
})

describe('runCommand', () => {
  function environment() {
    const written = { output: '', messages: '' }
    return {
      written,
      output: { write: (text: string) => (written.output += text) },
      messages: { write: (text: string) => (written.messages += text) },
      onInterrupt: () => undefined,
    }
  }

  it('exits with 2 and the usage for wrong arguments', async () => {
    const given = environment()
    expect(await runCommand(ask, ['x', '--threads', 'many'], given)).toBe(2)
    expect(given.written.messages).toContain('--threads must be a whole number, but is "many"')
    expect(given.written.messages).toContain('Usage: minnow ask')
    expect(given.written.output).toBe('')
  })

  it('exits with 2 for an empty prompt', async () => {
    expect(await runCommand(ask, [''], environment())).toBe(2)
  })

  it('prints the usage on demand', async () => {
    const given = environment()
    expect(await runCommand(ask, ['--help'], given)).toBe(0)
    expect(given.written.output).toContain('--max-tokens')
  })

  it.each([
    ['--port', ['--port', '70000']],
    ['by --api-key-env', ['--host', '0.0.0.0']],
    ['holds no key', ['--api-key-env', 'MINNOW_NO_SUCH_VARIABLE']],
    ['--allow-origin', ['--allow-origin', 'example.com']],
    ['no-such', ['no-such']],
  ])('serve names %s where it is wrong, before it loads a model', async (words, argv) => {
    const given = environment()
    expect(await runCommand(serve, argv, given)).toBe(2)
    expect(given.written.messages).toContain(words)
  })
})

describe('readCalibrateArguments', () => {
  it('reads every option, and has defaults for all but the file', () => {
    const argv =
      'q.jsonl --out c.json --target cost=2 --per-question 0.01 --system s --threads 2 --model m.gguf'
    expect(readCalibrateArguments(argv.split(' '))).toEqual({
      file: 'q.jsonl',
      out: 'c.json',
      target: { kind: 'cost', most: 2, perQuestion: 0.01 },
      system: 's',
      threads: 2,
      model: 'm.gguf',
      contextLength: null,
      kvCache: null,
    })
    expect(readCalibrateArguments(['q.jsonl'])).toMatchObject({
      out: 'calibration.json',
      target: { kind: 'risk', most: 0.1 },
    })
  })

  it.each([
    ['file', []],
    ['file', ['a', 'b']],
    ['--target', ['a', '--target', 'risk=2']],
    ['--target', ['a', '--target', 'luck=0.1']],
    ['--per-question', ['a', '--target', 'cost=1']],
    ['--threads', ['a', '--threads', '0']],
    ['--nonsense', ['a', '--nonsense']],
  ])('names %s where it is wrong', (name, argv) => {
    expect(() => readCalibrateArguments(argv)).toThrow(
      expect.objectContaining({ code: 'invalid-argument', message: expect.stringContaining(name) as string }),
    )
  })
})
