import type { Engine } from '../contract/engine'
import { EngineError } from '../contract/error'
import { createConfidenceModel } from '../router/calibration/confidence-model'
import { loadDefaultCalibration } from '../router/calibration/default-calibration'
import { createRouter, type Router } from '../router/create-router'
import { createRemoteEngine } from '../router/providers/remote-engine'
import type { PersonCase } from '../router/queues'
import { openIndexedDbStorage } from '../router/storage/indexed-db'
import { createMemoryStorage } from '../router/storage/tables'
import { ConsentDialog } from './consent-dialog'
import { define } from './define'

export interface WidgetRemote {
  /** Address of an OpenAI-compatible interface; relative to the page. */
  readonly url: string
  readonly model: string
  /** A mode, or a policy as JSON; null: the default policy. */
  readonly policy: string | null
}

/** The local engine with a remote behind it. Before the first byte leaves, the visitor is asked in `host`. */
export async function openWidgetRouter(
  local: Engine,
  { url, model, policy }: WidgetRemote,
  host: ParentNode,
  onHuman: (item: PersonCase) => void,
): Promise<Router> {
  define('minnow-consent-dialog', ConsentDialog)
  const dialog = document.createElement('minnow-consent-dialog') as ConsentDialog
  host.append(dialog)
  const baseUrl = new URL(url, document.baseURI)
  const { modelHash } = local.info
  const calibration = await loadDefaultCalibration(modelHash).catch(() => null)
  return createRouter({
    local,
    remote: createRemoteEngine({ baseUrl: baseUrl.href, model }),
    policy: readPolicy(policy),
    calibration: calibration && createConfidenceModel(calibration, { modelHash }),
    storage: await openIndexedDbStorage().catch(() => createMemoryStorage()),
    // A site's own proxy has the key.
    consent: (question) => dialog.ask(question),
    onHuman,
  })
}

function readPolicy(text: string | null): object {
  if (text === null) return {}
  if (!text.trim().startsWith('{')) return { mode: text.trim() }
  try {
    return JSON.parse(text) as object
  } catch (cause) {
    throw new EngineError('invalid-argument', `The attribute policy is neither a mode nor JSON: ${text}`, {
      cause,
    })
  }
}
