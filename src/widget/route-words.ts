import { isEngineError } from '../contract/error'
import type { RouteEvent, RouteReason, SettledRoute } from '../contract/route'
import { ERROR_WORDS } from './error-words'
import { percentOf } from './figure-words'

export interface Badge {
  readonly text: string
  /** 'doubt' asks for attention; 'away' says that the text came from elsewhere. */
  readonly tone: 'here' | 'away' | 'doubt'
}

/** Whose answer it is, in as few words as can be. */
export function badgeOf({ source, confidence }: SettledRoute): Badge {
  const sure = confidence === null ? '' : `, ${percentOf(confidence)} sure`
  switch (source.kind) {
    case 'local':
      return { text: `on this device${sure}`, tone: 'here' }
    case 'verified':
      return { text: `checked by ${source.verifiedBy ?? 'a bigger model'}`, tone: 'here' }
    case 'unverified':
      return { text: `not confirmed${sure}`, tone: 'doubt' }
    case 'remote':
      return { text: `answered by ${source.model}`, tone: 'away' }
    case 'cache':
      return { text: `answered by ${source.model} before`, tone: 'away' }
  }
}

const REASONS: Readonly<Record<RouteReason, string>> = {
  mode: 'the settings, or you, said who is to answer',
  rule: 'a rule of the policy says so',
  experiment: 'an experiment of the policy says so',
  private: 'the question is private',
  'personal-data': 'it holds personal data, which the settings keep here',
  'scan-failed': 'the search for personal data failed, so nothing may leave',
  'no-consent': 'you did not agree to send it',
  'no-remote': 'no bigger model is set up',
  offline: 'there is no network',
  budget: 'the money set aside is spent, or no price is known',
  latency: 'the bigger model is too slow for this question',
  context: 'it is longer than the model of this device can read',
  feature: 'the model of this device cannot do what was asked',
  modality: 'the model of this device cannot read this kind of input',
  confident: 'the model of this device was sure enough',
  unsure: 'the model of this device was not sure enough',
  uncalibrated:
    'nothing is known of how sure the model of this device was, and its answer was taken as it is',
  repetition: 'the answer of this device repeated itself',
  'broken-json': 'the answer of this device was no JSON',
  'empty-answer': 'this device found no words',
  confirmed: 'the bigger model found the answer of this device right',
  refuted: 'the bigger model found the answer of this device wrong',
  'local-failed': 'the model of this device failed',
  'remote-failed': 'the bigger model failed',
}

/** What was decided and why, as one or two sentences. */
export function explain({ source, decision, errorCode }: SettledRoute): string {
  const who = {
    local: 'This device answered',
    verified: 'This device answered',
    unverified: 'This device answered, and nobody confirmed it',
    remote: 'A bigger model answered',
    cache: 'A bigger model had answered the same question before',
  }[source.kind]
  const words = REASONS[decision.reason] ?? decision.reason
  const failure = errorCode === null ? '' : ` ${failureOf(errorCode)}`
  return `${who}: ${words}.${failure}`
}

function failureOf(code: string): string {
  return Object.hasOwn(ERROR_WORDS, code) ? ERROR_WORDS[code as keyof typeof ERROR_WORDS] : `Error: ${code}.`
}

/** What goes on, while it does. */
export function progressOf(event: Exclude<RouteEvent, SettledRoute>): string {
  switch (event.type) {
    case 'asking':
      return event.purpose === 'verify' ? `${event.model} checks this answer` : `Asking ${event.model}`
    case 'upgrading':
      return `${event.model} answers instead`
    case 'restoring':
      return `${event.model} answers again: the bigger model failed`
  }
}

/** Kinds of personal data, for people. */
export function kindOf(kind: string): string {
  return kind.replaceAll(/[-_]/g, ' ')
}

/** What was wrong with what a user wrote. */
export function problemOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return isEngineError(error) ? message.replace(/^create\w+\(\): /, '') : message
}
