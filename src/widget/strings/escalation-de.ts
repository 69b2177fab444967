import type { EscalationStrings } from './escalation-en'

export const de: EscalationStrings = {
  settings: {
    title: 'Einstellungen',
    cancel: 'Abbrechen',
    save: 'Speichern',
    usage: 'Nutzung und Kosten',
    brokenPolicy: 'In den Regeln unten ist ein Fehler. Behebe ihn, um alle Einstellungen zu sehen.',
    whoAnswers: 'Wer antwortet',
    modes: {
      'only-on-device': { label: 'Nur dieses Gerät', words: 'Nichts, was du schreibst, verlässt es je.' },
      'prefer-on-device': {
        label: 'Zuerst dieses Gerät',
        words: 'Ein größeres Modell wird gefragt, wenn eine Antwort zweifelhaft ist oder du es verlangst.',
      },
      'prefer-in-cloud': {
        label: 'Zuerst das größere Modell',
        words: 'Dieses Gerät antwortet, wenn das größere Modell nicht kann.',
      },
      'only-in-cloud': { label: 'Nur das größere Modell', words: 'Dieses Gerät antwortet nie.' },
    },
    remote: 'Größeres Modell',
    remoteWords:
      'Ein Server mit der Schnittstelle von OpenAI. Fragen gehen von dieser Seite geradewegs zu ihm, und vor der ersten ' +
      'siehst du genau, was gesendet würde.',
    address: 'Adresse',
    model: 'Modell',
    modelPlaceholder: 'Wie es beim Anbieter heißt',
    key: 'Schlüssel',
    keyPlaceholder: 'Es gibt einen; schreib, um ihn zu ersetzen',
    keyWords: 'Leer, wo der Server keinen verlangt. Geht nur an diese Adresse.',
    rememberKey: 'Den Schlüssel auf diesem Gerät behalten',
    rememberKeyWords:
      'Sonst wird er vergessen, wenn die Seite geschlossen wird. Wer diesen Browser benutzt, kann einen behaltenen lesen.',
    forgetKey: 'Den Schlüssel vergessen',
    inputPrice: 'Preis für eine Million gelesene Token',
    outputPrice: 'Preis für eine Million geschriebene Token',
    limits: 'Grenzen',
    risk: 'Falsche Antworten, höchstens (%)',
    riskElsewhere: 'Die Regeln unten haben ein anderes Ziel.',
    riskOfAll: 'Hier beantwortet und falsch, von allen Fragen. Weniger heißt, dass mehr gesendet wird.',
    riskOfAnswered: 'Von den hier beantworteten Fragen. Weniger heißt, dass mehr gesendet wird.',
    budget: 'Geld am Tag, höchstens ($)',
    budgetWords: 'Danach antwortet nur noch dieses Gerät. Leer: keine Grenze. Braucht einen Preis.',
    personal: 'Persönliche Daten',
    personalLabel: 'Namen, Adressen, Nummern und Ähnliches in einer Frage',
    personalActions: {
      redact: 'Vor dem Senden ersetzen',
      'force-local': 'Solche Fragen auf diesem Gerät behalten',
      block: 'Solche Fragen ablehnen',
      allow: 'Senden, wie es ist',
    },
    strict: 'Auch, was nur vielleicht persönlich ist',
    strictWords: 'Jedes großgeschriebene Wort und jede Zahl, die zu jemandem gehören könnten.',
    policy: 'Die Regeln als JSON',
    policyWords:
      'Regeln nach Aufgabe, Sprache, Länge oder Stunde, Obergrenzen und Experimente. Was fehlt, hat seinen Vorgabewert.',
    noJson: 'Das ist kein JSON.',
    badPolicy: 'Etwas an diesen Regeln ist nicht, wie es sein soll.',
    modelMissing: 'Nenne das Modell, wie es bei seinem Anbieter heißt.',
    badAddress: 'Nenne eine Adresse, die mit https:// beginnt',
    keyInAddress:
      'Eine Adresse wird behalten, ein Schlüssel darin also auch: Lass alles nach ? und # weg, und gib den Schlüssel unten ein.',
    unusableAddress: 'Diese Adresse lässt sich nicht benutzen.',
    badPrice: 'Nenne US-Dollar für eine Million Token, 0, wo es nichts kostet, oder lass beides leer.',
    readModels: 'Seine Modelle lesen',
    reading: 'Wird gefragt…',
    models: (count) => (count === 1 ? 'Ein Modell zur Auswahl.' : `${count} Modelle zur Auswahl.`),
  },
  usage: {
    people: 'Für einen Menschen zum Ansehen',
    peopleDone: 'Erledigt',
    peopleSave: 'Ganze Gespräche als JSON speichern',
    title: 'Nutzung und Kosten',
    lead: 'Nur auf diesem Gerät notiert: was gesendet wurde, und kein anderer Text.',
    unreadable: 'Was notiert wurde, lässt sich nicht lesen.',
    empty: 'Noch wurde nichts gefragt.',
    delete: 'Alles löschen',
    deleteSure: 'Endgültig löschen',
    close: 'Schließen',
    questions: 'Fragen',
    bigger: 'Größeres Modell',
    device: 'Dieses Gerät',
    spent: 'Ausgegeben',
    saved: 'Gespart',
    asTable: 'Als Tabelle',
    titleAsTable: (title) => `${title}, als Tabelle`,
    shareTitle: 'Von einem größeren Modell beantwortet',
    share: (away, all) => `${away} von ${all} Antworten.`,
    shareSeries: 'Anteil',
    moneyTitle: 'Geld',
    money: (spent, saved) =>
      `${spent} ausgegeben, ${saved} gespart gegenüber dem, immer das größere Modell zu fragen.`,
    latencyTitle: 'Zeit bis zu einer Antwort',
    latency: (medians) => `Mediane bis zur ganzen Antwort. ${medians}.`,
    latencySeries: ['Erstes Wort', 'Ganze Antwort'],
    confidenceTitle: 'Sicherheit gegen dein Urteil',
    confidence: (judged) =>
      `${judged} beurteilte Antworten dieses Geräts. Wo beide Balken gleich sind, ist die Sicherheit ehrlich.`,
    confidenceSeries: ['Gut, sagtest du', 'Richtig, sagte es'],
    driftTitle: 'Sicherheit im Lauf der Zeit',
    driftSeries: ['Sicher, im Mittel', 'Gut, sagtest du'],
    driftNone: (mean) =>
      `Antworten dieses Geräts waren im Mittel zu ${mean} sicher; keine Änderung, die über Zufall hinausgeht.`,
    drift: (before, after) =>
      `Antworten dieses Geräts waren vor den letzten sieben Tagen zu ${before} sicher und seither zu ${after}: mehr, als Zufall erklärt. Die Fragen sind vielleicht andere geworden; neu zu kalibrieren zeigt es.`,
    held: (count, most) =>
      `${count === 1 ? 'Eine Frage wird' : `${count} Fragen werden`} noch beantwortet oder brach ab, als die Seite geschlossen wurde. Bis man weiß, was das gekostet hat, zählt das Höchste, ${most}, als vom Geld des Tages ausgegeben.`,
  },
  consent: {
    title: (models) => `Das an ${models} senden?`,
    or: ' oder ',
    answer: 'Um zu antworten, würde dieser Text das Gerät verlassen, an',
    verify: 'Um die Antwort dieses Geräts zu prüfen, würde dieser Text das Gerät verlassen, an',
    roles: { system: 'Anweisung', user: 'Du', assistant: 'Frühere Antwort' },
    itsServer: 'seinen Server',
    text: 'Der Text',
    wholeRequest: 'Die ganze Anfrage',
    key: (origins) => `Schlüssel für ${origins}`,
    keyWords: 'Er wurde nicht behalten, als die Seite geschlossen wurde.',
    no: 'Auf dem Gerät lassen',
    scope: 'In diesem Gespräch immer',
    once: 'Einmal senden',
  },
  wait: {
    title: 'Es gibt kein Netz',
    words:
      'Das größere Modell ist nicht zu erreichen. Die Frage kann auf diesem Gerät warten; bevor sie gesendet wird, wirst ' +
      'du noch einmal gefragt.',
    no: 'Nicht warten',
    yes: 'Auf das Netz warten',
  },
  waiting: {
    count: (count) =>
      count === 1 ? 'Eine Frage wartet auf das Netz' : `${count} Fragen warten auf das Netz`,
    forget: 'Vergessen',
    forgetQuestion: (question) => `„${question}“ vergessen`,
    send: 'Jetzt senden',
    sending: 'Wird gesendet…',
  },
  calibration: {
    title: 'Wie sicher eine Antwort ist',
    close: 'Schließen',
    shipped: 'Es gilt Minnows eigene Kalibrierung, aus öffentlichen Fragensammlungen.',
    own: (date, count, source) =>
      `Es gilt deine eigene Kalibrierung vom ${date}, aus ${count} Fragen (${source}).`,
    waiting: 'Das Modell dieses Geräts ist noch nicht geladen; dafür wird es gebraucht.',
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
      `${questions} Fragen${skipped === 0 ? '' : skipped === 1 ? '; eine Zeile war nicht zu gebrauchen' : `; ${skipped} Zeilen waren nicht zu gebrauchen`}.`,
    tooFew: (least) => `Es braucht mindestens ${least} Fragen.`,
    unreadable: 'Diese Datei lässt sich nicht lesen.',
    target: 'Was gelten soll',
    targetRisk: 'Wenig Falsches (% von allen)',
    targetEscalated: 'Wenig gesendet (% der Fragen)',
    targetCost: 'Wenig Kosten ($ für 1.000 Fragen)',
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
