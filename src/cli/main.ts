#!/usr/bin/env node
/** Entry of the command line. */
import { ask } from './ask'
import { calibrateFile } from './calibrate-file'
import { runCommand, type Command } from './command'
import { serve } from './serve'

const COMMANDS: Readonly<Record<string, Command>> = { ask, serve, calibrate: calibrateFile }

const USAGE = `Usage: minnow COMMAND [options]

  ask "prompt"          asks a model on this machine
  serve                 serves it with OpenAI's interface
  calibrate FILE        learns from labelled questions how sure its answers are

"minnow COMMAND --help" tells more.`

const [name, ...argv] = process.argv.slice(2)
const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
if (command !== undefined) {
  process.exitCode = await runCommand(command, argv, {
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
