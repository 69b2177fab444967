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
  usage: {
    /** Entries that have money set aside: under way, or cut off when the page was closed. */
    held: (count: number, most: string) =>
      `${count === 1 ? 'One question is' : `${count} questions are`} still being answered, or broke off when the page was closed. Until it is known what that cost, ${most}, the most it can be, counts as spent in the day’s budget.`,
  },
  calibration: {
    title: 'How sure an answer is',
    close: 'Close',
    shipped: 'Minnow’s own calibration is in force, made of public sets of questions.',
    own: (date: string, count: number, source: string) =>
      `Your own calibration of ${date} is in force, made of ${count} questions (${source}).`,
    none: 'There is no calibration for this model: its answers are taken as they are.',
    learnt: (answers: number, before: string, after: string) =>
      `Your judgements of ${answers} answers have changed it since: what it holds ${before} sure now counts as ${after} sure.`,
    questionsTitle: 'Your own questions',
    questionsWords:
      'A file with one question a line, such as {"question": "…", "answer": "…"}, 100 or better 300 of them. The model ' +
      'of this device answers them all, here; nothing is sent. Then Minnow knows how sure it may be of answers to ' +
      'questions like yours.',
    file: 'File with questions (JSONL)',
    read: (questions: number, skipped: number) =>
      `${questions} questions${skipped === 0 ? '' : `; ${skipped} lines could not be used`}.`,
    tooFew: (least: number) => `At least ${least} questions are needed.`,
    unreadable: 'This file cannot be read.',
    target: 'What you want kept',
    targetRisk: 'Wrong answers of this device, at most (% of all)',
    targetEscalated: 'Questions for the bigger model, at most (%)',
    targetCost: 'Money for 1,000 questions, at most ($)',
    most: 'At most',
    start: 'Ask them all',
    asking: (asked: number, total: number) => `${asked} of ${total} questions asked`,
    fitting: 'Finding out what tells right answers from wrong ones',
    stop: 'Stop',
    failed: 'That did not work.',
    result: (count: number, right: string) => `${count} questions asked, ${right} answered rightly.`,
    quality: (auroc: string, ece: string) =>
      `Of a right and a wrong answer it tells which is which in ${auroc} of all cases (50 % is chance); its percentages are off by ${ece} in the mean.`,
    kept: (threshold: string, stay: number, wrong: number, held: number) =>
      `For what you want kept, an answer counts from ${threshold} sure on. Of ${held} questions put aside for this, ${stay} would have stayed here, ${wrong} of them wrong.`,
    keptByNothing:
      'No answer of this device is sure enough for what you want kept: all questions would go to the bigger model.',
    keep: 'Use it',
    discard: 'Discard',
    saveFile: 'Save as a file',
    judgementsTitle: 'Your judgements',
    judgements: (count: number, least: number) =>
      count >= least
        ? `${count} answers judged by thumb. Minnow can set its percentages by them.`
        : `${count} of at least ${least} answers judged by thumb.`,
    tooFewOfAKind: (least: number) => `At least ${least} good and ${least} bad ones are needed.`,
    learn: 'Learn from them',
    /** What changed, in plain words. */
    changed: (answers: number, right: number, expected: string, before: string, after: string) =>
      `Of ${answers} answers you found ${right} right; ${expected} had been promised. From now on, what counted as ${before} sure counts as ${after} sure. The order of answers stays; limits on wrong answers are estimates until you calibrate with questions.`,
    reset: 'Back to Minnow’s own',
    open: 'How sure an answer is…',
  },
}

/** Every language has these. */
export type Strings = typeof en
