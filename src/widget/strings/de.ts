import type { Strings } from './en'

export const de: Strings = {
  language: 'de',
  page: {
    settings: 'Einstellungen',
    newConversation: 'Neues Gespräch',
    lead: 'Ein kleines Sprachmodell, das in dieser Seite läuft.',
    intro:
      'Es antwortet auf diesem Gerät: Nichts, was du schreibst, verlässt es, solange du es nicht erlaubst. Es ist ' +
      'klein, darum schnell, und es irrt sich manchmal. Am besten versteht es Englisch.',
    examples: 'Beispiele',
    exampleQuestions: [
      'What is the capital of France?',
      'Write a short poem about a small fish.',
      'Explain gravity to a child.',
    ],
    conversation: 'Gespräch',
    tryAgain: 'Noch einmal',
    figures: 'Messwerte',
    runsOn: 'Läuft auf',
    runsOnAuto: 'dem, was hier schneller ist',
    runsOnWasm: 'dem Prozessor',
    runsOnWebGpu: 'der Grafikkarte',
    ready: 'Das Modell ist bereit.',
  },
  loading: {
    starting: 'Startet',
    ready: 'Bereit',
    download: 'Das Modell wird geladen',
    load: 'Das Modell wird vorbereitet',
    ofMegabytes: (what, loaded, total) => `${what}: ${loaded} von ${total} MB`,
  },
  composer: {
    question: 'Deine Frage',
    placeholder: 'Frag etwas',
    send: 'Senden',
    stop: 'Anhalten',
  },
  turn: {
    you: 'Du',
    minnow: 'Minnow',
    onThisDevice: 'auf diesem Gerät',
    thinking: 'Denkt nach…',
    cut: 'Die Antwort wurde bei der größten Länge abgeschnitten.',
    stopped: 'Angehalten.',
    failed: 'Keine Antwort.',
    answering: 'Minnow antwortet.',
    complete: (whose) =>
      whose === '' ? 'Die Antwort ist vollständig.' : `Die Antwort ist vollständig: ${whose}.`,
  },
  figures: {
    speed: 'Tempo',
    tokensPerSecond: (count) => `${count} Token/s`,
    firstToken: 'Erstes Token',
    prompt: 'Eingabe',
    kept: (tokens, kept) => (kept > 0 ? `${tokens}, ${kept} behalten` : String(tokens)),
    threads: 'Threads',
    backend: 'Backend',
    memory: 'Speicher',
  },
  pwa: {
    offline: 'offline',
    offlineMeans: 'Es gibt kein Netz. Alles geht, nur ein größeres Modell kann nicht gefragt werden.',
    updateReady: 'Eine neue Version ist bereit.',
    restart: 'Neu starten',
    restartWaits: 'Sie startet, sobald die Antwort fertig ist.',
  },
}
