/** All strings in English; the shape of every other language. Plain strings and functions, no markup. */
export const en = {
  /** BCP 47, for `lang`, numbers and dates. */
  language: 'en',
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
    figures: 'Figures',
    runsOn: 'Runs on',
    runsOnAuto: 'what is faster here',
    runsOnWasm: 'the processor',
    runsOnWebGpu: 'the graphics card',
    ready: 'The model is ready.',
  },
  loading: {
    starting: 'Starting',
    ready: 'Ready',
    download: 'Downloading the model',
    load: 'Preparing the model',
    /** Megabytes, as text. */
    ofMegabytes: (what: string, loaded: string, total: string) => `${what}: ${loaded} of ${total} MB`,
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
    versions: 'Versions',
    previous: 'Previous version',
    next: 'Next version',
    version: (number: number, count: number) => `Version ${number} of ${count}`,
    thinking: 'Thinking…',
    cut: 'The answer was cut at its greatest length.',
    stopped: 'Stopped.',
    failed: 'No answer.',
    answering: 'Minnow is answering.',
    /** `whose`: the answer's badge; empty where there is none. */
    complete: (whose: string) =>
      whose === '' ? 'The answer is complete.' : `The answer is complete: ${whose}.`,
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
    threads: 'Threads',
    backend: 'Backend',
    memory: 'Memory',
  },
  pwa: {
    offline: 'offline',
    offlineMeans: 'There is no network. Everything works but asking a bigger model.',
    updateReady: 'A new version is ready.',
    restart: 'Restart',
    restartWaits: 'It starts when the answer is complete.',
  },
}

/** Every language has these. */
export type Strings = typeof en
