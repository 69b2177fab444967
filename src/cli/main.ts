#!/usr/bin/env node
/** Entry of the command line. */
import { ask } from './ask'
import { calibrateFile } from './calibrate-file'
import { runCommand, type Command } from './command'
import { serve } from './serve'

/** What works on models themselves is loaded only for that. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  ask: async () => ask,
  serve: async () => serve,
  calibrate: async () => calibrateFile,
  models: async () => (await import('./models')).models,
  eval: async () => (await import('./evaluate')).evaluate,
}

const USAGE = `Usage: minnow COMMAND [options]

  ask "prompt"          asks a model on this machine
  serve                 serves it with OpenAI's interface
  calibrate FILE        learns from labelled questions how sure its answers are
  models …              lists, verifies, adds and quantises model files
  eval …                perplexity of a text, multiple choice

"minnow COMMAND --help" tells more.`

const [name, ...argv] = process.argv.slice(2)
const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
if (command !== undefined) {
  process.exitCode = await runCommand(await command(), argv, {
    output: process.stdout,
    messages: process.stderr,
    onInterrupt: (listener) => {
      process.once('SIGINT', listener)
      process.once('SIGTERM', listener)
    },
  })
} else if (name === '--help' || name === '-h') process.stdout.write(`${USAGE}\n`)
else {
  const problem = name === undefined ? 'Which command?' : `There is no command ${JSON.stringify(name)}.`
  process.stderr.write(`${problem}\n\n${USAGE}\n`)
  process.exitCode = 2
}
