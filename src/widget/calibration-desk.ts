import type { Engine } from '../contract/engine'
import type { AskedItem } from '../router/calibration/ask-item'
import { calibrate } from '../router/calibration/calibrate'
import { loadDefaultCalibration } from '../router/calibration/default-calibration'
import { recalibrate, type Recalibration } from '../router/calibration/recalibrate'
import type { Calibration } from '../router/calibration/schema'
import { createLedger } from '../router/ledger'
import { createFeedbackList, labelsOf, type FeedbackLabel } from '../router/queues'
import type { RouterStorage } from '../router/storage/tables'
import { DEFAULT_CHAT_SETTINGS } from './chat-settings'
import type { SettingsStore, StoredCalibration } from './settings-store'

/** What is known of how sure answers are. */
export interface CalibrationState {
  /** Of the local model. */
  readonly model: string
  /** 'shipped' with Minnow, the user's 'own', or 'none' for this model. */
  readonly kind: 'shipped' | 'own' | 'none'
  readonly calibration: Calibration | null
  /** What was learnt from judgements since. */
  readonly learnt: StoredCalibration['recalibration']
  /** Judged answers of this device that nothing was learnt from yet. */
  readonly judged: number
}

export interface CalibrationDeskOptions {
  readonly store: SettingsStore
  readonly storage: RouterStorage
  local(): Promise<Engine>
  /** What is in force is another now. */
  onChange(): void
}

/** Makes, keeps and forgets calibrations of the local model: by a user's questions, and by judgements of answers. */
export class CalibrationDesk {
  readonly #options: CalibrationDeskOptions

  constructor(options: CalibrationDeskOptions) {
    this.#options = options
  }

  async state(): Promise<CalibrationState> {
    const local = await this.#options.local()
    const { modelHash, model } = local.info
    const stored = await this.#options.store.calibrationOf(modelHash)
    const shipped = stored.calibration === null ? await loadDefaultCalibration(modelHash) : null
    const calibration = stored.calibration ?? shipped
    return {
      model,
      kind: stored.calibration !== null ? 'own' : shipped !== null ? 'shipped' : 'none',
      calibration,
      learnt: stored.recalibration,
      judged: (await this.#labels(model, stored)).length,
    }
  }

  /** Asks the local model and fits. Nothing is kept yet. */
  async run(
    questions: readonly AskedItem[],
    options: { source: string; signal: AbortSignal; onProgress(asked: number, total: number): void },
  ): Promise<Calibration> {
    // As the page asks: with its system message.
    return calibrate(await this.#options.local(), questions, {
      ...options,
      system: DEFAULT_CHAT_SETTINGS.system,
    })
  }

  /** From now on, in the place of what there was; earlier judgements spoke of other confidences and count no more. */
  async keep(calibration: Calibration): Promise<void> {
    await this.#save(calibration.model.hash, { calibration, recalibration: null })
  }

  /** null: there are too few judgements. */
  async learn(): Promise<Recalibration | null> {
    const { info } = await this.#options.local()
    const stored = await this.#options.store.calibrationOf(info.modelHash)
    const learnt = recalibrate(await this.#labels(info.model, stored))
    if (learnt === null || info.modelHash === undefined) return null
    const before = stored.recalibration ?? { shift: 0, answers: 0 }
    await this.#save(info.modelHash, {
      calibration: stored.calibration,
      recalibration: {
        shift: Math.max(-10, Math.min(10, before.shift + learnt.shift)),
        answers: before.answers + learnt.answers,
        at: Date.now(),
      },
    })
    return learnt
  }

  /** Back to what ships with Minnow; judgements stay where they are and count anew. */
  async reset(): Promise<void> {
    const { modelHash } = (await this.#options.local()).info
    if (modelHash !== undefined) await this.#save(modelHash, { calibration: null, recalibration: null })
  }

  async #save(modelHash: string, stored: StoredCalibration): Promise<void> {
    await this.#options.store.saveCalibration(modelHash, stored)
    this.#options.onChange()
  }

  /**
   * Thumbs and edits of this model's answers, since confidences are what they are. Asking the bigger model is no judgement:
   * people ask it of good answers, too.
   */
  async #labels(model: string, { calibration, recalibration }: StoredCalibration): Promise<FeedbackLabel[]> {
    const since = Math.max(
      recalibration?.at ?? 0,
      calibration === null ? 0 : Date.parse(calibration.createdAt) || 0,
    )
    const { storage } = this.#options
    const [entries, feedback] = await Promise.all([
      createLedger(storage).list(),
      createFeedbackList(storage).list(),
    ])
    const own = new Set(
      entries.filter(({ localModel, at }) => localModel === model && at > since).map(({ id }) => id),
    )
    return labelsOf(feedback.filter(({ kind, entry }) => kind !== 'ask-bigger' && own.has(entry)))
  }
}
