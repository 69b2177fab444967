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
  offer: {
    words: (name, megabytes, here) =>
      `Zuerst wird einmal das Modell geladen: ${name}, ${megabytes} MB` +
      `${here === '0' ? '' : `, davon sind ${here} MB schon hier`}. Es bleibt auf diesem Gerät. Die erste Frage ` +
      'kannst du schon schreiben.',
    download: (megabytes) => `${megabytes} MB herunterladen`,
    waiting: 'Wartet auf das Modell…',
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
    edit: 'Frage ändern',
    editLabel: 'Deine Frage, geändert',
    cancel: 'Abbrechen',
    ask: 'Fragen',
    continue: 'Weiter',
    regenerate: 'Noch einmal antworten',
    copy: 'Antwort kopieren',
    copied: 'Kopiert',
    versions: 'Fassungen',
    previous: 'Vorige Fassung',
    next: 'Nächste Fassung',
    version: (number, count) => `Fassung ${number} von ${count}`,
    thinking: 'Denkt nach…',
    cut: 'Die Antwort wurde bei der größten Länge abgeschnitten.',
    stopped: 'Angehalten.',
    failed: 'Keine Antwort.',
    answering: 'Minnow antwortet.',
    complete: (whose) =>
      whose === '' ? 'Die Antwort ist vollständig.' : `Die Antwort ist vollständig: ${whose}.`,
  },
  conversations: {
    title: 'Gespräche',
    open: 'Gespräche',
    close: 'Schließen',
    search: 'Suchen',
    none: 'Noch wurde nichts gefragt.',
    nothingFound: 'Nichts gefunden.',
    unavailable: 'Dieser Browser behält hier nichts: Gespräche sind weg, wenn die Seite geschlossen wird.',
    more: (title) => `Mehr zu „${title}“`,
    rename: 'Umbenennen',
    newTitle: 'Neuer Titel',
    save: 'Speichern',
    cancel: 'Abbrechen',
    asMarkdown: 'Als Markdown speichern',
    delete: 'Löschen',
    deleteForGood: 'Endgültig löschen',
    export: 'Alle exportieren',
    import: 'Importieren',
    deleteAll: 'Alle löschen',
    deleteAllForGood: 'Alle endgültig löschen',
    imported: (count) =>
      count === 1 ? 'Ein Gespräch wurde importiert.' : `${count} Gespräche wurden importiert.`,
    noJson: 'Diese Datei enthält kein JSON: Wähle eine, die hier exportiert wurde.',
    noConversations: (where) =>
      `Diese Datei enthält keine Gespräche von Minnow: Etwas stimmt nicht bei „${where}“.`,
  },
  chatSettings: {
    open: 'Anpassen',
    title: 'Dieses Gespräch',
    system: 'Anweisung',
    systemWords: 'Was dem Modell vor allen Fragen gesagt wird. Leer: nichts.',
    temperature: 'Zufall (Temperatur)',
    temperatureWords: '0 nimmt immer das wahrscheinlichste Wort; über 1 wird es wild.',
    topP: 'Anteil wahrscheinlicher Wörter (top p)',
    topPWords: 'Weniger lässt unwahrscheinliche Wörter weg.',
    maxTokens: 'Länge einer Antwort, höchstens (Token)',
    mode: 'Wer antwortet',
    modeDefault: 'Wie in den Einstellungen',
    modes: {
      'only-on-device': 'Nur dieses Gerät',
      'prefer-on-device': 'Zuerst dieses Gerät',
      'prefer-in-cloud': 'Zuerst das größere Modell',
      'only-in-cloud': 'Nur das größere Modell',
    },
    reset: 'Wie am Anfang',
    cancel: 'Abbrechen',
    save: 'Speichern',
  },
  markdown: {
    code: 'Code',
    codeIn: (language) => (language === '' ? 'Code' : `Code in ${language}`),
    copy: 'Kopieren',
    copied: 'Kopiert',
    marked: 'Markiert: mit der Tastatur kopieren',
    table: 'Tabelle',
  },
  tokens: {
    label: 'Die Antwort, gefärbt nach der Wahrscheinlichkeit ihrer Teile',
  },
  figures: {
    speed: 'Tempo',
    tokensPerSecond: (count) => `${count} Token/s`,
    firstToken: 'Erstes Token',
    prompt: 'Eingabe',
    kept: (tokens, kept) => (kept > 0 ? `${tokens}, ${kept} behalten` : String(tokens)),
    show: 'Messwerte',
    tint: 'Wörter nach Wahrscheinlichkeit färben',
    tintWords:
      'Ab der nächsten Antwort; zeige auf ein Wort oder geh mit den Pfeiltasten hin, um zu sehen, was es sonst hätte sein können.',
    estimate: (tokens, words) => `Hier etwa ${tokens} Token in der Sekunde: rund ${words} Wörter.`,
    money: (usd) =>
      `${usd} gespart: was das größere Modell verlangt hätte, nach seinem Preis in den Einstellungen.`,
    noPrice: 'Gespartes Geld: nicht bekannt ohne den Preis eines größeren Modells in den Einstellungen.',
    energy: (tokens, there, here) =>
      `Energie, geschätzt: ${tokens} Token mit 0,3 Wh für 500 in einem Rechenzentrum (Epoch AI, 2025) sind ${there}; ` +
      `hier, mit 15 W, waren es ${here}.`,
    threads: 'Threads',
    backend: 'Backend',
    memory: 'Speicher',
  },
  widget: {
    empty:
      'Frag etwas zu dieser Seite oder anderes, was ein kleines Modell kann. Es läuft auf deinem Gerät: Was du ' +
      'schreibst, bleibt hier.',
    emptyWithRemote:
      'Frag etwas zu dieser Seite oder anderes, was ein kleines Modell kann. Es läuft auf deinem Gerät. Bevor etwas an ' +
      'ein größeres gesendet wird, wirst du gefragt.',
    download: (megabytes: string) =>
      `Deine erste Frage lädt das Modell herunter (${megabytes} MB), wenn dieses Gerät es noch nicht hat.`,
    downloadOfUnknownSize: 'Deine erste Frage lädt das Modell herunter, wenn dieses Gerät es noch nicht hat.',
  },
  pwa: {
    offline: 'offline',
    offlineMeans: 'Es gibt kein Netz. Alles geht, nur ein größeres Modell kann nicht gefragt werden.',
    updateReady: 'Eine neue Version ist bereit.',
    restart: 'Neu starten',
    restartWaits: 'Sie startet, sobald die Antwort fertig ist.',
  },
  settings: {
    readModels: 'Seine Modelle lesen',
    reading: 'Wird gefragt…',
    models: (count) => `${count} Modelle zur Auswahl.`,
  },
  usage: {
    driftTitle: 'Sicherheit im Lauf der Zeit',
    driftSeries: ['Sicher, im Mittel', 'Gut, sagtest du'],
    driftNone: (mean) =>
      `Antworten dieses Geräts waren im Mittel zu ${mean} sicher; keine Änderung, die über Zufall hinausgeht.`,
    drift: (before, after) =>
      `Antworten dieses Geräts waren vor den letzten sieben Tagen zu ${before} sicher und seither zu ${after}: mehr, als Zufall erklärt. Die Fragen sind vielleicht andere geworden; neu zu kalibrieren zeigt es.`,
    held: (count, most) =>
      `${count === 1 ? 'Eine Frage wird' : `${count} Fragen werden`} noch beantwortet oder brach ab, als die Seite geschlossen wurde. Bis man weiß, was das gekostet hat, zählt das Höchste, ${most}, als vom Geld des Tages ausgegeben.`,
  },
  store: {
    title: 'Modelle auf diesem Gerät',
    close: 'Schließen',
    lead: 'Ein Modell, das hier liegt, antwortet ohne Netz und muss nicht noch einmal geladen werden.',
    none: 'Hier liegt noch kein Modell.',
    nowhere: 'Dieser Browser behält in diesem Fenster keine Modelle; sie werden jedes Mal geladen.',
    unreadable: 'Was auf diesem Gerät liegt, lässt sich nicht lesen.',
    room: (models, free) => `${models} Modelle, ${free} noch frei`,
    roomOfModels: (models) => `${models} Modelle`,
    roomLabel: 'Platz in diesem Browser',
    persistent: 'Der Browser behält sie, bis du sie löschst.',
    persist: 'Dauerhaft behalten',
    persistWords: 'Der Browser darf sie löschen, wenn auf dem Gerät der Platz knapp wird.',
    persistRefused:
      'Der Browser hat das nicht zugesagt. Vielleicht tut er es, wenn diese Seite öfter benutzt oder installiert wird.',
    inUse: 'in Gebrauch',
    used: (date) => `zuletzt benutzt ${date}`,
    unused: 'noch nicht benutzt',
    imported: 'von dir hinzugefügt',
    partial: (stored, size) => `${stored} von ${size} sind hier; der Rest kommt, wenn es benutzt wird.`,
    partialImport: (stored, size) =>
      `${stored} von ${size} sind hier. Lade dieselbe Adresse noch einmal, dann geht es weiter.`,
    failed: 'Dieses Modell ließ sich auf diesem Gerät nicht starten.',
    update: (size) => `Es gibt eine neuere Fassung (${size}).`,
    getUpdate: 'Laden',
    untried: 'Diese neuere Fassung gilt ab dem nächsten Start.',
    use: 'Benutzen',
    export: 'Als Datei sichern',
    delete: 'Löschen',
    deleteSure: 'Endgültig löschen',
    about: (action, model) => `${action}: ${model}`,
    addTitle: 'Modell hinzufügen',
    addWords:
      'Hier laufen GGUF-Dateien der Modelle Llama, Qwen 2, Qwen 3 und Gemma 3. Eine Datei wird geprüft, bevor sie behalten wird, und verlässt dieses Gerät nie.',
    chooseFile: 'Datei wählen',
    dropHere: 'Loslassen, um die Datei hinzuzufügen',
    url: 'Oder die Adresse einer GGUF-Datei, zum Beispiel bei Hugging Face',
    download: 'Herunterladen',
    adding: (name) => `${name} wird hinzugefügt`,
    updating: (name) => `Die neuere Fassung von ${name} wird geladen`,
    progress: (done, total) => `${done} von ${total}`,
    cancel: 'Abbrechen',
    added: (name) => `${name} ist jetzt auf diesem Gerät.`,
    noUrl: 'Das ist nicht die Adresse einer Datei.',
  },
  calibration: {
    title: 'Wie sicher eine Antwort ist',
    close: 'Schließen',
    shipped: 'Es gilt Minnows eigene Kalibrierung, aus öffentlichen Fragensammlungen.',
    own: (date, count, source) =>
      `Es gilt deine eigene Kalibrierung vom ${date}, aus ${count} Fragen (${source}).`,
    none: 'Für dieses Modell gibt es keine Kalibrierung: Seine Antworten werden genommen, wie sie sind.',
    learnt: (answers, before, after) =>
      `Deine Urteile über ${answers} Antworten haben sie seither verändert: Was sie zu ${before} für sicher hält, gilt nun als zu ${after} sicher.`,
    questionsTitle: 'Eigene Fragen',
    questionsWords:
      'Eine Datei mit einer Frage je Zeile, etwa {"question": "…", "answer": "…"}, 100 oder besser 300 davon. Das ' +
      'Modell dieses Geräts beantwortet sie alle, hier; nichts wird gesendet. Dann weiß Minnow, wie sicher es sich ' +
      'bei Fragen wie deinen sein darf.',
    file: 'Datei mit Fragen (JSONL)',
    read: (questions, skipped) =>
      `${questions} Fragen${skipped === 0 ? '' : `; ${skipped} Zeilen waren nicht zu gebrauchen`}.`,
    tooFew: (least) => `Es braucht mindestens ${least} Fragen.`,
    unreadable: 'Diese Datei lässt sich nicht lesen.',
    target: 'Was gelten soll',
    targetRisk: 'Falsche Antworten dieses Geräts, höchstens (% von allen)',
    targetEscalated: 'Fragen an das größere Modell, höchstens (%)',
    targetCost: 'Geld für 1.000 Fragen, höchstens ($)',
    most: 'Höchstens',
    start: 'Alle stellen',
    asking: (asked, total) => `${asked} von ${total} Fragen gestellt`,
    fitting: 'Es wird ermittelt, was richtige Antworten von falschen unterscheidet',
    stop: 'Anhalten',
    failed: 'Das ging nicht.',
    result: (count, right) => `${count} Fragen gestellt, ${right} richtig beantwortet.`,
    quality: (auroc, ece) =>
      `Von einer richtigen und einer falschen Antwort erkennt sie in ${auroc} der Fälle, welche welche ist (50 % wäre Zufall); ihre Prozentzahlen liegen im Mittel um ${ece} daneben.`,
    kept: (threshold, stay, wrong, held) =>
      `Damit gilt, was du willst, zählt eine Antwort ab ${threshold} Sicherheit. Von ${held} dafür beiseitegelegten Fragen wären ${stay} hier geblieben, ${wrong} davon falsch.`,
    keptByNothing:
      'Keine Antwort dieses Geräts ist sicher genug für das, was du willst: Alle Fragen gingen an das größere Modell.',
    keep: 'Verwenden',
    discard: 'Verwerfen',
    saveFile: 'Als Datei sichern',
    judgementsTitle: 'Deine Urteile',
    judgements: (count, least) =>
      count >= least
        ? `${count} Antworten mit dem Daumen beurteilt. Minnow kann seine Prozentzahlen danach richten.`
        : `${count} von mindestens ${least} Antworten mit dem Daumen beurteilt.`,
    tooFewOfAKind: (least) => `Es braucht mindestens ${least} gute und ${least} schlechte.`,
    learn: 'Daraus lernen',
    changed: (answers, right, expected, before, after) =>
      `Von ${answers} Antworten fandest du ${right} richtig; ${expected} waren versprochen. Was als zu ${before} sicher galt, gilt ab jetzt als zu ${after} sicher. Die Reihenfolge der Antworten bleibt; Grenzen für falsche Antworten sind Schätzungen, bis du mit Fragen kalibrierst.`,
    reset: 'Zurück zu Minnows eigener',
    open: 'Wie sicher eine Antwort ist…',
  },
}
