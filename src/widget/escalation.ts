import type { ChatCompletion, Engine } from '../contract/engine'
import type { SettledRoute } from '../contract/route'
import { createConfidenceModel } from '../router/calibration/confidence-model'
import { loadDefaultCalibration } from '../router/calibration/default-calibration'
import type { AskConsent } from '../router/consent'
import { createRouter, type Router } from '../router/create-router'
import { createLedger, settledOf, type LedgerEntry } from '../router/ledger'
import { createRemoteEngine } from '../router/providers/remote-engine'
import {
  createFeedbackList,
  createPeopleQueue,
  createWaitingList,
  type Feedback,
  type WaitingQuestion,
} from '../router/queues'
import type { PolicyInput } from '../router/policy/schema'
import { languageOf as languageOfQuestion, taskOf } from '../router/signals/prompt-signal'
import { openIndexedDbStorage } from '../router/storage/indexed-db'
import { createMemoryStorage, TABLES, type RouterStorage } from '../router/storage/tables'
import { AnswerFooter } from './answer-footer'
import { CalibrateDialog } from './calibrate-dialog'
import { CalibrationDesk } from './calibration-desk'
import { ConsentDialog } from './consent-dialog'
import { define } from './define'
import { SettingsDialog, type SettingsChange } from './settings-dialog'
import { isSameOrigin } from './settings-form'
import { SettingsStore, type RemoteChoice, type StoredSettings } from './settings-store'
import { languageOf } from './strings'
import { detailStrings } from './strings/details'
import { escalationStrings } from './strings/escalation'
import { UsageDialog } from './usage-dialog'
import { WaitDialog } from './wait-dialog'
import { WaitingList } from './waiting-list'

export interface EscalationOptions {
  /** Where the dialogs are put. */
  host: HTMLElement
  /** Shows the questions that wait; upgraded here. */
  waiting: HTMLElement
  /** The local engine, once it is loaded. */
  local(): Promise<Engine>
  /** A question that had waited was answered. */
  onAnswered(question: WaitingQuestion, completion: ChatCompletion, route: SettledRoute): void
  /** The settings changed: what is under way goes by those that no longer hold, and is to stop. */
  onChanged(): void
  /** The settings cannot be put into force. */
  onError(error: unknown): void
}

/** The router with its settings and its elements, for a page. Loaded when it is first wanted. */
export class Escalation {
  readonly #options: EscalationOptions
  readonly #store: SettingsStore
  readonly #storage: RouterStorage
  readonly #settingsDialog: SettingsDialog
  readonly #usageDialog: UsageDialog
  readonly #calibrateDialog: CalibrateDialog
  readonly #desk: CalibrationDesk
  readonly #consentDialog: ConsentDialog
  readonly #waitDialog: WaitDialog
  readonly #waiting: WaitingList
  #settings: StoredSettings
  /** In memory; stored only where the user ticked it. */
  #key: string | null
  /** By the settings in force: others, another router. */
  #routed: { local: Engine; router: Promise<Router>; remote: Engine | null } | null = null

  static async open(options: EscalationOptions): Promise<Escalation> {
    defineElements()
    const language = languageOf(options.host)
    await Promise.all([detailStrings.load(language), escalationStrings.load(language)])
    const storage = await openIndexedDbStorage().catch(() => createMemoryStorage())
    const store = new SettingsStore()
    return new Escalation(options, storage, store, await store.load())
  }

