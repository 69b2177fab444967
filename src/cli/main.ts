#!/usr/bin/env node
/** Entry of the command line: asks the model, as `npm run ask` does. */
import { ask } from './ask'

process.exitCode = await ask(process.argv.slice(2), {
  output: process.stdout,
  messages: process.stderr,
  onInterrupt: (listener) => {
    process.once('SIGINT', listener)
    process.once('SIGTERM', listener)
  },
})
