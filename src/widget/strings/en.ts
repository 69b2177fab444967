import type { EngineErrorCode } from '../../contract/error'
import type { DocumentFault } from '../documents/document-error'

/** All strings in English; the shape of every other language. Plain strings and functions, no markup. */
export const en = {
  /** BCP 47, for `lang`, numbers and dates. */
  language: 'en',
  /** In which its lines are read. */
  direction: 'ltr' as 'ltr' | 'rtl',
  page: {
    settings: 'Settings',
    newConversation: 'New conversation',
    lead: 'A small language model, running in this page.',
    intro:
      'It answers on this device: nothing you write leaves it unless you say so. It is small, so it is quick, and ' +
      'it is sometimes wrong.',
    examples: 'Examples',
    exampleQuestions: [
      'What is the capital of France?',
      'Write a short poem about a small fish.',
      'Explain gravity to a child.',
    ],
    conversation: 'Conversation',
    tryAgain: 'Try again',
    runOnProcessor: 'Run on the processor',
    /** Of an error, as the engine tells it. */
    details: 'Details',
    figures: 'Figures',
    runsOn: 'Runs on',
    runsOnAuto: 'what is faster here',
    runsOnWasm: 'the processor',
    runsOnWebGpu: 'the graphics card',
    ready: 'The model is ready.',
  },
  /** What happened and what to do, by `EngineErrorCode`. */
  errors: {
    aborted: 'This was stopped.',
    disposed: 'The model was closed.',
    'invalid-argument': 'The model was asked for something it cannot do.',
    unsupported: 'This browser or device cannot run this model.',
    'invalid-model': 'The model file is damaged or not a model.',
    integrity: 'The model arrived damaged. Trying again downloads the damaged part once more.',
    network: 'The connection failed. Check it and try again.',
    timeout: 'The remote model took too long.',
    unauthorized: 'The remote model refused the key. Check it in the settings.',
    'rate-limited': 'The remote model wants fewer questions. Try again in a while.',
    'quota-exceeded': 'The account at the remote model has nothing left to spend.',
    'content-policy': 'The remote model refuses to answer this.',
    unavailable: 'The remote model is out of order. Try again in a while.',
    'invalid-response': 'The remote model answered something that is no answer.',
    offline: 'There is no network. The question can be asked again when it is back.',
    forbidden: 'Nothing was sent: the settings, the budget or privacy do not allow it.',
    'out-of-memory': 'There is not enough memory for the model. Closing other tabs may help.',
    'storage-full': 'The browser has no room left for models. Deleting one makes room.',
    'storage-busy': 'Another tab is using this model. Close that tab and try again.',
    'context-overflow':
      'This conversation is longer than the model can read. Start a new one, or ask with fewer words.',
    'worker-lost': 'The model stopped unexpectedly. Trying again starts it anew.',
    'device-lost': 'The graphics card stopped. Trying again starts it anew.',
    internal: 'Something went wrong inside Minnow.',
  } satisfies Record<EngineErrorCode, string>,
  offer: {
    /** Megabytes in all, and here already; whether there is room to keep it. */
    words: (name: string, megabytes: string, here: string, hasRoom: boolean) =>
      `First the model is downloaded, once: ${name}, ${megabytes} MB` +
      `${here === '0' ? '' : `, ${here} MB of it are here already`}. ` +
      (hasRoom
        ? 'It stays on this device.'
        : 'There is no room to keep it here, so every visit will download it again.'),
    meanwhile: 'You can write your first question meanwhile.',
    download: (megabytes: string) => `Download ${megabytes} MB`,
    waiting: 'Waits for the model…',
  },
  loading: {
    starting: 'Starting',
    ready: 'Ready',
    download: 'Downloading the model',
    load: 'Preparing the model',
    /** Megabytes, as text. */
    ofMegabytes: (what: string, loaded: string, total: string) => `${what}: ${loaded} of ${total} MB`,
  },
  documents: {
    title: 'Documents',
    add: 'Add documents',
    /** While files are dragged over the page. */
    drop: 'Drop text, Markdown, HTML or PDF files here',
    hint: 'Text, Markdown, HTML or PDF. They stay on this device.',
    reading: (name: string, percent: number) =>
      percent > 0 ? `Reading ${name}: ${percent} %` : `Reading ${name}`,
    stop: 'Stop',
    added: (name: string) => `${name} was added. Ask about it.`,
    removed: (name: string) => `${name} was removed.`,
    remove: (name: string) => `Remove ${name}`,
    open: (name: string) => `Show ${name}`,
    summarise: (name: string) => `Summarise ${name}`,
    summariseShort: 'Summarise',
    pages: (count: number) => (count === 1 ? '1 page' : `${count} pages`),
    asked: (count: number): string =>
      count === 1 ? 'Answers come from this document.' : 'Answers come from these documents.',
    use: 'Answer from the documents',
    notAdded: (name: string) => `${name} was not added.`,
    faults: {
      'too-large': 'It is too large.',
      'too-many-pages': 'It has too many pages.',
      'too-many': 'This conversation has as many documents as it can hold. Remove one first.',
      'no-text': 'It holds no text to read; it may be a scan.',
      password: 'It is locked with a password. Save it without one.',
      broken: 'It is damaged, or not what its name says.',
      'not-text': 'This is no text, Markdown, HTML or PDF file. Save it as one of these, and add that.',
    } satisfies Record<DocumentFault, string>,
    dismiss: 'Close the message',
    nothingFound: 'I found nothing about this in the documents.',
    summaryQuestion: (name: string) => `Summarise ${name}`,
    progress: (done: number, total: number) => `Reading part ${done} of ${total}`,
    joining: 'Putting it together',
    citations: 'Sources',
    source: (label: number, where: string) => `Source ${label}: ${where}`,
    alsoRead: 'Also read',
    page: (number: number) => `p. ${number}`,
    passage: 'Passage',
    close: 'Close',
    before: 'Earlier text',
    after: 'Later text',
  },
  presets: {
    title: 'Jobs for a small model',
    open: 'Jobs',
    run: 'Go',
    back: 'All jobs',
    close: 'Close',
    missing: 'Fill this in.',
    better: 'better with a bigger model',
    faults: {
      empty: 'The answer is empty.',
      'too-long': 'The answer is longer than it should be.',
      unchanged: 'The text came back as it was.',
      'new-numbers': 'The answer has numbers that are not in the text. Check them.',
      'no-question': 'The question at the end is missing.',
      'not-a-label': 'The answer is none of the categories.',
      'not-json': 'The answer is not valid JSON.',
      'missing-keys': 'Some of what you asked for is missing.',
      'not-in-text': 'A value does not stand in the text like that. Check it.',
      'not-sql': 'The answer is not a query that only reads.',
      'unknown-name': 'The query names a table or column that you did not list.',
    } as Record<string, string>,
  },
  composer: {
    question: 'Your question',
    placeholder: 'Ask something',
    send: 'Send',
    stop: 'Stop',
  },
  turn: {
    you: 'You',
    minnow: 'Minnow',
    onThisDevice: 'on this device',
    edit: 'Edit the question',
    editLabel: 'Your question, changed',
    cancel: 'Cancel',
    ask: 'Ask',
    continue: 'Go on',
    regenerate: 'Answer again',
    copy: 'Copy the answer',
    copied: 'Copied',
    correct: 'Correct the answer',
    correctLabel: 'The answer, corrected',
    save: 'Save',
    corrected: 'Corrected by you.',
    versions: 'Versions',
    previous: 'Previous version',
    next: 'Next version',
    version: (number: number, count: number) => `Version ${number} of ${count}`,
    skipped: (count: number) =>
      count === 1
        ? 'The conversation is too long for the model: the first question was not read.'
        : `The conversation is too long for the model: the first ${count} questions were not read.`,
    thinking: 'Thinking…',
    cut: 'The answer was cut at its greatest length.',
    stopped: 'Stopped.',
    failed: 'No answer.',
    answering: 'Minnow is answering.',
    /** `whose`: the answer's badge; empty where there is none. */
    complete: (whose: string) =>
      whose === '' ? 'The answer is complete.' : `The answer is complete: ${whose}.`,
  },
  /** Whose answer it is, and who is asked. */
  route: {
    here: 'on this device',
    sure: (percent: string) => `${percent} sure`,
    checkedBy: (model: string | null) => `checked by ${model ?? 'a bigger model'}`,
    notConfirmed: 'not confirmed',
    answeredBy: (model: string) => `answered by ${model}`,
    answeredBefore: (model: string) => `answered by ${model} before`,
    checks: (model: string) => `${model} checks this answer`,
    asking: (model: string) => `Asking ${model}`,
    upgrading: (model: string) => `${model} answers instead`,
    restoring: (model: string) => `${model} answers again: the bigger model failed`,
    askBigger: 'Ask the bigger model',
    good: 'Good answer',
    bad: 'Bad answer',
  },
  conversations: {
    title: 'Conversations',
    open: 'Conversations',
    close: 'Close',
    search: 'Search',
    none: 'Nothing has been asked yet.',
    nothingFound: 'Nothing found.',
    unavailable: 'This browser keeps nothing here: conversations are gone when the page closes.',
    /** Of the button that shows what may be done with one. */
    more: (title: string) => `More of “${title}”`,
    rename: 'Rename',
    newTitle: 'New title',
    save: 'Save',
    cancel: 'Cancel',
    asMarkdown: 'Save as Markdown',
    delete: 'Delete',
    deleteForGood: 'Delete for good',
    export: 'Export all',
    import: 'Import',
    deleteAll: 'Delete all',
    deleteAllForGood: 'Delete all for good',
    notKept: 'Conversations cannot be kept just now: what is asked here is gone when the page closes.',
    imported: (count: number) =>
      count === 1 ? 'One conversation was imported.' : `${count} conversations were imported.`,
    exported: 'Documents are not in the file: what answers cite of them is.',
    noJson: 'This file holds no JSON: choose one that was exported here.',
    noConversations: (where: string) =>
      `This file holds no conversations of Minnow: something is wrong at “${where}”.`,
  },
  chatSettings: {
    open: 'Adjust',
    title: 'This conversation',
    system: 'Instruction',
    systemWords: 'What the model is told before all questions. Empty: nothing.',
    temperature: 'Chance (temperature)',
    temperatureWords: '0 always takes the likeliest word; above 1 it gets wild.',
    topP: 'Share of likely words (top p)',
    topPWords: 'Less leaves unlikely words out.',
    maxTokens: 'Length of an answer, at most (tokens)',
    mode: 'Who answers',
    modeDefault: 'As in the settings',
    modes: {
      'only-on-device': 'Only this device',
      'prefer-on-device': 'This device first',
      'prefer-in-cloud': 'The bigger model first',
      'only-in-cloud': 'Only the bigger model',
    },
    reset: 'As at first',
    cancel: 'Cancel',
    save: 'Save',
  },
  markdown: {
    code: 'Code',
    /** Empty where the language is not known. */
    codeIn: (language: string) => (language === '' ? 'Code' : `Code in ${language}`),
    copy: 'Copy',
    copied: 'Copied',
    marked: 'Marked: copy it with the keyboard',
    table: 'Table',
  },
  tokens: {
    label: 'The answer, tinted by how likely each part was',
  },
  figures: {
    speed: 'Speed',
    tokensPerSecond: (count: string) => `${count} tokens/s`,
    firstToken: 'First token',
    prompt: 'Prompt',
    /** Tokens, and how many of them had been read before. */
    kept: (tokens: number, kept: number) => (kept > 0 ? `${tokens}, ${kept} kept` : String(tokens)),
    show: 'Figures',
    tint: 'Tint words by how likely they were',
    tintWords:
      'From the next answer on; hover a word, or go there by the arrow keys, to see what else it might have been.',
    /** What this device writes. */
    estimate: (tokens: string, words: string) => `About ${tokens} tokens a second here: some ${words} words.`,
    money: (usd: string) =>
      `${usd} saved: what the bigger model would have charged, by its price in the settings.`,
    noPrice: 'Money saved: not known without a price of a bigger model in the settings.',
    energy: (tokens: string, there: string, here: string) =>
      `Energy, an estimate: ${tokens} tokens at 0.3 Wh for 500 in a data centre (Epoch AI, 2025) are ${there}; here, ` +
      `at 15 W, it was ${here}.`,
    threads: 'Threads',
    backend: 'Backend',
    memory: 'Memory',
  },
  widget: {
    /** Where nothing was asked yet. */
    empty:
      'Ask about this page, or anything a small model can do. It runs on your device: what you write stays here.',
    emptyWithRemote:
      'Ask about this page, or anything a small model can do. It runs on your device. Before anything is sent to a bigger ' +
      'one, you are asked.',
    /** Megabytes, as text. */
    download: (megabytes: string) =>
      `Your first question downloads the model (${megabytes} MB), unless this device has it.`,
    downloadOfUnknownSize: 'Your first question downloads the model, unless this device has it.',
  },
  pwa: {
    offline: 'offline',
    offlineMeans: 'There is no network. Everything works but asking a bigger model.',
    updateReady: 'A new version is ready.',
    restart: 'Restart',
    restartWaits: 'It starts when the answer is complete.',
  },
  store: {
    title: 'Models on this device',
    /** In the page's head. */
    short: 'Models',
    /** What else lies here. */
    others: 'Also on this device',
    kept: {
      conversations: 'Conversations with their documents',
      documents: 'Documents',
      usage: 'What was answered and sent, and questions that wait',
      page: 'This page with its settings, for use without a network',
    },
    close: 'Close',
    lead: 'A model that is here answers without a network, and nothing has to be downloaded again.',
    none: 'No model is kept here yet.',
    notKept: 'There is no room to keep the model here: it will be downloaded again at the next visit.',
    nowhere: 'This browser keeps no models in this window; they are downloaded each time.',
    unreadable: 'What is on this device cannot be read.',
    /** Sizes, as text. */
    room: (models: string, free: string) => `${models} of models, ${free} still free`,
    roomOfModels: (models: string) => `${models} of models`,
    roomLabel: 'Room in this browser',
    persistent: 'The browser keeps them until you delete them.',
    persist: 'Keep permanently',
    persistWords: 'The browser may clear them when the device runs out of space.',
    persistRefused: 'The browser did not promise it. It may when this page is used more, or installed.',
    inUse: 'in use',
    used: (date: string) => `last used ${date}`,
    unused: 'not used yet',
    imported: 'added by you',
    partial: (stored: string, size: string) =>
      `${stored} of ${size} are here; the rest comes when it is used.`,
    partialImport: (stored: string, size: string) =>
      `${stored} of ${size} are here. Download the same address again to go on.`,
    failed: 'This model did not start on this device.',
    update: (size: string) => `A newer version is there (${size}).`,
    getUpdate: 'Get it',
    untried: 'This newer version takes over at the next start.',
    use: 'Use',
    export: 'Save as file',
    delete: 'Delete',
    deleteSure: 'Delete for good',
    /** For screen readers: what a button is about. */
    about: (action: string, model: string) => `${action}: ${model}`,
    addTitle: 'Add a model',
    addWords:
      'GGUF files of Llama, Qwen 2, Qwen 3 and Gemma 3 models run here. A file is checked before it is kept, and never leaves this device.',
    chooseFile: 'Choose a file',
    dropHere: 'Drop the file to add it',
    url: 'Or the address of a GGUF file, for instance at Hugging Face',
    download: 'Download',
    adding: (name: string) => `Adding ${name}`,
    updating: (name: string) => `Getting the newer ${name}`,
    /** Sizes, as text. */
    progress: (done: string, total: string) => `${done} of ${total}`,
    cancel: 'Cancel',
    /** Files that come after it. */
    waiting: (count: number) => (count === 1 ? 'One more waits.' : `${count} more wait.`),
    added: (name: string) => `${name} is on this device now.`,
    noUrl: 'This is not the address of a file.',
  },
}

/** Every language has these. */
export type Strings = typeof en