  private constructor(
    options: EscalationOptions,
    storage: RouterStorage,
    store: SettingsStore,
    settings: StoredSettings | null,
  ) {
    this.#options = options
    this.#store = store
    this.#storage = storage
    this.#settings = settings ?? { policy: {}, remote: null, key: null }
    this.#key = this.#settings.key
    this.#settingsDialog = document.createElement('minnow-settings-dialog') as SettingsDialog
    this.#usageDialog = document.createElement('minnow-usage-dialog') as UsageDialog
    this.#calibrateDialog = document.createElement('minnow-calibrate-dialog') as CalibrateDialog
    this.#consentDialog = document.createElement('minnow-consent-dialog') as ConsentDialog
    this.#waitDialog = document.createElement('minnow-wait-dialog') as WaitDialog
    this.#waiting = options.waiting as WaitingList
    this.#desk = new CalibrationDesk({
      store,
      storage,
      local: () => options.local(),
      onChange: () => this.#renew(),
    })
    options.host.append(
      this.#settingsDialog,
      this.#usageDialog,
      this.#calibrateDialog,
      this.#consentDialog,
      this.#waitDialog,
    )
    this.#settingsDialog.addEventListener('minnow-settings', (event) => {
      void this.#change((event as CustomEvent<SettingsChange>).detail)
    })
    this.#settingsDialog.addEventListener('minnow-show-usage', () => void this.showUsage())
    this.#settingsDialog.addEventListener('minnow-show-calibration', () => void this.showCalibration())
    this.#calibrateDialog.addEventListener('minnow-accept', (event) => {
      const accept = (event as CustomEvent<PolicyInput['accept']>).detail
      void this.#keep({ ...this.#settings, policy: { ...this.#settings.policy, accept } })
    })
    this.#waiting.addEventListener('minnow-waiting-send', () => void this.#sendWaiting())
    this.#waiting.addEventListener('minnow-waiting-remove', (event) => {
      void createWaitingList(this.#storage)
        .remove((event as CustomEvent<string>).detail)
        .then(() => this.#showWaiting())
    })
    store.onSavedElsewhere(() => void this.#takeOver())
    void this.#showWaiting()
  }

  /** Whether there is a bigger model to ask. */
  get hasRemote(): boolean {
    return this.#settings.remote !== null
  }

  showSettings(): Promise<void> {
    return this.#settingsDialog.show(this.#settings, this.#key)
  }

  showUsage(): Promise<void> {
    return this.#usageDialog.show({
      ledger: createLedger(this.#storage),
      feedback: () => createFeedbackList(this.#storage).list(),
      people: createPeopleQueue(this.#storage),
      wipe: () => this.wipe(),
    })
  }

  /** Deletes what was written down of answers, and the questions that wait. Settings stay. */
  async wipe(): Promise<void> {
    await Promise.all(TABLES.map((table) => this.#storage.clear(table)))
    await this.#showWaiting()
  }

  showCalibration(): Promise<void> {
    return this.#calibrateDialog.show(this.#desk, this.#settings.remote?.price ?? null)
  }

  /** The router over this local engine, with the settings in force. @throws EngineError where they are not valid. */
  routerOver(local: Engine): Promise<Router> {
    if (this.#routed?.local === local) return this.#routed.router
    this.#retire()
    const { remote: choice } = this.#settings
    // Of this router alone: a key that is saved or typed later may be another server's.
    const key = { value: this.#key }
    const remote = choice === null ? null : remoteOf(choice, () => key.value ?? '')
    const onKey = (typed: string): void => {
      key.value = typed
      if (this.#routed?.router === router) this.#key = typed
    }
    const router = this.#createRouter(local, remote, (question) =>
      this.#consentDialog.ask(question, choice?.needsKey === true && key.value === null ? onKey : null),
    )
    this.#routed = { local, router, remote }
    // What waits is sent now and whenever the network comes back, until this router is disposed of.
    void router.then(({ waiting }) => waiting.sendWhenOnline()).catch(() => undefined)
    return router
  }

  /** Ends the router at once, with all that it is about to send. */
  #retire(): void {
    const { router, remote } = this.#routed ?? {}
    this.#routed = null
    void remote?.dispose()
    void router?.then((each) => each.dispose()).catch(() => undefined)
  }

  /** Another router in the place of the one in force, if there is one. */
  #renew(): void {
    if (this.#routed === null) return
    const { local } = this.#routed
    this.#options.onChanged()
    this.#retire()
    // Whoever asks next is told what is wrong with it.
    this.routerOver(local).catch(() => undefined)
  }

  async #createRouter(local: Engine, remote: Engine | null, consent: AskConsent): Promise<Router> {
    const { policy } = this.#settings
    const { modelHash } = local.info
    // Without one, answers are taken as they are, and the badge says nothing of how sure they are.
    const own = await this.#store.calibrationOf(modelHash)
    const calibration = own.calibration ?? (await loadDefaultCalibration(modelHash).catch(() => null))
    return createRouter({
      local,
      remote,
      policy,
      calibration:
        calibration && createConfidenceModel(calibration, { modelHash, shift: own.recalibration?.shift }),
      describe: (question) => ({ task: taskOf(question), language: languageOfQuestion(question) }),
      // The storage outlives this router.
      storage: { ...this.#storage, close() {} },
      consent,
      askToWait: async () => {
        const waits = await this.#waitDialog.ask()
        if (waits) setTimeout(() => void this.#showWaiting(), 0)
        return waits
      },
      onAnswered: (question, completion) => {
        const route = completion.minnow?.route
        if (route !== undefined) this.#options.onAnswered(question, completion, route)
        void this.#showWaiting()
      },
    })
  }

  lookUp(id: string): Promise<LedgerEntry | null> {
    return createLedger(this.#storage).get(id)
  }

  /** What the ledger tells of an answer, however it ended. */
  async trace(id: string): Promise<SettledRoute | null> {
    const entry = await this.lookUp(id)
    if (entry === null) return null
    const source = entry.source ?? { kind: 'local', model: entry.localModel, verifiedBy: null }
    return settledOf({ ...entry, source })
  }

  /** Writes down what a user thinks of an answer. */
  async feedback(route: SettledRoute, kind: Feedback['kind'], text: string | null = null): Promise<void> {
    await createFeedbackList(this.#storage).put({
      id: crypto.randomUUID(),
      at: Date.now(),
      user: 'local',
      entry: route.id,
      kind,
      text,
      task: (await this.lookUp(route.id))?.task ?? null,
      confidence: route.confidence,
      source: route.source.kind,
    })
  }

  async #change({ settings, key, keepKey }: SettingsChange): Promise<void> {
    this.#key = key
    await this.#keep({ ...settings, key: keepKey ? key : null })
  }

  /** The settings that another tab saved. */
  async #takeOver(): Promise<void> {
    const settings = await this.#store.load()
    if (settings === null) return
    const [before, after] = [this.#settings.remote, settings.remote]
    const staysThere =
      before !== null && after?.needsKey === true && isSameOrigin(before.baseUrl, after.baseUrl)
    this.#key = settings.key ?? (staysThere ? this.#key : null)
    this.#settings = settings
    this.#renew()
  }

  async #keep(settings: StoredSettings): Promise<void> {
    this.#settings = settings
    this.#renew()
    await this.#store.save(settings)
  }

  async #showWaiting(): Promise<void> {
    this.#waiting.questions = await createWaitingList(this.#storage)
      .list()
      .catch(() => [])
  }

  async #sendWaiting(): Promise<void> {
    if (this.#waiting.sending || this.#waiting.questions.length === 0) return
    this.#waiting.sending = true
    try {
      const local = this.#routed?.local ?? (await this.#options.local())
      await (await this.routerOver(local)).waiting.send()
    } catch (error) {
      this.#options.onError(error)
    } finally {
      this.#waiting.sending = false
      await this.#showWaiting()
    }
  }
}

function remoteOf({ baseUrl, model, price, needsKey }: RemoteChoice, apiKey: () => string): Engine {
  return createRemoteEngine({
    baseUrl,
    model,
    // Read anew for each request: it may be typed when consent is given.
    ...(needsKey ? { apiKey } : {}),
    ...(price === null ? {} : { price }),
  })
}

function defineElements(): void {
  define('minnow-answer-footer', AnswerFooter)
  define('minnow-calibrate-dialog', CalibrateDialog)
  define('minnow-consent-dialog', ConsentDialog)
  define('minnow-settings-dialog', SettingsDialog)
  define('minnow-usage-dialog', UsageDialog)
  define('minnow-wait-dialog', WaitDialog)
  define('minnow-waiting-list', WaitingList)
}
