import type { RoutingMode } from '../../contract/route'
import type { PersonalDataPolicy } from '../../router/policy/schema'

/** What is said of asking a bigger model, in English; the shape of every other language. Loaded with the router. */
export const en = {
  settings: {
    title: 'Settings',
    cancel: 'Cancel',
    save: 'Save',
    usage: 'Usage and costs',
    brokenPolicy: 'The policy below has an error. Mend it to see all settings.',
    whoAnswers: 'Who answers',
    modes: {
      'only-on-device': { label: 'Only on this device', words: 'Nothing you write ever leaves it.' },
      'prefer-on-device': {
        label: 'This device first',
        words: 'A bigger model is asked when an answer looks doubtful, or when you ask for it.',
      },
      'prefer-in-cloud': {
        label: 'The bigger model first',
        words: 'This device answers when the bigger model cannot.',
      },
      'only-in-cloud': { label: 'Only the bigger model', words: 'This device never answers.' },
    } satisfies Record<RoutingMode, { label: string; words: string }>,
    remote: 'Bigger model',
    remoteWords:
      'Any server with OpenAI’s interface. Questions go straight from this page to it, and before the first one you ' +
      'see exactly what would be sent.',
    address: 'Address',
    model: 'Model',
    modelPlaceholder: 'As its provider spells it',
    key: 'Key',
    keyPlaceholder: 'There is one; type to replace it',
    keyWords: 'Empty where the server wants none. Sent to this address only.',
    rememberKey: 'Remember the key on this device',
    rememberKeyWords:
      'Else it is forgotten when the page closes. Whoever uses this browser can read a remembered key.',
    forgetKey: 'Forget the key',
    inputPrice: 'Price of a million tokens read',
    outputPrice: 'Price of a million tokens written',
    limits: 'Limits',
    risk: 'Wrong answers, at most (%)',
    riskElsewhere: 'The policy below aims at something else.',
    riskOfAll: 'Answered here and wrong, of all questions. Less means that more is sent.',
    riskOfAnswered: 'Of the questions answered here. Less means that more is sent.',
    budget: 'Money a day, at most ($)',
    budgetWords: 'Then this device answers alone. Empty: no limit. Needs a price.',
    personal: 'Personal data',
    personalLabel: 'Names, addresses, numbers and the like in a question',
    personalActions: {
      redact: 'Replace it before sending',
      'force-local': 'Keep such questions on this device',
      block: 'Refuse such questions',
      allow: 'Send it as it is',
    } satisfies Record<PersonalDataPolicy['action'], string>,
    strict: 'Also what only may be personal',
    strictWords: 'Every capitalised word or number that could be someone’s.',
    policy: 'The policy as JSON',
    policyWords:
      'Rules by task, language, length or hour, ceilings and experiments. What is left out has its default.',
    noJson: 'This is no JSON.',
    badPolicy: 'Something in this policy is not as it should be.',
    modelMissing: 'Give the name of the model, as its provider spells it.',
    badAddress: 'Give an address that begins with https://',
    keyInAddress:
      'An address is kept, and a key in it would be, too: leave out all after ? and #, and give the key below.',
    unusableAddress: 'This address cannot be used.',
    badPrice: 'Give US dollars a million tokens, 0 where it costs nothing, or leave both empty.',
    readModels: 'Read its models',
    reading: 'Asking…',
    models: (count: number) =>
      count === 1 ? 'One model to choose from.' : `${count} models to choose from.`,
  },
  usage: {
    people: 'For a person to look at',
    peopleDone: 'Done with it',
    peopleSave: 'Save whole conversations as JSON',
    title: 'Usage and costs',
    lead: 'Written down on this device only. It holds what was sent, and no other text.',
    unreadable: 'What was written down cannot be read.',
    empty: 'Nothing has been asked yet.',
    delete: 'Delete all',
    deleteSure: 'Delete it for good',
    close: 'Close',
    questions: 'Questions',
    bigger: 'Bigger model',
    device: 'This device',
    spent: 'Spent',
    saved: 'Saved',
    asTable: 'As a table',
    titleAsTable: (title: string) => `${title}, as a table`,
    shareTitle: 'Answered by a bigger model',
    share: (away: number, all: number) => `${away} of ${all} answers.`,
    shareSeries: 'Share',
    moneyTitle: 'Money',
    money: (spent: string, saved: string) =>
      `${spent} spent, ${saved} saved against always asking the bigger model.`,
    latencyTitle: 'Time to an answer',
    latency: (medians: string) => `Medians to the whole answer. ${medians}.`,
    latencySeries: ['First word', 'Whole answer'],
    confidenceTitle: 'Confidence against your judgement',
    confidence: (judged: number) =>
      `${judged} judged answers of this device. Where both bars are alike, the confidence is honest.`,
    confidenceSeries: ['Good, you said', 'Right, it said'],
    driftTitle: 'Confidence over time',
    driftSeries: ['Sure, in the mean', 'Good, you said'],
    driftNone: (mean: string) =>
      `Answers of this device were ${mean} sure in the mean; no change beyond chance.`,
    drift: (before: string, after: string) =>
      `Answers of this device were ${before} sure before the last seven days, and ${after} in them: more than chance explains. Questions may have become others; calibrating anew tells.`,
    /** Entries that have money set aside: under way, or cut off when the page was closed. */
    held: (count: number, most: string) =>
      `${count === 1 ? 'One question is' : `${count} questions are`} still being answered, or broke off when the page was closed. Until it is known what that cost, ${most}, the most it can be, counts as spent in the day’s budget.`,
  },
  consent: {
    /** @param models one or several, as `or` joins them */
    title: (models: string) => `Send this to ${models}?`,
    or: ' or ',
    answer: 'To answer, this text would leave the device, to',
    verify: 'To check the answer of this device, this text would leave the device, to',
    roles: { system: 'Instruction', user: 'You', assistant: 'Earlier answer' } as Readonly<
      Record<string, string>
    >,
    itsServer: 'its server',
    text: 'The text',
    wholeRequest: 'The whole request',
    key: (origins: string) => `Key for ${origins}`,
    keyWords: 'It was not kept when the page was closed.',
    no: 'Keep on device',
    scope: 'Always in this conversation',
    once: 'Send once',
  },
  wait: {
    title: 'There is no network',
    words:
      'The bigger model cannot be reached. The question can wait on this device; you are asked again before it is sent.',
    no: 'Do not wait',
    yes: 'Wait for the network',
  },
  waiting: {
    count: (count: number) =>
      count === 1 ? 'One question waits for the network' : `${count} questions wait for the network`,
    forget: 'Forget',
    forgetQuestion: (question: string) => `Forget “${question}”`,
    send: 'Send now',
    sending: 'Sending…',
  },
  calibration: {
    title: 'How sure an answer is',
    close: 'Close',
    shipped: 'Minnow’s own calibration is in force, made of public sets of questions.',
    own: (date: string, count: number, source: string) =>
      `Your own calibration of ${date} is in force, made of ${count} questions (${source}).`,
    waiting: 'The model of this device is not loaded yet; it is needed for this.',
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
      `${questions} questions${skipped === 0 ? '' : skipped === 1 ? '; one line could not be used' : `; ${skipped} lines could not be used`}.`,
    tooFew: (least: number) => `At least ${least} questions are needed.`,
    unreadable: 'This file cannot be read.',
    target: 'What you want kept',
    targetRisk: 'Few wrong answers (% of all)',
    targetEscalated: 'Few questions sent (%)',
    targetCost: 'Few costs ($ for 1,000 questions)',
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

export type EscalationStrings = typeof en
