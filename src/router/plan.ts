import { EngineError } from '../contract/error'
import type { RouteDecision } from '../contract/route'
import { notSentError } from './not-sent'
import { usesTools } from './facts'
import { decide, type RouteRun } from './route-run'

/** What the hard rules leave open, before anything is generated. */
export interface Plan {
  readonly first: 'local' | 'remote'
  /** Whether the local engine can answer at all. */
  readonly local: boolean
  /** Whether a remote may be asked, as far as is known yet: each hop is checked anew. */
  readonly remote: boolean
  readonly decision: RouteDecision
}

/**
 * Forced modes, the label 'private', and what the local engine cannot do.
 * @throws EngineError 'unsupported' where the request must stay on the device and cannot be answered there; 'forbidden'
 * where only a remote is to answer and the policy keeps it on the device.
 */
export function planOf(run: RouteRun): Plan {
  const { settings, request, parts, facts } = run
  const { reason, rule } = settings.modeFrom
  const cannot = obstacleOf(run)
  const stays = request.private === true ? 'private' : settings.mode === 'only-on-device' ? reason : null
  if (stays !== null) {
    if (stays !== 'private' && request.mode === 'only-in-cloud') {
      decide(run, { action: 'local', stage: 'rules', reason: stays, rule })
      throw notSentError(stays, null)
    }
    if (cannot !== null) {
      throw new EngineError(
        'unsupported',
        `This request must stay on the device (${stays}), and the local model cannot answer it: ${cannot.words}.`,
        { details: { reason: cannot.reason } },
      )
    }
    return {
      first: 'local',
      local: true,
      remote: false,
      decision: decide(run, {
        action: 'local',
        stage: 'rules',
        reason: stays,
        rule: stays === 'private' ? null : rule,
      }),
    }
  }
  if (cannot !== null) {
    const decision = decide(run, { action: 'escalate', stage: 'rules', reason: cannot.reason })
    return { first: 'remote', local: false, remote: true, decision }
  }
  if (settings.mode === 'prefer-on-device') {
    const remote = parts.remote !== null
    const decision = decide(run, {
      action: 'local',
      stage: 'rules',
      reason: remote ? reason : 'no-remote',
      rule,
    })
    return { first: 'local', local: true, remote, decision }
  }
  const decision = decide(run, { action: 'escalate', stage: 'rules', reason, rule })
  return {
    first: 'remote',
    local: settings.mode === 'prefer-in-cloud' && facts.modality === 'text',
    remote: true,
    decision,
  }
}

function obstacleOf({
  parts,
  request,
  params,
  facts,
}: RouteRun): { reason: 'modality' | 'feature' | 'context'; words: string } | null {
  if (!parts.localModalities.has(facts.modality)) {
    return { reason: 'modality', words: `it cannot read input of the kind '${facts.modality}'` }
  }
  const wanted = [...(request.requires ?? []), ...(usesTools(params) ? ['tools'] : [])]
  const missing = wanted.find((feature) => !parts.localFeatures.has(feature))
  if (missing !== undefined) return { reason: 'feature', words: `it lacks '${missing}'` }
  const { contextLength } = parts.local.info
  // The estimate may be twice too high; what is only probably too long, the engine itself counts and refuses.
  if (facts.promptTokens / 2 > contextLength) {
    return { reason: 'context', words: `the prompt is longer than its ${contextLength} tokens` }
  }
  return null
}
